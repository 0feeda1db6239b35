"""How the console's templates draw a value."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms, template
from django.forms.boundfield import BoundField
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from iam.console import site
from iam.console.kit import Column, filled
from iam.console.signin import HOME

register = template.Library()

TONES = {
    "active": "ok",
    "verified": "ok",
    "inactive": "quiet",
    "locked": "error",
    "initial": "warn",
    "expired": "warn",
    "primary": "info",
    "removed": "error",
    "stopped": "error",
    "failed": "error",
    "queued": "warn",
    "following": "info",
    "sent": "ok",
    "up to date": "ok",
}
SIGNS = re.compile(r"(?<=[@.-])")
NOTHING = mark_safe('<span class="muted">–</span>')


@register.simple_tag
def cell(column: Column, row: Any, names: Mapping[str, str]) -> SafeString:
    """A value of a row, drawn by its kind, linked where the column says so; an id by its name where that is known."""
    value = column.value(row)
    drawn = _drawn("text", names[value]) if column.names and value in names else _drawn(column.kind, value)
    if column.link and drawn is not NOTHING:
        return format_html('<a href="{}">{}</a>', HOME + filled(column.link, row), drawn)
    return drawn


def _drawn(kind: str, value: Any) -> SafeString:
    if value is None or value in ("", [], ()):
        return NOTHING if kind != "yesno" else format_html("{}", "no")
    match kind:
        case "time":
            return _time(value)
        case "state":
            return state_badge(value)
        case "code":
            return format_html('<code class="id">{}</code>', value)
        case "yesno":
            return format_html("{}", "yes" if value else "no")
        case "address":
            return format_html('<span class="address">{}</span>', _breakable(value))
        case "long":
            return format_html('<pre class="long">{}</pre>', value)
        case "list":
            return format_html_join(" ", '<span class="chip">{}</span>', ((item,) for item in value))
    return format_html("{}", value)


def _breakable(value: str) -> SafeString:
    """An address or login name that goes on in the next line after a sign of its own."""
    return format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in SIGNS.split(value)))


def _time(value: datetime) -> SafeString:
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), f"{value:%Y-%m-%d %H:%M}")


@register.simple_tag
def state_badge(value: Any) -> SafeString:
    """A state as a badge; its tone follows the word."""
    word = str(value).lower()
    return format_html('<span class="badge badge-{}">{}</span>', TONES.get(word, "quiet"), word)


@register.filter
def is_tick(field: BoundField) -> bool:
    """Whether the field is one box to tick."""
    return isinstance(field.field.widget, forms.CheckboxInput)


@register.filter
def is_ticks(field: BoundField) -> bool:
    """Whether the field is a group of boxes to tick or choose from."""
    return isinstance(field.field.widget, forms.CheckboxSelectMultiple | forms.RadioSelect)


@register.filter
def section_name(section: str) -> str:
    """The menu's word for a section's address."""
    return site.label_of(section) or section.rsplit("/", 1)[-1].replace("-", " ").capitalize() or "Home"
