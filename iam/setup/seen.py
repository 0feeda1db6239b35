"""What the server sees of a request that the doctor sent through everything that stands before it.

Only the doctor may ask: the question is signed under the master key. Anybody else gets the answer of an unknown path.
"""

import hashlib
import hmac
import time

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from iam.access.http import meta_of
from iam.peers import FORWARDED, is_trusted

PATH = "/debug/seen"
HEADER = "X-Gatehouse-Doctor"
VALID_SECONDS = 300


def signed_now() -> str:
    """A question of now: `<unix seconds>.<HMAC>`."""
    now = str(int(time.time()))
    return f"{now}.{_signature(now, settings.MASTER_KEYS()[0])}"


def seen(request: HttpRequest) -> HttpResponse:
    """/debug/seen."""
    if not _is_doctor(request.headers.get(HEADER, "")):
        return HttpResponse("Not Found", status=404, content_type="text/plain")
    peer = request.META.get("REMOTE_ADDR", "")
    meta = meta_of(request)
    answer = {
        "host": request.META.get("HTTP_HOST", ""),
        "peer": peer,
        "client": meta.remote_addr,
        "is_trusted": is_trusted(peer),
        "forwarded_for": request.headers.get(FORWARDED, ""),
        "forwarded_proto": request.headers.get("X-Forwarded-Proto", ""),
    }
    return JsonResponse(answer, headers={"Cache-Control": "no-store"})


def _is_doctor(text: str) -> bool:
    at, _, signature = text.partition(".")
    if not at.isdecimal() or abs(time.time() - int(at[:12])) > VALID_SECONDS:
        return False
    return any(hmac.compare_digest(_signature(at, key), signature) for key in settings.MASTER_KEYS())


def _signature(at: str, key: bytes) -> str:
    return hmac.new(key, f"gatehouse doctor {at}".encode(), hashlib.sha256).hexdigest()
