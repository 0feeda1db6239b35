"""Django application that carries the commands of the frame."""

from django.apps import AppConfig


class FrameConfig(AppConfig):
    """Commands only."""

    name = "iam.management"
    label = "frame"
