"""All checks in their order."""

from collections.abc import Callable, Iterator

from iam.setup.doctor import database, ids, names, origin, outside
from iam.setup.doctor.findings import PROBLEM, Finding, problem

Check = Callable[[], Iterator[Finding]]
FIRST: tuple[Check, ...] = (database.reachable,)
PREPARED: tuple[Check, ...] = (database.rights, database.connections, database.schema)
THEN: tuple[Check, ...] = (
    database.search,
    database.master_key,
    database.clock,
    origin.hosts,
    origin.seen,
    names.login_names,
    ids.ids,
    outside.tls,
    outside.redis,
    outside.smtp,
    outside.followers,
)
WITHOUT_DATABASE: tuple[Check, ...] = (outside.tls, outside.redis, outside.smtp)


def examine() -> Iterator[Finding]:
    """Every finding. What needs a database, or a prepared one, is left out where there is none."""
    found = list(_run(FIRST))
    yield from found
    if _failed(found):
        yield from _run(WITHOUT_DATABASE)
        return
    found = list(_run(PREPARED))
    yield from found
    yield from _run(WITHOUT_DATABASE if _failed(found, "schema") else THEN)


def _failed(found: list[Finding], check: str = "") -> bool:
    return any(one.level == PROBLEM and check in ("", one.check) for one in found)


def _run(checks: tuple[Check, ...]) -> Iterator[Finding]:
    for check in checks:
        try:
            yield from check()
        except Exception as failure:  # the doctor goes on to the next check whatever a patient does
            yield problem(
                check.__name__.replace("_", " "),
                f"could not be looked at: {type(failure).__name__}: {failure}",
                cause="this was not foreseen",
                remedy="run the doctor again with Log.Level debug and report what it prints",
            )
