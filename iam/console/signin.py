"""Signing in to the console as an OpenID Connect client of our own server: code and PKCE, tokens kept here.

The browser holds two cookies: a signed one for ten minutes while it is away at the login, then the key of its row.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

from iam.access.caller import API_AUDIENCE_SCOPE, RequestMeta, context_for_token, instance_of
from iam.access.http import meta_of
from iam.access.tokens import digest
from iam.console.models import ConsoleSession
from iam.kernel.context import Context
from iam.kernel.errors import Unauthenticated
from iam.vault import wiring

HOME = "/ui/console/"
CALLBACK = "/ui/console/callback"
SCOPES = f"openid profile email {API_AUDIENCE_SCOPE}"
PURPOSE = "console_session"
SALT = "iam.console.signin"
AWAY = timedelta(minutes=10)
SECRET_LENGTH = 43  # letters and digits: 256 bit


@dataclass(frozen=True)
class Redemption:
    """What the console hands to the token endpoint's own rules (RFC 6749 §4.1.3, RFC 7636 §4.5)."""

    host: str
    client_id: str
    code: str
    redirect_uri: str
    verifier: str
    nonce: str


@dataclass(frozen=True)
class Tokens:
    """What the code was worth."""

    access_token: str
    id_token: str
    user_id: str
    expires_at: datetime


_redeemers: list[Callable[[str, Redemption], Tokens]] = []
_clients: list[Callable[[str], str]] = []


def redeems_codes(redeem: Callable[[str, Redemption], Tokens]) -> Callable[[str, Redemption], Tokens]:
    """Register who exchanges codes, (instance, redemption) → tokens; raises Unauthenticated (the oidc room does)."""
    _redeemers[:] = [redeem]
    return redeem


def knows_console_client(find: Callable[[str], str]) -> Callable[[str], str]:
    """Register who knows the console's client id, instance → client id (iam.instance does)."""
    _clients[:] = [find]
    return find


