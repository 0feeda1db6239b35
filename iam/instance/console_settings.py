"""Console pages of settings, made from the table of kinds: for the instance, and for organizations over it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

from django import forms

from iam.console.kit import FormPage, Outcome, Path
from iam.console.parts import choice_field, lines_field, number_field, text_field, tick_field
from iam.instance import setting_commands as commands
from iam.instance.console_sheets import Sheet
from iam.instance.domain import kinds
from iam.instance.setting_commands import Place
from iam.instance.settings import InstanceSettings, Resolved
from iam.kernel.context import Context

MINUTE = timedelta(minutes=1)
THEMES = (("0", "As the device"), ("1", "Light"), ("2", "Dark"))
MOST_MINUTES = 60 * 24 * 3650


Whose = Callable[[Context, Path, str], Place]
Found = Callable[[Context, Path], InstanceSettings]


def form_of(sheet: Sheet) -> type[forms.Form]:
    """The form of a kind: a field per value, drawn by its type."""
    plain = sheet.kind.complete({})
    made = {name: _field(sheet, name, label, getattr(plain, name)) for name, label in sheet.labels.items()}
    return type("SettingForm", (forms.Form,), {"__doc__": sheet.title, **made})


def _field(sheet: Sheet, name: str, label: str, plain: Any) -> forms.Field:
    hint = sheet.hints.get(name, "")
    if name == "theme_mode":
        return choice_field(label, THEMES)
    match plain:
        case bool():
            return tick_field(label, hint=hint)
        case int():
            return number_field(label, 0, 36500, hint=hint)
        case timedelta():
            return number_field(label, 0, MOST_MINUTES, hint=hint)
        case tuple():
            return lines_field(label, hint=hint or "one per line")
    return text_field(label, 500, required=False, hint=hint)


def _values(sheet: Sheet, sent: Mapping[str, Any]) -> dict[str, Any]:
    plain = sheet.kind.complete({})
    made: dict[str, Any] = {}
    for name, value in sent.items():
        is_time = isinstance(getattr(plain, name), timedelta)
        made[name] = value * MINUTE if is_time else int(value) if name == "theme_mode" else value
    return made


def _initial(sheet: Sheet, found: Resolved) -> dict[str, Any]:
    values = {name: getattr(found.values, name) for name in sheet.labels}
    return {name: value // MINUTE if isinstance(value, timedelta) else value for name, value in values.items()}


@dataclass(frozen=True)
class Where:
    """Whose settings some pages change: their address, and how owner and values are found."""

    home: str
    section: str
    whose: Whose
    found: Found
    name: Callable[[Context, Path], str]

    @property
    def route(self) -> str:
        """The address as pages declare it."""
        return self.home.replace("{", "<").replace("}", ">")


def setting_pages(sheets: tuple[Sheet, ...], where: Where) -> list[FormPage]:
    """The pages that change settings below an address: one form per kind, and the activation of the branding."""
    pages = [_form_page(sheet, where) for sheet in sheets]

    def activate(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
        commands.activate_label(ctx, where.whose(ctx, path, "label"))
        return Outcome(f"{where.home.format(**path)}?tab=settings", "The branding is shown.")

    pages.append(
        FormPage(
            f"{where.route}/settings/branding/activate",
            "Activate the branding",
            where.section,
            activate,
            subject=where.name,
            submit="Activate",
            intro="The login pages show the branding that was prepared.",
            back=f"{where.home}?tab=settings",
        )
    )
    return pages


def _form_page(sheet: Sheet, where: Where) -> FormPage:
    def save(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
        place, told = where.whose(ctx, path, sheet.kind.name), _values(sheet, values)
        below = where.found(ctx, path).resolve(sheet.kind).values
        kept = {name: getattr(below, name) for name in sheet.kind.fields() if name not in (*told, *kinds.ASSETS)}
        is_own = place.aggregate.kind != "instance"
        commands.keep_setting(ctx, place, kind=sheet.kind.name, values={**(kept if is_own else {}), **told})
        return Outcome(f"{where.home.format(**path)}?tab=settings", f"{sheet.title}: saved.")

    def subject(ctx: Context, path: Path) -> str:
        resolved = where.found(ctx, path).resolve(sheet.kind)
        return f"{where.name(ctx, path)} · in force: values of the {origin_of(sheet, resolved)}"

    return FormPage(
        f"{where.route}/settings/{sheet.slug}",
        sheet.title,
        where.section,
        save,
        form_of(sheet),
        subject=subject,
        initial=lambda ctx, path: _initial(sheet, where.found(ctx, path).resolve(sheet.kind)),
        intro=sheet.intro,
        back=f"{where.home}?tab=settings",
    )


def origin_of(sheet: Sheet, found: Resolved) -> str:
    """Whose values hold: product, instance or organization."""
    if not found.is_default:
        return "organization"
    return "product" if found.values == sheet.kind.complete({}) else "instance"


def reset_pages(sheets: tuple[Sheet, ...], where: Where) -> list[FormPage]:
    """The pages that take an organization's own settings away."""

    def page(sheet: Sheet) -> FormPage:
        def reset(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
            commands.reset_setting(ctx, where.whose(ctx, path, sheet.kind.name), kind=sheet.kind.name)
            return Outcome(f"{where.home.format(**path)}?tab=settings", "The settings of the instance hold again.")

        return FormPage(
            f"{where.route}/settings/{sheet.slug}/reset",
            f"Reset: {sheet.title}",
            where.section,
            reset,
            subject=where.name,
            submit="Reset",
            intro="The organization gives its own settings up; those of the instance hold again.",
            danger=True,
            back=f"{where.home}?tab=settings",
        )

    return [page(sheet) for sheet in sheets]


@dataclass(frozen=True)
class Line:
    """One kind of settings in a list: whose values hold, and what they are."""

    slug: str
    title: str
    origin: str
    is_own: bool
    shown: str
    org_id: str = ""


def lines_of(settings: InstanceSettings, sheets: tuple[Sheet, ...]) -> list[Line]:
    """Every kind with its origin."""
    made = []
    for sheet in sheets:
        resolved = settings.resolve(sheet.kind)
        origin = origin_of(sheet, resolved)
        made.append(
            Line(sheet.slug, sheet.title, origin, not resolved.is_default, _summary(sheet, resolved), settings.org_id)
        )
    return made


def _summary(sheet: Sheet, found: Resolved) -> str:
    """What differs from the product's defaults."""
    plain = sheet.kind.complete({})
    changed = [
        f"{sheet.labels.get(part.name, part.name.replace('_', ' '))}: {_told(getattr(found.values, part.name))}"
        for part in fields(found.values)
        if part.name in sheet.labels and getattr(found.values, part.name) != getattr(plain, part.name)
    ]
    return "; ".join(changed) or "as the product comes"


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, timedelta):
        return str(value // MINUTE)
    return ", ".join(value) if isinstance(value, tuple) else str(value)
