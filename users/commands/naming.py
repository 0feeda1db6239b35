"""How a user gets a name: what the settings say of it, and what it must not meet (decision 0008).

What matters is decided with the push: the organization is a guard, and the values that the name makes or is must be
vacant then. The read tables only tell early of addresses and ids, which the order of the log settles.
"""

from eventstore.aggregates import Aggregate, Claim, Vacant, known_kinds
from eventstore.store import Store, Stream
from iam.instance.domain import kinds
from iam.instance.settings import settings_of
from iam.kernel.change import Unit
from iam.kernel.context import Context
from iam.kernel.errors import AlreadyExists
from orgs.domain.org import Org
from orgs.domain.settings import OrgSettings
from users.domain.names import checked_user_name, vacant_for
from users.domain.profile import find_phone
from users.domain.user import NameRules, User
from users.models import UserRow

IDS = ("id", "app_id", "client_id")
"""The kinds of the claims that ids are, whatever they are the ids of."""


def rules_of(unit: Unit, org_id: str, *, beside: type[Aggregate] = Org) -> NameRules:
    """What the settings say of names in an organization that this unit reads as `beside`."""
    own = unit.view(OrgSettings, org_id, beside=beside).settings.own
    domain = own.get("domain")
    if domain is None:
        domain = settings_of(unit.ctx.instance).default_values(kinds.DOMAIN)
    with_domain = bool(domain.get("user_login_must_be_domain"))
    scoped = bool(own.get("organization", {}).get("organization_scoped_usernames"))
    return NameRules(organization_scoped=with_domain or scoped, with_domain=with_domain)


def must_be_free(unit: Unit, user_id: str, user_name: str, org_id: str) -> None:
    """A name leads to nobody else, and makes no login name that does (checklist U03); raises AlreadyExists with the push."""
    name = checked_user_name(user_name)
    domains = [domain for domain, is_verified in unit.load(Org, org_id).domains.items() if is_verified]
    unit.must_be_vacant(User, user_id, {*vacant_for(name, org_id, domains), *no_chosen_id(name, user_id)})


def no_chosen_id(name: str, user_id: str) -> frozenset[Vacant]:
    """What must be vacant for a name that is not to be an id that somebody chose."""
    return frozenset(Vacant(Claim(kind, name, "user.already_exists")) for kind in IDS if name != user_id)


def must_lead_to_nobody(ctx: Context, user_name: str, user_id: str) -> None:
    """Whether a name is a proved address, or an id, of somebody else; raises AlreadyExists.

    Whoever proves an address a moment later has it after the name, and nobody is given an id that is there: early is enough.
    """
    name = user_name.strip()
    if name != user_id and (_is_proved_by_another(ctx, name, user_id) or is_drawn_id(ctx.store, ctx.instance, name)):
        raise AlreadyExists("user.already_exists", field="userName")


def rename(unit: Unit, user_id: str, user_name: str, *, needs: str) -> None:
    """Give a user another user name."""
    user = unit.load(User, user_id)
    if checked_user_name(user_name) != user.user_name:
        must_be_free(unit, user_id, user_name, user.owner)
    rules = rules_of(unit, user.owner)
    unit.change(User, user_id, lambda user: user.rename(user_name, rules), needs=needs)


def must_be_no_name(ctx: Context, id: str) -> None:
    """An id that a caller chooses is no user's name: service users sign in by either (RFC 9700 §4.15)."""
    if UserRow.objects.filter(instance_id=ctx.instance, user_name__iexact=id).exclude(id=id).exists():
        raise AlreadyExists("user.id_already_exists", field="userId")


def _is_proved_by_another(ctx: Context, name: str, user_id: str) -> bool:
    others = UserRow.objects.filter(instance_id=ctx.instance).exclude(id=user_id)
    if number := find_phone(name):
        return others.filter(phone=number, phone_verified=True).exists()
    return "@" in name and others.filter(email__iexact=name, email_verified=True).exists()


def is_drawn_id(store: Store, instance: str, name: str) -> bool:
    """Ids that were drawn are digits; those that were chosen are claimed."""
    return name.isdecimal() and any(store.read(Stream(instance, kind, name)) for kind in sorted(known_kinds()))
