"""Django application of the room."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Commands of the API kit."""

    name = "iam.api"
    label = "api"
