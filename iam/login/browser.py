"""What one browser knows: the sessions it can prove, in one signed cookie."""

from django.core import signing
from django.http import HttpRequest, HttpResponse

from iam.access.tokens import digest
from iam.vault import wiring
from oidc.login_door import finds_browser_sessions, finds_sessions_to_end
from users.models import SessionRow
from users.queries import find_sessions

SALT = "iam.login.browser"
MOST = 10
AGE_SECONDS = 365 * 24 * 3600


def _name(request: HttpRequest) -> str:
    return f"{'__Host-' if request.is_secure() else ''}gatehouse_sessions"


def tokens_of(request: HttpRequest) -> dict[str, str]:
    """Session id → token; nothing for a cookie that is not ours.

    A session whose place a later sign-in took has no token here: it opens nothing, and ends when its person signs out.
    """
    try:
        known: dict[str, str] = signing.loads(request.COOKIES.get(_name(request), ""), salt=SALT)
    except signing.BadSignature:
        return {}
    return known


@finds_browser_sessions
def sessions_of(request: HttpRequest, instance: str) -> list[SessionRow]:
    """The living sessions of this browser, the newest first."""
    known = {id: digest(token) for id, token in tokens_of(request).items() if token}
    if not known:
        return []
    rows = find_sessions(instance, known, wiring.ports().now())
    return sorted(rows, key=lambda row: row.changed_at, reverse=True)


@finds_sessions_to_end
def all_sessions_of(request: HttpRequest, instance: str) -> list[SessionRow]:
    """The same, and the sessions whose place a later sign-in in this browser took; applications may still use them."""
    older = [id for id, token in tokens_of(request).items() if not token]
    rows = SessionRow.objects.filter(instance_id=instance, id__in=older, terminated=False) if older else []
    return [*sessions_of(request, instance), *rows]


def remember(request: HttpRequest, response: HttpResponse, known: dict[str, str]) -> None:
    """Set the cookie: bounded, not for scripts, for this host only (checklist L08). Sessions without a token go first."""
    kept = dict(sorted(known.items(), key=lambda entry: bool(entry[1]))[-MOST:])
    response.set_cookie(
        _name(request),
        signing.dumps(kept, salt=SALT, compress=True),
        max_age=AGE_SECONDS,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
        path="/",
    )
