"""Form fields as the console draws them."""

from typing import Any

from django import forms


def _input(**more: str) -> dict[str, str]:
    return {"class": "input", "autocomplete": "off", **more}


def text_field(
    label: str, longest: int, *, required: bool = True, hint: str = "", initial: str = ""
) -> forms.CharField:
    """A line of text."""
    widget = forms.TextInput(attrs=_input())
    return forms.CharField(
        label=label, max_length=longest, required=required, help_text=hint, initial=initial, widget=widget
    )


def email_field(label: str, *, required: bool = True) -> forms.CharField:
    """An e-mail address; its grammar is the command's."""
    return forms.CharField(label=label, max_length=200, required=required, widget=forms.EmailInput(attrs=_input()))


def password_field(label: str, *, required: bool = True, hint: str = "") -> forms.CharField:
    """A password."""
    widget = forms.PasswordInput(attrs=_input(autocomplete="new-password"))
    return forms.CharField(label=label, max_length=200, required=required, help_text=hint, strip=False, widget=widget)


def lines_field(label: str, *, required: bool = False, hint: str = "", **attrs: str) -> "LinesField":
    """One value per line."""
    widget = forms.Textarea(attrs=_input(rows="3", spellcheck="false", **attrs))
    return LinesField(label=label, required=required, help_text=hint, widget=widget)


class LinesField(forms.CharField):
    """Lines as a tuple, blank ones left out."""

    def prepare_value(self, value: Any) -> Any:
        """A list as lines."""
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> Any:
        """Lines as a tuple."""
        return tuple(line.strip() for line in (super().clean(value) or "").splitlines() if line.strip())


def choice_field(label: str, choices: Any, *, required: bool = True, hint: str = "") -> forms.ChoiceField:
    """One of a few."""
    widget = forms.Select(attrs={"class": "input"})
    return forms.ChoiceField(label=label, choices=choices, required=required, help_text=hint, widget=widget)


def ticks_field(label: str, choices: Any, *, required: bool = False, hint: str = "") -> forms.MultipleChoiceField:
    """Several of a few."""
    return forms.MultipleChoiceField(
        label=label, choices=choices, required=required, help_text=hint, widget=forms.CheckboxSelectMultiple
    )


def number_field(label: str, least: int, most: int, *, hint: str = "") -> forms.IntegerField:
    """A whole number."""
    widget = forms.NumberInput(attrs=_input())
    return forms.IntegerField(label=label, min_value=least, max_value=most, help_text=hint, widget=widget)


def tick_field(label: str, *, hint: str = "") -> forms.BooleanField:
    """Yes or no."""
    return forms.BooleanField(label=label, required=False, help_text=hint)
