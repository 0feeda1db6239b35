"""Keeps the table of milestones."""

from eventstore.store import Recorded
from iam.usage.milestone import MilestonePushed, MilestoneReached
from iam.usage.models import MilestoneRow
from projections.projection import Projection, on


class MilestoneTable(Projection):
    """One row per milestone reached."""

    name = "milestones"
    tables = (MilestoneRow,)

    @on(MilestoneReached)
    def reached(self, at: Recorded, fact: MilestoneReached) -> None:
        """Come so far."""
        MilestoneRow.objects.create(instance_id=at.stream.instance, type=fact.type, reached_at=fact.reached_at)

    @on(MilestonePushed)
    def pushed(self, at: Recorded, fact: MilestonePushed) -> None:
        """Told."""
        rows = MilestoneRow.objects.filter(instance_id=at.stream.instance, type=fact.type)
        rows.update(pushed_at=fact.pushed_at)
