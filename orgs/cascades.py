"""What follows from facts of other streams: a removed user is no administrator any more, and what belongs to a removed
organization is gone with it, though it gets no facts of its own."""

from eventstore.store import Stream
from iam.access.members import HolderRemoved
from iam.access.queries import resources_of
from iam.kernel.cascade import cascades, checks
from iam.kernel.change import Unit
from iam.kernel.errors import NotFound
from iam.kernel.levels import Level
from orgs.domain.events import OrgMemberCascadeRemoved
from orgs.domain.org import Org, OrgState
from orgs.models import OrgRow


@cascades(HolderRemoved)
def user_removed(unit: Unit, stream: Stream, _: HolderRemoved) -> None:
    """Take the rights that the user had."""
    for id in resources_of(stream.instance, stream.id, Level.ORG):
        unit.change(
            Org, id, lambda one: [OrgMemberCascadeRemoved(user_id=stream.id)] if one.members.has(stream.id) else []
        )


@checks
def owners_live(unit: Unit) -> None:
    """Nothing happens to what a removed organization owned, nor by means of it; raises NotFound."""
    asked = set()
    for id in unit.owners():
        org = unit.found(Org, id)
        if org is None:
            asked.add(id)
        elif org.state is OrgState.REMOVED:
            raise NotFound("org.not_found")
    if asked and OrgRow.objects.filter(instance_id=unit.ctx.instance, id__in=asked).count() < len(asked):
        raise NotFound("org.not_found")
