"""Console pages of the instance: its hosts, its settings, the followers of its log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms

from iam.console.kit import Column, DetailPage, Empty, FormPage, Link, Outcome, Path, Properties, Related, Tab, saves
from iam.console.parts import number_field, text_field, tick_field
from iam.console.site import MenuEntry, add_menu, add_pages
from iam.instance import commands, console_messages, queries
from iam.instance.domain.events import LockoutChanged, OidcSettingsChanged, PasswordComplexityChanged
from iam.instance.models import InstanceRow
from iam.instance.settings import settings_of
from iam.kernel.context import Context
from projections.lag import Lag, lag_of

__all__ = ["console_messages"]
HOME = "instance"


class NameForm(forms.Form):
    """A name."""

    name = text_field("Name", 200)


class DomainForm(forms.Form):
    """A host."""

    domain = text_field("Host", 253, hint="for example id.acme.com; the host must lead to this server")


class PasswordForm(forms.Form):
    """What a password must contain."""

    min_length = number_field("Least number of characters", 1, 72)
    has_lowercase = tick_field("A lower case letter")
    has_uppercase = tick_field("An upper case letter")
    has_number = tick_field("A number")
    has_symbol = tick_field("A symbol")


class LockoutForm(forms.Form):
    """When a user is locked."""

    max_password_attempts = number_field("Wrong passwords until a user is locked", 0, 1000, hint="0 = never")
    show_lock_out_failures = tick_field("Tell the person that the user is locked")


class LifetimesForm(forms.Form):
    """How long tokens live."""

    access_token_lifetime = number_field("Access token, in minutes", 1, 60 * 24 * 365)
    id_token_lifetime = number_field("ID token, in minutes", 1, 60 * 24 * 365)
    refresh_token_idle_expiration = number_field("Unused refresh token, in minutes", 1, 60 * 24 * 3650)
    refresh_token_expiration = number_field("Refresh token, used or not, in minutes", 1, 60 * 24 * 3650)


@dataclass(frozen=True)
class Shown:
    """The instance with its settings in force."""

    row: InstanceRow
    id: str
    name: str
    host: str
    language: str
    created_at: Any
    password: str
    lockout: str
    tokens: str


def _instance(ctx: Context) -> Shown:
    row = queries.get_instance(ctx)
    found = settings_of(ctx.instance)
    rules, lifetimes = found.password_complexity, found.oidc
    wanted = [
        word
        for is_wanted, word in (
            (rules.has_lowercase, "lower case"),
            (rules.has_uppercase, "upper case"),
            (rules.has_number, "number"),
            (rules.has_symbol, "symbol"),
        )
        if is_wanted
    ]
    most = found.lockout.max_password_attempts
    return Shown(
        row=row,
        id=row.instance_id,
        name=row.name,
        host=row.primary_domain,
        language=row.default_language,
        created_at=row.created_at,
        password=f"at least {rules.min_length} characters" + (f"; {', '.join(wanted)}" if wanted else ""),
        lockout=f"after {most} wrong passwords" if most else "never; guesses are slowed down",
        tokens=f"access {lifetimes.access_token_lifetime}, refresh {lifetimes.refresh_token_expiration}",
    )


def _minutes(ctx: Context, path: Path) -> dict[str, int]:
    return {name: int(value.total_seconds() // 60) for name, value in vars(settings_of(ctx.instance).oidc).items()}


def _setting(kind: Any, notice: str) -> Any:
    def save(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
        told = {
            name: timedelta(minutes=value) if kind is OidcSettingsChanged else value for name, value in values.items()
        }
        commands.change_setting(ctx, fact=kind(**told))
        return Outcome(f"{HOME}?tab=settings", notice)

    return save


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
                    Properties(
                        "Passwords",
                        (Column("password", "Must have"), Column("lockout", "Users are locked")),
                        (
                            Link("Change the rules", "instance/settings/password", "iam.policy.write"),
                            Link("Change the lockout", "instance/settings/lockout", "iam.policy.write"),
                        ),
                    ),
                    Properties(
                        "Tokens",
                        (Column("tokens", "Live for (hours:minutes:seconds)"),),
                        (Link("Change the lifetimes", "instance/settings/tokens", "iam.policy.write"),),
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
    FormPage(
        "instance/settings/password",
        "Rules for passwords",
        HOME,
        _setting(PasswordComplexityChanged, "The rules hold for every new password."),
        PasswordForm,
        initial=lambda ctx, path: vars(settings_of(ctx.instance).password_complexity),
        back=HOME,
    ),
    FormPage(
        "instance/settings/lockout",
        "When users are locked",
        HOME,
        _setting(LockoutChanged, "The lockout is changed."),
        LockoutForm,
        initial=lambda ctx, path: vars(settings_of(ctx.instance).lockout),
        back=HOME,
    ),
    FormPage(
        "instance/settings/tokens",
        "How long tokens live",
        HOME,
        _setting(OidcSettingsChanged, "New tokens live as long as this says."),
        LifetimesForm,
        initial=_minutes,
        back=HOME,
    ),
)
add_menu(MenuEntry("Instance", HOME, "instance", "iam.read", 80))
