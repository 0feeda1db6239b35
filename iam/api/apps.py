"""Django application of the room."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Commands of the API kit; what it cleans up."""

    name = "iam.api"
    label = "api"

    def ready(self) -> None:
        """Importing declares it."""
        from iam.api import cleaning  # noqa: F401 - Django allows models only from here on
