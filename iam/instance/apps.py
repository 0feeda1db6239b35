"""Django application of the room."""

from django.apps import AppConfig


class InstanceConfig(AppConfig):
    """Registers the projection, the host finder and the API."""

    name = "iam.instance"
    label = "instance"

    def ready(self) -> None:
        """Importing declares them."""
        from iam.cache import kept, triggers
        from iam.instance import api, cascades, projection, queries  # noqa: F401 - Django allows models only from here on
        from iam.instance.models import InstanceRow

        triggers.watch(kept.ORGANIZATION, InstanceRow)
