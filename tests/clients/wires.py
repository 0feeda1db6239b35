"""One call over each wire, told in one form: the code of the refusal with the id of its error, or the answer."""

import base64
import http.client
import json
import struct
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import grpc
from google.protobuf import json_format
from google.rpc import status_pb2

from iam.api.errors import INTERNAL, WIRE
from iam.api.gen import v1
from iam.api.methods import method
from iam.api.routes import Route, routes

KINDS = (*WIRE.values(), INTERNAL)
BY_NUMBER = {kind.grpc: kind.connect for kind in KINDS}
REST, CONNECT_JSON, CONNECT_BINARY, GRPC, GRPC_WEB = "rest", "connect json", "connect binary", "grpc", "grpc-web"
WIRES = (REST, CONNECT_JSON, CONNECT_BINARY, GRPC, GRPC_WEB)


@dataclass(frozen=True)
class Outcome:
    """What a caller learns. `code` is empty for an answer; `error` is the id of the refusal."""

    code: str = ""
    error: str = ""
    message: str = ""
    answer: Any = field(default=None, compare=False)


class Wires:
    """Five ways to one server, each with one connection that stays open."""

    def __init__(self, server: Any) -> None:
        self.port = server.port
        self.channel = grpc.insecure_channel(f"localhost:{server.port}")
        self.connections = {wire: http.client.HTTPConnection("localhost", server.port, timeout=30) for wire in WIRES}

    def close(self) -> None:
        """Hang up."""
        self.channel.close()
        for one in self.connections.values():
            one.close()

    def call(self, wire: str, name: str, request: Any, token: str = "") -> Outcome | None:
        """The outcome; None where REST has no route or its route cannot carry the request."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        ways = {
            REST: self._rest,
            CONNECT_JSON: self._connect_json,
            CONNECT_BINARY: self._connect_binary,
            GRPC: self._grpc,
            GRPC_WEB: self._grpc_web,
        }
        return ways[wire](name, request, headers)

    def _send(self, wire: str, verb: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = self.connections[wire]
        connection.request(verb, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def _rest(self, name: str, request: Any, headers: dict[str, str]) -> Outcome | None:
        if (line := rest_line(name, request)) is None:
            return None
        verb, path, body = line
        sent = json.dumps(body).encode() if body is not None else None
        status, raw = self._send(REST, verb, path, sent, {**headers, "Content-Type": "application/json"})
        told = json.loads(raw)
        if status == method(name).success:
            return Outcome(answer=json_format.ParseDict(told, method(name).response()))
        details = told.get("details") or [{}]
        assert status == next(kind.http for kind in KINDS if kind.grpc == told["code"]), (status, told)
        return Outcome(BY_NUMBER[told["code"]], details[0].get("id", ""), told["message"])

    def _connect_json(self, name: str, request: Any, headers: dict[str, str]) -> Outcome:
        body = json_format.MessageToJson(request).encode()
        status, raw = self._send(
            CONNECT_JSON, "POST", f"/{name}", body, {**headers, "Content-Type": "application/json"}
        )
        if status == 200:
            return Outcome(answer=json_format.Parse(raw, method(name).response()))
        return _connect_refusal(status, raw)

    def _connect_binary(self, name: str, request: Any, headers: dict[str, str]) -> Outcome:
        body, kind = request.SerializeToString(), {"Content-Type": "application/proto"}
        status, raw = self._send(CONNECT_BINARY, "POST", f"/{name}", body, {**headers, **kind})
        if status == 200:
            return Outcome(answer=method(name).response.FromString(raw))
        return _connect_refusal(status, raw)

    def _grpc(self, name: str, request: Any, headers: dict[str, str]) -> Outcome:
        ask = self.channel.unary_unary(f"/{name}", request_serializer=None, response_deserializer=None)
        metadata = tuple((key.lower(), value) for key, value in headers.items())
        try:
            answer = ask(request.SerializeToString(), metadata=metadata, timeout=30)
        except grpc.RpcError as refused:
            trailers = dict(refused.trailing_metadata() or ())
            error = _error_of(trailers.get("grpc-status-details-bin", b""))
            return Outcome(refused.code().name.lower(), error, refused.details())
        return Outcome(answer=method(name).response.FromString(answer))

    def _grpc_web(self, name: str, request: Any, headers: dict[str, str]) -> Outcome:
        payload = request.SerializeToString()
        kind = {"Content-Type": "application/grpc-web+proto", "X-Grpc-Web": "1"}
        body = b"\0" + struct.pack(">I", len(payload)) + payload
        status, raw = self._send(GRPC_WEB, "POST", f"/{name}", body, {**headers, **kind})
        assert status == 200
        parts = dict(frames(raw))
        trailers = dict(line.split(": ", 1) for line in parts[0x80].decode().split("\r\n") if line)
        if trailers["grpc-status"] == "0":
            return Outcome(answer=method(name).response.FromString(parts[0]))
        error = _error_of(base64.b64decode(trailers.get("grpc-status-details-bin", "") + "=="))
        return Outcome(BY_NUMBER[int(trailers["grpc-status"])], error, _unquoted(trailers.get("grpc-message", "")))


def frames(body: bytes) -> list[tuple[int, bytes]]:
    """gRPC-Web frames: flag and payload."""
    found = []
    while body:
        length = struct.unpack(">I", body[1:5])[0]
        found.append((body[0], body[5 : 5 + length]))
        body = body[5 + length :]
    return found


def _unquoted(text: str) -> str:
    from urllib.parse import unquote

    return unquote(text)


def _connect_refusal(status: int, raw: bytes) -> Outcome:
    told = json.loads(raw)
    assert status == next(kind.http for kind in KINDS if kind.connect == told["code"]), (status, told)
    details = told.get("details") or [{}]
    value = base64.b64decode(details[0].get("value", "") + "==")
    return Outcome(told["code"], v1.ErrorDetail.FromString(value).id, told.get("message", ""))


def _error_of(status: bytes) -> str:
    details = status_pb2.Status.FromString(status).details
    return v1.ErrorDetail.FromString(details[0].value).id if details else ""


def route_of(name: str) -> Route | None:
    """The method's own REST route, if it has one."""
    return _ROUTES.get(name)


