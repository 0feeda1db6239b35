"""Django application of the room."""

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    """Mails and text messages that wait, were sent, or could not be."""

    name = "iam.outbox"
    label = "outbox"

    def ready(self) -> None:
        """Importing declares the work of the followers."""
        from iam.outbox import delivery  # noqa: F401 - Django allows models only from here on
