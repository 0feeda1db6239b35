"""What a system user's own JWT proves: signed with the key of the configuration, iss = sub = its name, for the public origin."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.conf import settings

from iam.access.caller import Authenticated
from iam.access.queries import Held
from iam.kernel.levels import Level
from iam.settings.system_users import LEVELS, SystemUserSection
from oidc.issuers import same_origin
from oidc.jose import BadTokenError, audience, check_times, public_pem, read, verify

KIND = "system_user"
LONGEST = timedelta(hours=1)


def system_user(instance: str, token: str) -> Authenticated | None:
    """The system user of a token that it signed for this server; None for any other token."""
    try:
        name = read(token).claims.get("iss", "")
        found = settings.CONFIG.SystemAPIUsers.get(name) if isinstance(name, str) else None
        if found is None:
            return None
        claims = verify(token, lambda kid: public_pem(kid, found.public_key), types=("jwt",))
        if claims.get("sub") != name or not _meant_for_us(audience(claims)):
            return None
        check_times(claims, datetime.now(UTC), longest=LONGEST)
    except BadTokenError:
        return None
    return Authenticated(user_id=name, org_id="", kind=KIND, memberships=tuple(_held(found, instance)))


def _meant_for_us(audience: tuple[str, ...]) -> bool:
    """Nobody else but the public origin, whatever port it names."""
    return len(audience) == 1 and same_origin(audience[0], settings.CONFIG.origin(settings.CONFIG.ExternalDomain))


def _held(user: SystemUserSection, instance: str) -> Iterator[Held]:
    """What counts at this instance: roles on the system, on this instance, on organizations and projects by their id."""
    roles: dict[tuple[Level, str], tuple[str, ...]] = {}
    for one in user.Memberships:
        level = LEVELS[one.MemberType]
        if level is Level.INSTANCE and one.AggregateID != instance:
            continue
        roles[level, one.AggregateID] = roles.get((level, one.AggregateID), ()) + one.Roles
    for (level, resource), held in roles.items():
        yield {"level": level, "resource": resource, "roles": list(held)}
