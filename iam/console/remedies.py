"""The refusals of this room for who meets them: cause and remedy (deploy/docs/errors.md)."""

REMEDIES = {
    "console.state_mismatch": (
        "The sign-in was begun in another browser, or too long ago.",
        "Open the console anew and sign in there.",
    ),
    "console.issuer_mismatch": (
        "The answer to the sign-in names another issuer than this instance.",
        "Call the console by the instance's own domain; check ExternalDomain, ExternalPort and ExternalSecure.",
    ),
    "console.sign_in_refused": (
        "The login ended the sign-in with an error.",
        "Sign in again; the error's text says what the login refused.",
    ),
}
