"""Where a message of v2beta and its sister of v2 differ: the declared table.

A field that neither stands here nor has the same name on both sides is found by the test that compares descriptors,
so nothing is lost by accident. Enum values travel by number; a number that the older enum lacks is left out.
"""

from collections.abc import Mapping

from iam.api.beta.applications import APPLICATIONS
from iam.api.beta.organizations import INSTANCES, ORGANIZATIONS
from iam.api.beta.projects import AUTHORIZATIONS, PROJECTS
from iam.api.beta.spelling import ALIKE, Spelling, newer, within


def spelling_of(beta: str, sister: str) -> Spelling:
    """The entry of two messages, by their full names; an empty one when they are alike."""
    return TABLE.get((beta.removeprefix("zitadel."), sister.removeprefix("zitadel.")), ALIKE)


FEATURES = tuple(
    within("feature", name, sister_only=newer(*NEW_FEATURES, *more))
    for NEW_FEATURES in (("enable_back_channel_logout", "login_v2", "permission_check_v2"),)
    for name, more in (("GetSystemFeaturesResponse", ()), ("GetInstanceFeaturesResponse", ("console_use_v2_user_api",)))
)

OTHERS = (
    within("action", "Target", sister_only=newer("payload_type")),
    (
        ("internal_permission.v2beta.ResourceFilter", "internal_permission.v2.ResourceFilter"),
        Spelling(
            beta_only={"project_grant_id": "v2 names a project grant by project and organization"},
            refused=("project_grant_id",),
        ),
    ),
    within("session", "Factors", sister_only=newer("recovery_code")),
    within("settings", "GetGeneralSettingsResponse", sister_only=newer("default_organization_id", "allowed_languages")),
    within("settings", "LoginSettings", sister_only=newer("allow_local_authentication")),
    within("settings", "IdentityProvider", sister_only=newer("options")),
    within("user", "HumanUser", sister_only=newer("mfa_init_skipped")),
    within(
        "user",
        "RetrieveIdentityProviderIntentResponse",
        sister_only=newer("add_human_user", "update_human_user", "create_user", "update_user"),
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
