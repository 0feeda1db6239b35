"""Django application of the room."""

from django.apps import AppConfig


class OidcConfig(AppConfig):
    """Registers the projection and the authenticators."""

    name = "oidc"
    label = "oidc"

    def ready(self) -> None:
        """Importing declares them."""
        from oidc import api, api_keys, authenticate, cleaning, cors, projection  # noqa: F401 - Django allows models only from here on
