"""Another instance on a running server: whole, or not at all."""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.conf import settings

from iam.access.caller import system_context
from iam.access.hosts import origin_of
from iam.instance import commands as instance
from iam.kernel.change import Receipt, together
from iam.kernel.context import Context
from iam.settings.tree import Config
from iam.setup.first_instance import THINGS, make_console, make_instance
from iam.setup.service_users import make_owner
from oidc.web_keys import ensure_signing_keys
from users import commands as users
from users.commands.codes import send_first_codes
from users.domain.profile import Profile

LONGEST_SLUG = 40
TAIL = 6
TAIL_SIGNS = "abcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class Person:
    """The first administrator, as a person. Without a password an invitation is sent."""

    user_name: str
    email: str
    email_verified: bool = False
    profile: Profile = field(default_factory=lambda: Profile("ZITADEL", "Admin"))
    password: str = ""
    change_required: bool = False


@dataclass(frozen=True)
class Machine:
    """The first administrator, as a service user: with a token, a key, or both."""

    user_name: str
    name: str
    has_pat: bool = False
    pat_expires_at: datetime | None = None
    has_key: bool = False
    key_expires_at: datetime | None = None


@dataclass(frozen=True)
class Made:
    """A new instance; token and key file are told this once."""

    receipt: Receipt
    pat: str = ""
    key_file: str = ""


def create_instance(
    ctx: Context, *, name: str, owner: Person | Machine, org_name: str = "", domain: str = "", language: str = ""
) -> Made:
    """Make an instance with an organization, an administrator, the console and a signing key, for operators of the system.

    It gets a host below the public one, and `domain` as its primary one. Raises AlreadyExists for a host that is taken.
    """
    ctx.require("system.instance.write")
    ids = {thing: ctx.ports.new_id() for thing in THINGS}
    config = _configured(ctx, name, org_name, language)
    where = replace(
        system_context(ids["instance"], base_url=origin_of(domain or config.ExternalDomain), actor=ctx.actor),
        origin=ctx.origin,
    )
    with together(ctx):
        make_instance(where, config, ids)
        if domain:
            instance.add_domain(where, domain=domain)
            instance.set_primary_domain(where, domain=domain)
        made = _machine(where, owner, ids) if isinstance(owner, Machine) else _person(where, owner, ids)
        make_console(where, config, ids, domain)
        ensure_signing_keys(where)
        receipt = instance.set_primary_domain(where, domain=domain or config.ExternalDomain)
    return replace(made, receipt=receipt)


def _configured(ctx: Context, name: str, org_name: str, language: str) -> Config:
    """The configuration as if this were the first instance, at a host of its own."""
    config = settings.CONFIG.model_copy(deep=True)
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower())[:LONGEST_SLUG].strip("-") or "instance"
    config.ExternalDomain = f"{slug}-{ctx.ports.secrets.digits(TAIL, TAIL_SIGNS)}.{config.ExternalDomain}"
    config.FirstInstance.InstanceName, config.FirstInstance.DefaultLanguage = name, language
    config.FirstInstance.Org.Name = org_name
    return config


def _person(ctx: Context, person: Person, ids: dict[str, str]) -> Made:
    receipt = users.add_human(
        ctx,
        org_id=ids["org"],
        user_id=ids["human"],
        user_name=person.user_name,
        profile=person.profile,
        email=person.email,
        email_verified=person.email_verified,
        password=person.password,
        change_required=person.change_required,
    )
    make_owner(ctx, ids["human"])
    send_first_codes(ctx, user_id=ids["human"])
    return Made(receipt)


def _machine(ctx: Context, machine: Machine, ids: dict[str, str]) -> Made:
    id = ids["machine"]
    receipt = users.add_machine(
        ctx, org_id=ids["org"], user_id=id, user_name=machine.user_name, name=machine.name or machine.user_name
    )
    make_owner(ctx, id)
    pat = users.add_pat(ctx, user_id=id, expires_at=machine.pat_expires_at).secret if machine.has_pat else ""
    key = users.add_machine_key(ctx, user_id=id, expires_at=machine.key_expires_at) if machine.has_key else None
    return Made(receipt, pat, users.key_file(key, id) if key else "")
