"""Texts of hosted login pages of one's own (settings.v2): kept per level and language, merged when read.

The pages of this server have their own texts; these serve login pages that people build against the API.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from iam.instance.domain.translations import checked_locale
from iam.instance.models import SettingRow
from iam.kernel.context import Context


def get_translation(ctx: Context, *, level: str, org_id: str, locale: str, inherit: bool) -> tuple[dict[str, Any], str]:
    """Texts of a level and language, over those of the levels above and of the language without region; and a hash."""
    ctx.require("iam.policy.read", ctx.instance)
    owners = {"system": (), "instance": (ctx.instance,), "organization_id": (ctx.instance, org_id)}[level]
    language = checked_locale(locale)
    tags = dict.fromkeys((language.split("-", maxsplit=1)[0], language)) if inherit else (language,)
    merged: dict[str, Any] = {}
    for owner in owners if inherit else owners[-1:]:
        for tag in tags:
            row = SettingRow.objects.filter(instance_id=ctx.instance, owner=owner, kind=f"translation_{tag}").first()
            merged = _over(merged, row.values if row else {})
    return merged, etag_of(merged)


def etag_of(texts: Mapping[str, Any]) -> str:
    """32 characters that change with the texts; not a secret."""
    return hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()[:32]


def _over(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(below)
    for name, value in above.items():
        before = made.get(name)
        made[name] = _over(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return made
