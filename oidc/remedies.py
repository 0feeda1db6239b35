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
    "auth_request.other_organization": (
        "A scope of the sign-in names an organization, and the session is that of somebody else's user.",
        "Sign in as a user of that organization, or ask without the scope.",
    ),
    "device_authorization.not_found": (
        "No device waits under this code: it was decided about, is too old, or the code is mistyped; or its application was"
        " stopped since.",
        "Let the device start anew and use the code that it shows then.",
    ),
    "device_authorization.not_admitted": (
        "The project wants users to hold one of its roles, or their organization to own it or have it granted. The device was"
        " told `access_denied`.",
        "Authorize the user for a role, or grant the project to the organization; then let the device start anew.",
    ),
    "auth_request.too_many": (
        "As many sign-ins as RateLimits.Waiting allows were begun in one network in the last ten minutes, and wait for somebody"
        " to end them.",
        "Wait until some are ended; each counts for ten minutes at most. Operators raise the setting.",
    ),
    "device_authorization.consent_missing": (
        "The application asks for the API of this server, and belongs neither to the user's organization nor to the default"
        " one; there is no page yet on which the user could agree. The device was told `access_denied`.",
        "Leave the scope out, or register the application in one of these organizations.",
    ),
    "device_authorization.too_many": (
        "As many devices of one application as the server keeps wait already, behind one address (100) or in all (20,000).",
        "Wait until some were let in or gave up; each waits for `OIDC.DeviceAuth.Lifetime` at most.",
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
