"""The ways to fail on purpose. Each refusal carries a stable code; texts live in the catalog (iam/api)."""

from datetime import timedelta


class Refusal(Exception):
    """Base of every refusal. `code` is `noun.reason`; `field` names the input at fault, if one is."""

    def __init__(self, code: str, *, field: str = "", reason: str = "") -> None:
        super().__init__(": ".join(part for part in (code, field, reason) if part))
        self.code = code
        self.field = field
        self.reason = reason


class InvalidInput(Refusal):
    """The request itself is wrong, whatever the state."""


class WrongCredentials(InvalidInput):
    """A password or code is wrong; `failed_attempts` says for which time in a row, 0 where that is not told."""

    def __init__(self, code: str, *, field: str = "", failed_attempts: int = 0) -> None:
        super().__init__(code, field=field)
        self.failed_attempts = failed_attempts


class Unauthenticated(Refusal):
    """Nobody proved who is calling."""


class PermissionDenied(Refusal):
    """The caller is known and may not do this."""


class NotFound(Refusal):
    """There is no such thing, or the caller may not know of it."""


class AlreadyExists(Refusal):
    """Somebody else holds a name or value that may exist once."""


class FailedPrecondition(Refusal):
    """The state forbids it now."""


class Contended(Refusal):
    """Others kept changing the same thing; trying again may help."""


class StateChanged(Refusal):
    """The thing is not at the version that the caller expects any more."""


class KeyReused(Refusal):
    """This idempotency key belongs to another request."""


class TooLarge(Refusal):
    """The request is larger than this server reads."""


class UnsupportedCoding(Refusal):
    """The body is compressed in a way that this wire does not read (RFC 9110 §15.5.16)."""


class ResourceExhausted(Refusal):
    """Too many requests of this kind; `retry_after` says when to come back."""

    def __init__(self, code: str, *, retry_after: timedelta = timedelta(seconds=1)) -> None:
        super().__init__(code)
        self.retry_after = retry_after


class DeadlineExceeded(Refusal):
    """The caller has stopped waiting; nothing was changed."""


class Unimplemented(Refusal):
    """The method exists in the API and not here (yet)."""


class Unavailable(Refusal):
    """A part that this needs does not answer."""
