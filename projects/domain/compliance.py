"""What an OpenID Connect application does against the recommendations (reference/oidc.md §3; RFC 9700 §2.1).

None of it refuses the application: the problems are listed under the keys that clients know. Addresses that are dangerous
cannot be registered, weak ones are registered and not answered (`uris`).
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from projects.domain.project import AUTHORIZATION_CODE, IMPLICIT, NONE, REFRESH_TOKEN, OidcConfig
from projects.domain.uris import LOOPBACK, NATIVE, USER_AGENT, WEB

PREFIX = "Application.OIDC.V1."
Rule = tuple[str, str, Callable[[OidcConfig], bool]]


def _schemes(config: OidcConfig) -> set[str]:
    return {urlsplit(uri).scheme.lower() for uri in config.redirect_uris}


def _has_own_scheme(config: OidcConfig) -> bool:
    return bool(_schemes(config) - {"http", "https"})


def _has_remote_http(config: OidcConfig) -> bool:
    parts = [urlsplit(uri) for uri in config.redirect_uris]
    return any(one.scheme.lower() == "http" and one.hostname not in LOOPBACK for one in parts)


RULES: tuple[Rule, ...] = (
    ("NoRedirectUris", "There is no redirect address", lambda one: not one.redirect_uris),
    (
        "GrantType.Refresh.NoAuthCode",
        "Refresh tokens come only with the authorization code grant",
        lambda one: REFRESH_TOKEN in one.grant_types and AUTHORIZATION_CODE not in one.grant_types,
    ),
    (
        "Native.AuthMethodType.NotNone",
        "A native application cannot keep a secret: its auth method is none",
        lambda one: one.application_type == NATIVE and one.auth_method_type != NONE,
    ),
    (
        "UserAgent.AuthMethodType.NotNone",
        "An application in a browser cannot keep a secret: its auth method is none",
        lambda one: one.application_type == USER_AGENT and one.auth_method_type != NONE,
    ),
    (
        "Code.RedirectUris.CustomOnlyForNative",
        "Only native applications have schemes of their own",
        lambda one: one.application_type != NATIVE and _has_own_scheme(one),
    ),
    (
        "Code.RedirectUris.HttpOnlyForWeb",
        "Plain http is for web applications in dev mode",
        lambda one: one.application_type == USER_AGENT and "http" in _schemes(one),
    ),
    (
        "Code.RedirectUris.HttpNotAllowed",
        "Plain http beyond this machine is answered in dev mode only",
        lambda one: one.application_type == WEB and not one.dev_mode and _has_remote_http(one),
    ),
    (
        "Native.RedirectUris.MustBeHttpLocalhost",
        "A native application uses plain http only on this machine",
        lambda one: one.application_type == NATIVE and _has_remote_http(one),
    ),
    (
        "Implicit.RedirectUris.CustomNotAllowed",
        "The implicit grant allows no schemes of one's own",
        lambda one: IMPLICIT in one.grant_types and AUTHORIZATION_CODE not in one.grant_types and _has_own_scheme(one),
    ),
    (
        "Implicit.RedirectUris.HttpNotAllowed",
        "The implicit grant allows no plain http",
        lambda one: IMPLICIT in one.grant_types and one.application_type == WEB and _has_remote_http(one),
    ),
)


def problems_of(config: OidcConfig) -> tuple[tuple[str, str], ...]:
    """Key and text of every recommendation that an application does not follow."""
    return tuple((PREFIX + key, text) for key, text, breaks in RULES if breaks(config))
