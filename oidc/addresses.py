"""Sending a browser on: an address with more parameters, always by 303."""

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from django.http import HttpResponse


def with_query(uri: str, values: Mapping[str, str]) -> str:
    """An address with parameters added to those it has."""
    return f"{uri}{'&' if urlsplit(uri).query else '?'}{urlencode(values)}"


def see_other(url: str) -> HttpResponse:
    """Always 303: a POST with a password is never repeated at the client (RFC 9700 §4.12, checklist R16)."""
    return HttpResponse(status=303, headers={"Location": url, "Cache-Control": "no-store"})
