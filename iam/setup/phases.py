"""init, setup and what start looks at before it serves."""

import sys

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from eventstore.partitions import make_partitions
from iam.setup.first_instance import base_url, follow_origin, make
from iam.setup.lock import only_one


def setup() -> None:
    """Migrate and make the first instance. May be repeated, killed and run twice at once."""
    settings.MASTER_KEYS()
    settings.VAR.mkdir(parents=True, exist_ok=True)
    with only_one():
        call_command("migrate", verbosity=0, interactive=False)
        make_partitions()
        printed = make(settings.CONFIG)
        follow_origin(settings.CONFIG)
    if printed is None:
        return
    lines = ["", f"  Console   {base_url(settings.CONFIG)}/ui/console", f"  Login     {printed.login_name}"]
    if printed.password:
        lines += [f"  Password  {printed.password}   (shown once; to be changed at the first sign-in)"]
    sys.stdout.write("\n".join([*lines, "", ""]))
    sys.stdout.flush()


def problem_before_start() -> str:
    """Why the server must not start; empty when it may."""
    executor = MigrationExecutor(connection)
    unknown = {key for key in executor.loader.applied_migrations if key not in executor.loader.disk_migrations}
    if unknown:
        return f"the database is newer than this program: {', '.join('.'.join(key) for key in sorted(unknown))}"
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return "the database is not prepared: run `manage.py setup` (or start-from-setup)"
    return ""
