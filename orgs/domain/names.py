"""Domain names in any script (IDNA 2008): their two spellings, and the label that a name of an organization becomes."""

import re
import unicodedata

import idna
from idna.idnadata import codepoint_classes
from idna.intranges import intranges_contain

DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
LONGEST_LABEL, LONGEST_DOMAIN = 63, 253
SEEN = ("L", "M", "N")
"""General categories of what a domain may hold beyond ASCII: what is mapped to nothing hides something."""
NAMELESS = "org"
"""The label of a name in which nothing can stand in a domain."""


def find_domain(text: str) -> str:
    """A host name in lower case, with the letters that people read; empty for any other text."""
    name = text.strip().lower()
    if len(name) > LONGEST_DOMAIN:
        return ""
    if name.isascii():
        return name if DOMAIN.fullmatch(name) else ""
    if not all(sign.isascii() or unicodedata.category(sign)[0] in SEEN for sign in name):
        return ""
    try:
        in_ascii = idna.encode(name, uts46=True, std3_rules=True).decode()
        return idna.decode(in_ascii) if DOMAIN.fullmatch(in_ascii) else ""
    except (idna.IDNAError, UnicodeError):
        return ""


def ascii_of(domain: str) -> str:
    """A domain as name servers and certificates spell it."""
    if domain.isascii() or len(domain) > LONGEST_DOMAIN:
        return domain
    try:
        return idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return domain


def letters_of(domain: str) -> str:
    """A domain as people read it; itself where it cannot be read otherwise."""
    if "xn--" not in domain or len(domain) > LONGEST_DOMAIN:
        return domain
    try:
        return idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        return domain


def spellings(domain: str) -> set[str]:
    """How a domain that is typed may be kept."""
    lower = domain.lower()
    return {lower, find_domain(domain), letters_of(lower)} - {""} or {lower}


def folded(domain: str) -> str:
    """What two spellings of a domain have in common, and two domains that look alike in another case."""
    return unicodedata.normalize("NFC", letters_of(domain.lower())).casefold()


def label_of(name: str, *, tail: str = "", room: int = LONGEST_LABEL) -> str:
    """A name as one label, letters and digits of any script; as much of it as fits into `room` signs before a tail."""
    lower = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).lower())
    text = "".join(sign if _may_stand(sign) else "-" for sign in lower)
    text = re.sub("-+", "-", text).lstrip("-")[:LONGEST_LABEL]
    end = f"-{tail}" if tail else ""
    while text := _without_ends(text):
        if _is_label(text + end, room):
            return text + end
        text = text[:-1]
    return NAMELESS + end


def _may_stand(sign: str) -> bool:
    return bool(intranges_contain(ord(sign), codepoint_classes["PVALID"]))


def _without_ends(text: str) -> str:
    """Without hyphens around it, and without marks that belong to a letter which is not there."""
    text = text.strip("-")
    while text and unicodedata.category(text[0]).startswith("M"):
        text = text[1:].lstrip("-")
    return text


def _is_label(text: str, room: int) -> bool:
    try:
        return len(idna.alabel(text)) <= min(room, LONGEST_LABEL)
    except (idna.IDNAError, UnicodeError):
        return False  # too long, or letters that may not stand together (RFC 5893)
