"""Files of a branding: known by their content, small, and without anything that runs (checklist N03, H05).

Pictures of dots are decoded within limits and written anew as PNG, which drops everything but the dots. A drawing (SVG)
is parsed without entities and refused when it holds script, foreign content or references to other addresses.
"""

import io
import re
import warnings
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException
from PIL import Image

from iam.kernel.errors import InvalidInput

MOST_BYTES = 512 * 1024
MOST_FONT_BYTES = 1024 * 1024
MOST_DOTS = 4096 * 4096
LONGEST_SIDE = 4096
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
FONTS = {
    b"wOF2": "font/woff2",
    b"wOFF": "font/woff",
    b"\x00\x01\x00\x00": "font/ttf",
    b"true": "font/ttf",
    b"OTTO": "font/otf",
}
SVG = "image/svg+xml"
# fmt: off
DRAWN = frozenset((
    "svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan", "title",
    "desc", "defs", "lineargradient", "radialgradient", "stop", "clippath", "mask", "pattern", "symbol", "use",
    "marker", "filter", "fegaussianblur", "feoffset", "feblend", "feflood", "fecomposite", "fecolormatrix",
    "femerge", "femergenode", "metadata",
))
# fmt: on
"""Elements of a drawing that only draw."""
REACHES_OUT = re.compile(r"(?:url\(\s*['\"]?(?!#)|javascript:|expression\(|@import)", re.IGNORECASE)


@dataclass(frozen=True)
class Checked:
    """A file that may be kept and served."""

    content: bytes
    content_type: str


def checked_asset(asset: str, content: bytes) -> Checked:
    """A file for its place in the branding; raises InvalidInput."""
    most = MOST_FONT_BYTES if asset == "font" else MOST_BYTES
    if len(content) > most:
        raise InvalidInput("setting.asset_too_large", field="file", reason=f"at most {most} bytes")
    if asset == "font":
        return _font(content)
    head = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:5]
    return _drawing(content) if head in (b"<?xml", b"<svg ", b"<svg>", b"<svg\n", b"<!--\n") else _picture(content)


def _font(content: bytes) -> Checked:
    kind = FONTS.get(content[:4])
    if kind is None:
        raise InvalidInput("setting.asset_invalid", field="file", reason="woff2, woff, ttf or otf")
    return Checked(content, kind)


def _picture(content: bytes) -> Checked:
    try:
        return Checked(_drawn_anew(content), "image/png")
    except InvalidInput:
        raise
    except Exception as wrong:  # a decoder of foreign bytes: Pillow promises no list of what its plugins raise
        raise InvalidInput("setting.asset_invalid", field="file", reason="png, jpeg, webp, gif or svg") from wrong


def _drawn_anew(content: bytes) -> bytes:
    drawn = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            opened = Image.open(io.BytesIO(content), formats=FORMATS)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as bomb:
            raise _too_wide() from bomb
        with opened:
            if opened.width * opened.height > MOST_DOTS or max(opened.size) > LONGEST_SIDE:
                raise _too_wide()
            opened.convert("RGBA").save(drawn, "PNG")
    return drawn.getvalue()


def _too_wide() -> InvalidInput:
    return InvalidInput("setting.asset_too_large", field="file", reason=f"{LONGEST_SIDE} dots a side")


def _drawing(content: bytes) -> Checked:
    try:
        root = ElementTree.fromstring(content, forbid_dtd=True, forbid_entities=True, forbid_external=True)
        _must_only_draw(root)
        return Checked(ElementTree.tostring(root, encoding="utf-8"), SVG)
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError, RecursionError) as wrong:
        raise InvalidInput("setting.asset_invalid", field="file", reason="not a plain SVG") from wrong


def _must_only_draw(root: Element) -> None:
    for element in root.iter():
        name = _local(element.tag)
        if name not in DRAWN or any(_is_live(key, value) for key, value in element.attrib.items()):
            raise InvalidInput("setting.asset_invalid", field="file", reason=f"not allowed in a drawing: {name[:30]}")


def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2].lower()


def _is_live(name: str, value: str) -> bool:
    key = _local(name)
    reaches = key == "href" and not value.startswith("#")
    return key.startswith("on") or reaches or bool(REACHES_OUT.search(value))
