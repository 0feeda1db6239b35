"""Methods of other services that need to know organizations: default organization, features, texts."""

from typing import Any

from google.protobuf import json_format

from iam.api.gen import feature_v2, object_v2, settings_v2
from iam.api.lists import page_of, paged, row_details, stamp
from iam.api.methods import Service
from iam.instance import setting_commands, translations
from iam.instance.domain.kinds import ORGANIZATION
from iam.instance.domain.translations import (
    InstanceTranslationSet,
    OrgTranslationSet,
    checked_locale,
    checked_texts,
)
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput, NotFound
from orgs.models import OrgRow
from orgs.queries import get_org, list_settings
from orgs.settings import of_org

features = Service("zitadel.feature.v2.FeatureService")
settings = Service("zitadel.settings.v2.SettingsService")
SETTING_SORTS = {1: "owner", 2: "created_at", 3: "changed_at"}


def _org_details(ctx: Context, org_id: str, needs: str) -> Any:
    """An organization that the caller may do this with; no feature is defined for organizations, so nothing is kept."""
    if not (needs.endswith(".read") and org_id == ctx.caller.org_id):
        ctx.require(needs, org_id)
    row = OrgRow.objects.filter(instance_id=ctx.instance, id=org_id).first()
    if row is None:
        raise NotFound("org.not_found")
    return row_details(object_v2.Details, row, row.id)


@features.method
def GetOrganizationFeatures(ctx: Context, request: Any) -> Any:
    """Features of an organization: none is defined."""
    told = _org_details(ctx, request.organization_id, "org.feature.read")
    return feature_v2.GetOrganizationFeaturesResponse(details=told)


@features.method
def SetOrganizationFeatures(ctx: Context, request: Any) -> Any:
    """Switch features of an organization: none is defined, so there is nothing to switch."""
    told = _org_details(ctx, request.organization_id, "org.feature.write")
    return feature_v2.SetOrganizationFeaturesResponse(details=told)


@features.method
def ResetOrganizationFeatures(ctx: Context, request: Any) -> Any:
    """Set nothing for an organization."""
    told = _org_details(ctx, request.organization_id, "org.feature.delete")
    return feature_v2.ResetOrganizationFeaturesResponse(details=told)


@settings.method
def SetHostedLoginTranslation(ctx: Context, request: Any) -> Any:
    """Replace the texts of a language, for the instance or for one organization."""
    ctx.require("iam.policy.write", ctx.instance)
    texts = checked_texts(json_format.MessageToDict(request.translations))
    locale, org_id = checked_locale(request.locale), request.organization_id
    if request.WhichOneof("level") == "organization_id":
        get_org(ctx, org_id=org_id)
        fact: Any = OrgTranslationSet(translation=texts, language=locale, level_id=org_id)
        setting_commands.set_translation(ctx, of_org(org_id), fact=fact)
    else:
        fact = InstanceTranslationSet(translation=texts, language=locale, level_id=ctx.instance)
        setting_commands.set_translation(ctx, setting_commands.of_instance(ctx), fact=fact)
    return settings_v2.SetHostedLoginTranslationResponse(etag=translations.etag_of(texts))


@settings.method
def SetOrganizationSettings(ctx: Context, request: Any) -> Any:
    """Let user names be unique within the organization only, or in the instance again."""
    values = {}
    if request.HasField("organization_scoped_usernames"):
        values["organization_scoped_usernames"] = request.organization_scoped_usernames
    place = of_org(request.organization_id, ORGANIZATION.name)
    receipt = setting_commands.keep_setting(ctx, place, kind=ORGANIZATION.name, values=values)
    return settings_v2.SetOrganizationSettingsResponse(set_date=stamp(receipt.changed_at))


@settings.method
def DeleteOrganizationSettings(ctx: Context, request: Any) -> Any:
    """Have none of one's own: user names are unique in the instance, unless the domain policy says otherwise."""
    place = of_org(request.organization_id, ORGANIZATION.name)
    receipt = setting_commands.reset_setting(ctx, place, kind=ORGANIZATION.name)
    return settings_v2.DeleteOrganizationSettingsResponse(deletion_date=stamp(receipt.changed_at))


@settings.method
def ListOrganizationSettings(ctx: Context, request: Any) -> Any:
    """The settings of organizations that have some of their own, and that the caller may see."""
    rows = list_settings(ctx, kind=ORGANIZATION.name)
    for one in request.filters:
        match one.WhichOneof("filter"):
            case "in_organization_ids_filter":
                rows = rows.filter(owner__in=list(one.in_organization_ids_filter.ids))
            case "organization_scoped_usernames_filter":
                wanted = one.organization_scoped_usernames_filter.organization_scoped_usernames
                rows = rows.filter(values__organization_scoped_usernames=wanted)
            case _:
                raise InvalidInput("api.query_unsupported", field="filters")
    found, total = paged(rows, request.pagination, sort=request.sorting_column, columns=SETTING_SORTS, key="owner")
    shown = [
        settings_v2.OrganizationSettings(
            organization_id=row.owner,
            creation_date=stamp(row.created_at),
            change_date=stamp(row.changed_at),
            organization_scoped_usernames=bool(row.values.get("organization_scoped_usernames")),
        )
        for row in found
    ]
    return settings_v2.ListOrganizationSettingsResponse(organization_settings=shown, pagination=page_of(request, total))
