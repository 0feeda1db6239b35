"""The language of the pages: chosen, asked for by the client, the browser's, or the instance's."""

from collections.abc import Collection, Iterable

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header

COOKIE = settings.LANGUAGE_COOKIE_NAME
OFFERED = tuple(code for code, _ in settings.LANGUAGES)


def offered(allowed: Collection[str]) -> tuple[str, ...]:
    """The languages of the pages, less those that an instance does not allow; none are left out when it says nothing."""
    return tuple(code for code in OFFERED if not allowed or code in allowed)


def activate(
    request: HttpRequest, wished: Iterable[str] = (), *, among: Collection[str] = OFFERED, otherwise: str = "en"
) -> str:
    """Use the first of these that is `among` the offered ones: choice, cookie, client's wish, Accept-Language, `otherwise`
    (checklist U05). English when nothing is."""
    accepted = [tag for tag, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")[:500])]
    for tag in (request.GET.get("lang", ""), request.COOKIES.get(COOKIE, ""), *wished, *accepted, otherwise, *among):
        code = tag.split("-")[0].lower()
        if code in among:
            translation.activate(code)
            return code
    translation.activate("en")
    return "en"
