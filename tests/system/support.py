"""Keys and tokens of system users."""

import time
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from joserfc import jwt
from joserfc.jwk import OKPKey, RSAKey

RSA, ED25519 = "rsa", "ed25519"


def pair(kind=RSA, number=0):
    """(private, public) PEM; another pair for another number."""
    return _pair(kind, number)


@cache
def _pair(kind, number):
    made = rsa.generate_private_key(65537, 2048) if kind == RSA else ed25519.Ed25519PrivateKey.generate()
    private = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = made.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def token(name, audience, private, *, alg="RS256", header=None, **changed):
    """As `newSystemToken` of the JavaScript client makes it: no kid, no typ, one hour."""
    now = int(time.time())
    claims = {"iss": name, "sub": name, "aud": audience, "iat": now, "exp": now + 3600, **changed}
    claims = {key: value for key, value in claims.items() if value is not None}
    key = (OKPKey if alg == "EdDSA" else RSAKey).import_key(private)
    return jwt.encode({"alg": alg, **(header or {})}, claims, key, algorithms=[alg])
