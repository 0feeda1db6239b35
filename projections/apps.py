"""Django application of the engine."""

from django.apps import AppConfig


class ProjectionsConfig(AppConfig):
    """Checkpoints, and the statistics that the engine itself keeps."""

    name = "projections"
    label = "projections"

    def ready(self) -> None:
        """Register what the engine itself keeps."""
        from eventstore.partitions import make_partitions
        from projections import statistics  # noqa: F401 - importing declares it
        from projections.periodic import hourly

        hourly(make_partitions)
