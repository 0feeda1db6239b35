"""Django application of the room."""

from django.apps import AppConfig


class ActionsConfig(AppConfig):
    """Registers the projections, the follower, the sending and the API."""

    name = "iam.actions"
    label = "actions"

    def ready(self) -> None:
        """Importing declares them."""
        from iam.actions import (  # noqa: F401 - Django allows models only from here on
            api,
            following,
            keeping,
            projection,
            sending,
        )
