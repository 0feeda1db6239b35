"""The first instance: organization, administrator, service user, the console's application, two signing keys.

Every id is chosen and noted before anything is made, and each step looks whether it is done: a set-up that is
killed anywhere goes on where it stopped.
"""

import secrets
import string
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from eventstore.store import Drawn
from iam.access.caller import system_context
from iam.instance import commands as instance
from iam.instance.domain.kinds import KINDS
from iam.instance.models import InstanceDomainRow, InstanceRow
from iam.instance.setting_commands import activate_label, change_setting, of_instance
from iam.kernel.context import Context
from iam.management.models import SetupStep
from iam.settings.tree import Config, DefaultInstanceSection
from iam.setup.naming import naming
from iam.setup.service_users import make_login_client, make_owner, make_owning_machine
from iam.vault import wiring
from oidc.web_keys import ensure_signing_keys
from orgs import commands as orgs
from orgs.models import OrgRow
from projects import commands as projects
from projects.domain.own import CALLBACK, CONSOLE
from projects.domain.project import NONE, OidcConfig
from projects.models import AppRow, ProjectRow
from users import commands as users
from users.domain.profile import Profile
from users.domain.user import checked_user_name
from users.models import UserRow

STEP = "first_instance"
THINGS = ("instance", "org", "human", "machine", "login_client", "project", "app", "client")
SPELLINGS = {"ShouldShowLockoutFailure": "ShowLockOutFailures"}
"""Names of the configuration that differ from those of the settings."""


@dataclass(frozen=True)
class Printed:
    """What the operator is told once."""

    login_name: str
    password: str


def base_url(config: Config) -> str:
    """The public origin; the scheme's own port is left out."""
    return config.origin(config.ExternalDomain)


def make(config: Config) -> Printed | None:
    """Make the first instance unless there is one; answers what to print when the password was generated."""
    if config.FirstInstance.Skip:
        return None
    step, _ = SetupStep.objects.get_or_create(name=STEP)
    if step.done_at:
        return None
    if missing := {thing: wiring.ports().new_id() for thing in THINGS if thing not in step.chosen}:
        step.chosen = {"password": "", **step.chosen, **missing}
        step.save()
    ids = {thing: Drawn(id) for thing, id in step.chosen.items()}
    ctx = system_context(ids["instance"], base_url=base_url(config))
    make_instance(ctx, config, ids, part=naming)
    with naming("human"):
        printed = _make_human(ctx, config, ids)
    with naming("machine"):
        make_owning_machine(ctx, config, ids)
    with naming("login client"):
        make_login_client(ctx, config, ids)
    make_console(ctx, config, ids)
    ensure_signing_keys(ctx)
    step.chosen = {thing: ids[thing] for thing in THINGS}
    step.done_at = datetime.now(UTC)
    step.save()
    return printed


def unnamed(_: str) -> AbstractContextManager[None]:
    """Around a part whose refusals go as they are to whoever asked for the instance."""
    return nullcontext()


def make_instance(
    ctx: Context, config: Config, ids: dict[str, str], *, part: Callable[[str], AbstractContextManager[None]] = unnamed
) -> None:
    """The instance with its settings and its first organization, where they are missing. `part` stands around each of them."""
    first, default = config.FirstInstance, config.DefaultInstance
    if not InstanceRow.objects.filter(instance_id=ctx.instance).exists():
        with part("instance"):
            instance.add_instance(
                ctx,
                name=first.InstanceName or default.InstanceName,
                domains=(config.ExternalDomain,),
                default_language=first.DefaultLanguage or default.DefaultLanguage,
            )
        for kind, values in _settings(default).items():
            with part(f"DefaultInstance, {kind} policy"):
                change_setting(ctx, of_instance(ctx), kind=kind, values=values)
            if kind == "label":
                activate_label(ctx, of_instance(ctx))
    if not OrgRow.objects.filter(instance_id=ctx.instance, id=ids["org"]).exists():
        with part("organization"):
            orgs.add_org(ctx, name=first.Org.Name or default.Org.Name, org_id=ids["org"])
    instance.set_default_org(ctx, org_id=ids["org"])


