"""Forms of the console's pages of users."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms

from iam.console.kit import Path
from iam.console.parts import choice_field, email_field, password_field, text_field, tick_field
from iam.console.picking import picked_field
from iam.kernel.context import Context
from orgs.queries import list_orgs

LANGUAGES = (("", "Not set"), ("en", "English"), ("de", "German"), ("es", "Spanish"))
TOKENS = (("0", "Opaque"), ("1", "JWT"))
OVERLAPS = (
    ("0", "stops working at once"),
    ("1", "works for 1 more hour"),
    ("24", "works for 24 more hours"),
    ("168", "works for 7 more days"),
)
"""What becomes of the secret before: hours, and how they are told."""


def human_form(ctx: Context, path: Path) -> type[forms.Form]:
    """A new person."""

    class HumanForm(forms.Form):
        org = picked_field("Organization", list_orgs(ctx), first=ctx.org_id)
        first_name = text_field("Given name", 200)
        last_name = text_field("Family name", 200)
        email = email_field("E-mail")
        email_verified = tick_field("The address is verified")
        user_name = text_field("User name", 200, required=False, hint="Left empty, the e-mail address is used.")
        password = password_field("Initial password", required=False, hint="To be changed at the first sign-in.")

    return HumanForm


def machine_form(ctx: Context, path: Path) -> type[forms.Form]:
    """A new service user."""

    class MachineForm(forms.Form):
        org = picked_field("Organization", list_orgs(ctx), first=ctx.org_id)
        user_name = text_field("User name", 200, hint="Also the client id of client credentials.")
        name = text_field("Name", 200)
        description = text_field("Description", 500, required=False)
        access_token_type = choice_field("Access tokens", TOKENS)

    return MachineForm


class ProfileForm(forms.Form):
    """What is known of a person."""

    first_name = text_field("Given name", 200)
    last_name = text_field("Family name", 200)
    nick_name = text_field("Nickname", 200, required=False)
    display_name = text_field("Display name", 200, required=False)
    preferred_language = choice_field("Language", LANGUAGES, required=False)


class EmailForm(forms.Form):
    """An address."""

    email = email_field("E-mail")
    verified = tick_field("The address is verified")


class PhoneForm(forms.Form):
    """A number."""

    phone = text_field(
        "Phone", 50, required=False, hint="With the country code, as in +41 79 123 45 67. Empty removes it."
    )
    verified = tick_field("The number is verified")


class PasswordForm(forms.Form):
    """A password."""

    password = password_field("New password")
    change_required = tick_field("Must be changed at the next sign-in")


class UserNameForm(forms.Form):
    """A user name."""

    user_name = text_field("User name", 200)


class PatForm(forms.Form):
    """A token."""

    expires_on = forms.DateField(
        label="Expires on",
        required=False,
        help_text="Left empty, it does not expire.",
        widget=forms.DateInput(attrs={"class": "input", "type": "date"}),
    )
    scopes = text_field(
        "Scopes", 1000, required=False, hint="Separated by spaces. Left empty, the token reaches the whole API."
    )


class SecretForm(forms.Form):
    """A new client secret."""

    keep_hours = choice_field(
        "The secret before",
        OVERLAPS,
        hint="While both work, the applications that use it can be given the new one without a refused request.",
    )


def kept(values: Mapping[str, Any]) -> timedelta:
    """How long the secret before still works."""
    return timedelta(hours=int(values["keep_hours"]))
