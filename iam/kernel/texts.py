"""Text that people read: what must not stand in it, because it shows something else than it says (checklist U01)."""

import re
import unicodedata

DECEPTIVE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u00ad\u200b\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Control characters, line ends, what turns the direction of the text, and what nobody sees. Joiners stay: Persian and
many signs need them."""
INVISIBLE = ("C", "Z")


def is_deceptive(text: str) -> bool:
    """Whether a text for people holds characters that hide, break or turn around what stands beside them."""
    return bool(DECEPTIVE.search(text)) or any(unicodedata.category(one) == "Cs" for one in text)


def is_plain(text: str) -> bool:
    """Whether every character of a word is one that is seen, and nothing in it is another way to write something."""
    if any(unicodedata.category(one).startswith(INVISIBLE) for one in text):
        return False
    return unicodedata.normalize("NFKC", text) == unicodedata.normalize("NFC", text)
