"""Texts and ids of refusals; collected by the access room, which the console shares."""

from iam.access.catalog import catalog, id_of, text_of

__all__ = ["catalog", "id_of", "text_of"]
