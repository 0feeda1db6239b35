"""One port: RPC paths to connectrpc, WebSockets to channels, the rest to Django's WSGI application (DESIGN §10)."""

import os
import re
import sys
from typing import Any

from a2wsgi import WSGIMiddleware
from channels.routing import URLRouter
from django.core.wsgi import get_wsgi_application
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iam.settings.prod")
_django = get_wsgi_application()

# what follows needs the apps
from iam.api import rates  # noqa: E402
from iam.api.addressed import at_its_host  # noqa: E402
from iam.api.cors import Asgi, with_cors  # noqa: E402
from iam.api.gate import passed  # noqa: E402
from iam.api.guarded import guarded  # noqa: E402
from iam.api.rpc import application_of  # noqa: E402
from iam.api.threads import threads  # noqa: E402
from iam.console.live import LiveActivity  # noqa: E402
from iam.kernel.errors import ResourceExhausted  # noqa: E402
from iam.peers import FORWARDED, client_address  # noqa: E402

sys.setswitchinterval(
    0.0005
)  # 5 ms by default: a token check asks for the interpreter several times, and waits behind all

TRY_AGAIN_LATER = 1013
"""RFC 6455's registry of close codes."""
REST = re.compile(r"/(?:v2|v2beta|management|admin|auth|system)/")
_web = WSGIMiddleware(_django)
_web.executor = threads()
_sockets = URLRouter([path("ui/console/live", LiveActivity.as_asgi())])


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Send a connection where it belongs."""
    match scope["type"]:
        case "lifespan":
            await _lifespan(receive, send)
        case "websocket":
            await at_its_host(_socket)(scope, receive, send)
        case _:
            await guarded(at_its_host(_answering(scope["path"])))(scope, receive, send)


def _answering(path: str) -> Asgi:
    """Who answers a path; pages of registered applications may call the API's, by whichever wire."""
    if found := application_of(path):
        return with_cors(_gated(found))
    web = _gated(_web)  # type: ignore[arg-type] - a2wsgi has types of its own for the same shapes
    return with_cors(web) if REST.match(path) else web


def _gated(application: Asgi) -> Asgi:
    async def answer(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await passed(scope, receive, send, application)

    return answer


async def _socket(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """A WebSocket; who asks for one is known only after a look at the database, so each is counted on its address (N08)."""
    try:
        rates.count_page(_address_of(scope))
        await _sockets(scope, receive, send)
    except ResourceExhausted:
        await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
    except ValueError:  # no such path
        await send({"type": "websocket.close", "code": 4404})


def _address_of(scope: dict[str, Any]) -> str:
    forwarded = next((value for name, value in scope["headers"] if name.decode("latin-1").lower() == FORWARDED), b"")
    return client_address((scope.get("client") or ("", 0))[0], forwarded.decode("latin-1"))


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
