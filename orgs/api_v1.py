"""Organizations over the older management and admin services; the same commands and queries as v2."""

from typing import Any

from iam.api.gen import admin_v1, org_v1, v1
from iam.api.gen import management_v1 as management
from iam.api.lists import details, list_details, matches, paged, row_details
from iam.api.methods import Service
from iam.instance.settings import settings_of
from iam.kernel.context import Context
from orgs import commands, queries
from orgs.api import narrowed
from orgs.models import OrgRow

own = Service("zitadel.management.v1.ManagementService")
admin = Service("zitadel.admin.v1.AdminService")
SORTS = {1: "name"}


def shown(row: OrgRow) -> Any:
    """An organization as v1 shows it."""
    return org_v1.Org(
        id=row.id,
        name=row.name,
        state=row.state,
        primary_domain=row.primary_domain,
        details=row_details(v1.ObjectDetails, row, row.id),
    )


@own.method
def GetMyOrg(ctx: Context, request: Any) -> Any:
    """The organization that the request acts in."""
    return management.GetMyOrgResponse(org=shown(queries.get_org(ctx, org_id=ctx.org_id)))


@own.method
def GetOrgByDomainGlobal(ctx: Context, request: Any) -> Any:
    """The organization that a verified domain belongs to, for whoever may look across organizations."""
    return management.GetOrgByDomainGlobalResponse(org=shown(queries.get_org_of_domain(ctx, domain=request.domain)))


@own.method
def AddOrg(ctx: Context, request: Any) -> Any:
    """Create an organization that the caller owns."""
    receipt = commands.add_org(ctx, name=request.name, owner_id=ctx.actor)
    return management.AddOrgResponse(id=receipt.id, details=details(v1.ObjectDetails, receipt))


@own.method
def UpdateOrg(ctx: Context, request: Any) -> Any:
    """Rename the organization that the request acts in."""
    receipt = commands.rename_org(ctx, org_id=ctx.org_id, name=request.name)
    return management.UpdateOrgResponse(details=details(v1.ObjectDetails, receipt))


@own.method
def DeactivateOrg(ctx: Context, request: Any) -> Any:
    """Stop its users from signing in."""
    receipt = commands.deactivate_org(ctx, org_id=ctx.org_id)
    return management.DeactivateOrgResponse(details=details(v1.ObjectDetails, receipt))


@own.method
def ReactivateOrg(ctx: Context, request: Any) -> Any:
    """Let its users sign in again."""
    receipt = commands.reactivate_org(ctx, org_id=ctx.org_id)
    return management.ReactivateOrgResponse(details=details(v1.ObjectDetails, receipt))


@own.method
def RemoveOrg(ctx: Context, request: Any) -> Any:
    """Delete it with everything it owns."""
    receipt = commands.remove_org(ctx, org_id=ctx.org_id).of_something("org.not_found")
    return management.RemoveOrgResponse(details=details(v1.ObjectDetails, receipt))


@admin.method
def GetOrgByID(ctx: Context, request: Any) -> Any:
    """One organization."""
    ctx.require("iam.read", ctx.instance)
    return admin_v1.GetOrgByIDResponse(org=shown(queries.get_org(ctx, org_id=request.id)))


@admin.method
def GetDefaultOrg(ctx: Context, request: Any) -> Any:
    """The organization of whoever names none."""
    ctx.require("iam.read", ctx.instance)
    default = settings_of(ctx.instance).default_org_id
    return admin_v1.GetDefaultOrgResponse(org=shown(queries.get_org(ctx, org_id=default)))


@admin.method
def SetDefaultOrg(ctx: Context, request: Any) -> Any:
    """Choose it."""
    receipt = commands.choose_default_org(ctx, org_id=request.org_id)
    return admin_v1.SetDefaultOrgResponse(details=details(v1.ObjectDetails, receipt))


