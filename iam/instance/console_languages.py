"""The console's page of languages: the one of pages and mails, and which ones are offered."""

from collections.abc import Mapping
from typing import Any

from django import forms

from iam.console.kit import FormPage, Outcome, Path
from iam.console.parts import choice_field, ticks_field
from iam.console.site import add_pages
from iam.instance import commands, queries
from iam.instance.domain.values import LANGUAGES
from iam.instance.setting_commands import set_restrictions
from iam.instance.setting_queries import get_instance_settings
from iam.kernel.context import Context

WORDS = {"en": "English", "de": "German", "es": "Spanish"}
OFFERED = [(code, WORDS[code]) for code in LANGUAGES]
ALL = "None chosen = all of them."


class LanguagesForm(forms.Form):
    """Languages."""

    language = choice_field(
        "Language of pages and mails", OFFERED, hint="Where neither person nor browser asks for one."
    )
    allowed = ticks_field("Offered to people", OFFERED, hint=ALL)


def _save(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    allowed = tuple(values["allowed"])
    if allowed != _allowed(ctx):
        set_restrictions(ctx, values={"allowed_languages": allowed})
    commands.set_default_language(ctx, language=values["language"])
    return Outcome("instance?tab=settings", "Languages: saved.")


def _allowed(ctx: Context) -> tuple[str, ...]:
    return tuple(get_instance_settings(ctx, needs="iam.restrictions.read").restrictions.allowed_languages)


def _initial(ctx: Context, path: Path) -> Mapping[str, Any]:
    return {"language": queries.get_instance(ctx).default_language, "allowed": _allowed(ctx)}


add_pages(
    FormPage(
        "instance/languages",
        "Languages",
        "instance",
        _save,
        LanguagesForm,
        initial=_initial,
        back="instance?tab=settings",
    )
)
