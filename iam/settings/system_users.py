"""Who operates the system over the API: a name, a public key, and what its holder may do (operations.md, SystemAPIUsers)."""

import base64
import binascii
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from iam.access.roles import ROLES
from iam.kernel.levels import Level
from iam.settings.section import Section

LEAST_BITS, MOST_BITS = 2048, 8192
LEVELS = {
    "System": Level.SYSTEM,
    "IAM": Level.INSTANCE,
    "Organization": Level.ORG,
    "Project": Level.PROJECT,
}


def _roles(value: Any) -> Any:
    """One role may stand alone."""
    return (value,) if isinstance(value, str) else value


def _known(roles: tuple[str, ...]) -> tuple[str, ...]:
    if not roles:
        raise ValueError("at least one role is needed")
    for role in roles:
        if role not in ROLES:
            raise ValueError(f"unknown role {role}")
    return roles


class MembershipSection(Section):
    """Where a system user holds which roles. `System` reaches every instance, the others the thing that they name."""

    MemberType: str = Field("System", pattern=f"^({'|'.join(LEVELS)})$")
    AggregateID: str = ""
    Roles: Annotated[tuple[str, ...], BeforeValidator(_roles), AfterValidator(_known)]

    @model_validator(mode="after")
    def names_something(self) -> "MembershipSection":
        """Only the whole system has no id."""
        if bool(self.AggregateID) != (self.MemberType != "System"):
            raise ValueError("AggregateID is needed for IAM, Organization and Project, and only for these")
        return self


OWNER = MembershipSection(Roles=("SYSTEM_OWNER",))


class SystemUserSection(Section):
    """One system user. Its key is given by path or as it is: a PEM public key or X.509 certificate, or base64 of one."""

    Path: str = ""
    KeyData: str = ""
    Memberships: tuple[MembershipSection, ...] = ()
    public_key: str = ""
    """The key as PEM, read when the process starts."""

    @model_validator(mode="after")
    def key_is_good(self) -> "SystemUserSection":
        """Read the key; one that is weak or cannot be used ends the process before it listens."""
        if bool(self.Path) == bool(self.KeyData):
            raise ValueError("exactly one of Path and KeyData is needed")
        self.public_key = _pem(self._given())
        self.Memberships = self.Memberships or (OWNER,)
        return self

    def _given(self) -> bytes:
        if self.Path:
            try:
                return Path(self.Path).read_bytes()
            except OSError as unreadable:
                raise ValueError(f"cannot read {self.Path}: {unreadable.strerror}") from unreadable
        text = self.KeyData.strip()
        try:
            return text.encode() if text.startswith("-----") else base64.b64decode(text, validate=True)
        except binascii.Error as wrong:
            raise ValueError("KeyData is neither PEM nor base64 of it") from wrong


def _pem(given: bytes) -> str:
    try:
        if b"BEGIN CERTIFICATE" in given:
            key: Any = x509.load_pem_x509_certificate(given).public_key()
        else:
            key = serialization.load_pem_public_key(given)
    except (ValueError, UnsupportedAlgorithm) as wrong:
        raise ValueError("the key is no PEM public key or X.509 certificate") from wrong
    strong = isinstance(key, (ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey)) or (
        isinstance(key, rsa.RSAPublicKey) and LEAST_BITS <= key.key_size <= MOST_BITS
    )
    if not strong:
        raise ValueError("the key must be RSA of 2048 to 8192 bits, EC or Ed25519")
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def _users(value: Any) -> Any:
    """JSON text of a variable; in a file a map, or a list of maps with one name each."""
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.strip() else {}
        except json.JSONDecodeError as wrong:
            raise ValueError(f"no JSON: {wrong}") from wrong
    if isinstance(value, list):
        value = {name: user for one in value if isinstance(one, Mapping) for name, user in one.items()}
    return value


SystemUsers = Annotated[dict[str, SystemUserSection], BeforeValidator(_users)]
