"""`Idempotency-Key`: a call that is sent twice happens once, and is answered alike for 24 hours (issue 3, point 5).

The call and its kept answer commit together: a process that dies in between leaves neither, so there is no
reservation that somebody would have to clean up. Per caller and method; another request under the same key is refused.

Kept are answers and those refusals that a repetition would only meet in another form (not found, exists already, wrong state,
invalid). Not kept, and decided anew: missing rights, limits, contention, unknown errors.
"""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from google.protobuf.message import Message

from iam.api.models import KeptAnswer
from iam.kernel.context import Context
from iam.kernel.errors import (
    AlreadyExists,
    Contended,
    FailedPrecondition,
    InvalidInput,
    KeyReused,
    NotFound,
    Refusal,
    WrongCredentials,
)

HEADER = "idempotency-key"
REPLAYED = "Idempotency-Replayed"
KEPT = timedelta(hours=24)
PURPOSE = "answers"
KEY = re.compile(r"[\x21-\x7e]{1,255}")
DECIDED: dict[str, type[Refusal]] = {
    kind.__name__: kind for kind in (InvalidInput, NotFound, AlreadyExists, FailedPrecondition)
}
READS = ("Get", "List", "Search", "Healthz", "Check")
"""Methods that change nothing begin with one of these; a key means nothing to them."""

Ask = Callable[[], Message]


@dataclass(frozen=True)
class Call:
    """A call under a key."""

    ctx: Context
    method: str
    request: Message
    key: str

    @property
    def id(self) -> str:
        """The name of its row."""
        return _hex(self.ctx.actor, self.method, self.key)

    @property
    def fingerprint(self) -> str:
        """What must be the same when it is sent again: the message and the organization asked for."""
        return _hex(self.ctx.asked_org, self.request.SerializeToString(deterministic=True).hex())


def call_of(ctx: Context, method: str, request: Message, header: str | None) -> Call | None:
    """The call when it has a key and changes something; raises InvalidInput for a malformed key."""
    if header is None or not ctx.actor or reads(method):
        return None
    if not KEY.fullmatch(header):
        raise InvalidInput("api.idempotency_key_invalid")
    return Call(ctx, method, request, header)


def reads(method: str) -> bool:
    """Whether a method only reads."""
    return method.partition("/")[2].startswith(READS)


def once(call: Call, ask: Ask, response: type[Message]) -> tuple[Message | Refusal, bool]:
    """The answer, and whether it is an earlier one. Call it inside a transaction, which is committed unless this raises.

    Raises KeyReused, Contended while the first call is running, and every refusal that is not kept.
    """
    _alone(call)
    now = call.ctx.now()
    rows = KeptAnswer.objects.filter(instance_id=call.ctx.instance, id=call.id)
    kept = rows.first()
    if kept is not None and kept.expires_at > now:
        if kept.request != call.fingerprint:
            raise KeyReused("api.idempotency_key_reused")
        return _opened(call, kept.answer, response), True
    rows.delete()
    made: Message | Refusal
    try:
        made = ask()
    except tuple(DECIDED.values()) as refused:
        made = refused
    KeptAnswer.objects.create(
        instance_id=call.ctx.instance,
        id=call.id,
        request=call.fingerprint,
        answer=call.ctx.ports.secrets.seal(call.ctx.instance, PURPOSE, _packed(made)),
        expires_at=now + KEPT,
    )
    return made, False


def _alone(call: Call) -> None:
    """Hold the key to the end of the transaction. SQLite has one writer, so there the second call waits by itself."""
    if connection.vendor != "postgresql":
        return
    number = int.from_bytes(hashlib.sha256(f"{call.ctx.instance}/{call.id}".encode()).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        if not cursor.fetchone()[0]:
            raise Contended("api.idempotency_running")


def _packed(made: Message | Refusal) -> bytes:
    if isinstance(made, Message):
        return b"+" + made.SerializeToString()
    attempts = [made.failed_attempts] if isinstance(made, WrongCredentials) else []
    return b"-" + json.dumps([type(made).__name__, made.code, made.field, made.reason, *attempts]).encode()


def _opened(call: Call, sealed: str, response: type[Message]) -> Message | Refusal:
    packed = call.ctx.ports.secrets.open(call.ctx.instance, PURPOSE, sealed)
    if packed[:1] == b"+":
        return response.FromString(packed[1:])
    kind, code, field, reason, *attempts = json.loads(packed[1:])
    if attempts:
        return WrongCredentials(code, field=field, failed_attempts=attempts[0])
    return DECIDED[kind](code, field=field, reason=reason)


def _hex(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
