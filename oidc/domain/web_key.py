"""A signing key of an instance: initial (published) → active (signs) → inactive (published) → removed."""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import ClassVar, Self

from eventstore.aggregates import Aggregate, Claim
from eventstore.events import Event
from iam.kernel.errors import FailedPrecondition, InvalidInput, NotFound
from oidc.domain.events import WebKeyActivated, WebKeyAdded, WebKeyDeactivated, WebKeyRemoved


class KeyState(IntEnum):
    """States with their numbers in the API (zitadel.webkey.v2.State)."""

    ABSENT = 0
    INITIAL = 1
    ACTIVE = 2
    INACTIVE = 3
    REMOVED = 4


@dataclass(frozen=True)
class KeyConfig:
    """What kind of key to make. `kind` rsa, ecdsa or ed25519; `size` bits or curve; `hash` bits (RSA only)."""

    kind: str = "rsa"
    size: int = 2048
    hash: int = 256

    def check(self) -> Self:
        """The config itself; raises InvalidInput for a kind or size that is not offered."""
        allowed = {"rsa": {2048, 3072, 4096}, "ecdsa": {256, 384, 512}, "ed25519": {0}}
        if self.size not in allowed.get(self.kind, ()) or (self.kind == "rsa" and self.hash not in (256, 384, 512)):
            raise InvalidInput("web_key.config_invalid", field="key")
        return self

    @property
    def algorithm(self) -> str:
        """The one JWS algorithm the key is used with (RFC 7518 §3.1, RFC 8037)."""
        match self.kind:
            case "rsa":
                return f"RS{self.hash}"
            case "ecdsa":
                return f"ES{self.size}"
        return "EdDSA"

    @property
    def number(self) -> int:
        """The kind as the log stores it (`configType`)."""
        return {"rsa": 1, "ecdsa": 2, "ed25519": 3}[self.kind]

    def as_fact(self) -> dict[str, int | str]:
        """The config as the log stores it."""
        return {"kind": self.kind, "size": self.size, "hash": self.hash}


@dataclass(frozen=True)
class WebKey(Aggregate):
    """One signing key."""

    kind: ClassVar[str] = "web_key"
    state: KeyState = KeyState.ABSENT

    def add(self, *, private_key: str, public_key: str, config: KeyConfig) -> list[Event]:
        """Publish a new key; it does not sign yet."""
        return [
            WebKeyAdded(
                private_key=private_key, public_key=public_key, config=config.as_fact(), config_type=config.number
            )
        ]

    def activate(self) -> list[Event]:
        """Let the key sign; nothing happens when it does already."""
        self._must_exist()
        return [] if self.state is KeyState.ACTIVE else [WebKeyActivated()]

    def deactivate(self) -> list[Event]:
        """Stop signing with the key."""
        self._must_exist()
        return [WebKeyDeactivated()] if self.state is KeyState.ACTIVE else []

    def remove(self) -> list[Event]:
        """Stop publishing the key; refused while it signs. Nothing happens when it is published no more."""
        if self.state is KeyState.REMOVED:
            return []
        self._must_exist()
        if self.state is KeyState.ACTIVE:
            raise FailedPrecondition("web_key.active")
        return [WebKeyRemoved()]

    def _must_exist(self) -> None:
        if self.state in (KeyState.ABSENT, KeyState.REMOVED):
            raise NotFound("web_key.not_found")

    def apply(self, fact: Event) -> Self:
        """The key after a fact."""
        match fact:
            case WebKeyAdded():
                return replace(self, state=KeyState.INITIAL)
            case WebKeyActivated():
                return replace(self, state=KeyState.ACTIVE)
            case WebKeyDeactivated():
                return replace(self, state=KeyState.INACTIVE)
            case WebKeyRemoved():
                return replace(self, state=KeyState.REMOVED)
        return self

    def claims(self) -> frozenset[Claim]:
        """The key id is taken while the key is published."""
        if self.state in (KeyState.ABSENT, KeyState.REMOVED):
            return frozenset()
        return frozenset({Claim("web_key", self.id, "web_key.already_exists")})
