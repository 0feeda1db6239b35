"""The language of the pages: chosen, asked for by the client, or the browser's; English otherwise."""

from collections.abc import Iterable

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header

COOKIE = settings.LANGUAGE_COOKIE_NAME
OFFERED = tuple(code for code, _ in settings.LANGUAGES)


def activate(request: HttpRequest, wished: Iterable[str] = ()) -> str:
    """Use the first offered language of: choice, cookie, client's wish, Accept-Language (checklist U05)."""
    accepted = [tag for tag, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")[:500])]
    for tag in (request.GET.get("lang", ""), request.COOKIES.get(COOKIE, ""), *wished, *accepted):
        code = tag.split("-")[0].lower()
        if code in OFFERED:
            translation.activate(code)
            return code
    translation.activate("en")
    return "en"
