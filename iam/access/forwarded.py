"""The `Forwarded` header of proxies, read strictly (RFC 7239 §4)."""

import re
from collections.abc import Mapping

NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
UNQUOTED = r"[!#$%&'*+.^_`|~0-9A-Za-z:\[\]-]+"
"""A token, and what many proxies write without the quotation marks that a colon needs."""
PAIR = re.compile(rf'({NAME})=(?:({UNQUOTED})|"((?:[^"\\]|\\.)*)")', re.ASCII)
QUOTED_PAIR = re.compile(r"\\(.)")
SPACE = " \t"
MOST_ELEMENTS = 20
Element = Mapping[str, str]


def elements_of(header: str) -> list[Element]:
    """One element per proxy, the nearest last, each with its parameters in lower case; raises ValueError.

    What is malformed anywhere is believed nowhere: an open quotation mark of a client would swallow a proxy's element.
    """
    found: list[Element] = []
    for part in _split(header, ","):
        if part.strip(SPACE):
            found.append(_element(part))
    if len(found) > MOST_ELEMENTS:
        raise ValueError("too many elements")
    return found


def node_of(element: Element) -> str:
    """The address in `for`, without its port and brackets; empty where there is none or it is hidden (§6)."""
    node = element.get("for", "")
    if node.startswith("["):
        return node[1:].partition("]")[0]
    return node.partition(":")[0]


def _element(text: str) -> Element:
    pairs: dict[str, str] = {}
    for one in _split(text, ";"):
        if not one.strip(SPACE):
            continue
        matched = PAIR.fullmatch(one.strip(SPACE))
        if matched is None or matched[1].lower() in pairs:
            raise ValueError("not a parameter of Forwarded, or one that comes twice")
        pairs[matched[1].lower()] = QUOTED_PAIR.sub(r"\1", matched[3]) if matched[2] is None else matched[2]
    return pairs


def _split(text: str, separator: str) -> list[str]:
    """Split where no quoted string is open; raises ValueError for one that is never closed."""
    parts, start, quoted, position = [], 0, False, 0
    while position < len(text):
        letter = text[position]
        if quoted and letter == "\\":
            position += 1
        elif letter == '"':
            quoted = not quoted
        elif letter == separator and not quoted:
            parts.append(text[start:position])
            start = position + 1
        position += 1
    if quoted:
        raise ValueError("a quotation mark is never closed")
    return [*parts, text[start:]]
