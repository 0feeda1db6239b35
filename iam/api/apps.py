"""Django application of the room."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Commands and health checks of the API kit; what it cleans up."""

    name = "iam.api"
    label = "api"

    def ready(self) -> None:
        """Importing registers the methods of the kit itself, and what it cleans up."""
        from iam.api import cleaning, grpc_health, health, routes  # noqa: F401 - models are allowed from here on only