_ROUTES = {route.method: route for route in reversed(routes()) if not route.alias}


def rest_line(name: str, request: Any) -> tuple[str, str, Any] | None:
    """Verb, path with query, body; None when there is no route or the route cannot carry the request."""
    route = route_of(name)
    if route is None:
        return None
    content = json_format.MessageToDict(request)
    path = []
    for part in route.path.split("/"):
        variable = part[1:].partition("}")[0].partition("=")[0] if part.startswith("{") else ""
        value = content.pop(request.DESCRIPTOR.fields_by_name[variable].json_name, "") if variable else part
        if variable and not value:
            return None
        path.append(quote(value, safe="") + part.partition("}")[2] if variable else part)
    line = "/".join(path)
    if route.body == "*":
        return route.verb.upper(), line, content
    if route.body:
        field = request.DESCRIPTOR.fields_by_name[route.body].json_name
        return (route.verb.upper(), line, content.get(field, {})) if {*content} <= {field} else None
    query = _flat(content)
    if query is None:
        return None
    return route.verb.upper(), f"{line}?{urlencode(query)}" if query else line, None


def _flat(content: dict[str, Any], prefix: str = "") -> list[tuple[str, str]] | None:
    """Query parameters; None when a list of messages is among them."""
    found: list[tuple[str, str]] = []
    for name, value in content.items():
        if isinstance(value, dict):
            inner = _flat(value, f"{prefix}{name}.")
            if inner is None or not value:
                return None
            found += inner
        elif isinstance(value, list):
            if any(isinstance(one, dict) for one in value):
                return None
            found += [(prefix + name, str(one)) for one in value]
        else:
            found.append((prefix + name, str(value).lower() if isinstance(value, bool) else str(value)))
    return found
