"""zitadel.admin.v1.AdminService: the instance itself, its hosts, its languages."""

from collections.abc import Mapping
from typing import Any

from iam.api.gen import admin_v1 as admin
from iam.api.gen import instance_v1, management_v1, v1
from iam.api.lists import Columns, matches, paged, row_details, stamp
from iam.api.methods import Service
from iam.instance import commands, queries
from iam.instance.api_instance import DOMAIN_SORTS, RUNNING, VERSION
from iam.instance.domain.values import LANGUAGES
from iam.instance.policy_messages import changed
from iam.instance.setting_commands import set_features
from iam.instance.settings import settings_of
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput

TRUSTED_SORTS: Mapping[int, Columns] = {1: "domain", 2: (), 3: (), 4: "created_at"}
"""None of them is primary or generated, so that by these two they stand by their names."""

older = Service("zitadel.admin.v1.AdminService")
management = Service("zitadel.management.v1.ManagementService")


@older.method
def GetMyInstance(ctx: Context, request: Any) -> Any:
    """This instance with its hosts."""
    row = queries.get_instance(ctx)
    found = instance_v1.InstanceDetail(
        id=row.id, name=row.name, state=RUNNING, version=VERSION, details=row_details(v1.ObjectDetails, row, row.id)
    )
    found.domains.extend(shown_domain(one) for one in queries.list_domains(ctx).order_by("domain"))
    return admin.GetMyInstanceResponse(instance=found)


def shown_domain(row: Any) -> Any:
    """A host as v1 shows it."""
    made = instance_v1.Domain(domain=row.domain, primary=row.is_primary, generated=row.is_generated)
    made.details.CopyFrom(_domain_details(row))
    return made


def _domain_details(row: Any) -> Any:
    at = stamp(row.created_at)
    return v1.ObjectDetails(resource_owner=row.instance_id, creation_date=at, change_date=at)


@older.method
def ListInstanceDomains(ctx: Context, request: Any) -> Any:
    """The hosts of this instance."""
    rows = queries.list_domains(ctx)
    for one in request.queries:
        match one.WhichOneof("query"):
            case "domain_query":
                rows = rows.filter(matches("domain", one.domain_query.domain, one.domain_query.method))
            case "generated_query":
                rows = rows.filter(is_generated=one.generated_query.generated)
            case "primary_query":
                rows = rows.filter(is_primary=one.primary_query.primary)
            case _:
                raise InvalidInput("api.query_unsupported", field="queries")
    return _listed(admin.ListInstanceDomainsResponse, ctx, request, rows, shown_domain)


def _listed(response: Any, ctx: Context, request: Any, rows: Any, show: Any) -> Any:
    columns = DOMAIN_SORTS if response is admin.ListInstanceDomainsResponse else TRUSTED_SORTS
    found, total = paged(rows, request.query, sort=request.sorting_column, columns=columns, key="domain")
    answer = response(result=[show(row) for row in found], sorting_column=request.sorting_column)
    answer.details.total_result = total
    answer.details.view_timestamp.FromDatetime(ctx.now())
    return answer


@older.method
def ListInstanceTrustedDomains(ctx: Context, request: Any) -> Any:
    """The hosts that links may be made with."""
    rows = queries.trusted_domains_of(ctx, instance_id="")
    for one in request.queries:
        rows = rows.filter(matches("domain", one.domain_query.domain, one.domain_query.method))
    return _listed(admin.ListInstanceTrustedDomainsResponse, ctx, request, rows, _trusted)


def _trusted(row: Any) -> Any:
    return instance_v1.TrustedDomain(domain=row.domain, details=_domain_details(row))


@older.method
def AddInstanceTrustedDomain(ctx: Context, request: Any) -> Any:
    """Let links be made with a host."""
    return changed(admin.AddInstanceTrustedDomainResponse, commands.trust_domain(ctx, domain=request.domain))


@older.method
def RemoveInstanceTrustedDomain(ctx: Context, request: Any) -> Any:
    """Trust a host no more."""
    return changed(admin.RemoveInstanceTrustedDomainResponse, commands.distrust_domain(ctx, domain=request.domain))


@older.method
def GetSupportedLanguages(ctx: Context, request: Any) -> Any:
    """The languages that the product speaks."""
    return admin.GetSupportedLanguagesResponse(languages=LANGUAGES)


@older.method
def GetAllowedLanguages(ctx: Context, request: Any) -> Any:
    """The languages that the instance offers."""
    allowed = settings_of(ctx.instance).restrictions.allowed_languages
    return admin.GetAllowedLanguagesResponse(languages=allowed or LANGUAGES)


@older.method
def GetDefaultLanguage(ctx: Context, request: Any) -> Any:
    """The language of pages and mails."""
    return admin.GetDefaultLanguageResponse(language=queries.get_instance(ctx).default_language)


@older.method
def SetDefaultLanguage(ctx: Context, request: Any) -> Any:
    """Choose the language of pages and mails."""
    receipt = commands.set_default_language(ctx, language=request.language)
    return changed(admin.SetDefaultLanguageResponse, receipt)


@older.method
def ActivateFeatureLoginDefaultOrg(ctx: Context, request: Any) -> Any:
    """People without an organization in their name belong to the default one."""
    receipt = set_features(ctx, level="instance", values={"login_default_org": True})
    return changed(admin.ActivateFeatureLoginDefaultOrgResponse, receipt)


def _supported(ctx: Context, request: Any) -> Any:
    """The languages that the product speaks."""
    return management_v1.GetSupportedLanguagesResponse(languages=LANGUAGES)


_supported.__name__ = "GetSupportedLanguages"
management.method(_supported)
