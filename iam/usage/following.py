"""Follows the log for milestones. What the log holds no fact of (a token for an application) is looked for every hour."""

from datetime import UTC, datetime

from eventstore.store import Recorded
from iam.access.caller import system_context
from iam.instance.domain.events import InstanceAdded, InstanceRemoved
from iam.instance.models import InstanceRow
from iam.kernel.change import change
from iam.usage.milestone import Milestone, Milestones
from iam.usage.models import MilestoneRow
from oidc.models import AccessToken
from projections.periodic import hourly
from projections.projection import CELERY, Projection, on
from projects.domain.events import AppAdded, ProjectAdded
from users.domain.session_events import SessionPasswordChecked


class MilestoneFollower(Projection):
    """No tables: it decides on the stream of milestones, which says nothing twice."""

    name = "milestone_follower"
    tables = ()
    mode = CELERY

    @on(InstanceAdded)
    def instance_created(self, at: Recorded, _: InstanceAdded) -> None:
        """There is a tenant."""
        reach(at.stream.instance, Milestone.INSTANCE_CREATED, at.at)

    @on(InstanceRemoved)
    def instance_deleted(self, at: Recorded, _: InstanceRemoved) -> None:
        """The tenant is gone."""
        reach(at.stream.instance, Milestone.INSTANCE_DELETED, at.at)

    @on(ProjectAdded)
    def project_created(self, at: Recorded, _: ProjectAdded) -> None:
        """A project beside the product's own."""
        if at.stream.id not in _own(at.stream.instance):
            reach(at.stream.instance, Milestone.PROJECT_CREATED, at.at)

    @on(AppAdded)
    def app_created(self, at: Recorded, _: AppAdded) -> None:
        """An application beside the console."""
        if at.stream.id not in _own(at.stream.instance):
            reach(at.stream.instance, Milestone.APPLICATION_CREATED, at.at)

    @on(SessionPasswordChecked)
    def signed_in(self, at: Recorded, _: SessionPasswordChecked) -> None:
        """Somebody proved who they are."""
        reach(at.stream.instance, Milestone.AUTHENTICATION_SUCCEEDED_ON_INSTANCE, at.at)


def reach(instance: str, milestone: Milestone, at: datetime) -> None:
    """Note a milestone, unless it is noted."""
    if MilestoneRow.objects.filter(instance_id=instance, type=milestone).exists():
        return
    ctx = system_context(instance)
    change(ctx, Milestones, instance, lambda all: all.reach(milestone, at), needs="iam.write", owner=instance)


def _own(instance: str) -> set[str]:
    """The product's own project: it and the console in it are no milestone."""
    return set(InstanceRow.objects.filter(instance_id=instance).values_list("iam_project_id", flat=True))


@hourly
def look_for_applications_that_let_somebody_in() -> None:
    """AUTHENTICATION_SUCCEEDED_ON_APPLICATION: tokens are rows with an expiry, not facts."""
    wanted = Milestone.AUTHENTICATION_SUCCEEDED_ON_APPLICATION
    done = MilestoneRow.objects.filter(type=wanted).values("instance_id")
    for instance in InstanceRow.objects.exclude(instance_id__in=done):
        tokens = AccessToken.objects.filter(instance_id=instance.instance_id, session_id__gt="")
        if tokens.exclude(client_id__in=("", instance.console_client_id)).exists():
            reach(instance.instance_id, wanted, datetime.now(UTC))
