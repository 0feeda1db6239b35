"""From a Django request to the RequestMeta that every door shares."""

from django.http import HttpRequest

from iam.access.caller import RequestMeta
from iam.access.peers import FORWARDED, client_address


def meta_of(request: HttpRequest) -> RequestMeta:
    """What the access room needs of a request. Scheme and host are Django's: only a trusted proxy can change them."""
    return RequestMeta(
        host=request.get_host(),
        scheme=request.scheme or "http",
        headers={name.lower(): value for name, value in request.headers.items()},
        remote_addr=address_of(request),
        request_id=getattr(request, "request_id", ""),
    )


def address_of(request: HttpRequest) -> str:
    """The client's address: the connection's own, or what a trusted proxy says."""
    return client_address(request.META.get("REMOTE_ADDR", ""), request.headers.get(FORWARDED, ""))