def start(request: HttpRequest) -> HttpResponse:
    """Send the browser to the authorization endpoint, and remember why it left."""
    meta = meta_of(request)
    secrets = wiring.ports().secrets
    away = {name: secrets.random(SECRET_LENGTH) for name in ("state", "nonce", "verifier")}
    away["next"] = _safe(request, request.GET.get("next", HOME))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(away["verifier"].encode()).digest()).rstrip(b"=").decode()
    asked = {
        "client_id": _clients[0](instance_of(meta.host)),
        "redirect_uri": meta.base_url + CALLBACK,
        "response_type": "code",
        "scope": SCOPES,
        "state": away["state"],
        "nonce": away["nonce"],
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    if request.GET.get("switch"):
        asked["prompt"] = "select_account"
    response = HttpResponseRedirect(f"/oauth/v2/authorize?{urlencode(asked)}")
    _set_cookie(request, response, "away", signing.dumps(away, salt=SALT), AWAY)
    return response


def finish(request: HttpRequest) -> HttpResponse:
    """Take the answer of the authorization endpoint and sign the browser in.

    Raises Unauthenticated unless the answer belongs to what this browser started (RFC 9700 §4.7, checklist L01).
    """
    meta = meta_of(request)
    away = _away(request)
    if not hmac.compare_digest(request.GET.get("state", ""), away["state"]):
        raise Unauthenticated("console.state_mismatch")
    if request.GET.get("iss", meta.base_url) != meta.base_url:
        raise Unauthenticated("console.issuer_mismatch")
    if "code" not in request.GET:
        raise Unauthenticated("console.sign_in_refused", reason=request.GET.get("error", "")[:60])
    instance = instance_of(meta.host)
    tokens = _redeemers[0](
        instance,
        Redemption(
            host=meta.host,
            client_id=_clients[0](instance),
            code=request.GET["code"],
            redirect_uri=meta.base_url + CALLBACK,
            verifier=away["verifier"],
            nonce=away["nonce"],
        ),
    )
    response = HttpResponseRedirect(_safe(request, away["next"]))
    _remember(request, response, instance, tokens)
    response.delete_cookie(_cookie_name(request, "away"))
    return response


def _away(request: HttpRequest) -> dict[str, str]:
    try:
        sealed = request.COOKIES.get(_cookie_name(request, "away"), "")
        away: dict[str, str] = signing.loads(sealed, salt=SALT, max_age=AWAY)
    except signing.BadSignature as wrong:
        raise Unauthenticated("console.state_mismatch") from wrong
    return away


def _remember(request: HttpRequest, response: HttpResponse, instance: str, tokens: Tokens) -> None:
    ports = wiring.ports()
    cookie = ports.secrets.random(SECRET_LENGTH)
    now = ports.now()
    ConsoleSession.objects.filter(instance_id=instance, expires_at__lt=now).delete()
    ConsoleSession.objects.create(
        instance_id=instance,
        digest=digest(cookie),
        user_id=tokens.user_id,
        access_token=ports.secrets.seal(instance, PURPOSE, tokens.access_token.encode()),
        id_token=ports.secrets.seal(instance, PURPOSE, tokens.id_token.encode()),
        created_at=now,
        expires_at=tokens.expires_at,
    )
    _set_cookie(request, response, "session", cookie, tokens.expires_at - now)


def context_of(request: HttpRequest) -> Context:
    """The Context of the person who is signed in here; raises Unauthenticated for nobody."""
    return _context(meta_of(request), request.COOKIES.get(_cookie_name(request, "session"), ""))


def context_of_cookie(host: str, cookie: str) -> Context:
    """The same for a connection that is no Django request (the live page's WebSocket)."""
    return _context(RequestMeta(host=host), cookie)


def _context(meta: RequestMeta, cookie: str) -> Context:
    instance = instance_of(meta.host)
    row = _row(instance, cookie)
    if row is None:
        raise Unauthenticated("auth.missing")
    token = wiring.ports().secrets.open(instance, PURPOSE, row.access_token).decode()
    return context_for_token(meta, instance, token)


def leave(request: HttpRequest) -> HttpResponse:
    """Forget the browser and end its session at the end_session endpoint (OpenID Connect RP-Initiated Logout)."""
    meta = meta_of(request)
    instance = instance_of(meta.host)
    row = _row(instance, request.COOKIES.get(_cookie_name(request, "session"), ""))
    back = {"post_logout_redirect_uri": meta.base_url + HOME, "client_id": _clients[0](instance)}
    if row is not None:
        back["id_token_hint"] = wiring.ports().secrets.open(instance, PURPOSE, row.id_token).decode()
        ConsoleSession.objects.filter(instance_id=instance, digest=row.digest).delete()
    response = HttpResponse(status=303, headers={"Location": f"/oidc/v1/end_session?{urlencode(back)}"})
    response.delete_cookie(_cookie_name(request, "session"))
    return response


def _row(instance: str, cookie: str) -> ConsoleSession | None:
    now = wiring.ports().now()
    found = ConsoleSession.objects.filter(instance_id=instance, digest=digest(cookie), expires_at__gt=now)
    return found.first() if cookie else None


def _safe(request: HttpRequest, target: str) -> str:
    """Only a path of this console (checklist R15)."""
    same = url_has_allowed_host_and_scheme(target, allowed_hosts=None) and target.startswith(HOME)
    return target if same else HOME


def _set_cookie(request: HttpRequest, response: HttpResponse, name: str, value: str, age: timedelta) -> None:
    response.set_cookie(
        _cookie_name(request, name),
        value,
        max_age=round(age.total_seconds()),
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
        path="/",
    )


def _cookie_name(request: HttpRequest, name: str) -> str:
    """`__Host-` binds the cookie to this very host where the connection allows it (RFC 6265bis §4.1.3.2)."""
    return cookie_name(name, secure=request.is_secure())


def cookie_name(name: str, *, secure: bool) -> str:
    """The stored name of one of the console's cookies."""
    return f"{'__Host-' if secure else ''}gatehouse_console_{name}"
