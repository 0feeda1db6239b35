"""Django application of the engine."""

from django.apps import AppConfig


class ProjectionsConfig(AppConfig):
    """Checkpoints, and the statistics that the engine itself keeps."""

    name = "projections"
    label = "projections"
