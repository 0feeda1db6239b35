"""Django application of the engine."""

from typing import Any

from django.apps import AppConfig, apps


class ProjectionsConfig(AppConfig):
    """Checkpoints, and the statistics that the engine itself keeps."""

    name = "projections"
    label = "projections"

    def ready(self) -> None:
        """Register what the engine itself keeps."""
        from django.db.models.signals import post_migrate

        from eventstore.partitions import make_partitions
        from projections import statistics  # noqa: F401 - importing declares it
        from projections.periodic import hourly

        hourly(make_partitions)
        post_migrate.connect(_put, dispatch_uid="indexes")


def _put(app_config: AppConfig, using: str, **_: Any) -> None:
    from projections import indexes

    last = [one.label for one in apps.get_app_configs() if one.models_module][-1]
    if app_config.label == last:  # the signal comes once per app that has models; at the last one all tables are there
        indexes.put(using)
