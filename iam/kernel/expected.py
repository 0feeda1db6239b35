"""What a caller believes of the thing addressed: the version that it saw (RFC 9110 §13.1.1, If-Match)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from eventstore.store import Recorded, Stream
from iam.kernel.errors import StateChanged


@dataclass
class Expected:
    """Where a stream stood when the caller's condition held; its command may change it only there.

    Checked by `iam.kernel.change` after the right and before the decision, on the facts that the push is bound to: what
    slips in between is a conflict, read and checked again.
    """

    stream: Stream
    version: int
    was_checked: bool = field(default=False)

    def check(self, stream: Stream, version: int) -> None:
        """Raises StateChanged when this is the stream and it stands elsewhere."""
        if stream != self.stream:
            return
        self.was_checked = True
        if version != self.version:
            raise StateChanged("api.version_changed")

    def move(self, pushed: Iterable[Recorded]) -> None:
        """One request may push several times: what it wrote itself is expected by its next command."""
        for one in pushed:
            if one.stream == self.stream:
                self.version = one.version
