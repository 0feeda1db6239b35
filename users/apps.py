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
            api_features,
            api_orgs,
            api_sessions,
            authenticate,
            cascades,
            cleaning,
            projection,
            reactions,
        )
