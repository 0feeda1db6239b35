"""gRPC health and reflection: the two services that every gRPC tool expects."""

from typing import Any

from iam.api.rpc import Asgi


def system_application(path: str) -> Asgi | None:
    """The application of a path of these services; None for any other."""
    return _found.get(path)


_found: dict[str, Any] = {}
