"""Questions about the log of an instance and those who follow it."""

from collections.abc import Sequence

from eventstore.reading import FactsWanted, search_facts
from eventstore.store import Recorded
from iam.kernel.context import Context
from iam.kernel.errors import NotFound
from iam.vault import wiring
from projections import follower
from projections.lag import Lag, lag_of

MOST_FACTS = 1000
FACTS = 100


def search_log(ctx: Context, wanted: FactsWanted, *, limit: int, asc: bool) -> Sequence[Recorded]:
    """The facts of this instance, at most 1,000 at once (100 unless asked); personal fields of erased persons are empty."""
    must_read_log(ctx)
    return search_facts(wiring.store(), ctx.instance, wanted, limit=min(limit or FACTS, MOST_FACTS), asc=asc)


def must_read_log(ctx: Context) -> None:
    """Refuse whoever may not read the log; raises PermissionDenied."""
    ctx.require("events.read", ctx.instance)


def list_followers(ctx: Context) -> list[Lag]:
    """How far each follower has come in this instance."""
    ctx.require("iam.read", ctx.instance)
    return lag_of([ctx.instance])


def list_stopped(ctx: Context) -> list[Lag]:
    """The followers that a fact stops, with the error."""
    return [one for one in list_followers(ctx) if one.is_stopped]


def retry_stopped(ctx: Context, *, projection: str, position: int) -> None:
    """Have a follower try the fact again that stopped it; it is never skipped (DESIGN §4). Raises NotFound."""
    ctx.require("iam.write", ctx.instance)
    if not follower.try_again(projection, ctx.instance, position):
        raise NotFound("instance.failure_not_found")
