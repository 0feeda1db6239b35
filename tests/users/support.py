"""Calls of the method table as dicts, for tests of many methods."""

from typing import Any

from google.protobuf import json_format

from iam.access.caller import RequestMeta
from iam.api.methods import invoke, method

USERS = "zitadel.user.v2.UserService"
SESSIONS = "zitadel.session.v2.SessionService"
OLDER = "zitadel.management.v1.ManagementService"
MINE = "zitadel.auth.v1.AuthService"


class Rpc:
    """Calls of one service with one token: `rpc("ListUsers", {...})` → the answer as a dict."""

    def __init__(self, service: str, token: str, org: str = "") -> None:
        self.service = service
        headers = {"authorization": f"Bearer {token}", "x-zitadel-orgid": org}
        self.meta = RequestMeta(host="localhost", headers=headers)

    def __call__(self, name: str, body: dict[str, Any] | None = None) -> Any:
        """Call a method; raises its refusal."""
        full = f"{self.service}/{name}"
        request = json_format.ParseDict(body or {}, method(full).request())
        return json_format.MessageToDict(invoke(full, request, self.meta))
