"""Files of a branding: uploaded, checked by their content, served so that nothing in them runs."""

import io
import random
import struct
import tracemalloc
import zlib
from contextlib import suppress

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from iam.instance.images import LONGEST_SIDE, checked_asset
from iam.kernel.errors import InvalidInput
from tests.conftest import Api

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><rect width="1" height="1" fill="#123456"/></svg>'


def picture(width=8, height=8, kind="PNG", **more):
    made = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(made, kind, **more)
    return made.getvalue()


def upload(api, level, place, content, name="x.png"):
    file = SimpleUploadedFile(name, content)
    return api.client.post(f"/assets/v1/{level}/policy/label/{place}", {"file": file}, headers=api.headers)


@pytest.mark.parametrize("level", ["org", "instance"])
@pytest.mark.parametrize("place", ["logo", "logo/dark", "icon", "icon/dark"])
def test_a_picture_is_prepared_activated_served_and_removed(api, web, level, place):
    v1 = "management" if level == "org" else "admin"
    if level == "org":
        assert upload(api, level, place, picture()).status_code == 404  # no branding of its own yet
        api.post("/management/v1/policies/label", {})
    assert upload(api, level, place, picture()).status_code == 200
    field = {"logo": "logoUrl", "logo/dark": "logoUrlDark", "icon": "iconUrl", "icon/dark": "iconUrlDark"}[place]
    assert field not in api.get(f"/{v1}/v1/policies/label").json()["policy"]
    api.post(f"/{v1}/v1/policies/label/_activate")
    address = api.get(f"/{v1}/v1/policies/label").json()["policy"][field]
    served = web.get(address.removeprefix("http://localhost"))
    assert served.status_code == 200 and served["Content-Type"] == "image/png"
    assert served["X-Content-Type-Options"] == "nosniff" and "sandbox" in served["Content-Security-Policy"]
    gone = place.replace("/", "_")
    assert api.delete(f"/{v1}/v1/policies/label/{gone}").status_code == 200
    assert api.delete(f"/{v1}/v1/policies/label/{gone}").status_code == 404


def test_a_font_is_used_by_the_style_sheet(api, web, house):
    assert upload(api, "instance", "font", b"wOF2" + bytes(100), "f.woff2").status_code == 200
    api.post("/admin/v1/policies/label/_activate")
    styles = web.get(f"/ui/v2/branding/{house.instance}/1.css").content.decode()
    path = styles.split('url("')[1].split('"')[0]
    assert web.get(path)["Content-Type"] == "font/woff2"


def test_h05_a_drawing_is_served_as_a_download_and_in_a_sandbox(api, web, house):
    assert upload(api, "instance", "logo", SVG, "x.svg").status_code == 200
    address = api.get("/admin/v1/policies/label/_preview").json()["policy"]["logoUrl"]
    served = web.get(address.removeprefix("http://localhost"))
    assert served["Content-Type"] == "image/svg+xml" and served["Content-Disposition"].startswith("attachment")
    assert "default-src 'none'" in served["Content-Security-Policy"] and b"123456" in served.content


@pytest.mark.parametrize(
    "inside",
    [
        b"<script>alert(1)</script>",
        b'<rect onload="alert(1)"/>',
        b'<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">x</p></foreignObject>',
        b'<use href="https://evil.example/x#a"/>',
        b'<image href="https://evil.example/x.png"/>',
        b'<rect style="fill:url(https://evil.example/x)"/>',
        b"<style>@import 'https://evil.example/x'</style>",
        b'<a href="javascript:alert(1)"><rect/></a>',
        b'<animate attributeName="href" to="javascript:alert(1)"/>',
    ],
)
def test_n03_h05_a_drawing_with_anything_live_is_refused(inside):
    with pytest.raises(InvalidInput, match="asset_invalid"):
        checked_asset("logo", SVG.replace(b"<rect", inside + b"<rect", 1))


@pytest.mark.parametrize(
    "content",
    [
        b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "aaaa">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
        b"<svg ",
        b"<html><script>alert(1)</script></html>",
        b"GIF89a",
        b"",
        picture()[:40],
        b"%PDF-1.4",
    ],
)
def test_n03_what_is_no_picture_is_refused(content):
    with pytest.raises(InvalidInput, match="asset_invalid"):
        checked_asset("logo", content)


