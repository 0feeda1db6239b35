"""When a user may no longer sign in, or has another password, sessions end (checklist L10). When settings say otherwise
where user names are unique, they are so from then on, or the settings stay."""

from collections.abc import Iterator

from eventstore.aggregates import Scoping
from eventstore.store import Stream
from iam.instance.domain.instance import Instance
from iam.instance.domain.kinds import DOMAIN, ORGANIZATION, SettingFact
from iam.instance.models import SettingRow
from iam.kernel.cascade import cascades
from iam.kernel.change import Unit
from orgs.domain.org import Org
from orgs.domain.settings import OrgSettings
from orgs.models import OrgRow
from users.commands.naming import rules_of
from users.domain.events import PasswordChanged, UserDeactivated, UserLocked, UserRemoved
from users.domain.names import KIND
from users.domain.session import Session
from users.domain.user import User
from users.models import NameRuleRow, SessionRow

NAMES_MEET = "user.names_meet"


@cascades(UserDeactivated, UserLocked, UserRemoved)
def user_stopped(unit: Unit, stream: Stream, _: object) -> None:
    """End every session: they do not come back when the user does."""
    _end(unit, stream, kept="")


@cascades(PasswordChanged)
def password_changed(unit: Unit, stream: Stream, _: PasswordChanged) -> None:
    """End every session but the one in which the person changed it."""
    own = unit.ctx.caller.user_id == stream.id
    _end(unit, stream, kept=unit.ctx.caller.session_id if own else "")


def _end(unit: Unit, stream: Stream, *, kept: str) -> None:
    if unit.load(User, stream.id).type != "human":
        return
    rows = SessionRow.objects.filter(instance_id=stream.instance, user_id=stream.id, terminated=False)
    ids = [id for id in rows.order_by("id").values_list("id", flat=True) if id != kept]
    unit.preload(Session, ids)
    for id in ids:
        unit.change(Session, id, Session.terminate)


@cascades(SettingFact)
def names_are_unique_elsewhere(unit: Unit, stream: Stream, fact: SettingFact) -> None:
    """User names count once per organization or once per instance, as the settings say after the fact."""
    if fact.setting not in (DOMAIN.name, ORGANIZATION.name):
        return
    if stream.kind == Org.kind:
        scoped = bool(rules_of(unit, stream.id, beside=OrgSettings).organization_scoped)
        unit.scope_claims(OrgSettings, stream.id, Scoping(KIND, (stream.id,), scoped, NAMES_MEET))
        return
    own = unit.load(Instance, stream.id).settings.own.get(DOMAIN.name, {})
    for orgs, inside in _followers(stream.instance, with_domain=bool(own.get("user_login_must_be_domain"))):
        unit.scope_claims(Instance, stream.id, Scoping(KIND, orgs, inside, NAMES_MEET))


def _followers(instance: str, *, with_domain: bool) -> Iterator[tuple[tuple[str, ...], bool]]:
    """The organizations that have no policy of their own for domains, and whether names are unique within them."""
    own = NameRuleRow.objects.filter(instance_id=instance).values("owner")
    orgs = OrgRow.objects.filter(instance_id=instance).exclude(id__in=own)
    ids = set(orgs.values_list("id", flat=True))
    rows = SettingRow.objects.filter(instance_id=instance, kind=ORGANIZATION.name)
    scoped = {row.owner for row in rows if row.values.get("organization_scoped_usernames")} & ids
    inside = ids if with_domain else scoped
    yield from ((tuple(sorted(some)), is_inside) for some, is_inside in ((inside, True), (ids - inside, False)) if some)
