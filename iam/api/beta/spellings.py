"""Where a message of v2beta and its sister of v2 differ: the declared table.

A field that neither stands here nor has the same name on both sides is found by the test that compares descriptors,
so nothing is lost by accident. Enum values travel by number; a number that the older enum lacks is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Spelling:
    """How two messages differ. Paths are field names with dots; a list on the way is gone through, or gains an element.

    `moves`: path in v2beta → path in v2. `constants`: a v2beta field that, when sent, puts a number at a path in v2.
    `beta_only` and `sister_only`: fields without a place on the other side, with the reason. `refused`: those of
    `beta_only` that a request may not contain, because leaving them out would change what it means.
    """

    moves: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    beta_only: Mapping[str, str] = field(default_factory=dict)
    sister_only: Mapping[str, str] = field(default_factory=dict)
    refused: tuple[str, ...] = ()


def spelling_of(beta: str, sister: str) -> Spelling:
    """The entry of two messages, by their full names; an empty one when they are alike."""
    return TABLE.get((beta.removeprefix("zitadel."), sister.removeprefix("zitadel.")), ALIKE)


ALIKE = Spelling()
NEWER = "younger than v2beta"


def _newer(*names: str) -> Mapping[str, str]:
    return dict.fromkeys(names, NEWER)


def _app(beta: str, sister: str = "", **more: Mapping[str, str]) -> tuple[tuple[str, str], Spelling]:
    return (f"app.v2beta.{beta}", f"application.v2.{sister or beta}"), Spelling(**more)  # type: ignore[arg-type]


def _within(package: str, beta: str, sister: str = "", **more: Mapping[str, str]) -> tuple[tuple[str, str], Spelling]:
    return (f"{package}.v2beta.{beta}", f"{package}.v2.{sister or beta}"), Spelling(**more)  # type: ignore[arg-type]


APP_ID = {"id": "application_id"}
KEY_ID = {"id": "key_id"}
CONFIGURATIONS = ("oidc", "saml", "api")
OIDC = {"app_type": "application_type", "dev_mode": "development_mode"}
NONCOMPLIANT = {"none_compliant": "non_compliant"}
NARROWED = "the key's id says it all"

APPLICATIONS = (
    _app(
        "CreateApplicationRequest",
        moves=APP_ID | {f"{kind}_request": f"{kind}_configuration" for kind in CONFIGURATIONS},
    ),
    _app(
        "CreateApplicationResponse",
        moves={"app_id": "application_id"} | {f"{kind}_response": f"{kind}_configuration" for kind in CONFIGURATIONS},
    ),
    _app(
        "UpdateApplicationRequest",
        moves=APP_ID | {f"{kind}_configuration_request": f"{kind}_configuration" for kind in CONFIGURATIONS},
    ),
    *(_app(f"{verb}ApplicationRequest", moves=APP_ID) for verb in ("Get", "Delete", "Deactivate", "Reactivate")),
    _app("GetApplicationResponse", moves={"app": "application"}),
    _app(
        "Application",
        moves=APP_ID | {f"{kind}_config": f"{kind}_configuration" for kind in CONFIGURATIONS},
        sister_only=_newer("project_id"),
    ),
    _app(
        "RegenerateClientSecretRequest",
        "GenerateClientSecretRequest",
        beta_only=dict.fromkeys(("is_oidc", "is_api"), "the application knows its kind"),
    ),
    _app("ListApplicationsRequest", moves={"project_id": "filters.project_id_filter.project_id"}),
    _app(
        "ApplicationSearchFilter",
        constants={f"{kind}_app_only": ("type_filter", at) for at, kind in enumerate(("oidc", "api", "saml"), 1)},  # type: ignore[misc]
    ),
    _app("CreateOIDCApplicationRequest", moves=OIDC),
    _app("UpdateOIDCApplicationConfigurationRequest", moves=OIDC),
    _app("OIDCConfig", "OIDCConfiguration", moves=OIDC | NONCOMPLIANT),
    _app("CreateOIDCApplicationResponse", moves=NONCOMPLIANT),
    _app("CreateApplicationKeyRequest", moves={"app_id": "application_id"}),
    _app("CreateApplicationKeyResponse", moves=KEY_ID),
    _app("DeleteApplicationKeyRequest", moves=KEY_ID, beta_only={"organization_id": NARROWED}),
    _app(
        "GetApplicationKeyRequest",
        moves=KEY_ID,
        beta_only=dict.fromkeys(("project_id", "application_id", "organization_id"), NARROWED),
    ),
    _app("GetApplicationKeyResponse", moves=KEY_ID),
    _app("ApplicationKey", moves=KEY_ID),
    _app(
        "ListApplicationKeysRequest",
        moves={
            f"{kind}_id": f"filters.{kind}_id_filter.{kind}_id" for kind in ("application", "project", "organization")
        },
    ),
)

AUTHORIZATIONS = (
    _within("authorization", "AuthorizationsSearchFilter", moves={"user_id.id": "in_user_ids.ids"}),
    _within(
        "authorization",
        "Authorization",
        moves={
            "project_id": "project.id",
            "project_name": "project.name",
            "project_organization_id": "project.organization_id",
            "organization_id": "organization.id",
            "roles": "roles.key",
        },
        beta_only=dict.fromkeys(("project_grant_id", "granted_organization_id"), "v2 does not tell the project grant"),
        sister_only=_newer("organization.name", "roles.display_name", "roles.group"),
    ),
)

FEATURES = tuple(
    _within("feature", name, sister_only=_newer(*NEW_FEATURES, *more))
    for NEW_FEATURES in (("enable_back_channel_logout", "login_v2", "permission_check_v2"),)
    for name, more in (("GetSystemFeaturesResponse", ()), ("GetInstanceFeaturesResponse", ("console_use_v2_user_api",)))
)

FILTERED = {"queries": "filters"}
INSTANCES = (
    _within("instance", "Instance", moves={"domains": "custom_domains"}),
    *(
        _within("instance", f"List{what}Request", moves=FILTERED)
        for what in ("Instances", "CustomDomains", "TrustedDomains")
    ),
    *(
        _within("instance", f"{verb}{kind}DomainRequest", moves={"domain": f"{kind.lower()}_domain"})
        for verb in ("Add", "Remove")
        for kind in ("Custom", "Trusted")
    ),
    _within(
        "instance", "Query", "Filter", moves={"id_query": "in_ids_filter", "domain_query": "custom_domains_filter"}
    ),
    _within(
        "instance",
        "DomainSearchQuery",
        "CustomDomainFilter",
        moves={
            "domain_query": "domain_filter",
            "generated_query.generated": "generated_filter",
            "primary_query.primary": "primary_filter",
        },
    ),
    _within("instance", "TrustedDomainSearchQuery", "TrustedDomainFilter", moves={"domain_query": "domain_filter"}),
)

ORG_ID = {"id": "organization_id"}
DETAILS = ("details.sequence", "details.resource_owner")
ORGANIZATIONS = (
    _within("org", "CreateOrganizationRequest", "AddOrganizationRequest", moves=ORG_ID),
    _within(
        "org",
        "CreateOrganizationResponse",
        "AddOrganizationResponse",
        moves=ORG_ID
        | {
            "creation_date": "details.creation_date",
            "organization_admins.created_admin": "created_admins",
        },
        beta_only={"organization_admins.assigned_admin": "v2 tells the users that it created only"},
        sister_only=dict.fromkeys((*DETAILS, "details.change_date"), "not told by v2beta"),
    ),
    *(
        _within("org", f"{verb}OrganizationRequest", moves=ORG_ID)
        for verb in ("Update", "Delete", "Deactivate", "Activate")
    ),
    _within("org", "ListOrganizationsRequest", moves={"pagination": "query", "filter": "queries"}),
    _within(
        "org",
        "OrganizationSearchFilter",
        "SearchQuery",
        moves={f"{kind}_filter": f"{kind}_query" for kind in ("name", "domain", "state", "id")},
    ),
    _within(
        "org",
        "ListOrganizationsResponse",
        moves={"organizations": "result", "pagination.total_result": "details.total_result"},
        beta_only={"pagination.applied_limit": "v2 does not tell the limit"},
        sister_only=dict.fromkeys(
            ("details.processed_sequence", "details.timestamp", "sorting_column"), "not told by v2beta"
        ),
    ),
    _within(
        "org",
        "Organization",
        moves={"creation_date": "details.creation_date", "changed_date": "details.change_date"},
        sister_only=dict.fromkeys(DETAILS, "not told by v2beta"),
    ),
    _within("org", "ListOrganizationMetadataRequest", moves={"filter": "filters"}),
    (("metadata.v2beta.MetadataQuery", "metadata.v2.MetadataSearchFilter"), Spelling({"key_query": "key_filter"})),
    _within("org", "DomainSearchFilter", moves={"domain_name_filter": "domain_filter"}),
    _within("org", "DomainNameFilter", "OrganizationDomainQuery", moves={"name": "domain"}),
    _within("org", "Domain", moves={"domain_name": "domain"}),
)

PROJECT_ID = {"id": "project_id"}
OWNED, GRANTED, OWNED_OR_GRANTED = 1, 2, 3
OWNERS = {
    "project_resource_owner_filter": OWNED,
    "project_grant_resource_owner_filter": GRANTED,
    "project_organization_id_filter": OWNED_OR_GRANTED,
}
PROJECTS = (
    (
        ("project.v2beta.CreateProjectRequest", "project.v2.CreateProjectRequest"),
        Spelling(
            PROJECT_ID, beta_only={"admins": "v2 makes administrators by a call of their own"}, refused=("admins",)
        ),
    ),
    _within("project", "CreateProjectResponse", moves=PROJECT_ID),
    _within(
        "project",
        "UpdateProjectRequest",
        moves=PROJECT_ID
        | {"project_role_check": "authorization_required", "has_project_check": "project_access_required"},
    ),
    *(
        _within("project", f"{verb}ProjectRequest", moves=PROJECT_ID)
        for verb in ("Get", "Delete", "Deactivate", "Activate")
    ),
    _within("project", "Project", moves=PROJECT_ID),
    _within(
        "project",
        "ProjectSearchFilter",
        moves={f"{name}.id": "organization_id_filter.organization_id" for name in OWNERS},
        constants={name: ("organization_id_filter.type", number) for name, number in OWNERS.items()},  # type: ignore[misc]
    ),
    _within(
        "project",
        "ProjectGrantSearchFilter",
        moves={
            "project_resource_owner_filter": "organization_id_filter",
            "project_grant_resource_owner_filter": "granted_organization_id_filter",
        },
    ),
)

OTHERS = (
    _within("action", "Target", sister_only=_newer("payload_type")),
    (
        ("internal_permission.v2beta.ResourceFilter", "internal_permission.v2.ResourceFilter"),
        Spelling(
            beta_only={"project_grant_id": "v2 names a project grant by project and organization"},
            refused=("project_grant_id",),
        ),
    ),
    _within("session", "Factors", sister_only=_newer("recovery_code")),
    _within(
        "settings", "GetGeneralSettingsResponse", sister_only=_newer("default_organization_id", "allowed_languages")
    ),
    _within("settings", "LoginSettings", sister_only=_newer("allow_local_authentication")),
    _within("settings", "IdentityProvider", sister_only=_newer("options")),
    _within("user", "HumanUser", sister_only=_newer("mfa_init_skipped")),
    _within(
        "user",
        "RetrieveIdentityProviderIntentResponse",
        sister_only=_newer("add_human_user", "update_human_user", "create_user", "update_user"),
    ),
)
TABLE: Mapping[tuple[str, str], Spelling] = dict(
    (*APPLICATIONS, *AUTHORIZATIONS, *FEATURES, *INSTANCES, *ORGANIZATIONS, *PROJECTS, *OTHERS)
)
VALUES_LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "settings.v2.SecondFactorType": ("SECOND_FACTOR_TYPE_RECOVERY_CODES",),
    "settings.v2.IdentityProviderType": ("IDENTITY_PROVIDER_TYPE_APPLE",),
    "user.v2.AuthenticationMethodType": ("AUTHENTICATION_METHOD_TYPE_RECOVERY_CODE",),
}
"""Values of answers that v2beta has no number for."""
