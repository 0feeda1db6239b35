"""What must be true before requests are sent here: the database answers, its tables fit this program, the master key fits."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from eventstore import outage
from iam.vault.masterkey import check_value
from iam.vault.models import DataKey

WAIT_SECONDS = 2.0
SILENT = "the database does not answer or takes no writes"

_thread = ThreadPoolExecutor(1, thread_name_prefix="readiness")
_asked: list["Future[dict[str, str]]"] = []
_migrated: list[bool] = []


def problems() -> dict[str, str]:
    """Each check with what is wrong, empty where nothing is. Answers in two seconds also when the database does not."""
    if not _asked or _asked[0].done():
        _asked[:] = [_thread.submit(_checked)]
    try:
        return _asked[0].result(WAIT_SECONDS)
    except TooLate:
        return dict.fromkeys(_checks(), SILENT)


def reason() -> str:
    """The first thing that is wrong, or nothing."""
    return next((told for told in problems().values() if told), "")


def _checks() -> dict[str, Callable[[], str]]:
    return {"database": _database, "migrations": _migrations, "masterkey": _masterkey}


def _checked() -> dict[str, str]:
    try:
        return {name: check() for name, check in _checks().items()}
    except Exception as failure:  # a driver's or pool's own error, too: whatever it is, requests would meet it
        if not isinstance(failure, DatabaseError) and not type(failure).__module__.startswith("psycopg"):
            raise
        return dict.fromkeys(_checks(), SILENT)
    finally:
        connection.close()


def _database() -> str:
    return "" if outage.serves() else SILENT


def _migrations() -> str:
    """Asked until they are all there; a newer program that adds its own later does not make this one unready."""
    if not _migrated:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return "the database is not prepared: migrations are missing"
        _migrated.append(True)
    return ""


def _masterkey() -> str:
    fitting = [check_value(master) for master in settings.MASTER_KEYS()]
    strange = DataKey.objects.exclude(check_value__in=fitting).exists()
    return "the master key does not fit the data keys of this database" if strange else ""
