"""The page that tells people what went wrong, in the language that they chose or their browser asks for."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation


def error_page(request: HttpRequest, *, status: int, reason: str, **more: Any) -> HttpResponse:
    """`reason` chooses the sentence (templates/login/error.html). Never a redirect, never stored."""
    language = translation.get_language_from_request(request)
    shown = {"reason": reason, "language": language, "request_id": getattr(request, "request_id", ""), **more}
    with translation.override(language):
        response = render(request, "login/error.html", shown, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response
