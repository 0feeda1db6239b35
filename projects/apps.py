"""Django application of the room."""

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    """Registers the projection and the API."""

    name = "projects"
    label = "projects"

    def ready(self) -> None:
        """Importing declares them."""
        from projects import api, api_app_keys, api_v1_mine, cascades, projection  # noqa: F401 - Django allows models only from here on
