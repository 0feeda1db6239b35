"""Django application of the room."""

from django.apps import AppConfig


class LoginConfig(AppConfig):
    """The hosted login."""

    name = "iam.login"
    label = "login"
