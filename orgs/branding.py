"""The style sheet that a branding makes: an address of its own, so that no style stands in a page (checklist H09)."""

import re

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from iam.access.caller import instance_of
from iam.access.http import meta_of
from iam.api.rest import refused
from iam.instance.domain.values import COLOUR, Label
from iam.instance.settings import Resolved, settings_of
from iam.kernel.errors import NotFound

KEY = re.compile(r"policy/label/[a-z0-9-]{1,100}")
DAY = 24 * 3600
PLACES = (("main", "primary_color"), ("ground", "background_color"), ("error", "warn_color"), ("ink", "font_color"))


def sheet_address(label: Resolved) -> str:
    """Where the style sheet of a branding is; empty for the product's own look. The version makes it cacheable."""
    return "" if label.values == Label() else f"/ui/v2/branding/{label.owner}/{label.version}.css"


def asset_path(owner: str, key: str) -> str:
    """The path of a file of a branding; empty without one."""
    return f"/assets/v1/{owner}/{key}" if KEY.fullmatch(key) else ""


@require_GET
def style_sheet(request: HttpRequest, owner: str, version: str) -> HttpResponse:
    """The colours and the font of an organization, or of the instance."""
    try:
        instance = instance_of(meta_of(request).host)
    except NotFound as refusal:
        return refused(refusal)
    label = settings_of(instance, "" if owner == instance else owner).label
    response = HttpResponse(sheet_of(label), content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = f"public, max-age={DAY}"
    return response


def sheet_of(label: Resolved) -> str:
    """CSS that sets the tokens of the login pages. Only whole colours and keys of our own get in (checklist H05)."""
    values: Label = label.values
    light, dark = _tokens(values, ""), _tokens(values, "_dark")
    font = asset_path(label.owner, values.font)
    face = (
        f'@font-face{{font-family:"brand";src:url("{font}")}}.login{{font-family:"brand",var(--font)}}' if font else ""
    )
    match values.theme_mode:
        case 1:
            return f"{face}.login{{color-scheme:light;{light}}}"
        case 2:
            return f"{face}.login{{color-scheme:dark;{dark}}}"
    return f"{face}.login{{{light}}}@media (prefers-color-scheme: dark){{.login{{{dark}}}}}"


def _tokens(values: Label, suffix: str) -> str:
    found = {token: getattr(values, f"{name}{suffix}") for token, name in PLACES}
    safe = {token: colour for token, colour in found.items() if COLOUR.fullmatch(colour)}
    text = ";".join(f"--{token}:{colour}" for token, colour in safe.items())
    main = safe.get("main", "")
    rest = f";--main-hover:{main};--main-ink:{_readable_on(main)}" if main else ""
    plain = "background:var(--ground);color:var(--ink)"
    return f"{text}{rest};{plain}"


def _readable_on(colour: str) -> str:
    """Black or white, whichever stands out on a colour (WCAG relative luminance, roughly)."""
    digits = colour[1:]
    pairs = [one * 2 for one in digits[:3]] if len(digits) == 3 else [digits[at : at + 2] for at in (0, 2, 4)]
    red, green, blue = (int(pair, 16) / 255 for pair in pairs)
    return "#000000" if 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 > 0.36 else "#ffffff"