def _settings(default: DefaultInstanceSection) -> dict[str, dict[str, Any]]:
    """Settings that the configuration gives to every new instance; what is at its default is no fact."""
    found: dict[str, dict[str, Any]] = {}
    for kind, section in default.policies().items():
        names = {name.replace("_", ""): name for name in KINDS[kind].fields()}
        given = {
            names[SPELLINGS.get(name, name).lower()]: getattr(section, name) for name in type(section).model_fields
        }
        plain = KINDS[kind].complete({})
        if changed := {name: value for name, value in given.items() if value != getattr(plain, name)}:
            found[kind] = changed
    return found


def _make_human(ctx: Context, config: Config, ids: dict[str, str]) -> Printed | None:
    human = config.FirstInstance.Org.Human
    password = human.Password or _generated()
    if not UserRow.objects.filter(instance_id=ctx.instance, id=ids["human"]).exists():
        name = human.UserName
        users.add_human(
            ctx,
            org_id=ids["org"],
            user_id=ids["human"],
            user_name=name,
            profile=Profile(human.FirstName, human.LastName, preferred_language=human.PreferredLanguage),
            email=human.Email.Address or _address(ctx, name, ids["org"]),
            email_verified=human.Email.Verified,
            password=password,
            change_required=human.PasswordChangeRequired,
        )
    elif not human.Password:  # an earlier run was killed before it could print the password
        users.set_password(ctx, user_id=ids["human"], password=password, change_required=human.PasswordChangeRequired)
    make_owner(ctx, ids["human"])
    row = UserRow.objects.get(instance_id=ctx.instance, id=ids["human"])
    return Printed(row.preferred_login_name, "" if human.Password else password)


def _address(ctx: Context, name: str, org_id: str) -> str:
    domain = OrgRow.objects.get(instance_id=ctx.instance, id=org_id).primary_domain
    checked_user_name(name)  # before it is called a wrong address
    return name if "@" in name else f"{name}@{domain}"


def make_console(ctx: Context, config: Config, ids: dict[str, str], *more: str) -> None:
    """The product's own project and the console's application, for the public host and `more` of them."""
    if not ProjectRow.objects.filter(instance_id=ctx.instance, id=ids["project"]).exists():
        projects.add_project(ctx, org_id=ids["org"], name="ZITADEL", project_id=ids["project"])
    if not AppRow.objects.filter(instance_id=ctx.instance, id=ids["app"]).exists():
        addresses = console_addresses(config, [config.ExternalDomain, *more])
        console = OidcConfig(auth_method_type=NONE, application_type=0, **addresses)
        projects.add_oidc_app(
            ctx, project_id=ids["project"], name="Console", config=console, app_id=ids["app"], client_id=ids["client"]
        )
    instance.set_console(ctx, project_id=ids["project"], app_id=ids["app"], client_id=ids["client"])


def console_addresses(config: Config, hosts: Iterable[str]) -> dict[str, Any]:
    """What the console's application must have set for hosts; an empty one stands for none."""
    urls = [config.origin(host) for host in hosts if host]
    return {
        "redirect_uris": tuple(url + CALLBACK for url in urls),
        "post_logout_redirect_uris": tuple(url + CONSOLE for url in urls),
        "dev_mode": not config.ExternalSecure,
    }


def follow_origin(config: Config) -> None:
    """Carry a changed public origin over: the instance's own host and the console's addresses (operations.md §1)."""
    step = SetupStep.objects.filter(name=STEP, done_at__isnull=False).first()
    if step is None:
        return
    ids = step.chosen
    ctx = system_context(ids["instance"], base_url=base_url(config))
    instance.move_host(ctx, domain=config.ExternalDomain)
    app = AppRow.objects.filter(instance_id=ctx.instance, id=ids["app"]).first()
    if app is not None:
        hosts = InstanceDomainRow.objects.filter(instance_id=ctx.instance).order_by("-is_generated", "domain")
        changes = console_addresses(config, hosts.values_list("domain", flat=True))
        projects.readdress_console(ctx, project_id=ids["project"], app_id=ids["app"], changes=changes)


def _generated() -> str:
    """A password of 16 signs that meets every rule of the default complexity."""
    signs = string.ascii_letters + string.digits
    return (
        "".join(secrets.choice(signs) for _ in range(13))
        + secrets.choice("-_.!")
        + "a"
        + secrets.choice("23456789")
        + "Z"
    )
