"""Django application of the room."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class ConsoleConfig(AppConfig):
    """Collects the pages that the rooms declare."""

    name = "iam.console"
    label = "console"

    def ready(self) -> None:
        """Import `console` of every installed app: that registers its pages."""
        autodiscover_modules("console")
