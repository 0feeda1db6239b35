"""The refusals of this room for who meets them: cause and remedy (deploy/docs/errors.md)."""

NOTHING = "Nothing needs to be done."
REMEDIES = {
    "project.not_found": (
        "The project does not exist, was deleted, or is out of the caller's reach.",
        "Check the id; list the projects that the caller may see.",
    ),
    "project.already_exists": ("A project of the organization has this name.", "Choose another name."),
    "project.id_already_exists": ("A project has the id that was chosen.", "Choose another id, or leave it out."),
    "project.name_invalid": ("The name is empty or too long.", "Send 1 to 200 characters."),
    "project.already_inactive": ("The project is deactivated already.", NOTHING),
    "project.already_active": ("The project is active already.", NOTHING),
    "project.inactive": ("The project is deactivated.", "Activate it first."),
    "project.role_key_invalid": ("The role key is empty or too long.", "Send 1 to 200 characters."),
    "project.role_already_exists": ("The project has a role with this key.", "Choose another key, or update the role."),
    "project.role_not_found": ("The project has no role with this key.", "List the roles; add the role first."),
    "project.console_needed": (
        "The console's application lies in this project: stopped or closed, it would let nobody sign in to the console.",
        "Keep it active and without checks of roles and grants; put applications of your own into another project.",
    ),
    "app.console_needed": (
        "The console signs people in through this application with the code flow, PKCE and its registered callback addresses.",
        "Keep the addresses that end in /ui/console/callback; add others. Set-up carries a changed External… over.",
    ),
    "org.console_needed": (
        "The organization owns the project of the console's application: nobody could sign in to the console any more.",
        "Deactivate or delete its users and projects one by one instead.",
    ),
    "app.not_found": (
        "The application does not exist, was deleted, or is out of the caller's reach.",
        "Check the ids of project and application.",
    ),
    "app.already_exists": ("An application of the project has this name.", "Choose another name."),
    "app.id_already_exists": ("An application has the id that was chosen.", "Choose another id, or leave it out."),
    "app.client_id_taken": ("An application has this client id.", "Leave the client id out."),
    "app.too_many_uris": ("More addresses were sent than an application may have.", "Register fewer."),
    "app.redirect_uri_invalid": (
        "The address has a fragment, credentials, a scheme that is never allowed, or a wildcard without development mode.",
        "Register the exact https address; for local work use localhost, or the application's development mode.",
    ),
    "app.response_type_not_offered": (
        "ID_TOKEN and ID_TOKEN_TOKEN (the implicit flow) are not built: every such sign-in would be refused.",
        "Use CODE, with PKCE where the application cannot keep a secret.",
    ),
    "app.grant_type_not_offered": (
        "IMPLICIT and TOKEN_EXCHANGE are not built: every such request would be refused.",
        "Use AUTHORIZATION_CODE, with REFRESH_TOKEN or DEVICE_CODE where needed.",
    ),
    "app.clock_skew_invalid": ("The tolerance is out of its bounds.", "Send 0 to 5 seconds."),
    "app.not_oidc": ("The call is for OpenID Connect applications.", "Use the call for this kind of application."),
    "app.not_api": ("The call is for API applications.", "Use the call for this kind of application."),
    "app.no_secret": (
        "The application authenticates without a secret.",
        "Change its auth method to basic or post first.",
    ),
    "app.no_keys": ("The application authenticates without keys.", "Change its auth method to private_key_jwt first."),
    "app.key_not_found": ("The application has no such key.", "List its keys."),
    "app.already_inactive": ("The application is deactivated already.", NOTHING),
    "app.not_changed": ("The application has these values already.", NOTHING),
    "app.already_active": ("The application is active already.", NOTHING),
    "grant.not_found": (
        "The project is not granted to this organization, or the grant is out of the caller's reach.",
        "List the grants of the project.",
    ),
    "grant.already_exists": ("The project is granted to this organization.", "Update the grant's roles."),
    "grant.own_org": ("The organization owns the project.", "Grant it to another organization."),
    "authorization.not_found": (
        "The authorization does not exist, or is out of the caller's reach.",
        "List the authorizations of the user or project.",
    ),
    "authorization.already_exists": (
        "The user holds roles of this project already.",
        "Update the authorization's roles.",
    ),
    "authorization.role_not_granted": (
        "The organization may pass on only the roles of its project grant.",
        "Let the project's owner add the role to the grant.",
    ),
}
