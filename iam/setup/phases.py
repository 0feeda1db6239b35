"""init, setup and what start looks at before it serves."""

import sys

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from eventstore.partitions import make_partitions
from iam.management.models import SetupStep
from iam.settings.state import write_privately
from iam.setup import level
from iam.setup.first_instance import STEP, Printed, base_url, follow_origin, make
from iam.setup.lock import only_one
from iam.setup.naming import BadSettingError


def setup() -> None:
    """Migrate and make the first instance. May be repeated, killed and run twice at once."""
    settings.MASTER_KEYS()
    write_privately()
    settings.VAR.mkdir(parents=True, exist_ok=True)
    with only_one():
        refuse_if(_too_new())
        waiting = _pending()
        _tell(f"{len(waiting)} migrations to apply" if waiting else "no migrations to apply")
        call_command("migrate", verbosity=0, interactive=False)
        level.record()
        make_partitions()
        _tell("first instance and public origin")
        printed = _make_first_instance()
        follow_origin(settings.CONFIG)
        _tell("done")
    if printed is None:
        return
    lines = ["", f"  Console   {base_url(settings.CONFIG)}/ui/console", f"  Login     {printed.login_name}"]
    if printed.password:
        lines += [f"  Password  {printed.password}   (shown once; to be changed at the first sign-in)"]
    sys.stdout.write("\n".join([*lines, "", ""]))
    sys.stdout.flush()


def _make_first_instance() -> Printed | None:
    """The first instance; what the configuration asks for in vain ends the process with code 1 and one line."""
    try:
        return make(settings.CONFIG)
    except BadSettingError as wrong:
        refuse_if(f"configuration: {wrong}")
        raise


def plan() -> list[str]:
    """What `setup` would do now, a line each; it changes nothing."""
    refuse_if(_too_new())
    lines = []
    for migration in _pending():
        lines.append(f"migrate {migration.app_label}.{migration.name}")
        lines += [f"    {operation.describe()}" for operation in migration.operations]
    return [*lines, *_plan_of_instance()] or ["nothing to do"]


def _plan_of_instance() -> list[str]:
    from iam.instance.queries import own_host

    first = settings.CONFIG.FirstInstance
    if "frame_setup_steps" not in connection.introspection.table_names():
        return [] if first.Skip else [f"make the first instance at {base_url(settings.CONFIG)}"]
    step = SetupStep.objects.filter(name=STEP).first()
    if step is None or not step.done_at:
        begun = " (begun, not finished)" if step else ""
        return [] if first.Skip else [f"make the first instance at {base_url(settings.CONFIG)}{begun}"]
    host = own_host(step.chosen["instance"])
    moved = host != settings.CONFIG.ExternalDomain
    return [f"carry the public host over: {host} → {settings.CONFIG.ExternalDomain}"] if moved else []


def problem_before_start() -> str:
    """Why the server must not start; empty when it may."""
    if _pending():
        return "the database is not prepared: run `manage.py setup` (or start-from-setup)"
    return level.too_new()


def _pending() -> list[object]:
    executor = MigrationExecutor(connection)
    return [migration for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def _too_new() -> str:
    return level.too_new() if "frame_setup_steps" in connection.introspection.table_names() else ""


def refuse_if(problem: str) -> None:
    """End with code 1 and one line."""
    if problem:
        sys.stderr.write(problem + "\n")
        raise SystemExit(1)


def _tell(line: str) -> None:
    sys.stdout.write(f"set-up: {line}\n")
    sys.stdout.flush()
