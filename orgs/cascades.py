"""A removed user is no administrator any more: the organization's stream learns of it."""

from eventstore.store import Stream
from iam.access.members import HolderRemoved
from iam.access.queries import resources_of
from iam.access.roles import Level
from iam.kernel.cascade import cascades
from iam.kernel.change import Unit
from orgs.domain.events import OrgMemberCascadeRemoved
from orgs.domain.org import Org


@cascades(HolderRemoved)
def user_removed(unit: Unit, stream: Stream, _: HolderRemoved) -> None:
    """Take the rights that the user had."""
    for id in resources_of(stream.instance, stream.id, Level.ORG):
        unit.change(
            Org, id, lambda one: [OrgMemberCascadeRemoved(user_id=stream.id)] if one.members.has(stream.id) else []
        )
