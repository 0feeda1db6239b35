"""Django application that carries the commands of the frame."""

from django.apps import AppConfig


class FrameConfig(AppConfig):
    """Commands, and a look at every new database connection."""

    name = "iam.management"
    label = "frame"

    def ready(self) -> None:
        """Start looking; declare what only set-up can do."""
        from django.db.backends.signals import connection_created

        from iam.management import cleaning  # noqa: F401 - importing declares it
        from iam.settings.pooler import look_at
        from iam.setup import api  # noqa: F401 - likewise

        connection_created.connect(look_at, dispatch_uid="pooler")
