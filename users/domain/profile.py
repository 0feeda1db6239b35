"""What is known of a person, and the grammar of addresses and numbers."""

import re
import unicodedata
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import phonenumbers

from eventstore.events import camel
from iam.kernel.errors import InvalidInput
from iam.kernel.texts import is_deceptive
from orgs.domain.names import find_domain

LONGEST = 200
LONGEST_EMAIL = 200
LOCAL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+")
"""The part before the @, once letters beyond ASCII are left out (HTML Living Standard)."""
LONGEST_LOCAL = 64  # octets (RFC 5321 §4.5.3.1.1)
BEYOND_ASCII = ("L", "M", "N")
"""General categories of what an address may hold beyond ASCII: letters, marks, digits; nothing that is not seen."""
LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*")
UNDETERMINED = "und"
"""The tag of a language that is not known (BCP 47): clients send it, and read it where we know none."""
GENDERS = 3
HOME = "CH"
"""The country of a number that names none."""
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
    """An address as it may be stored, in any script (RFC 6531 §3.3; checklist U02); raises InvalidInput."""
    local, _, domain = unicodedata.normalize("NFC", email.strip(" ")).rpartition("@")
    found = find_domain(domain)
    address = f"{local}@{domain if domain.isascii() else found}"  # letters of ASCII stay in the case they came in
    if len(address) > LONGEST_EMAIL or not found or domain.strip() != domain or not _is_local(local):
        raise InvalidInput("user.email_invalid", field="email")
    return address


def _is_local(text: str) -> bool:
    beyond = [sign for sign in text if not sign.isascii()]
    plain = "".join("a" if sign in beyond else sign for sign in text)
    is_visible = all(unicodedata.category(sign)[0] in BEYOND_ASCII for sign in beyond)
    return is_visible and len(text.encode()) <= LONGEST_LOCAL and ".." not in text and bool(LOCAL.fullmatch(plain))


def find_phone(text: str) -> str:
    """The number that a text is, as it is kept (E.164); empty for any other text, also a number without its country:
    what is typed to sign in may be a name.

    `00` stands for `+`, as most people dial it (ITU-T E.123).
    """
    return _number(re.sub(r"^\s*00", "+", text), None)


def checked_phone(phone: str) -> str:
    """A number in E.164; raises InvalidInput. One without its country is of HOME, as for the reference."""
    if not (number := find_phone(phone) or _number(phone, HOME)):
        raise InvalidInput("user.phone_invalid", field="phone")
    return number


def _number(text: str, region: str | None) -> str:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return ""
    if not SHORTEST_NUMBER <= len(str(number.national_number)) <= LONGEST_NUMBER:
        return ""
    if region and not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
