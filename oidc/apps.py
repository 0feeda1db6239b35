"""Django application of the room."""

from django.apps import AppConfig


class OidcConfig(AppConfig):
    """Registers the projection and the authenticators."""

    name = "oidc"
    label = "oidc"

    def ready(self) -> None:
        """Importing declares them."""
        from iam.cache import kept, triggers
        from oidc import api, api_keys, api_v1_tokens, authenticate, cascades, cleaning, cors, projection  # noqa: F401 - Django allows models only from here on
        from oidc.models import WebKeyRow

        triggers.watch(kept.OIDC, WebKeyRow)
