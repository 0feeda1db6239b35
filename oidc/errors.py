"""The closed list of OAuth errors. Each says its status and whether it may be sent to a redirect URI."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """How an error travels: HTTP status on a direct answer, and whether the client may get it by redirect."""

    status: int = 400
    redirects: bool = True


KINDS = {
    # RFC 6749 §4.1.2.1 and §5.2
    "invalid_request": Kind(),
    "invalid_client": Kind(401, redirects=False),
    "invalid_grant": Kind(redirects=False),
    "unauthorized_client": Kind(),
    "unsupported_grant_type": Kind(redirects=False),
    "unsupported_response_type": Kind(),
    "invalid_scope": Kind(),
    "access_denied": Kind(),
    "server_error": Kind(500),
    "temporarily_unavailable": Kind(503),
    # RFC 8628 §3.5
    "authorization_pending": Kind(redirects=False),
    "slow_down": Kind(redirects=False),
    "expired_token": Kind(redirects=False),
    # OpenID Connect Core §3.1.2.6
    "interaction_required": Kind(),
    "login_required": Kind(),
    "account_selection_required": Kind(),
    "consent_required": Kind(),
    "invalid_request_uri": Kind(),
    "invalid_request_object": Kind(),
    "request_not_supported": Kind(),
    "request_uri_not_supported": Kind(),
    "registration_not_supported": Kind(),
    # RFC 6750 §3.1
    "invalid_token": Kind(401, redirects=False),
    "insufficient_scope": Kind(403, redirects=False),
}


class OAuthError(Exception):
    """A refusal in the words of OAuth. The description never repeats what the client sent (checklist R11)."""

    def __init__(self, error: str, description: str = "") -> None:
        super().__init__(error, description)
        self.kind = KINDS[error]
        self.error = error
        self.description = description

    def answer(self) -> dict[str, str]:
        """The members of the error answer (RFC 6749 §5.2)."""
        told = {"error": self.error}
        return {**told, "error_description": self.description} if self.description else told


class TokenMissingError(OAuthError):
    """No token came at all: a challenge that names no error (RFC 6750 §3.1)."""

    def __init__(self) -> None:
        super().__init__("invalid_request", "access token missing")
        self.kind = Kind(401, redirects=False)


class ShownError(Exception):
    """A refusal that is shown on a page of our own and never sent to an address of the request (RFC 6749 §4.1.2.1).

    `reason` is one of the keys of the page; `asked` and `registered` are what was compared.
    """

    def __init__(self, reason: str, *, asked: str = "", registered: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.asked = asked
        self.registered = registered