@admin.method
def IsOrgUnique(ctx: Context, request: Any) -> Any:
    """Whether name and domain are free."""
    unique = queries.is_org_unique(ctx, name=request.name, domain=request.domain)
    return admin_v1.IsOrgUniqueResponse(is_unique=unique)


@admin.method
def ListOrgs(ctx: Context, request: Any) -> Any:
    """The organizations of the instance."""
    ctx.require("iam.read", ctx.instance)
    rows = queries.list_orgs(ctx)
    for query in request.queries:
        rows = narrowed(ctx, rows, query)
    found, total = paged(rows, request.query, sort=request.sorting_column, columns=SORTS)
    return admin_v1.ListOrgsResponse(
        details=list_details(ctx, total), sorting_column=request.sorting_column, result=[shown(row) for row in found]
    )


def _admin_remove(ctx: Context, request: Any) -> Any:
    """Delete an organization with everything it owns."""
    ctx.require("iam.write", ctx.instance)
    receipt = commands.remove_org(ctx, org_id=request.org_id).of_something("org.not_found")
    return admin_v1.RemoveOrgResponse(details=details(v1.ObjectDetails, receipt))


_admin_remove.__name__ = "RemoveOrg"  # both services have one of this name
admin.method(_admin_remove)


@own.method
def AddOrgDomain(ctx: Context, request: Any) -> Any:
    """Add a domain."""
    receipt = commands.add_org_domain(ctx, org_id=ctx.org_id, domain=request.domain)
    return management.AddOrgDomainResponse(details=details(v1.ObjectDetails, receipt))


@own.method
def ListOrgDomains(ctx: Context, request: Any) -> Any:
    """Its domains."""
    rows = queries.list_domains(ctx, org_id=ctx.org_id)
    for one in request.queries:
        rows = rows.filter(matches("domain", one.domain_name_query.name, one.domain_name_query.method))
    found, total = paged(rows, request.query, columns={}, key=("created_at", "domain"))
    result = [
        org_v1.Domain(
            org_id=row.org_id,
            domain_name=row.domain,
            is_verified=row.is_verified,
            is_primary=row.is_primary,
            validation_type=row.validation_type,
            details=inner_details(row, row.created_at),
        )
        for row in found
    ]
    return management.ListOrgDomainsResponse(details=list_details(ctx, total), result=result)


def inner_details(row: Any, changed_at: Any) -> Any:
    """Details of something inside an organization, which has no version of its own."""
    made = v1.ObjectDetails(resource_owner=row.org_id)
    made.creation_date.FromDatetime(row.created_at)
    made.change_date.FromDatetime(changed_at)
    return made


@own.method
def SetPrimaryOrgDomain(ctx: Context, request: Any) -> Any:
    """Let login names end with a domain."""
    receipt = commands.set_primary_domain(ctx, org_id=ctx.org_id, domain=request.domain)
    return management.SetPrimaryOrgDomainResponse(details=details(v1.ObjectDetails, receipt))


@own.method
def RemoveOrgDomain(ctx: Context, request: Any) -> Any:
    """Remove a domain."""
    receipt = commands.remove_org_domain(ctx, org_id=ctx.org_id, domain=request.domain)
    return management.RemoveOrgDomainResponse(details=details(v1.ObjectDetails, receipt))


@own.method
def GenerateOrgDomainValidation(ctx: Context, request: Any) -> Any:
    """Say what to publish to prove a domain."""
    asked = commands.ask_domain_proof(ctx, org_id=ctx.org_id, domain=request.domain, kind=request.type)
    return management.GenerateOrgDomainValidationResponse(token=asked.code, url=asked.where)


@own.method
def ValidateOrgDomain(ctx: Context, request: Any) -> Any:
    """Look for the proof of a domain."""
    receipt = commands.verify_org_domain(ctx, org_id=ctx.org_id, domain=request.domain)
    return management.ValidateOrgDomainResponse(details=details(v1.ObjectDetails, receipt))
