"""What is known of a person, and the grammar of addresses and numbers."""

import re
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import phonenumbers

from eventstore.events import camel
from iam.kernel.errors import InvalidInput
from iam.kernel.texts import is_deceptive

LONGEST = 200
LONGEST_EMAIL = 200
EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?=.{1,253}$)"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*")
UNDETERMINED = "und"
"""The tag of a language that is not known (BCP 47): clients send it, and read it where we know none."""
GENDERS = 3
SHORTEST_NUMBER, LONGEST_NUMBER = 4, 14  # national digits; which ranges are in use is not for us to know


@dataclass(frozen=True)
class Profile:
    """Names, language (BCP 47) and gender (0 unspecified, 1 female, 2 male, 3 diverse)."""

    first_name: str = ""
    last_name: str = ""
    nick_name: str = ""
    display_name: str = ""
    preferred_language: str = ""
    gender: int = 0

    def checked(self) -> Self:
        """The profile with a display name; raises InvalidInput naming the field."""
        for name, least in (("first_name", 1), ("last_name", 1), ("nick_name", 0), ("display_name", 0)):
            value = getattr(self, name)
            if not least <= len(value.strip()) <= LONGEST or is_deceptive(value):
                raise InvalidInput("user.profile_invalid", field=camel(name), reason=f"{least} to {LONGEST} characters")
        if self.preferred_language and not LANGUAGE.fullmatch(self.preferred_language):
            raise InvalidInput("user.language_invalid", field="preferredLanguage")
        if not 0 <= self.gender <= GENDERS:
            raise InvalidInput("user.gender_invalid", field="gender")
        shown = self.display_name.strip() or f"{self.first_name} {self.last_name}"
        return replace(self, display_name=shown, preferred_language=known_language(self.preferred_language))

    def as_fact(self) -> dict[str, Any]:
        """The fields as facts name them."""
        return asdict(self)

    def difference(self, other: "Profile") -> dict[str, Any]:
        """The fields in which this profile differs from another."""
        return {name: value for name, value in asdict(self).items() if value != getattr(other, name)}


def known_language(tag: str) -> str:
    """The language that a tag names; empty when it names none."""
    return "" if tag == UNDETERMINED else tag


def checked_email(email: str) -> str:
    """An address as it may be stored; raises InvalidInput (HTML Living Standard's grammar; checklist U02)."""
    address = email.strip(" ")
    if len(address) > LONGEST_EMAIL or not EMAIL.fullmatch(address) or ".." in address:
        raise InvalidInput("user.email_invalid", field="email")
    return address


def find_phone(text: str) -> str:
    """The number that a text is, as it is kept (E.164); empty for any other text, also a number without its country.

    `00` stands for `+`, as most people dial it (ITU-T E.123).
    """
    try:
        return checked_phone(re.sub(r"^\s*00", "+", text))
    except InvalidInput:
        return ""


def checked_phone(phone: str) -> str:
    """A number in E.164; raises InvalidInput."""
    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        raise InvalidInput("user.phone_invalid", field="phone") from None
    if not SHORTEST_NUMBER <= len(str(number.national_number)) <= LONGEST_NUMBER:
        raise InvalidInput("user.phone_invalid", field="phone")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
