"""A removed user is no administrator any more: the instance's stream learns of it."""

from eventstore.store import Stream
from iam.access.members import HolderRemoved
from iam.access.queries import resources_of
from iam.instance.domain.instance import Instance
from iam.kernel.cascade import cascades
from iam.kernel.change import Unit
from iam.kernel.levels import Level


@cascades(HolderRemoved)
def user_removed(unit: Unit, stream: Stream, _: HolderRemoved) -> None:
    """Take the rights that the user had; raises FailedPrecondition when nobody else owns the instance."""
    for id in resources_of(stream.instance, stream.id, Level.INSTANCE):
        unit.change(Instance, id, lambda one: one.lose_member(stream.id))
