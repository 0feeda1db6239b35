"""Text with a NUL is nobody's name, code or token, and no text of PostgreSQL: whoever sends it is told so (checklist J07, N03)."""

from collections.abc import Callable

from django.db import DataError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import QueryDict

from iam.api import failure_page
from iam.api.doors import API

NUL = "\0"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
Answer = Callable[[HttpRequest], HttpResponse]


def without_nul(answer: Answer) -> Answer:
    """Refuse a request with a NUL in its address or form; and one that brought it where nobody looked, inside of something."""

    def checked(request: HttpRequest) -> HttpResponse:
        if API.match(request.path):  # says itself in which field
            return answer(request)
        form = request.POST if request.content_type in FORMS else QueryDict()
        return _refused(request) if NUL in request.path or _holds(request.GET) or _holds(form) else answer(request)

    def process_exception(request: HttpRequest, error: Exception) -> HttpResponse | None:
        return _refused(request) if is_of_nul(error) else None

    checked.process_exception = process_exception  # type: ignore[attr-defined] - where Django looks for it
    return checked


def is_of_nul(error: Exception) -> bool:
    """Whether a database refused a text because it holds one."""
    return isinstance(error, (DataError, ValueError)) and "NUL" in str(error)


def _holds(sent: QueryDict) -> bool:
    return any(NUL in text for name, values in sent.lists() for text in (name, *values))


def _refused(request: HttpRequest) -> HttpResponse:
    if "text/html" in request.headers.get("Accept", ""):
        return failure_page.error_page(request, status=400, reason="unreadable")
    answer = JsonResponse({"error": "invalid_request", "error_description": "a value holds a NUL"}, status=400)
    answer.headers["Cache-Control"] = "no-store"
    return answer
