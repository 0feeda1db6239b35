"""The part of the tree that says how passwords are hashed, and what checking one may cost."""

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from iam.settings.section import Section


class HasherSection(Section):
    """What new passwords are hashed with; others are hashed again at the next sign-in (RFC 9106, OWASP)."""

    Algorithm: str = Field(
        "argon2id",
        pattern="^(argon2id|argon2i|bcrypt|scrypt|pbkdf2|sha2)$",
        description="argon2id, argon2i (with Time, Memory, Threads), bcrypt, scrypt (with Cost), pbkdf2, sha2 (with"
        " Rounds, Hash). bcrypt reads 72 bytes of a password: longer ones are hashed with argon2id",
    )
    Time: int = Field(2, ge=1, le=20, description="argon2: passes")
    Memory: int = Field(19456, ge=8192, le=1048576, description="argon2: KiB")
    Threads: int = Field(1, ge=1, le=16, description="argon2: lanes")
    Cost: int = Field(
        0, ge=0, le=20, description="bcrypt: 10 to 16, 0 = 14. scrypt: exponent of its cost, 14 to 20, 0 = 17"
    )
    Rounds: int = Field(
        0,
        ge=0,
        le=10_000_000,
        description="pbkdf2: 0 = 600000 (sha1 1300000, sha512 210000). sha2: 0 = 500000. At least 1000",
    )
    Hash: str = Field("", pattern="^(|sha1|sha256|sha512)$", description="pbkdf2: sha256. sha2: sha512")

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        costs = {"bcrypt": range(10, 17), "scrypt": range(14, 21)}.get(self.Algorithm)
        if self.Cost and costs and self.Cost not in costs:
            raise ValueError(f"Cost of {self.Algorithm} is {costs[0]} to {costs[-1]}")
        if self.Algorithm in ("pbkdf2", "sha2") and 0 < self.Rounds < 1000:
            raise ValueError("Rounds are at least 1000")
        if self.Algorithm == "sha2" and self.Hash == "sha1":
            raise ValueError("Hash of sha2 is sha256 or sha512")
        return self


class Argon2LimitsSection(Section):
    """Argon2: its parameters, and their product."""

    MaxMemory: int = Field(262144, ge=8, description="KiB")
    MaxTime: int = Field(20, ge=1, description="passes")
    MaxThreads: int = Field(16, ge=1, description="lanes")
    MaxWork: int = Field(2097152, ge=8, description="memory x passes x lanes; the default is about two seconds")


class BcryptLimitsSection(Section):
    """bcrypt."""

    MaxCost: int = Field(16, ge=4, le=31, description="exponent of the rounds; the default is about four seconds")


class ScryptLimitsSection(Section):
    """scrypt (RFC 7914): what N, r and p make together."""

    MaxMemory: int = Field(262144, ge=1, description="KiB, 128 x N x r")
    MaxWork: int = Field(4194304, ge=1, description="N x r x p; the default is about two seconds")


class RoundsLimitsSection(Section):
    """A scheme that has rounds only."""

    MaxRounds: int = Field(2_000_000, ge=1, description="rounds")


class Sha2LimitsSection(Section):
    """sha-crypt: its rounds, each of which costs more."""

    MaxRounds: int = Field(1_000_000, ge=1, description="rounds")


class HasherLimitsSection(Section):
    """The most that one check of a stored hash may cost. Hashes above it are refused when they are imported, and a stored
    one counts as a wrong password; what the hasher itself makes is always checked."""

    Argon2: Argon2LimitsSection = Argon2LimitsSection()
    Bcrypt: BcryptLimitsSection = BcryptLimitsSection()
    Scrypt: ScryptLimitsSection = ScryptLimitsSection()
    PBKDF2: RoundsLimitsSection = RoundsLimitsSection()
    Sha2: Sha2LimitsSection = Sha2LimitsSection()
    CheckDuration: timedelta = Field(
        timedelta(seconds=10), gt=timedelta(0), description="a check that takes longer counts as a wrong password"
    )


class PasswordHasherSection(Section):
    """Password hashing."""

    Hasher: HasherSection = HasherSection()
    Limits: HasherLimitsSection = HasherLimitsSection()
    Workers: int = Field(0, ge=0, description="hashing threads per process; 0 = number of cores")
    Queue: int = Field(
        32,
        ge=1,
        description="requests with a password that wait for their turn, in all processes of a server together, first come first"
        " served; the next ones are answered 429 with Retry-After."
        " Half as many as there are hashing threads are at work at once, in all processes of a server together, so that"
        " token checks stay quick in a storm",
    )
