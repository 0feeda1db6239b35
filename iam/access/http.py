"""From a Django request to the RequestMeta that every door shares."""

from django.http import HttpRequest

from iam.access.caller import RequestMeta


def meta_of(request: HttpRequest) -> RequestMeta:
    """What the access room needs of a request. Scheme and host are Django's: only a trusted proxy can change them."""
    return RequestMeta(
        host=request.get_host(),
        scheme=request.scheme or "http",
        headers={name.lower(): value for name, value in request.headers.items()},
        remote_addr=request.META.get("REMOTE_ADDR", ""),
        request_id=getattr(request, "request_id", ""),
    )
