"""How the messages of applications differ between v2beta and v2."""

from collections.abc import Mapping

from iam.api.beta.spelling import Spelling, newer


def _app(beta: str, sister: str = "", **more: Mapping[str, str]) -> tuple[tuple[str, str], Spelling]:
    return (f"app.v2beta.{beta}", f"application.v2.{sister or beta}"), Spelling(**more)  # type: ignore[arg-type]


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
        sister_only=newer("project_id"),
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
