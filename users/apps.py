"""Django application of the room."""

from django.apps import AppConfig


class UsersConfig(AppConfig):
    """Registers projections, authenticators and the API."""

    name = "users"
    label = "users"

    def ready(self) -> None:
        """Importing declares them."""
        from users import (  # noqa: F401 - Django allows models only from here on
            api,
            api_administrators,
            api_codes,
            api_credentials,
            api_features,
            api_metadata,
            api_orgs,
            api_sessions,
            api_v1,
            api_v1_humans,
            api_v1_machines,
            api_v1_metadata,
            api_v1_mine,
            api_v1_orgs,
            authenticate,
            cascades,
            cleaning,
            owners,
            projection,
            projection_sessions,
            ranks,
            reactions,
            resets,
        )
