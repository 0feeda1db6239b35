"""Texts of hosted login pages of one's own: what may be kept."""

import json
import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from eventstore.events import Event, event
from iam.kernel.errors import InvalidInput

LOCALE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")
MOST_BYTES = 200_000


class TranslationSet(Event):
    """Family: texts of a language were replaced."""

    translation: Mapping[str, Any]
    language: str


@event("instance.hosted_login_translation.set")
class InstanceTranslationSet(TranslationSet):
    """Texts for the whole instance."""

    translation: dict[str, Any] = field(default_factory=dict)
    language: str = ""
    level: str = "instance"
    level_id: str = ""


@event("org.hosted_login_translation.set")
class OrgTranslationSet(TranslationSet):
    """Texts for one organization."""

    translation: dict[str, Any] = field(default_factory=dict)
    language: str = ""
    level: str = "org"
    level_id: str = ""


def checked_locale(locale: str) -> str:
    """A language tag; raises InvalidInput."""
    if not LOCALE.fullmatch(locale):
        raise InvalidInput("instance.language_unknown", field="locale", reason=locale[:20])
    return locale


def checked_texts(texts: Mapping[str, Any]) -> dict[str, Any]:
    """Texts that can be kept; raises InvalidInput."""
    if len(json.dumps(texts)) > MOST_BYTES:
        raise InvalidInput("setting.translation_too_large", field="translations")
    return dict(texts)
