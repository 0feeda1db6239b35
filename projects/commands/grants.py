"""Changes of project grants."""

from iam.kernel.change import Receipt, Removal, Unit, transact
from iam.kernel.context import Context
from iam.kernel.levels import Resource
from orgs.domain.org import Org
from projects.commands.shared import change_one, remove_from
from projects.domain import grants
from projects.domain.events import GrantAdded, GrantRemoved
from projects.domain.project import Project


def add_grant(ctx: Context, *, project_id: str, granted_org_id: str, roles: tuple[str, ...]) -> tuple[Receipt, str]:
    """Lend roles of a project to an organization; answers also the grant's id."""
    id = ctx.ports.new_id()

    def work(unit: Unit) -> None:
        unit.load(Org, granted_org_id).must_exist()
        unit.change(
            Project,
            project_id,
            lambda one: grants.add_grant(one, id=id, org_id=granted_org_id, roles=roles),
            needs="project.grant.write",
            resource=Resource.of_project(project_id),
        )

    return transact(ctx, work).receipts[project_id], id


def change_grant(ctx: Context, *, project_id: str, grant_id: str, roles: tuple[str, ...]) -> Receipt:
    """Lend other roles."""
    return change_one(ctx, project_id, lambda one: grants.change_grant(one, grant_id, roles), "project.grant.write")


def deactivate_grant(ctx: Context, *, project_id: str, grant_id: str) -> Receipt:
    """Let a grant rest."""
    return change_one(ctx, project_id, lambda one: grants.deactivate_grant(one, grant_id), "project.grant.write")


def reactivate_grant(ctx: Context, *, project_id: str, grant_id: str) -> Receipt:
    """Let a grant count again."""
    return change_one(ctx, project_id, lambda one: grants.reactivate_grant(one, grant_id), "project.grant.write")


def remove_grant(ctx: Context, *, project_id: str, grant_id: str) -> Removal:
    """Take everything back."""
    gone = lambda fact: isinstance(fact, GrantRemoved) and fact.grant_id == grant_id
    return remove_from(ctx, project_id, lambda one: grants.remove_grant(one, grant_id), "project.grant.delete", gone)


def remove_grant_to(ctx: Context, *, project_id: str, granted_org_id: str) -> Removal:
    """Take everything back that was lent to an organization."""

    def work(unit: Unit) -> None:
        id = grants.find_grant_to(unit.load(Project, project_id), granted_org_id)
        decide = lambda one: grants.remove_grant(one, id)
        unit.change(Project, project_id, decide, needs="project.grant.delete", resource=Resource.of_project(project_id))

    done = transact(ctx, work)
    facts = [one.fact for one in done.histories[project_id]]
    given = {fact.grant_id for fact in facts if isinstance(fact, GrantAdded) and fact.granted_org_id == granted_org_id}
    return done.removal(project_id, lambda fact: isinstance(fact, GrantRemoved) and fact.grant_id in given)
