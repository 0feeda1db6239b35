"""Django application of the room."""

from typing import Any

from django.apps import AppConfig


class CacheConfig(AppConfig):
    """Puts the triggers after each migration: SQLite loses them when it rebuilds a table, new tables have none yet."""

    name = "iam.cache"
    label = "cache"

    def ready(self) -> None:
        """Wait for the end of migrations."""
        from django.db.models.signals import post_migrate

        post_migrate.connect(_put, dispatch_uid="cache_triggers")


def _put(app_config: AppConfig, using: str, **_: Any) -> None:
    from django.apps import apps

    from iam.cache.triggers import put

    last = [one.label for one in apps.get_app_configs() if one.models_module][-1]
    if app_config.label == last:  # the signal comes once per app that has models; at the last one all tables are there
        put(using)
