"""Migrations only add, so that the program before serves while the pods roll (handbook "Upgrades", iam/setup/level.py).

A new column of a table that is there must be null or have a default in the database: the program before inserts rows
without it. What takes away or renames needs a level of its own and stands in CONTRACTS with that level.
"""

import pytest
from django.db import models
from django.db.migrations import operations
from django.db.migrations.loader import MigrationLoader

from iam.setup import level

OURS = ("eventstore", "projections", "orgs", "users", "projects", "oidc", "iam")
TAKES_AWAY = (
    operations.RemoveField,
    operations.RenameField,
    operations.DeleteModel,
    operations.RenameModel,
    operations.AlterModelTable,
)
CONTRACTS: dict[str, int] = {}
"""Migration → the LEVEL that it came with; its FLOOR must have been raised to the level before it."""


def later_migrations():
    """Ours, without the first of each app: what changes tables that others already use."""
    for (_, name), migration in sorted(MigrationLoader(None).disk_migrations.items()):
        if type(migration).__module__.split(".")[0] in OURS and not name.startswith("0001"):
            yield f"{migration.app_label}.{name}", migration


@pytest.mark.parametrize(("name", "migration"), later_migrations())
def test_row_40_a_migration_only_adds(name, migration):
    made = {
        operation.name.lower() for operation in migration.operations if isinstance(operation, operations.CreateModel)
    }
    for operation in migration.operations:
        if isinstance(operation, TAKES_AWAY):
            assert CONTRACTS.get(name, 0) <= level.LEVEL and name in CONTRACTS, f"{name}: {operation.describe()}"
        if (
            isinstance(operation, operations.AddField | operations.AlterField)
            and operation.model_name.lower() not in made
        ):
            field = operation.field
            kept = (
                field.null
                or field.has_db_default()
                or isinstance(field, models.CompositePrimaryKey)
                or _is_a_join(field)
            )
            assert kept, f"{name}: {operation.describe()}: give it db_default, or let it be null"


def _is_a_join(field) -> bool:
    """A relation over columns that are there; it has none of its own."""
    return isinstance(field, models.ForeignObject) and not isinstance(field, models.ForeignKey)
