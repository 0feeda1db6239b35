"""Django application of the room."""

from typing import Any

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    """Registers the projection and the API."""

    name = "projects"
    label = "projects"

    def ready(self) -> None:
        """Importing declares them."""
        from django.db.models.signals import post_migrate, pre_migrate

        from iam.cache import kept, triggers
        from projects import (  # noqa: F401 - Django allows models only from here on
            api,
            api_administrators,
            api_app_keys,
            api_apps,
            api_authorizations,
            api_grants,
            api_system,
            api_v1,
            api_v1_apps,
            api_v1_grants,
            api_v1_members,
            api_v1_mine,
            api_v1_user_grants,
            cascades,
            projection,
        )
        from projects.models import AppRow, ProjectGrantRow, ProjectRow, UserGrantRow

        ended = ("UPDATE", "DELETE")  # a new project or grant changes no answer that was given before
        triggers.watch(kept.OIDC, AppRow)
        triggers.watch(kept.OIDC, ProjectRow, on=ended)
        triggers.watch(kept.MEMBERSHIPS, ProjectGrantRow, on=ended)
        triggers.watch(kept.MEMBERSHIPS, UserGrantRow, per="user_id")
        pre_migrate.connect(_take_away, sender=self, dispatch_uid="kept_by_database")
        post_migrate.connect(_put, sender=self, dispatch_uid="kept_by_database")


def _take_away(using: str, plan: Any, **_: Any) -> None:
    """Before migrations, if there are any: SQLite makes no table anew that a trigger names."""
    from projections import by_database
    from projects import role_keys, user_names

    if plan:
        by_database.take_away(user_names.KEPT, using)
        by_database.take_away(role_keys.KEPT, using)


def _put(using: str, **_: Any) -> None:
    """After each migration: SQLite loses triggers when it makes a table anew."""
    from projects import role_keys, user_names

    user_names.put(using)
    role_keys.put(using)
