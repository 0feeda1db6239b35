"""Questions about organizations."""

from django.db.models import QuerySet

from iam.access.acting import finds_org
from iam.instance.models import SettingRow
from iam.kernel.context import Context
from iam.kernel.errors import NotFound
from orgs.domain.names import spellings
from orgs.models import OrgDomainRow, OrgMetadataRow, OrgRow


def get_org(ctx: Context, *, org_id: str) -> OrgRow:
    """One organization; raises NotFound, also for a foreign one."""
    ctx.require("org.read", org_id)
    row = OrgRow.objects.filter(instance_id=ctx.instance, id=org_id).first()
    if row is None:
        raise NotFound("org.not_found")
    return row


def list_orgs(ctx: Context) -> "QuerySet[OrgRow]":
    """The organizations that the caller may see."""
    reach = ctx.reach("org.read")
    rows = OrgRow.objects.filter(instance_id=ctx.instance)
    return rows if reach.everywhere else rows.filter(id__in=reach.orgs)


def list_domains(ctx: Context, *, org_id: str) -> "QuerySet[OrgDomainRow]":
    """The domains of an organization."""
    ctx.require("org.read", org_id)
    return OrgDomainRow.objects.filter(instance_id=ctx.instance, org_id=org_id)


def list_metadata(ctx: Context, *, org_id: str) -> "QuerySet[OrgMetadataRow]":
    """The metadata of an organization."""
    ctx.require("org.read", org_id)
    return OrgMetadataRow.objects.filter(instance_id=ctx.instance, org_id=org_id)


def list_settings(ctx: Context, *, kind: str) -> "QuerySet[SettingRow]":
    """The settings of a kind that organizations have of their own, as far as the caller may see them."""
    reach = ctx.reach("policy.read")
    rows = SettingRow.objects.filter(instance_id=ctx.instance, kind=kind).exclude(owner=ctx.instance)
    return rows if reach.everywhere else rows.filter(owner__in=reach.orgs)


def get_metadata(ctx: Context, *, org_id: str, key: str) -> OrgMetadataRow:
    """The value under a key; raises NotFound."""
    row = list_metadata(ctx, org_id=org_id).filter(key=key).first()
    if row is None:
        raise NotFound("org.metadata_not_found", field="key")
    return row


def get_org_of_domain(ctx: Context, *, domain: str) -> OrgRow:
    """The organization of a verified domain, for whoever may look across organizations; raises NotFound."""
    ctx.require("org.global.read", ctx.caller.org_id)
    row = OrgRow.objects.filter(instance_id=ctx.instance, id=find_org_of_domain(ctx.instance, domain)).first()
    if row is None:
        raise NotFound("org.not_found")
    return row


def is_org_unique(ctx: Context, *, name: str, domain: str) -> bool:
    """Whether no organization has the name, nor a verified claim on the domain; empty ones are not looked at."""
    ctx.require("iam.read", ctx.instance)
    named = bool(name) and OrgRow.objects.filter(instance_id=ctx.instance, name=name.strip()).exists()
    return not named and not (domain and find_org_of_domain(ctx.instance, domain))


@finds_org
def is_org(instance: str, org_id: str) -> bool:
    """Whether there is such an organization, active or not."""
    return OrgRow.objects.filter(instance_id=instance, id=org_id).exists()


def find_org_of_domain(instance: str, domain: str) -> str:
    """The organization that a verified domain belongs to, or an empty string."""
    rows = OrgDomainRow.objects.filter(instance_id=instance, domain__in=spellings(domain), is_verified=True)
    return rows.values_list("org_id", flat=True).first() or ""
