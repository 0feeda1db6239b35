"""Signed JWTs, read strictly: one canonical form, the algorithm bound to the key, nothing fetched (RFC 8725)."""

import base64
import binascii
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

MAX_LENGTH = 65_536
"""As long as a request may be: our own largest token comes back as a hint."""
MAX_KID = 200
MAX_NAME = 1000
MAX_DEPTH = 16
SKEW = timedelta(seconds=30)
"""How far a foreign clock may be ahead (nbf, iat) or behind (exp) of ours."""

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
UNHOLDABLE = re.compile("[\0\ud800-\udfff]")
"""NUL, and surrogates that stand alone: an escape in JSON makes them."""
_CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}


class BadTokenError(ValueError):
    """The token is malformed or proves nothing."""


@dataclass(frozen=True)
class BoundKey:
    """A public or private key with the one algorithm it may be used with (RFC 8725 §3.1)."""

    id: str
    alg: str
    key: Key


@dataclass(frozen=True)
class Unverified:
    """A token's parts before anybody checked its signature."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]


FindKey = Callable[[str], BoundKey | None]
"""kid → key, or None. The header's alg, jwk, jku, x5c and x5u never choose a key (checklist J04)."""


def read(token: str) -> Unverified:
    """Split and parse a compact JWS without trusting it; raises BadTokenError for anything but the one strict form."""
    if len(token) > MAX_LENGTH or not _COMPACT.fullmatch(token):
        raise BadTokenError("not a compact JWS")
    head, body, signature = token.split(".")
    _decoded(signature)
    header = _object(head)
    if "crit" in header or "b64" in header:  # RFC 7515 §4.1.11: an extension that is not understood
        raise BadTokenError("critical extension")
    return Unverified(header, _object(body))


def verify(token: str, find_key: FindKey, *, types: Iterable[str]) -> Mapping[str, Any]:
    """The claims of a token whose signature holds; raises BadTokenError.

    `types` are the accepted values of `typ` in lower case; an absent one counts as "jwt" (RFC 8725 §3.11).
    """
    unverified = read(token)
    kid, typ, alg = (
        unverified.header.get(name, default) for name, default in (("kid", ""), ("typ", "JWT"), ("alg", ""))
    )
    if not isinstance(kid, str) or len(kid) > MAX_KID or "\0" in kid:
        raise BadTokenError("key unknown")
    if not isinstance(typ, str) or typ.lower() not in types:
        raise BadTokenError("wrong type of token")
    found = find_key(kid)
    if found is None or alg != found.alg:
        raise BadTokenError("key unknown")
    try:
        jws.deserialize_compact(token.encode(), found.key, algorithms=[found.alg])
    except (JoseError, ValueError) as error:
        raise BadTokenError("signature") from error
    return unverified.claims


def sign(claims: Mapping[str, Any], key: BoundKey, *, typ: str = "JWT") -> str:
    """A compact JWS over the claims."""
    header = {"alg": key.alg, "kid": key.id, "typ": typ}
    body = json.dumps(claims, separators=(",", ":"), ensure_ascii=False).encode()
    return jws.serialize_compact(header, body, key.key, algorithms=[key.alg])


def check_times(claims: Mapping[str, Any], now: datetime, *, longest: timedelta | None = None) -> None:
    """Refuse unless exp is present and ahead, nbf and iat are not in the future, and exp - iat is at most `longest`.

    Times are whole numbers only; SKEW is granted both ways (RFC 7519 §4.1.4-4.1.6). What is refused tells by how much
    the clocks differ.
    """
    at, skew = now.timestamp(), SKEW.total_seconds()
    exp, issued = _time(claims, "exp"), _time(claims, "iat")
    if exp is None:
        raise BadTokenError("exp is missing")
    if exp + skew <= at:
        raise BadTokenError(f"expired: {_apart('exp', at - exp, 'behind')}, or it was used late")
    for name, start in (("iat", issued), ("nbf", _time(claims, "nbf"))):
        if start is not None and start - skew > at:
            raise BadTokenError(f"not yet valid: {_apart(name, start - at, 'ahead of')}")
    if longest is not None and (issued is None or exp - issued > longest.total_seconds()):
        raise BadTokenError(f"exp must be at most {longest.total_seconds():.0f} seconds after iat")


def _apart(name: str, seconds: float, side: str) -> str:
    allowed = f"{SKEW.total_seconds():.0f} are allowed"
    return f"{name} is {seconds:.0f} seconds {side} this server's clock ({allowed}); the clocks differ"


def text_of(claims: Mapping[str, Any], name: str) -> str:
    """A claim that is text, empty without it; raises BadTokenError for anything else or more than MAX_NAME signs."""
    value = claims.get(name, "")
    if not isinstance(value, str) or len(value) > MAX_NAME:
        raise BadTokenError(f"{name} is no text")
    return value


def audience(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """The `aud` claim, a string or a list of strings (RFC 7519 §4.1.3); raises BadTokenError."""
    value = claims.get("aud")
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(item, str) for item in values):
        raise BadTokenError("audience")
    return tuple(values)


def public_pem(kid: str, pem: str) -> BoundKey:
    """A registered public key (PEM, RSA or EC) with the algorithm it is good for; raises BadTokenError."""
    for kind in (RSAKey, ECKey, OKPKey):
        try:
            key = kind.import_key(pem)
        except (JoseError, ValueError, TypeError):
            continue
        return BoundKey(kid, algorithm_of(key), key)
    raise BadTokenError("key unreadable")


def algorithm_of(key: Key) -> str:
    """RS256 for RSA, the curve's own for EC, EdDSA for Ed25519."""
    match key:
        case RSAKey():
            return "RS256"
        case ECKey():
            return _CURVES[key.curve_name]
    return "EdDSA"


_LONGEST_TIME = 253_402_300_799  # 9999-12-31T23:59:59Z


def _time(claims: Mapping[str, Any], name: str) -> int | None:
    value = claims.get(name)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= _LONGEST_TIME:
        raise BadTokenError(f"{name} is no time")
    return value


def _decoded(part: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError) as error:
        raise BadTokenError("base64url") from error
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != part:  # spare bits set: two spellings of one token
        raise BadTokenError("base64url")
    return raw


def _object(part: str) -> Mapping[str, Any]:
    try:
        text = _decoded(part).decode("utf-8")
        parsed = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:  # also for a number of thousands of digits
        raise BadTokenError("JSON") from error
    if not isinstance(parsed, dict):
        raise BadTokenError("JSON")
    _check_shape(parsed)
    return parsed


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise BadTokenError("a member comes twice")
    return members


def _refuse_constant(name: str) -> None:
    raise BadTokenError(f"{name} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise BadTokenError("a number without an end")
    return number


def _check_shape(value: Any) -> None:
    """Nothing nested too deep, and no text that neither UTF-8 nor the database can hold; raises BadTokenError."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH or any(UNHOLDABLE.search(item) for item in level if isinstance(item, str)):
            raise BadTokenError("JSON")
        level = [part for item in level for part in _parts(item)]


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    return value if isinstance(value, list) else []
