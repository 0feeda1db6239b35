"""Creating an organization together with its administrators."""

from typing import Any

from iam.api.gen import object_v2, org_v2
from iam.api.lists import details
from iam.api.methods import Service
from iam.kernel.change import together
from iam.kernel.context import Context
from orgs.commands import add_org
from users.api import add_human_of
from users.api_codes import codes_of
from users.commands.administrators import add_org_member

orgs = Service("zitadel.org.v2.OrganizationService")
OWNER = ("ORG_OWNER",)


@orgs.method
def AddOrganization(ctx: Context, request: Any) -> Any:
    """Create an organization, with administrators: known users or new people. All of it, or nothing."""
    with together(ctx):
        return _add_organization(ctx, request)


def _add_organization(ctx: Context, request: Any) -> Any:
    receipt = add_org(ctx, name=request.name, org_id=request.organization_id or request.org_id)
    answer = org_v2.AddOrganizationResponse(organization_id=receipt.id, details=details(object_v2.Details, receipt))
    for admin in request.admins:
        user_id = admin.user_id
        if not user_id:
            answer.created_admins.add(**_add_admin(ctx, admin.human, receipt.id))
            user_id = answer.created_admins[-1].user_id
        add_org_member(ctx, org_id=receipt.id, user_id=user_id, roles=tuple(admin.roles) or OWNER)
    return answer


def _add_admin(ctx: Context, human: Any, org_id: str) -> dict[str, str]:
    """Create an administrator; an address that is not verified gets a code, told when it was asked back."""
    metadata = {entry.key: entry.value for entry in human.metadata}
    id: str = add_human_of(ctx, human, human, org_id, metadata).id
    return {"user_id": id, **codes_of(ctx, id, human)}
