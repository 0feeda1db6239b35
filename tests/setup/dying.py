"""`manage.py setup` that dies hard at its n-th step, as a process of its own: `python -m tests.setup.dying N`.

A step is a migration, a push, or a look at what is done; dying is `os._exit`, which is what SIGKILL leaves behind.
Exit code 9 = died; 0 = there was no n-th step any more.
"""

import os
import sys


def main() -> None:
    """Count, and die at the right one."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iam.settings.prod")
    import django

    django.setup()
    from django.db.migrations.executor import MigrationExecutor

    from eventstore.database import DatabaseStore
    from iam.management.models import SetupStep
    from iam.setup import lock, phases

    phases.only_one = lambda: lock.only_one(stale_after=0.5)  # the dead one before is not waited for 15 s
    left = [int(sys.argv[1])]

    def dying(kind, name):
        original = getattr(kind, name)

        def step(self, *arguments, **named):
            left[0] -= 1
            if left[0] < 0:
                os._exit(9)
            return original(self, *arguments, **named)

        setattr(kind, name, step)

    dying(MigrationExecutor, "apply_migration")
    dying(DatabaseStore, "push")
    dying(SetupStep, "save")
    phases.setup()


main()
