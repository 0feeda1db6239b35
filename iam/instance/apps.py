"""Django application of the room."""

from django.apps import AppConfig


class InstanceConfig(AppConfig):
    """Registers the projection, the host finder and the API."""

    name = "iam.instance"
    label = "instance"

    def ready(self) -> None:
        """Importing declares them."""
        from iam.cache import kept, triggers
        from iam.instance import (  # noqa: F401 - Django allows models only from here on
            api,
            api_features,
            api_instance,
            api_log,
            api_older,
            api_policies,
            api_settings,
            api_system,
            cascades,
            projection,
            projection_settings,
            queries,
        )
        from iam.instance.models import InstanceRow, SettingRow

        for table in (InstanceRow, SettingRow):
            triggers.watch(kept.ORGANIZATION, table)
