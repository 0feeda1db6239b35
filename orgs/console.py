"""Console pages of organizations."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.db.models import Q

from iam.console.kit import (
    STATES,
    Column,
    DetailPage,
    Empty,
    FormPage,
    Link,
    ListPage,
    Outcome,
    Path,
    Properties,
    Related,
    Tab,
    saves,
)
from iam.console.parts import text_field
from iam.console.site import Figure, Hit, MenuEntry, add_figures, add_menu, add_pages, finds, names
from iam.kernel.context import Context
from orgs import commands, queries
from orgs.console_settings import settings_tab
from orgs.models import OrgDomainRow, OrgRow


class NameForm(forms.Form):
    """A name."""

    name = text_field("Name", 200)


class DomainForm(forms.Form):
    """A domain."""

    domain = text_field("Domain", 253, hint="for example acme.com")


def _org(ctx: Context, path: Path) -> OrgRow:
    return queries.get_org(ctx, org_id=path["org_id"])


def _create(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    made = commands.add_org(ctx, name=values["name"])
    return Outcome(f"orgs/{made.id}", f"{values['name']} is there. Create its first user next.")


def _rename(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    commands.rename_org(ctx, org_id=path["org_id"], name=values["name"])
    return Outcome(f"orgs/{path['org_id']}", "The organization is renamed.")


def _confirm(route: str, title: str, submit: str, save: Any, intro: str, *, danger: bool = False) -> FormPage:
    return FormPage(
        route=f"orgs/<org_id>/{route}",
        title=title,
        section="orgs",
        save=save,
        subject=lambda ctx, path: _org(ctx, path).name,
        submit=submit,
        intro=intro,
        danger=danger,
        back="orgs/{org_id}",
    )


add_pages(
    ListPage(
        route="orgs",
        title="Organizations",
        needs="org.read",
        intro="Owners of users and projects.",
        rows=lambda ctx, path: queries.list_orgs(ctx),
        columns=(
            Column("name", "Name", link="orgs/{id}", sort="name"),
            Column("state_word", "State", kind="state", sort="state"),
            Column("primary_domain", "Primary domain"),
            Column("created_at", "Created", kind="time", sort="created_at"),
            Column("id", "Id", kind="code"),
        ),
        search=("name", "primary_domain"),
        ids=("id",),
        filters=(STATES,),
        links=(Link("New organization", "orgs/new", needs="org.create", main=True),),
        order=("name",),
        empty=Empty("No organizations yet", "Create the first one: it will own users and projects."),
    ),
    FormPage("orgs/new", "New organization", "orgs", _create, NameForm, submit="Create"),
    DetailPage(
        route="orgs/<org_id>",
        noun="Organization",
        section="orgs",
        get=queries.get_org,
        title=lambda row: row.name,
        state=lambda row: row.state_word,
        tabs=(
            Tab(
                "",
                "Overview",
                (
                    Properties(
                        "About",
                        (
                            Column("name", "Name"),
                            Column("primary_domain", "Primary domain"),
                            Column("created_at", "Created", kind="time"),
                            Column("changed_at", "Changed", kind="time"),
                        ),
                        links=(
                            Link("Users", "users?q={id}", "user.read"),
                            Link("Projects", "projects?q={id}", "project.read"),
                        ),
                    ),
                    Related(
                        "Domains",
                        lambda ctx, row: queries.list_domains(ctx, org_id=row.id).order_by("domain"),
                        (
                            Column("domain", "Domain"),
                            Column("is_verified", "Verified", kind="yesno"),
                            Column("is_primary", "Primary", kind="yesno"),
                        ),
                        Empty("No domains", "Add one, so that people can sign in with it."),
                        links=(Link("Add domain", "orgs/{id}/domains/add", needs="org.write"),),
                        row_links=(
                            Link(
                                "Make primary",
                                "orgs/{org_id}/domains/{domain}/primary",
                                "org.write",
                                lambda row: not row.is_primary,
                            ),
                            Link(
                                "Remove",
                                "orgs/{org_id}/domains/{domain}/remove",
                                "org.write",
                                lambda row: not row.is_primary,
                                danger=True,
                            ),
                        ),
                    ),
                ),
            ),
            settings_tab,
        ),
        links=(
            Link("New person", "users/new-human?org={id}", "user.write"),
            Link("New project", "projects/new?org={id}", "project.create"),
            Link("Rename", "orgs/{id}/rename", "org.write"),
            Link("Deactivate", "orgs/{id}/deactivate", "org.write", lambda row: row.state == 1),
            Link("Reactivate", "orgs/{id}/reactivate", "org.write", lambda row: row.state == 2, main=True),
            Link("Delete", "orgs/{id}/delete", "org.delete", danger=True),
        ),
        stream=lambda row: ("org", row.id),
    ),
    FormPage(
        "orgs/<org_id>/rename",
        "Rename the organization",
        "orgs",
        _rename,
        NameForm,
        initial=lambda ctx, path: {"name": _org(ctx, path).name},
        back="orgs/{org_id}",
    ),
    _confirm(
        "deactivate",
        "Deactivate the organization",
        "Deactivate",
        saves(commands.deactivate_org, "Nobody of this organization can sign in now.", "orgs/{org_id}"),
        "Its users can no longer sign in, and their tokens stop working. Nothing is deleted.",
    ),
    _confirm(
        "reactivate",
        "Reactivate the organization",
        "Reactivate",
        saves(commands.reactivate_org, "Its users can sign in again.", "orgs/{org_id}"),
        "Its users can sign in again.",
    ),
    _confirm(
        "delete",
        "Delete the organization",
        "Delete for good",
        saves(commands.remove_org, "The organization is gone.", "orgs"),
        "Its users, projects, applications and grants are deleted with it. This cannot be undone.",
        danger=True,
    ),
    FormPage(
        "orgs/<org_id>/domains/add",
        "Add a domain",
        "orgs",
        saves(commands.add_org_domain, "The domain is added.", "orgs/{org_id}"),
        DomainForm,
        submit="Add",
        back="orgs/{org_id}",
    ),
    _confirm(
        "domains/<domain>/primary",
        "Make the domain primary",
        "Make primary",
        saves(commands.set_primary_domain, "Login names end with this domain now.", "orgs/{org_id}"),
        "Login names of the organization's users will end with this domain.",
    ),
    _confirm(
        "domains/<domain>/remove",
        "Remove the domain",
        "Remove",
        saves(commands.remove_org_domain, "The domain is removed.", "orgs/{org_id}"),
        "Nobody can sign in with this domain any more.",
        danger=True,
    ),
)
add_menu(MenuEntry("Organizations", "orgs", "orgs", "org.read", 10))
add_figures(Figure("Organizations", "orgs", "org.read", lambda ctx: queries.list_orgs(ctx).count()))


@finds
def find_orgs(ctx: Context, text: str) -> list[Hit]:
    """Organizations by id, name or domain."""
    if not ctx.rights.anywhere("org.read"):
        return []
    of_domain = OrgDomainRow.objects.filter(instance_id=ctx.instance, domain__istartswith=text).values("org_id")
    rows = queries.list_orgs(ctx).filter(Q(id=text) | Q(name__icontains=text) | Q(id__in=of_domain))[:10]
    return [Hit("organization", row.name, f"orgs/{row.id}", row.primary_domain) for row in rows]


@names("org")
def org_names(instance: str, ids: Iterable[str]) -> Mapping[str, str]:
    """Names of organizations."""
    return dict(OrgRow.objects.filter(instance_id=instance, id__in=ids).values_list("id", "name"))
