"""How a refusal travels: the only table of status codes, and the error bodies of the wires."""

from dataclasses import dataclass

from eventstore.outage import is_outage
from iam.access.catalog import id_of, text_of
from iam.kernel import errors


@dataclass(frozen=True)
class Kind:
    """HTTP status, Connect code, gRPC code."""

    http: int
    connect: str
    grpc: int


WIRE: dict[type[errors.Refusal], Kind] = {
    errors.InvalidInput: Kind(400, "invalid_argument", 3),
    errors.DeadlineExceeded: Kind(504, "deadline_exceeded", 4),
    errors.NotFound: Kind(404, "not_found", 5),
    errors.AlreadyExists: Kind(409, "already_exists", 6),
    errors.PermissionDenied: Kind(403, "permission_denied", 7),
    errors.TooLarge: Kind(413, "resource_exhausted", 8),
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
    return Told(WIRE[type(refusal)], f"{text} ({id})" if id else text, id, text)


def rest_body(answer: Told) -> dict[str, object]:
    """The error body of REST (reference/api/README.md)."""
    detail = {"@type": "type.googleapis.com/zitadel.v1.ErrorDetail", "id": answer.id, "message": answer.text}
    return {"code": answer.kind.grpc, "message": answer.message, "details": [detail] if answer.id else []}
