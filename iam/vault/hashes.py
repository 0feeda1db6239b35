"""Stored passwords: which schemes are understood, what one check of each may cost, and which one new passwords get.

What a check costs stands in the stored text itself, written by whoever imported it. So it is read strictly and weighed
before anything works on it, each parameter alone and those that multiply together (checklist P11).
"""

import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import bcrypt
from argon2 import PasswordHasher as Argon2
from argon2 import Type
from passlib.hash import md5_crypt, pbkdf2_sha1, pbkdf2_sha256, pbkdf2_sha512, scrypt, sha256_crypt, sha512_crypt

LONGEST_HASH = 1024
BCRYPT_BYTES = 72
"""More of a password bcrypt does not read."""
KIB = 1024

for _crypt in (md5_crypt, sha256_crypt, sha512_crypt):
    _crypt.set_backend("builtin")  # that of the system holds up every thread of the process while it works

BASE64 = "[A-Za-z0-9+/]"
CRYPT64 = "[./A-Za-z0-9]"
CRYPT64_DIGITS = f"./{string.digits}{string.ascii_uppercase}{string.ascii_lowercase}"
ARGON2 = re.compile(
    rf"\$argon2(?:id|i|d)(?:\$v=(?:16|19))?\$m=([0-9]{{1,10}}),t=([0-9]{{1,10}}),p=([0-9]{{1,10}})\${BASE64}+\${BASE64}+"
)
BCRYPT = re.compile(rf"\$2[abxy]?\$([0-9]{{2}})\${CRYPT64}{{53}}")
SCRYPT = re.compile(
    rf"\$scrypt\$ln=([0-9]{{1,10}}),r=([0-9]{{1,10}}),p=([0-9]{{1,10}})\${BASE64}*={{0,2}}\${BASE64}+={{0,2}}"
)
PBKDF2 = re.compile(r"\$pbkdf2(?:-sha1|-sha256|-sha512)?\$([0-9]{1,10})\$[A-Za-z0-9./]*\$[A-Za-z0-9./]+")
SCRYPT_7 = re.compile(rf"\$7\$({CRYPT64})({CRYPT64}{{5}})({CRYPT64}{{5}})[^$]*\${CRYPT64}{{43}}")
SHA2 = re.compile(rf"\$[56]\$(?:rounds=([0-9]{{1,10}})\$)?(?!rounds=)[^$]{{0,16}}\${CRYPT64}+")
MD5 = re.compile(rf"\$1\$[^$]{{0,8}}\${CRYPT64}{{22}}")
SHA2_ROUNDS = 5000
"""When none are said."""
SCRYPT_LARGEST = 30
"""The exponent of N; far more than any ceiling, so that no number of a text grows without bound."""


@dataclass(frozen=True)
class Limits:
    """The most that one check may cost. Memory is in KiB; `work` is what the parameters make together."""

    argon2_memory: int = 256 * KIB
    argon2_passes: int = 20
    argon2_lanes: int = 16
    argon2_work: int = 1 << 21
    bcrypt_cost: int = 16
    scrypt_memory: int = 256 * KIB
    scrypt_work: int = 1 << 22
    pbkdf2_rounds: int = 2_000_000
    sha2_rounds: int = 1_000_000


Parameters = tuple[int, ...]


@dataclass(frozen=True)
class Scheme:
    """One form of stored passwords: how it is written, whether its parameters cost too much, how one is checked."""

    form: "re.Pattern[str]"
    is_tolerable: Callable[[Parameters, Limits], bool]
    check: Callable[[str, str], bool]
    number: Callable[[str], int] = int

    def parameters(self, encoded: str) -> Parameters | None:
        """The numbers that a stored password names; None for one of another form."""
        found = self.form.fullmatch(encoded) if len(encoded) <= LONGEST_HASH else None
        return tuple(self.number(one or "0") for one in found.groups()) if found else None


def _argon2_is_tolerable(named: Parameters, limits: Limits) -> bool:
    memory, passes, lanes = named
    return (
        1 <= memory <= limits.argon2_memory
        and 1 <= passes <= limits.argon2_passes
        and 1 <= lanes <= limits.argon2_lanes
        and memory * passes * lanes <= limits.argon2_work
    )


def _scrypt_is_tolerable(named: Parameters, limits: Limits) -> bool:
    """RFC 7914 §2, §6: 128·N·r bytes to look into, 128·r·p bytes that are mixed, N·r·p mixings."""
    exponent, block, lanes = named
    if not 1 <= exponent <= SCRYPT_LARGEST or block < 1 or lanes < 1:
        return False
    cost = 1 << exponent
    return 128 * block * max(cost, lanes) <= limits.scrypt_memory * KIB and cost * block * lanes <= limits.scrypt_work


def _crypt64(text: str) -> int:
    """A number of the older form of scrypt, its lowest digit first."""
    return sum(CRYPT64_DIGITS.index(one) << 6 * place for place, one in enumerate(text))


def _by_passlib(encoded: str, password: str) -> bool:
    return any(one.verify(password, encoded) for one in PASSLIB if one.identify(encoded))


