"""What one browser knows: the sessions it can prove, in one signed cookie; in another who it is, and who signed in there."""

import secrets
from dataclasses import dataclass, replace

from django.core import signing
from django.http import HttpRequest, HttpResponse

from iam.access.tokens import digest
from iam.vault import wiring
from oidc.login_door import finds_browser_sessions, finds_known_browser, finds_sessions_to_end
from users.models import SessionRow
from users.queries import find_sessions

SALT = "iam.login.browser"
DEVICE_SALT = "iam.login.device"
MOST = 10
"""Sessions with a token, and people of a browser."""
MOST_OLDER = 50
"""Sessions whose place a later sign-in took."""
AGE_SECONDS = 365 * 24 * 3600


def _name(request: HttpRequest, what: str = "sessions") -> str:
    return f"{'__Host-' if request.is_secure() else ''}gatehouse_{what}"


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


def remember(request: HttpRequest, response: HttpResponse, known: dict[str, str]) -> list[str]:
    """Set the cookie: bounded, not for scripts, for this host only (checklist L08).

    Answers the older sessions that it has no room for: signing out would not find them any more.
    """
    older = [id for id, token in known.items() if not token]
    newest = [(id, token) for id, token in known.items() if token][-MOST:]
    kept = {**dict.fromkeys(older[-MOST_OLDER:], ""), **dict(newest)}
    _set(request, response, _name(request), signing.dumps(kept, salt=SALT, compress=True))
    return older[:-MOST_OLDER]


@dataclass(frozen=True)
class Device:
    """A browser of one instance: its id, and the people who proved their password there."""

    id: str
    people: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """What the server keeps of it."""
        return digest(self.id)

    def known_to(self, user_id: str) -> str:
        """Its digest, if the person has signed in there; else empty (checklist P05)."""
        return self.digest if user_id and user_id in self.people else ""


def device_of(request: HttpRequest, instance: str) -> Device:
    """The browser that asks; a new one when it shows no cookie of ours."""
    try:
        kept = signing.loads(request.COOKIES.get(_name(request, "device"), ""), salt=f"{DEVICE_SALT} {instance}")
    except signing.BadSignature:
        return Device(secrets.token_urlsafe(16))
    return Device(str(kept["id"]), tuple(kept["people"]))


@finds_known_browser
def known_device(request: HttpRequest, instance: str) -> str:
    """The digest of a browser in which somebody has signed in before; empty for any other."""
    device = device_of(request, instance)
    return device.digest if device.people else ""


def remember_device(
    request: HttpRequest, response: HttpResponse, instance: str, device: Device, user_id: str = ""
) -> None:
    """Set its cookie; `user_id` has signed in there just now."""
    if user_id:
        others = [one for one in device.people if one != user_id]
        device = replace(device, people=(*others, user_id)[-MOST:])
    kept = {"id": device.id, "people": device.people}
    value = signing.dumps(kept, salt=f"{DEVICE_SALT} {instance}", compress=True)
    _set(request, response, _name(request, "device"), value)


def _set(request: HttpRequest, response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=AGE_SECONDS,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
        path="/",
    )
