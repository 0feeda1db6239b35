"""Keeps the memberships table."""

from eventstore.store import Recorded
from iam.access.members import HolderRemoved, LevelRemoved, MemberAdded, MemberChanged, MemberRemoved
from iam.access.models import MembershipRow
from iam.kernel.levels import Level
from projections.projection import Projection, on


class Memberships(Projection):
    """One row per administrator and resource."""

    name = "memberships"
    tables = (MembershipRow,)

    @on(MemberAdded)
    def added(self, at: Recorded, fact: MemberAdded) -> None:
        """A new administrator."""
        MembershipRow.objects.create(
            **_key(at, fact),
            owner=at.owner,
            project_id=at.stream.id if fact.level in (Level.PROJECT, Level.GRANT) else "",
            roles=list(fact.roles),
            created_at=at.at,
            changed_at=at.at,
            version=at.version,
        )

    @on(MemberChanged)
    def changed(self, at: Recorded, fact: MemberChanged) -> None:
        """Other roles."""
        MembershipRow.objects.filter(**_key(at, fact)).update(
            roles=list(fact.roles), changed_at=at.at, version=at.version
        )

    @on(MemberRemoved)
    def removed(self, at: Recorded, fact: MemberRemoved) -> None:
        """No longer administrator."""
        MembershipRow.objects.filter(**_key(at, fact)).delete()

    @on(HolderRemoved)
    def holder_removed(self, at: Recorded, _: HolderRemoved) -> None:
        """The user is gone."""
        MembershipRow.objects.filter(instance_id=at.stream.instance, user_id=at.stream.id).delete()

    @on(LevelRemoved)
    def level_removed(self, at: Recorded, fact: LevelRemoved) -> None:
        """The resource is gone; an organization takes what it owns with it."""
        rows = MembershipRow.objects.filter(instance_id=at.stream.instance)
        match fact.level:
            case Level.ORG:
                rows.filter(owner=at.stream.id).exclude(level=Level.INSTANCE.value).delete()
            case Level.PROJECT:
                rows.filter(project_id=at.stream.id).delete()
            case Level.GRANT:
                rows.filter(level=fact.level.value, resource_id=fact.resource(at.stream.id)).delete()
            case Level.INSTANCE:
                rows.delete()


def _key(at: Recorded, fact: MemberAdded | MemberChanged | MemberRemoved) -> dict[str, str]:
    return {
        "instance_id": at.stream.instance,
        "level": fact.level.value,
        "resource_id": fact.grant_id or at.stream.id,
        "user_id": fact.user_id,
    }