def test_n03_bombs_are_refused_and_what_is_hidden_in_a_picture_is_dropped():
    with pytest.raises(InvalidInput, match="too_large"):
        checked_asset("logo", picture(LONGEST_SIDE + 1, 1))
    with pytest.raises(InvalidInput, match="too_large"):
        checked_asset("logo", bytes(600 * 1024))
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    polyglot = picture(kind="JPEG", exif=exif) + b"<script>alert(1)</script>"
    kept = checked_asset("logo", polyglot)
    assert kept.content_type == "image/png"
    assert b"secret place" not in kept.content and b"script" not in kept.content


def png(width, height, *, bits=8, kind=2, chunks=()):
    """A PNG that announces a size and holds next to nothing."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0))
    more = b"".join(chunk(*one) for one in chunks)
    return b"\x89PNG\r\n\x1a\n" + head + more + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


def webp(side):
    """A lossless WebP of which only the head is there."""
    bits = (side - 1) | (side - 1) << 14
    body = b"WEBPVP8L" + struct.pack("<I", 5) + b"\x2f" + struct.pack("<I", bits) + b"\0"
    return b"RIFF" + struct.pack("<I", len(body)) + body


SIZES = [(100_000, 100_000), (2**31 - 1, 2**31 - 1), (2**31 - 1, 1), (13_000, 13_000), (20_000, 20_000), (4097, 4096)]
BOMBS = {
    **{f"png {width}x{height}": png(width, height) for width, height in SIZES},
    **{
        f"gif {side}": b"GIF89a" + struct.pack("<HHBBB", side, side, 0, 0, 0) + b"\x2c\0\0\0\0"
        for side in (65_535, 4097)
    },
    "webp 16384": webp(16_384),
    "png with an inflating profile": png(8, 8, chunks=[(b"iCCP", b"x\0\0" + zlib.compress(bytes(100_000_000)))]),
    "png with inflating text": png(8, 8, chunks=[(b"zTXt", b"x\0\0" + zlib.compress(bytes(100_000_000)))]),
    "png without dots": png(0, 0),
    "png of no depth": png(8, 8, bits=77, kind=77),
    "png that ends early": png(4000, 4000),
    "png of a broken chunk": png(8, 8)[:40] + b"\xff" * 200,
    "svg of 50,000 levels": b'<svg xmlns="http://www.w3.org/2000/svg">'
    + b"<g>" * 50_000
    + b"</g>" * 50_000
    + b"</svg>",
    "svg of surrogates": b'<svg xmlns="http://www.w3.org/2000/svg">&#xd800;</svg>',
    "svg of NUL": b'<svg xmlns="http://www.w3.org/2000/svg">&#0;\0</svg>',
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("level", ["org", "instance"])
def test_n03_no_picture_brings_the_server_down(api, level, name):
    """Announced sizes that no memory holds, and files that decoders stumble over: refused, never a 5xx."""
    api.post("/management/v1/policies/label", {})
    tracemalloc.start()
    answer = upload(api, level, "logo", BOMBS[name])
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert answer.status_code == 400, answer.content
    assert most < 100_000_000


@pytest.mark.parametrize("seed", range(60))
def test_n03_bytes_changed_at_random_are_refused_or_drawn(seed):
    """Pillow promises no list of what its decoders raise."""
    draw = random.Random(seed)
    content = bytearray(picture(kind=("PNG", "JPEG", "GIF", "WEBP")[seed % 4]))
    for _ in range(1 + seed % 7):
        content[draw.randrange(8, len(content))] = draw.randrange(256)
    with suppress(InvalidInput):
        checked_asset("logo", bytes(content))


def test_t01_t02_uploads_need_the_right(house, api, web):
    api.post("/management/v1/policies/label", {})
    _, token = house.machine("nobody")
    assert upload(Api(""), "org", "logo", picture()).status_code == 401
    for level in ("org", "instance"):
        assert upload(Api(token), level, "logo", picture()).status_code == 403
    assert api.client.post("/assets/v1/org/policy/label/logo", {}, headers=api.headers).status_code == 400
    assert web.get("/assets/v1/123/policy/label/logo-0").status_code == 404
