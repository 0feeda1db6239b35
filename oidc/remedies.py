"""The refusals of this room for who meets them: cause and remedy (deploy/docs/errors.md)."""

REMEDIES = {
    "auth_request.not_found": (
        "The sign-in has ended, is too old, or was never started.",
        "Let the application start the sign-in again.",
    ),
    "auth_request.session_insufficient": (
        "The session lacks a check that this sign-in needs.",
        "Check user and password in the session first, then finish the sign-in with its newest token.",
    ),
    "web_key.none_active": ("Tokens cannot be signed without an active key.", "Create a web key and activate it."),
    "web_key.not_found": ("There is no such web key.", "List the web keys."),
    "web_key.active": ("Tokens are signed with this key.", "Activate another key first."),
    "web_key.config_invalid": (
        "The kind or size of the key is not offered.",
        "Use RSA of 2048 bits or more, or a curve of the list.",
    ),
    "web_key.already_exists": ("A web key has this id.", "Create another one."),
    "refresh_token.not_found": (
        "There is no such refresh token of this user, or it has ended.",
        "List one's refresh tokens.",
    ),
}
