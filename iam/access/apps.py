"""Django application of the room."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    """Registers the memberships projection."""

    name = "iam.access"
    label = "access"

    def ready(self) -> None:
        """Importing declares the projection."""
        from iam.access import projection  # noqa: F401 - Django allows models only from here on
