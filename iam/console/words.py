"""Refusals as sentences."""

from iam.access.catalog import text_of
from iam.kernel.errors import Refusal


def told(refusal: Refusal) -> str:
    """What a person reads; names the reason where one is given."""
    return f"{text_of(refusal.code)}: {refusal.reason}" if refusal.reason else text_of(refusal.code)
