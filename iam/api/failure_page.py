"""The page that tells people what went wrong, in the language that they chose or their browser asks for."""

import math
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
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


def wait_page(request: HttpRequest, after: timedelta) -> HttpResponse:
    """429: a page for people, OAuth's nearest word for programs (RFC 6749 §4.1.2.1)."""
    response: HttpResponse
    if "text/html" in request.headers.get("Accept", ""):
        response = error_page(request, status=429, reason="too_many")
    else:
        text = "too many requests; wait before the next one"
        response = JsonResponse({"error": "temporarily_unavailable", "error_description": text}, status=429)
    response.headers["Retry-After"] = str(max(1, math.ceil(after.total_seconds())))
    response.headers["Cache-Control"] = "no-store"
    return response