PASSLIB = (md5_crypt, sha256_crypt, sha512_crypt, pbkdf2_sha1, pbkdf2_sha256, pbkdf2_sha512, scrypt)
SCHEMES = (
    Scheme(ARGON2, _argon2_is_tolerable, lambda encoded, password: Argon2().verify(encoded, password)),
    Scheme(
        BCRYPT,
        lambda named, limits: 4 <= named[0] <= limits.bcrypt_cost,
        lambda encoded, password: bcrypt.checkpw(password.encode()[:BCRYPT_BYTES], encoded.encode()),
    ),
    Scheme(SCRYPT, _scrypt_is_tolerable, _by_passlib),
    Scheme(SCRYPT_7, _scrypt_is_tolerable, _by_passlib, _crypt64),
    Scheme(PBKDF2, lambda named, limits: 1 <= named[0] <= limits.pbkdf2_rounds, _by_passlib),
    Scheme(SHA2, lambda named, limits: (named[0] or SHA2_ROUNDS) <= limits.sha2_rounds, _by_passlib),
    Scheme(MD5, lambda named, limits: True, _by_passlib),
)


def scheme_of(encoded: str, limits: Limits, beginnings: tuple[str, ...] = ()) -> Scheme | None:
    """The scheme of a stored password whose check costs no more than the limits allow, or than what begins like one of
    our own; None for any other."""
    for scheme in SCHEMES:
        named = scheme.parameters(encoded)
        if named is not None:
            return scheme if encoded.startswith(beginnings) or scheme.is_tolerable(named, limits) else None
    return None


@dataclass(frozen=True)
class Hasher:
    """What new passwords are hashed with. All that it makes begins alike; `blank` is checked where no password is."""

    beginning: str
    make: Callable[[str], str]
    blank: str
    check: Callable[[str, str], bool]
    most_bytes: int = 0
    """How much of a password it reads; 0 for all."""

    def reads(self, password: str) -> bool:
        """Whether it reads the whole password."""
        return not self.most_bytes or len(password.encode()) <= self.most_bytes


@dataclass(frozen=True)
class Wish:
    """The hasher that the configuration names. 0 and an empty `hash` stand for the algorithm's own default."""

    algorithm: str = "argon2id"
    passes: int = 2
    memory: int = 19 * KIB
    lanes: int = 1
    cost: int = 0
    rounds: int = 0
    hash: str = ""


def hashers_of(wish: Wish) -> Iterator[Hasher]:
    """The hasher that was wished for; behind bcrypt another one for passwords that it would cut (checklist P06)."""
    yield MAKERS[wish.algorithm](wish)
    if wish.algorithm == "bcrypt":
        yield _argon2(Wish())


def _argon2(wish: Wish) -> Hasher:
    kind = Type.I if wish.algorithm == "argon2i" else Type.ID
    made = Argon2(time_cost=wish.passes, memory_cost=wish.memory, parallelism=wish.lanes, type=kind)
    beginning = f"$argon2{kind.name.lower()}$v=19$m={wish.memory},t={wish.passes},p={wish.lanes}$"
    return Hasher(beginning, made.hash, f"{beginning}{'A' * 22}${'A' * 43}", SCHEMES[0].check)


def _bcrypt(wish: Wish) -> Hasher:
    cost = wish.cost or 14
    beginning = f"$2b${cost:02d}$"

    def make(password: str) -> str:
        return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode()

    return Hasher(beginning, make, beginning + "." * 53, SCHEMES[1].check, BCRYPT_BYTES)


def _scrypt(wish: Wish) -> Hasher:
    made = scrypt.using(rounds=wish.cost or 17, block_size=8, parallelism=1)
    beginning = f"$scrypt$ln={made.default_rounds},r=8,p=1$"
    return Hasher(beginning, made.hash, f"{beginning}{'A' * 22}${'A' * 43}", _by_passlib)


PBKDF2_KINDS = {"sha1": (pbkdf2_sha1, 27), "sha256": (pbkdf2_sha256, 43), "sha512": (pbkdf2_sha512, 86)}
"""By the name of the digest: the scheme, and how long what it makes is written."""
PBKDF2_ROUNDS = {"sha1": 1_300_000, "sha256": 600_000, "sha512": 210_000}


def _pbkdf2(wish: Wish) -> Hasher:
    digest = wish.hash or "sha256"
    kind, length = PBKDF2_KINDS[digest]
    made = kind.using(rounds=wish.rounds or PBKDF2_ROUNDS[digest])
    beginning = f"{made.ident}{made.default_rounds}$"
    return Hasher(beginning, made.hash, f"{beginning}{'A' * 22}${'A' * length}", _by_passlib)


def _sha2(wish: Wish) -> Hasher:
    kind, length = (sha256_crypt, 43) if wish.hash == "sha256" else (sha512_crypt, 86)
    made = kind.using(rounds=wish.rounds or 500_000)
    beginning = f"{made.ident}rounds={made.default_rounds}$"

    def make(password: str) -> str:
        salt, digest = made.hash(password).split("$")[-2:]  # it leaves the usual number of rounds out
        return f"{beginning}{salt}${digest}"

    return Hasher(beginning, make, f"{beginning}{'.' * 16}${'.' * length}", _by_passlib)


MAKERS: dict[str, Callable[[Wish], Hasher]] = {
    "argon2id": _argon2,
    "argon2i": _argon2,
    "bcrypt": _bcrypt,
    "scrypt": _scrypt,
    "pbkdf2": _pbkdf2,
    "sha2": _sha2,
}
