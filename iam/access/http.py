"""From a Django request to the RequestMeta that every door shares."""

from django.http import HttpRequest

from iam.access.caller import RequestMeta
from iam.access.hosts import host_asked, public_host
from iam.peers import FORWARDED, client_address


def meta_of(request: HttpRequest) -> RequestMeta:
    """What the access room needs of a request; raises InvalidInput for a host that is no name."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    peer = request.META.get("REMOTE_ADDR", "")
    return RequestMeta(
        host=host_asked(headers, peer),
        headers=headers,
        public_host=public_host(headers, peer),
        remote_addr=address_of(request),
        request_id=getattr(request, "request_id", ""),
    )


def address_of(request: HttpRequest) -> str:
    """The client's address: the connection's own, or what a trusted proxy says."""
    return client_address(request.META.get("REMOTE_ADDR", ""), request.headers.get(FORWARDED, ""))
