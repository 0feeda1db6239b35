"""Django application of the log."""

from django.apps import AppConfig


class EventstoreConfig(AppConfig):
    """Two append-only tables, the claims and the keys of persons."""

    name = "eventstore"
    label = "eventstore"
