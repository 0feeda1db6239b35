"""The refusals of this room for who meets them: cause and remedy (deploy/docs/errors.md)."""

REMEDIES = {
    "auth.missing": (
        "The call needs a caller and has no Authorization header.",
        "Send `Authorization: Bearer <token>` with a personal access token or an access token.",
    ),
    "auth.header_invalid": (
        "The Authorization header has another scheme than Bearer, or no token.",
        "Write `Bearer`, one space, the token.",
    ),
    "auth.token_invalid": (
        "The token is unknown here, expired or revoked, or its user, session, application or organization is not active.",
        "Get a new token from the instance that the host of the call belongs to.",
    ),
    "auth.audience_missing": (
        "The token is good, but was not issued for this API.",
        "Ask for the scope `urn:zitadel:iam:org:project:id:zitadel:aud`; a personal access token with scopes needs it, too.",
    ),
    "auth.permission_denied": (
        "The caller is known and has no role that allows this.",
        "Let an administrator give the caller a role at this level (administrators of instance, organization, project or grant).",
    ),
    "auth.host_invalid": (
        "Host, `:authority`, Forwarded or X-Forwarded-Host is missing, is said twice, has user information, or is malformed.",
        "Send one host name, with a port or without, and the path alone in the request line.",
    ),
    "auth.orgs_several": (
        "The header x-zitadel-orgid came more than once, with different ids.",
        "Send it once; a proxy or an interceptor may add one to the one that the client sends.",
    ),
    "instance.not_found": (
        "No instance has the host that was called.",
        "Call the instance by one of its domains; add the host to the instance, or set ExternalDomain.",
    ),
    "id.invalid": (
        "The id that was chosen for a new thing is blank, too long, or has characters that an address cannot hold.",
        "Choose 1 to 200 ASCII letters, digits and `. _ ~ @ | -`, or leave the id out: then one is made.",
    ),
    "id.reserved": (
        "The id that was chosen has a meaning of its own, or is one of those that are made at this moment.",
        "Choose another id, or leave it out; an id of 18 digits that was made elsewhere is accepted a minute later.",
    ),
    "id.taken": (
        "Something else has this id, or had it, or somebody has it as a name: things of all kinds share one set of ids.",
        "Choose another id, or leave it out: then one is made.",
    ),
    "member.role_unknown": (
        "The role does not exist, or not on this level.",
        "Use a role of the level: IAM_… for the instance, ORG_… for an organization, PROJECT_… for projects and grants.",
    ),
    "member.roles_missing": (
        "An administrator was to be set without any role.",
        "Name a role, or remove the administrator.",
    ),
    "member.user_missing": ("No user was named.", "Send the id of an existing user."),
    "member.already_exists": (
        "The user is an administrator here already.",
        "Update the roles instead of creating anew.",
    ),
    "member.not_found": ("The user is no administrator here.", "List the administrators; create this one first."),
    "change.contended": (
        "Other calls changed the same thing five times while this one was deciding.",
        "Send it again; nothing was changed. Send changes of one thing one after the other.",
    ),
}
