"""Administrator roles, the level each belongs to, and the permissions each gives (roles.tsv)."""

import csv
from collections import defaultdict
from collections.abc import Iterable
from importlib import resources

from iam.kernel.errors import InvalidInput
from iam.kernel.levels import Level


def _load() -> dict[str, frozenset[str]]:
    held: dict[str, set[str]] = defaultdict(set)
    with resources.files(__package__).joinpath("roles.tsv").open(encoding="utf-8") as table:
        for row in csv.DictReader(table, delimiter="\t"):
            held[row["role"]].add(row["permission"])
    return {role: frozenset(permissions) for role, permissions in held.items()}


ROLES = _load()

_PREFIXES = (
    ("SYSTEM_", Level.SYSTEM),
    ("IAM_", Level.INSTANCE),
    ("ORG_", Level.ORG),
    ("PROJECT_GRANT_", Level.GRANT),
    ("PROJECT_", Level.PROJECT),
)


def level_of(role: str) -> Level:
    """The level a role is given on: by its prefix; `*_GLOBAL` roles are given on an organization."""
    if role.endswith("_GLOBAL"):
        return Level.ORG
    for prefix, level in _PREFIXES:
        if role.startswith(prefix):
            return level
    raise InvalidInput("member.role_unknown", field="roles", reason=role)


def roles_of(level: Level) -> list[str]:
    """The roles that can be given on a level, in order."""
    return sorted(role for role in ROLES if level_of(role) is level)


def check_roles(level: Level, roles: Iterable[str]) -> tuple[str, ...]:
    """The roles without repetitions, in the order given; raises InvalidInput for none, an unknown or a misplaced one."""
    unique = tuple(dict.fromkeys(roles))
    if not unique:
        raise InvalidInput("member.roles_missing", field="roles")
    for role in unique:
        if role not in ROLES or level_of(role) is not level:
            raise InvalidInput("member.role_unknown", field="roles", reason=role)
    return unique


def permissions_of(roles: Iterable[str]) -> frozenset[str]:
    """The union of the roles' permissions; an unknown role gives none."""
    return frozenset().union(*(ROLES.get(role, frozenset()) for role in roles))
