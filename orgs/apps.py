"""Django application of the room."""

from django.apps import AppConfig


class OrgsConfig(AppConfig):
    """Registers the projection and the API."""

    name = "orgs"
    label = "orgs"

    def ready(self) -> None:
        """Importing declares them."""
        from iam.cache import kept, triggers
        from orgs import (  # noqa: F401 - Django allows models only from here on
            api,
            api_lists,
            api_policies,
            api_settings,
            api_v1,
            api_v1_metadata,
            cascades,
            projection,
        )
        from orgs.models import OrgRow

        for name in (kept.OIDC, kept.MEMBERSHIPS):
            triggers.watch(name, OrgRow, on=("UPDATE", "DELETE"), columns=("state", "primary_domain"))
