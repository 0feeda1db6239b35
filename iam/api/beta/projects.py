"""How the messages of projects and authorizations differ between v2beta and v2."""

from iam.api.beta.spelling import Spelling, newer, within

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
    within("project", "CreateProjectResponse", moves=PROJECT_ID),
    within(
        "project",
        "UpdateProjectRequest",
        moves=PROJECT_ID
        | {"project_role_check": "authorization_required", "has_project_check": "project_access_required"},
    ),
    *(
        within("project", f"{verb}ProjectRequest", moves=PROJECT_ID)
        for verb in ("Get", "Delete", "Deactivate", "Activate")
    ),
    within("project", "Project", moves=PROJECT_ID),
    within(
        "project",
        "ProjectSearchFilter",
        moves={f"{name}.id": "organization_id_filter.organization_id" for name in OWNERS},
        constants={name: ("organization_id_filter.type", number) for name, number in OWNERS.items()},  # type: ignore[misc]
    ),
    within(
        "project",
        "ProjectGrantSearchFilter",
        moves={
            "project_resource_owner_filter": "organization_id_filter",
            "project_grant_resource_owner_filter": "granted_organization_id_filter",
        },
    ),
)

AUTHORIZATIONS = (
    within("authorization", "CreateAuthorizationRequest", spared=("organization_id",)),
    within("authorization", "AuthorizationsSearchFilter", moves={"user_id.id": "in_user_ids.ids"}),
    within(
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
        sister_only=newer("organization.name", "roles.display_name", "roles.group"),
    ),
)
