"""Keeps the tables of targets and executions."""

from eventstore.events import Event, told
from eventstore.store import Recorded
from iam.actions.domain import events as facts
from iam.actions.models import ExecutionRow, RouteRow, TargetRow
from iam.instance.domain.events import InstanceRemoved
from projections.projection import Projection, on, update_row

VALUES = ("name", "target_type", "endpoint", "timeout", "interrupt_on_error", "payload_type")


class Targets(Projection):
    """One row per target."""

    name = "targets"
    tables = (TargetRow,)

    @on(facts.TargetAdded)
    def added(self, at: Recorded, fact: facts.TargetAdded) -> None:
        """A new address."""
        TargetRow.objects.create(
            instance_id=at.stream.instance,
            id=at.stream.id,
            signing_key=fact.signing_key,
            created_at=at.at,
            changed_at=at.at,
            version=at.version,
            **{name: getattr(fact, name) for name in VALUES},
        )

    @on(facts.TargetChanged)
    def changed(self, at: Recorded, fact: facts.TargetChanged) -> None:
        """Other values; a new key makes the one that was there the one of before."""
        columns = told(fact, *VALUES)
        if fact.signing_key:
            rows = TargetRow.objects.filter(instance_id=at.stream.instance, id=at.stream.id)
            before = rows.values_list("signing_key", flat=True).get() if fact.previous_until else ""
            columns |= {"signing_key": fact.signing_key, "previous_key": before, "previous_until": fact.previous_until}
        update_row(TargetRow, at, at.stream.id, **columns)

    @on(facts.TargetRemoved)
    def removed(self, at: Recorded, _: Event) -> None:
        """Gone."""
        TargetRow.objects.filter(instance_id=at.stream.instance, id=at.stream.id).delete()

    @on(InstanceRemoved)
    def instance_removed(self, at: Recorded, _: Event) -> None:
        """The tenant is gone."""
        TargetRow.objects.filter(instance_id=at.stream.instance).delete()


class Executions(Projection):
    """One row per execution, and one per target for as long as it is one."""

    name = "executions"
    tables = (ExecutionRow, RouteRow)

    @on(facts.ExecutionSet)
    def set(self, at: Recorded, fact: facts.ExecutionSet) -> None:
        """Some targets go on, some begin, some end."""
        times = {"changed_at": at.at, "version": at.version}
        keys = {"instance_id": at.stream.instance, "id": at.stream.id}
        ExecutionRow.objects.update_or_create(**keys, defaults=times, create_defaults={**times, "created_at": at.at})
        wanted = {str(one.get("target", "")): number for number, one in enumerate(fact.targets)}
        open_ones = _routes(at, at.stream.id)
        there = set(open_ones.values_list("target_id", flat=True))
        open_ones.exclude(target_id__in=wanted).update(until=at.position)
        for target, number in wanted.items():
            if target in there:
                open_ones.filter(target_id=target).update(number=number)
            else:
                RouteRow.objects.create(
                    instance_id=at.stream.instance,
                    execution_id=at.stream.id,
                    target_id=target,
                    since=at.position,
                    number=number,
                )

    @on(facts.ExecutionRemoved)
    def removed(self, at: Recorded, _: Event) -> None:
        """Ends."""
        ExecutionRow.objects.filter(instance_id=at.stream.instance, id=at.stream.id).delete()
        _routes(at, at.stream.id).update(until=at.position)

    @on(facts.TargetRemoved)
    def target_removed(self, at: Recorded, _: Event) -> None:
        """Nobody leads to it any more, not even an execution that was set in the same moment."""
        _routes(at).filter(target_id=at.stream.id).update(until=at.position)

    @on(InstanceRemoved)
    def instance_removed(self, at: Recorded, _: Event) -> None:
        """The tenant is gone."""
        for table in (ExecutionRow, RouteRow):
            table.objects.filter(instance_id=at.stream.instance).delete()


def _routes(at: Recorded, execution: str = ""):  # type: ignore[no-untyped-def]
    """The routes that go on, of an execution or all."""
    rows = RouteRow.objects.filter(instance_id=at.stream.instance, until=None)
    return rows.filter(execution_id=execution) if execution else rows
