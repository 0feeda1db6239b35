"""Django application of the room."""

from django.apps import AppConfig


class UsageConfig(AppConfig):
    """Milestones and the usage report."""

    name = "iam.usage"
    label = "usage"

    def ready(self) -> None:
        """Importing declares projections, methods and the hourly work."""
        from iam.usage import api, following, projection, report  # noqa: F401 - Django allows models only from here on
