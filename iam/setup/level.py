"""Which programs may serve a database: expand and contract in two numbers (DESIGN §10, handbook "Upgrades").

Migrations only add, so an older program goes on serving while the pods roll. A release whose migration takes away what
the one before still reads raises FLOOR to the first level that does not need it.
"""

from iam.management.models import SetupStep

LEVEL = 1
"""This program's schema. Raised with every release that migrates."""
FLOOR = 1
"""The oldest level that may serve the schema of this program."""
STEP = "schema"


def record() -> None:
    """Note after the migrations what the database is now; never lowers what a newer program noted."""
    step, _ = SetupStep.objects.get_or_create(name=STEP)
    if step.chosen.get("level", 0) < LEVEL:
        step.chosen = {"level": LEVEL, "floor": FLOOR}
        step.save()


def too_new() -> str:
    """Why this program is too old for the database; empty when it is not."""
    step = SetupStep.objects.filter(name=STEP).first()
    floor = step.chosen.get("floor", 0) if step else 0
    if floor <= LEVEL:
        return ""
    return (
        f"the database is too new for this program: it needs schema level {floor} or later, this program has {LEVEL};"
        " start the release that set it up, or a later one"
    )
