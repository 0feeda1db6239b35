"""Setting up an organization with its first person over the older admin service."""

from typing import Any

from iam.api.gen import admin_v1, v1
from iam.api.lists import details
from iam.api.methods import Service
from iam.instance.settings import settings_of
from iam.kernel.change import together
from iam.kernel.context import Context
from orgs.commands import add_org, add_org_domain, set_primary_domain
from users import commands
from users.commands.administrators import add_org_member
from users.domain.profile import Profile

admin = Service("zitadel.admin.v1.AdminService")
OWNER = ("ORG_OWNER",)


@admin.method
def SetUpOrg(ctx: Context, request: Any) -> Any:
    """Create an organization, optionally with a domain of its own, and a person who administers it. All, or nothing."""
    ctx.require("iam.write", ctx.instance)
    with together(ctx):
        return _set_up_org(ctx, request)


def _set_up_org(ctx: Context, request: Any) -> Any:
    receipt = add_org(ctx, name=request.org.name)
    if request.org.domain:
        add_org_domain(ctx, org_id=receipt.id, domain=request.org.domain)
        if not settings_of(ctx.instance, receipt.id).domain.validate_org_domains:
            set_primary_domain(ctx, org_id=receipt.id, domain=request.org.domain)
    user_id = _add_person(ctx, receipt.id, request.human)
    add_org_member(ctx, org_id=receipt.id, user_id=user_id, roles=tuple(request.roles) or OWNER)
    return admin_v1.SetUpOrgResponse(org_id=receipt.id, user_id=user_id, details=details(v1.ObjectDetails, receipt))


def _add_person(ctx: Context, org_id: str, human: Any) -> str:
    profile = human.profile
    return commands.add_human(
        ctx,
        org_id=org_id,
        user_name=human.user_name,
        profile=Profile(
            profile.first_name,
            profile.last_name,
            profile.nick_name,
            profile.display_name,
            profile.preferred_language,
            profile.gender,
        ),
        email=human.email.email,
        email_verified=human.email.is_email_verified,
        phone=human.phone.phone,
        phone_verified=human.phone.is_phone_verified,
        password=human.password,
    ).id
