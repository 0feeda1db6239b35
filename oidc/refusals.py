"""The refusals of this room: text and id."""

REFUSALS = {
    "auth_request.not_found": ("This sign-in is over or was never started", "QUERY-Thee9"),
    "auth_request.session_insufficient": ("The session does not prove enough for this sign-in", "OIDC-s3ssn"),
    "auth_request.too_many": ("Too many sign-ins were begun and not ended", "OIDC-r3qmx"),
    "auth_request.other_organization": (
        "The user does not belong to the organization that the sign-in asks for",
        "COMMAND-59ljd",
    ),
    "device_authorization.not_found": ("No device waits under this code", "OIDC-d3v1c"),
    "device_authorization.not_admitted": ("The project of the application does not admit this user", "OIDC-pr0jc"),
    "device_authorization.consent_missing": (
        "An application of another organization may not use the programming interface of this server in your name",
        "OIDC-c0ns3",
    ),
    "device_authorization.too_many": ("Too many devices of this application wait", "OIDC-d3vmx"),
    "refresh_token.not_found": ("There is no such sign-in of an application", "USER-BSs4k"),
    "web_key.none_active": ("There is no active signing key", "WEBKEY-n0n3a"),
    "web_key.not_found": ("Web key not found", "WEBKEY-ahTh7"),
    "web_key.active": ("The active web key cannot be removed", "COMMAND-Chai1"),
    "web_key.config_invalid": ("This kind or size of key is not offered", "WEBKEY-c0nf1"),
    "web_key.already_exists": ("Web key already exists", "V3-DKcYh"),
}
