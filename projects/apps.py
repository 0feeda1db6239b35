"""Django application of the room."""

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    """Registers the projection and the API."""

    name = "projects"
    label = "projects"

    def ready(self) -> None:
        """Importing declares them."""
        from projects import (  # noqa: F401 - Django allows models only from here on
            api,
            api_administrators,
            api_app_keys,
            api_apps,
            api_authorizations,
            api_grants,
            api_v1,
            api_v1_apps,
            api_v1_grants,
            api_v1_members,
            api_v1_mine,
            api_v1_user_grants,
            cascades,
            projection,
        )
