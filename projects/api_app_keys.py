"""zitadel.application.v2.ApplicationService: reading the keys of applications."""

from typing import Any

from iam.api import versions
from iam.api.gen import application_v2
from iam.api.lists import page_of, paged, stamp
from iam.api.methods import Service
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from projects import queries
from users.commands.credentials import NEVER

apps = Service("zitadel.application.v2.ApplicationService")
SORTS = {1: "project_id", 2: "app_id", 3: "created_at", 4: "org_id", 5: "expires_at", 6: "id"}  # 6: there is one type
COLUMNS = {
    "application_id_filter": ("application_id", "app_id"),
    "project_id_filter": ("project_id", "project_id"),
    "organization_id_filter": ("organization_id", "org_id"),
}


@versions.finds("application key")
def _project_of(ctx: Context, key_id: str) -> str:
    """A key is stored with the project of its application."""
    return queries.get_app_key(ctx, key_id=key_id).project_id


@apps.method
def GetApplicationKey(ctx: Context, request: Any) -> Any:
    """One key; its private half was shown once."""
    row = queries.get_app_key(ctx, key_id=request.key_id)
    return application_v2.GetApplicationKeyResponse(
        key_id=row.id, creation_date=stamp(row.created_at), expiration_date=stamp(row.expires_at or NEVER)
    )


@apps.method
def ListApplicationKeys(ctx: Context, request: Any) -> Any:
    """The keys that the caller may see."""
    rows = queries.list_all_app_keys(ctx)
    for one in request.filters:
        kind = one.WhichOneof("filter")
        if kind not in COLUMNS:
            raise InvalidInput("api.query_unsupported", field="filters")
        field, column = COLUMNS[kind]
        rows = rows.filter(**{column: getattr(getattr(one, kind), field)})
    found, total = paged(rows, request.pagination, sort=request.sorting_column, columns=SORTS)
    shown = [
        application_v2.ApplicationKey(
            key_id=row.id,
            application_id=row.app_id,
            project_id=row.project_id,
            organization_id=row.org_id,
            creation_date=stamp(row.created_at),
            expiration_date=stamp(row.expires_at or NEVER),
        )
        for row in found
    ]
    return application_v2.ListApplicationKeysResponse(keys=shown, pagination=page_of(request, total))
