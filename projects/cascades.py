"""What goes with a user, a project, a role or a grant: authorizations and administrators learn of it in their streams."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.db.models import QuerySet

from eventstore.events import Event
from eventstore.store import Stream
from iam.access.members import HolderRemoved
from iam.access.models import MembershipRow
from iam.access.queries import find_memberships
from iam.instance.domain.events import InstanceDomainAdded, InstanceDomainRemoved
from iam.instance.domain.instance import Instance
from iam.kernel import cascade
from iam.kernel.cascade import cascades
from iam.kernel.change import Unit
from iam.kernel.errors import FailedPrecondition
from iam.kernel.levels import Level
from orgs.domain.events import OrgDeactivated, OrgRemoved
from orgs.domain.org import Org, OrgState
from projects.domain import events as facts
from projects.domain import grants, own
from projects.domain.grants import UserGrant
from projects.domain.project import Project
from projects.models import ProjectGrantRow, ProjectRow, UserGrantRow
from users.domain.user import User
from users.models import UserRow


@cascades(HolderRemoved)
def user_removed(unit: Unit, stream: Stream, _: HolderRemoved) -> None:
    """Take the user's authorizations, and the rights over projects and grants."""
    _each(unit, _rows(stream).filter(user_id=stream.id), _remove)
    for row in find_memberships(stream.instance, stream.id).filter(level__in=(Level.PROJECT.value, Level.GRANT.value)):
        grant_id = row.resource_id if row.level == Level.GRANT.value else ""
        unit.change(Project, row.project_id, lambda one, id=grant_id: one.lose_member(stream.id, grant_id=id))


@cascades(facts.ProjectRemoved)
def project_removed(unit: Unit, stream: Stream, _: facts.ProjectRemoved) -> None:
    """Nobody is authorized any more."""
    _each(unit, _rows(stream).filter(project_id=stream.id), _remove)


@cascades(OrgDeactivated, OrgRemoved)
def org_stops(unit: Unit, stream: Stream, _: OrgDeactivated | OrgRemoved) -> None:
    """The organization of the console's application stays; raises FailedPrecondition."""
    instance = unit.load(Instance, stream.instance)
    if instance.console_app and unit.load(Project, instance.project_id).owner == stream.id:
        raise FailedPrecondition("org.console_needed")


@cascades(OrgRemoved)
def org_removed(unit: Unit, stream: Stream, _: OrgRemoved) -> None:
    """Whom others authorized for its projects is so no more, nothing is lent to it, and its users administer nothing
    elsewhere; raises FailedPrecondition when nobody else owns the instance."""
    projects = ProjectRow.objects.filter(instance_id=stream.instance, org_id=stream.id)
    given = _rows(stream).filter(project_id__in=projects.values("id"))
    _each(unit, given.exclude(org_id=stream.id), _remove)
    lent = ProjectGrantRow.objects.filter(instance_id=stream.instance, granted_org_id=stream.id)
    for project_id, id in lent.exclude(org_id=stream.id).values_list("project_id", "id"):
        unit.change(Project, project_id, lambda one, id=id: grants.remove_grant(one, id))
    for holder in _holders_of(stream):
        for follow in cascade.of(HolderRemoved()):
            follow(unit, unit.ctx.stream(User.kind, holder), HolderRemoved())


def _holders_of(stream: Stream) -> list[str]:
    """Users of an organization who administer something that is not its own."""
    users = UserRow.objects.filter(instance_id=stream.instance, org_id=stream.id)
    held = MembershipRow.objects.filter(instance_id=stream.instance, user_id__in=users.values("id"))
    return sorted(set(held.exclude(owner=stream.id).values_list("user_id", flat=True)))


@cascades(InstanceDomainAdded)
def host_added(unit: Unit, stream: Stream, fact: InstanceDomainAdded) -> None:
    """The console comes back to the new host, too: by scheme and port of the host that was called."""
    called = urlsplit(unit.ctx.base_url)
    port = f":{called.port}" if called.port and ":" not in fact.domain else ""
    if called.scheme:
        origin = f"{called.scheme}://{fact.domain}{port}"
        _of_console(unit, stream, lambda one, app: own.follow_host(one, app, origin=origin))


@cascades(InstanceDomainRemoved)
def host_removed(unit: Unit, stream: Stream, fact: InstanceDomainRemoved) -> None:
    """The console comes back to the host no more."""
    _of_console(unit, stream, lambda one, app: own.leave_host(one, app, host=fact.domain.split(":")[0]))


def _of_console(unit: Unit, stream: Stream, decide: Callable[[Project, str], list[Event]]) -> None:
    instance = unit.load(Instance, stream.instance)
    if instance.console_app and instance.console_app in unit.load(Project, instance.project_id).apps:
        unit.change(Project, instance.project_id, lambda one: decide(one, instance.console_app))


@cascades(facts.GrantRemoved)
def grant_removed(unit: Unit, stream: Stream, fact: facts.GrantRemoved) -> None:
    """Who was authorized through the grant is so no more; what a removed organization gave is gone without a fact."""
    given = _rows(stream).filter(grant_id=fact.grant_id)
    givers = given.order_by().values_list("org_id", flat=True).distinct()
    living = [id for id in givers if unit.load(Org, id).state is not OrgState.REMOVED]
    _each(unit, given.filter(org_id__in=living), _remove)


@cascades(facts.RoleRemoved)
def role_removed(unit: Unit, stream: Stream, fact: facts.RoleRemoved) -> None:
    """Nobody holds the role any more."""
    _each(unit, _rows(stream).filter(project_id=stream.id), lambda one: one.shrink(lambda role: role != fact.key))


@cascades(facts.GrantChanged)
def grant_changed(unit: Unit, stream: Stream, fact: facts.GrantChanged) -> None:
    """Nobody holds through the grant what is lent no more."""
    _each(unit, _rows(stream).filter(grant_id=fact.grant_id), lambda one: one.shrink(lambda r: r in fact.role_keys))


def _rows(stream: Stream) -> "QuerySet[UserGrantRow]":
    return UserGrantRow.objects.filter(instance_id=stream.instance)


def _each(unit: Unit, rows: "QuerySet[UserGrantRow]", decide: Callable[[UserGrant], list[Event]]) -> None:
    ids = list(rows.order_by("id").values_list("id", flat=True))
    unit.preload(UserGrant, ids)
    for id in ids:
        unit.change(UserGrant, id, decide)


def _remove(one: UserGrant) -> list[Event]:
    return one.remove(cascade=True) if one.is_alive else []
