"""Console pages of the instance: its hosts, its settings, the followers of its log."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from iam.console.kit import Column, DetailPage, Empty, FormPage, Link, Path, Properties, Related, Tab, saves
from iam.console.parts import text_field
from iam.console.site import MenuEntry, add_menu, add_pages, names
from iam.instance import commands, console_languages, console_messages, queries
from iam.instance.console_settings import Where, lines_of, setting_pages
from iam.instance.console_sheets import SHEETS
from iam.instance.models import InstanceRow
from iam.instance.setting_commands import Place, of_instance
from iam.instance.setting_queries import get_instance_settings
from iam.instance.settings import InstanceSettings
from iam.kernel.context import Context
from projections.lag import Lag, lag_of

__all__ = ["console_languages", "console_messages"]
HOME = "instance"


class NameForm(forms.Form):
    """A name."""

    name = text_field("Name", 200)


class DomainForm(forms.Form):
    """A host."""

    domain = text_field("Host", 253, hint="for example id.acme.com; the host must lead to this server")


@dataclass(frozen=True)
class Shown:
    """The instance with its settings in force."""

    row: InstanceRow
    id: str
    name: str
    host: str
    language: str
    created_at: Any


def _instance(ctx: Context) -> Shown:
    row = queries.get_instance(ctx)
    return Shown(
        row=row,
        id=row.instance_id,
        name=row.name,
        host=row.primary_domain,
        language=row.default_language,
        created_at=row.created_at,
    )


def _place(ctx: Context, path: Path, kind: str) -> Place:
    return of_instance(ctx, "iam.write" if kind == "oidc" else "iam.policy.write")


def _found(ctx: Context, path: Path) -> InstanceSettings:
    return get_instance_settings(ctx)


def _state(one: Lag) -> str:
    return "stopped" if one.is_stopped else "following" if one.facts else "up to date"


add_pages(
    DetailPage(
        route=HOME,
        noun="Instance",
        section=HOME,
        get=_instance,
        title=lambda one: one.name,
        subtitle=lambda one: one.host,
        tabs=(
            Tab(
                "",
                "Overview",
                (
                    Properties(
                        "About",
                        (
                            Column("name", "Name"),
                            Column("id", "Id", kind="code"),
                            Column("language", "Language of pages and mails"),
                            Column("created_at", "Created", kind="time"),
                        ),
                    ),
                    Related(
                        "Hosts",
                        lambda ctx, one: queries.list_domains(ctx).order_by("domain"),
                        (
                            Column("domain", "Host"),
                            Column("is_primary", "Primary", kind="yesno"),
                            Column("is_generated", "From the configuration", kind="yesno"),
                        ),
                        Empty("No hosts"),
                        links=(Link("Add host", "instance/domains/add", "iam.write"),),
                        row_links=(
                            Link(
                                "Make primary",
                                "instance/domains/{domain}/primary",
                                "iam.write",
                                lambda row: not row.is_primary,
                            ),
                            Link(
                                "Remove",
                                "instance/domains/{domain}/remove",
                                "iam.write",
                                lambda row: not row.is_primary and not row.is_generated,
                                danger=True,
                            ),
                        ),
                    ),
                ),
            ),
            Tab(
                "settings",
                "Settings",
                (
                    Related(
                        "Settings",
                        lambda ctx, one: lines_of(get_instance_settings(ctx), SHEETS),
                        (
                            Column("title", "Settings"),
                            Column("origin", "Come from", kind="state"),
                            Column("shown", "In force"),
                        ),
                        Empty("No settings"),
                        links=(
                            Link("Languages", "instance/languages", "iam.write"),
                            Link("Activate the branding", "instance/settings/branding/activate", "iam.policy.write"),
                        ),
                        row_links=(Link("Change", "instance/settings/{slug}", "iam.policy.write"),),
                    ),
                ),
            ),
            Tab(
                "followers",
                "Followers",
                (
                    Related(
                        "Followers of the log",
                        lambda ctx, one: lag_of([one.id]),
                        (
                            Column("projection", "Follower"),
                            Column("state", "State", kind="state", show=_state),
                            Column("facts", "Facts behind"),
                            Column("seconds", "Seconds behind", show=lambda one: round(one.seconds)),
                            Column("failed_fact", "Stopped at", kind="code"),
                            Column("error", "Because of"),
                            Column("retry_at", "Tries again", kind="time"),
                        ),
                        Empty("Nothing follows the log"),
                    ),
                ),
            ),
        ),
        links=(
            Link("Rename", "instance/rename", "iam.write"),
            Link("Administrators", "administrators", "iam.member.read"),
            Link("Messages", "messages", "iam.read"),
        ),
        stream=lambda one: ("instance", one.id),
    ),
    FormPage(
        "instance/rename",
        "Rename the instance",
        HOME,
        saves(commands.rename_instance, "The instance is renamed.", HOME),
        NameForm,
        initial=lambda ctx, path: {"name": queries.get_instance(ctx).name},
        back=HOME,
    ),
    FormPage(
        "instance/domains/add",
        "Add a host",
        HOME,
        saves(commands.add_domain, "The host leads here now.", HOME),
        DomainForm,
        submit="Add",
        back=HOME,
    ),
    FormPage(
        "instance/domains/<domain>/primary",
        "Make the host primary",
        HOME,
        saves(commands.set_primary_domain, "Links are made with this host now.", HOME),
        subject=lambda ctx, path: path["domain"],
        submit="Make primary",
        intro="Links in mails will be made with this host.",
        back=HOME,
    ),
    FormPage(
        "instance/domains/<domain>/remove",
        "Remove the host",
        HOME,
        saves(commands.remove_domain, "The host leads here no more.", HOME),
        subject=lambda ctx, path: path["domain"],
        submit="Remove",
        intro="Applications that use this host as issuer stop working.",
        danger=True,
        back=HOME,
    ),
    *setting_pages(SHEETS, Where(HOME, HOME, _place, _found, lambda ctx, path: queries.get_instance(ctx).name)),
)
add_menu(MenuEntry("Instance", HOME, "instance", "iam.read", 80))


@names("instance")
def instance_name(instance: str, ids: Iterable[str]) -> Mapping[str, str]:
    """The instance's own name."""
    return (
        dict(InstanceRow.objects.filter(instance_id=instance).values_list("instance_id", "name"))
        if instance in ids
        else {}
    )
