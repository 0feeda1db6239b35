"""Django application of the room."""

from django.apps import AppConfig


class VaultConfig(AppConfig):
    """The table of wrapped data keys."""

    name = "iam.vault"
    label = "vault"
