"""Unique values in the database: taken, freed, looked at and scoped inside of a push."""

from collections.abc import Iterable, Mapping, Sequence

from django.db import IntegrityError, connection
from django.db.models import Q, QuerySet

from eventstore.aggregates import ID, Claim, Scoping, Vacant
from eventstore.identities import id_claims
from eventstore.models import ClaimRow
from eventstore.store import Conflict, Taken, Write

Key = tuple[str, str, str]
"""Scope, kind, value: how the table names a claim."""
MOST_OWNERS = 500
MOST_LISTED = 20
NAME = "substr(value, 1, length(value) - length(owner) - 1)"
"""A value that is unique within its owner, without the owner."""


def claim(writes: Sequence[Write]) -> None:
    """Free and take unique values; raises Taken for the first that somebody else holds, or that must not be held."""
    for write in writes:
        _free(write)
        for scoping in write.scopings:
            _scope_anew(write, scoping)
    wanted = {_key(write, one): (write, one) for write in writes for one in write.claims | id_claims(write)}
    vacant = {_key(write, one.claim): (write, one) for write in writes for one in write.vacant}
    vacant = {key: asked for key, asked in vacant.items() if key not in wanted}
    passing = {key for key, (_, one) in vacant.items() if one.taken_at_once}
    holders = {key: write for key, (write, _) in (*vacant.items(), *wanted.items()) if key in wanted or key in passing}
    free = _insert([(*key, holders[key].stream.instance, holders[key].owner) for key in sorted(holders)])
    for key in sorted(wanted, key=_precedence, reverse=True):
        if key not in free:
            raise Taken(wanted[key][1])
    _must_be_vacant({key: one for key, (_, one) in vacant.items() if key not in free})
    if passing & free:
        _rows(passing & free).delete()


def _free(write: Write) -> None:
    if write.releases:
        held = _rows(_key(write, one) for one in write.releases if not one.also)
        own = _rows(key for one in write.releases if one.also for key in _forms(write, one))
        for rows in (held, own.filter(owner=write.owner)):
            rows.delete()
    if write.releases_all_of_owner:
        held = ClaimRow.objects.filter(instance_id=write.stream.instance, owner=write.releases_all_of_owner)
        held.exclude(kind=ID).delete()  # an id is never given again


def _precedence(key: Key) -> tuple[bool, Key]:
    """Always the same one of several is told: names before what is derived from them, a thing's own claim before its id."""
    return key[1] != ID, key


def _key(write: Write, one: Claim) -> Key:
    return "" if one.everywhere else write.stream.instance, one.kind, one.value.casefold()


def _forms(write: Write, one: Claim) -> tuple[Key, Key]:
    scope, kind, value = _key(write, one)
    return (scope, kind, value), (scope, kind, one.also.casefold())


def _rows(keys: Iterable[Key]) -> "QuerySet[ClaimRow]":
    held = Q()
    for scope, kind, value in keys:
        held |= Q(scope=scope, kind=kind, value=value)
    return ClaimRow.objects.filter(held) if held else ClaimRow.objects.none()


def _must_be_vacant(vacant: Mapping[Key, Vacant]) -> None:
    """One statement, after the values of this push were taken."""
    held = _rows(vacant).order_by("scope", "kind", "value").values_list("scope", "kind", "value", "owner")
    for *key, owner in held if vacant else ():
        one = vacant[tuple(key)]  # type: ignore[index]
        if one.owner in ("", owner):
            raise Taken(one.claim)


def _insert(rows: Sequence[tuple[str, ...]]) -> set[Key]:
    """Insert what is free, in one statement; answers what was free."""
    if not rows:
        return set()
    line = "(%s, %s, %s, %s, %s)"
    sql = (
        "INSERT INTO eventstore_claims (scope, kind, value, instance_id, owner)"  # noqa: S608 - placeholders only
        f" VALUES {', '.join([line] * len(rows))} ON CONFLICT DO NOTHING RETURNING scope, kind, value"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [value for row in rows for value in row])
        return {(scope, kind, value) for scope, kind, value in cursor.fetchall()}


def _scope_anew(write: Write, scoping: Scoping) -> None:
    """Few statements, however many values there are; raises Taken with the values that would meet."""
    for start in range(0, len(scoping.owners), MOST_OWNERS):
        owners = scoping.owners[start : start + MOST_OWNERS]
        where = (
            f"instance_id = %s AND kind = %s AND owner IN ({', '.join(['%s'] * len(owners))})"
            f" AND value {'NOT LIKE' if scoping.inside else 'LIKE'} '%% %%'"
        )
        values = [write.stream.instance, scoping.kind, *owners]
        if not scoping.inside and (met := _meeting(where, values)):
            raise Taken(Claim(scoping.kind, met[0], scoping.code), met)
        new = "value || ' ' || lower(owner)" if scoping.inside else NAME
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"UPDATE eventstore_claims SET value = {new} WHERE {where}", values)  # noqa: S608 - ours
        except IntegrityError as taken:
            raise Conflict from taken  # somebody took one just now: look again


def _meeting(where: str, values: Sequence[str]) -> list[str]:
    """What several of these owners hold, or one of them and somebody outside."""
    sql = (
        f"WITH own AS (SELECT scope, kind, {NAME} AS name FROM eventstore_claims WHERE {where})"  # noqa: S608 - ours
        " SELECT name FROM own GROUP BY scope, kind, name HAVING count(*) > 1"
        " UNION SELECT name FROM own JOIN eventstore_claims held"
        " ON held.scope = own.scope AND held.kind = own.kind AND held.value = own.name"
        f" ORDER BY 1 LIMIT {MOST_LISTED}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [name for (name,) in cursor.fetchall()]
