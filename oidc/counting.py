"""What requests at the endpoints of programs count for (checklist D03, N07).

Whoever has proved who it is neither waits for others behind its address nor counts on it: an application's server sends
on whatever codes and tokens strangers hand to it.
"""

from contextlib import suppress

from django.http import HttpRequest

from iam.access.caller import RequestMeta
from iam.access.http import meta_of
from iam.api import rates
from iam.kernel.errors import ResourceExhausted
from oidc.errors import OAuthError

SECRETS = ("client_secret", "client_assertion", "assertion", "access_token")
"""What shows who asks; when it is wrong, the refusal counts."""


def enter(request: HttpRequest, meta: RequestMeta) -> None:
    """Let a request in; one that shows no secret is anybody's, good or bad: counted on its address.

    Raises ResourceExhausted.
    """
    rates.enter(meta, _secret_of(request))
    if not meta.headers.get("authorization") and not any(name in request.POST for name in SECRETS):
        rates.count_page(meta.remote_addr)


def note_proved(request: HttpRequest) -> None:
    """Remember that a client with a secret or key of its own has proved itself."""
    request.has_proved_client = True  # type: ignore[attr-defined]
    rates.note_accepted(meta_of(request), _secret_of(request))


def count_refusal(request: HttpRequest, meta: RequestMeta, refused: OAuthError) -> None:
    """Count what was refused for want of good credentials on its address."""
    if hasattr(request, "has_proved_client"):
        return
    if refused.kind.status == 401 or refused.error == "invalid_grant":
        with suppress(ResourceExhausted):
            rates.count_nobody(meta)


def _secret_of(request: HttpRequest) -> str:
    return request.POST.get("client_secret", "") if request.method == "POST" else ""
