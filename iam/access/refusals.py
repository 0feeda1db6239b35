"""The refusals of this room: text and id."""

REFUSALS = {
    "auth.missing": ("auth header missing", ""),
    "auth.header_invalid": ("Authorization header must be of the form: Bearer <token>", "AUTH-7fs1e"),
    "auth.token_invalid": (
        "The token is not valid here: unknown, expired, revoked or of another instance",
        "AUTH-7fs1f",
    ),
    "auth.audience_missing": (
        "The token is not meant for this API: request the scope urn:zitadel:iam:org:project:id:zitadel:aud",
        "AUTH-Zq3bD",
    ),
    "auth.permission_denied": ("No matching permissions found", "AUTH-5mWD2"),
    "auth.host_invalid": (
        "The host of the request is missing, said twice or no host name",
        "AUTH-h0stn",
    ),
    "auth.orgs_several": ("The header names several organizations; a request acts in one", "AUTH-0rg2s"),
    "instance.not_found": ("Instance not found. Make sure you got the domain right", "QUERY-n0wng"),
    "member.role_unknown": ("Role does not exist on this level", "MEMBER-r0l3u"),
    "member.roles_missing": ("At least one role is needed", "MEMBER-r0l3m"),
    "member.user_missing": ("A user is needed", "MEMBER-us3rm"),
    "member.already_exists": ("Member already exists", "V3-DKcYh"),
    "member.not_found": ("Member not found", "MEMBER-n0tfd"),
    "id.invalid": ("An id has 1 to 200 letters, digits and . _ ~ @ | -", "ID-1nv4l"),
    "id.reserved": ("This id is reserved", "ID-r3srv"),
    "id.taken": ("This id is taken", "ID-t4k3n"),
    "change.contended": ("Others changed the same thing at the same time; try again", "CHANGE-c0nt5"),
}
