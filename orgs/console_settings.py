"""Console pages of an organization's own settings over those of the instance."""

from iam.console.kit import Column, Empty, Link, Path, Related, Tab
from iam.console.site import add_pages
from iam.instance.console_settings import Where, lines_of, reset_pages, setting_pages
from iam.instance.console_sheets import OF_ORG
from iam.instance.setting_commands import Place
from iam.instance.setting_queries import get_settings
from iam.instance.settings import InstanceSettings
from iam.kernel.context import Context
from orgs.queries import get_org
from orgs.settings import of_org


def _place(ctx: Context, path: Path, kind: str) -> Place:
    return of_org(path["org_id"], kind)


def _found(ctx: Context, path: Path) -> InstanceSettings:
    return get_settings(ctx, org_id=path["org_id"])


settings_tab = Tab(
    "settings",
    "Settings",
    (
        Related(
            "Settings",
            lambda ctx, row: lines_of(get_settings(ctx, org_id=row.id), OF_ORG),
            (
                Column("title", "Settings"),
                Column("origin", "Come from", kind="state"),
                Column("shown", "In force"),
            ),
            Empty("No settings"),
            links=(Link("Activate the branding", "orgs/{id}/settings/branding/activate", "policy.write"),),
            row_links=(
                Link("Change", "orgs/{org_id}/settings/{slug}", "policy.write"),
                Link(
                    "Reset", "orgs/{org_id}/settings/{slug}/reset", "policy.delete", lambda row: row.is_own, danger=True
                ),
            ),
        ),
    ),
)
WHERE = Where("orgs/{org_id}", "orgs", _place, _found, lambda ctx, path: get_org(ctx, org_id=path["org_id"]).name)
add_pages(*setting_pages(OF_ORG, WHERE), *reset_pages(OF_ORG, WHERE))
