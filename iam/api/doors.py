"""What anybody may ask for without a token is counted on the address, whatever page it is (checklist N07, N08).

Wires that look at a token count for themselves: a request with good credentials is not its address's affair. A new
address of the server is counted unless it is named here.
"""

import re
from collections.abc import Callable
from contextlib import suppress

from django.http import HttpRequest, HttpResponse

from iam.access.caller import RequestMeta
from iam.access.http import address_of
from iam.api import failure_page, rates
from iam.kernel.errors import ResourceExhausted

API = re.compile(r"/(?:v2|v2beta|management|admin|auth|system)/")
"""`iam.api.methods` counts."""
CALL = re.compile(r"/\w+(?:\.\w+)+/")
"""A method of the API by its own name; `iam.api.methods` counts, too."""
ENDPOINTS = re.compile(r"/oauth/v2/(?:token|device_authorization|introspect|revoke)|/oidc/v1/userinfo")
"""`oidc.endpoints` counts."""
PROBES = re.compile(r"/debug/(?:healthz|ready|validate|metrics|seen)")
"""Asked by machines that must not be refused because others ask too much. One check runs at a time, whoever asks."""
CONSOLE = "/ui/console"
"""Whoever is signed in there is known."""


def must_not_wait(path: str, meta: RequestMeta) -> None:
    """Refuse whose address has asked too much of what a path is of; looks only. Raises ResourceExhausted."""
    if API.match(path) or CALL.match(path) or ENDPOINTS.fullmatch(path):
        rates.enter(meta)
    else:
        rates.count_page(meta.remote_addr, cost=0)


def limited(answer: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Refuse a page to an address that has asked too much."""

    def counted(request: HttpRequest) -> HttpResponse:
        if API.match(request.path) or ENDPOINTS.fullmatch(request.path) or PROBES.fullmatch(request.path):
            return answer(request)
        address = address_of(request)
        is_console = request.path.startswith(CONSOLE)
        try:
            rates.count_page(address, cost=0 if is_console else 1)
        except ResourceExhausted as busy:
            return failure_page.wait_page(request, busy.retry_after)
        response = answer(request)
        if is_console and not hasattr(request, "console"):
            with suppress(ResourceExhausted):
                rates.count_page(address)
        return response

    return counted
