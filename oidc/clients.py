"""An application as the protocol sees it: plain values and the rules of its redirect URIs and origins."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from projects.domain.uris import NATIVE, USER_AGENT, WEB, fits_pattern, origins_of, weakness_of

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Hosts on which a native application may choose its port (RFC 8252 §7.3; the name as the reference allows it)."""

TYPES = {"web": WEB, "user_agent": USER_AGENT, "native": NATIVE}


@dataclass(frozen=True)
class Client:
    """A registered application. Words as the RFCs spell them: auth_method none, basic, post or private_key_jwt."""

    id: str
    app_id: str = ""
    project_id: str = ""
    org_id: str = ""
    name: str = ""
    kind: str = "oidc"  # oidc, api
    app_type: str = "web"  # web, user_agent, native
    auth_method: str = "basic"
    secret_hash: str = ""
    previous_secret_hash: str = ""
    previous_secret_until: datetime | None = None
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    additional_origins: tuple[str, ...] = ()
    response_types: frozenset[str] = frozenset({"code"})
    grant_types: frozenset[str] = frozenset({"authorization_code"})
    dev_mode: bool = False
    jwt_access_token: bool = False
    asserts_roles_in_access_token: bool = False
    asserts_roles_in_id_token: bool = False
    asserts_userinfo_in_id_token: bool = False
    asserts_roles: bool = False  # of the project
    checks_role: bool = False  # of the project
    checks_project: bool = False  # of the project
    clock_skew: timedelta = timedelta()

    @property
    def is_public(self) -> bool:
        """Whether the application cannot keep a secret (RFC 6749 §2.1)."""
        return self.auth_method == "none"

    def registered(self, redirect_uri: str) -> bool:
        """Whether a redirect URI is one of those registered: equal character by character (RFC 9700 §2.1).

        A native application's loopback URI may differ in its port (RFC 8252 §7.3); in dev mode a registered address may
        have wildcards (checklist R07).
        """
        patterns = [uri for uri in self.redirect_uris if "*" in uri]
        if redirect_uri in self.redirect_uris and redirect_uri not in patterns:
            return True
        if self.dev_mode and any(fits_pattern(redirect_uri, one) for one in patterns):
            return True
        if self.app_type != "native":
            return False
        asked = _loopback(redirect_uri)
        return asked is not None and asked in {_loopback(uri) for uri in self.redirect_uris}

    def weakness_of(self, uri: str) -> str:
        """Why an address is not answered although it is registered; empty when it is (checklist R06)."""
        return weakness_of(uri, app_type=TYPES.get(self.app_type, WEB), dev_mode=self.dev_mode)

    @property
    def origins(self) -> frozenset[str]:
        """Web origins whose scripts may call the endpoints (reference/oidc.md §10): of no address that is not answered."""
        answered = (uri for uri in self.redirect_uris if not self.weakness_of(uri))
        return origins_of((*answered, *self.additional_origins))


def _loopback(uri: str) -> str | None:
    """A plain loopback URI with its port taken out; None for any other address."""
    rest = uri.removeprefix("http://")
    if rest == uri:
        return None
    end = next((at for at, sign in enumerate(rest) if sign in "/?#"), len(rest))
    authority, path = rest[:end], rest[end:]
    for host in ("127.0.0.1", "[::1]", "localhost"):
        port = authority.removeprefix(host)
        if port != authority and (not port or _is_port(port)):
            return f"http://{host}{path}"
    return None


def _is_port(text: str) -> bool:
    digits = text.removeprefix(":")
    return digits != text and digits.isascii() and digits.isdigit() and int(digits) < 65_536
