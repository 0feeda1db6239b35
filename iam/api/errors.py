"""How a refusal travels: the only table of status codes, and the error bodies of the wires."""

from dataclasses import dataclass

from google.protobuf import json_format
from google.protobuf.message import Message

from eventstore.outage import is_outage
from iam.access.catalog import id_of, text_of
from iam.api.gen import v1
from iam.kernel import errors


@dataclass(frozen=True)
class Kind:
    """HTTP status, Connect code, gRPC code."""

    http: int
    connect: str
    grpc: int


WIRE: dict[type[errors.Refusal], Kind] = {
    errors.InvalidInput: Kind(400, "invalid_argument", 3),
    errors.WrongCredentials: Kind(400, "invalid_argument", 3),
    errors.DeadlineExceeded: Kind(504, "deadline_exceeded", 4),
    errors.NotFound: Kind(404, "not_found", 5),
    errors.AlreadyExists: Kind(409, "already_exists", 6),
    errors.PermissionDenied: Kind(403, "permission_denied", 7),
    errors.TooLarge: Kind(413, "resource_exhausted", 8),
    errors.UnsupportedCoding: Kind(415, "invalid_argument", 3),
    errors.ResourceExhausted: Kind(429, "resource_exhausted", 8),
    errors.FailedPrecondition: Kind(400, "failed_precondition", 9),
    errors.StateChanged: Kind(412, "failed_precondition", 9),
    errors.KeyReused: Kind(422, "invalid_argument", 3),
    errors.Contended: Kind(409, "aborted", 10),
    errors.Unimplemented: Kind(501, "unimplemented", 12),
    errors.Unavailable: Kind(503, "unavailable", 14),
    errors.Unauthenticated: Kind(401, "unauthenticated", 16),
}
INTERNAL = Kind(500, "internal", 13)
AWAY_SECONDS = 5


@dataclass(frozen=True)
class Told:
    """A refusal as a client hears it."""

    kind: Kind
    message: str
    id: str
    text: str
    failed_attempts: int | None = None

    @property
    def detail(self) -> Message | None:
        """The API's error detail: CredentialsCheckError for a wrong password or code, else ErrorDetail."""
        if not self.id:
            return None
        if self.failed_attempts is not None:
            return v1.CredentialsCheckError(id=self.id, message=self.text, failed_attempts=self.failed_attempts)
        return v1.ErrorDetail(id=self.id, message=self.text)


def told(refusal: Exception) -> Told:
    """What to answer; an error of the program says nothing about itself."""
    if is_outage(refusal):
        refusal = errors.Unavailable("api.database_away")
    if not isinstance(refusal, errors.Refusal):
        return Told(INTERNAL, "An internal error occurred", "", "An internal error occurred")
    text = text_of(refusal.code)
    parts = [part for part in (refusal.field, refusal.reason) if part]
    text = f"{text} ({': '.join(parts)})" if parts else text
    id = id_of(refusal.code)
    return Told(
        WIRE[type(refusal)], f"{text} ({id})" if id else text, id, text, getattr(refusal, "failed_attempts", None)
    )


def rest_body(answer: Told) -> dict[str, object]:
    """The error body of REST (reference/api/README.md)."""
    detail = answer.detail
    told = [{"@type": type_url(detail), **json_format.MessageToDict(detail)}] if detail is not None else []
    return {"code": answer.kind.grpc, "message": answer.message, "details": told}


def type_url(detail: Message) -> str:
    """How a packed message names its type."""
    return f"type.googleapis.com/{detail.DESCRIPTOR.full_name}"
