"""What rules need from outside, as shapes. The real ones are wired in iam/settings, doubles in tests."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class PasswordHasher(Protocol):
    """Hashes and checks passwords in a bounded pool; raises ResourceExhausted when all its places are taken."""

    def place(self) -> AbstractContextManager[None]:
        """Hold a place, so that who would be refused is refused before anything is done for it."""
        ...

    def hash(self, password: str) -> str:
        """A modular-crypt string."""
        ...

    def verify(self, encoded: str, password: str) -> "Verified":
        """Check a password; an empty `encoded` costs as much as a wrong password and is never ok."""
        ...

    def accepts(self, encoded: str) -> bool:
        """Whether an imported hash is of a known scheme with tolerable costs."""
        ...


@dataclass(frozen=True)
class Verified:
    """The outcome of a password check; `better` is a new hash when the stored one should be replaced."""

    ok: bool
    better: str = ""


class Secrets(Protocol):
    """Random secrets and the envelope that keeps them at rest."""

    def random(self, length: int) -> str:
        """Letters and digits, unguessable."""
        ...

    def digits(self, length: int, alphabet: str = "0123456789") -> str:
        """A code drawn from an alphabet."""
        ...

    def seal(self, instance: str, purpose: str, plain: bytes) -> str:
        """Encrypt under the current data key of a purpose; the answer names its key."""
        ...

    def open(self, instance: str, purpose: str, sealed: str) -> bytes:
        """Undo `seal`; raises Unavailable when the key is gone."""
        ...


class Outside(Protocol):
    """What may be asked of the world outside: public addresses only, with limits on time and size."""

    def text_at(self, host: str, path: str) -> str:
        """The text under `https://host/path`; empty when there is none, whatever the reason."""
        ...

    def texts_of_name(self, name: str) -> frozenset[str]:
        """The TXT records of a name; empty when there are none, whatever the reason."""
        ...

    def leads_inside(self, host: str) -> bool:
        """Whether a host is one that must not be called; one that is not found leads nowhere yet."""
        ...

    def status_of_post(
        self, host: str, port: int, path: str, body: bytes, headers: Mapping[str, str], *, seconds: float
    ) -> int:
        """The status that answers a POST of JSON to `https://host:port/path`; 0 when none came, whatever the reason."""
        ...


@dataclass(frozen=True)
class Ports:
    """Everything a command may reach for besides the log."""

    now: Callable[[], datetime]
    new_id: Callable[[], str]
    passwords: PasswordHasher
    secrets: Secrets
    outside: Outside
