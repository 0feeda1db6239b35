"""zitadel.oidc.v2.OIDCService: a login of one's own reads what applications and devices ask, and answers it."""

from typing import Any

from iam.api.gen import object_v2, oidc_v2
from iam.api.lists import stamp
from iam.api.methods import Service
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput, NotFound, PermissionDenied
from oidc import devices, login_door
from oidc.models import AuthRequest
from users.queries import proved_session

service = Service("zitadel.oidc.v2.OIDCService")
READS, LINKS = "session.read", "session.link"
PROMPTS = {"none": 1, "login": 2, "consent": 3, "select_account": 4, "create": 5}

SPELLED = {"temporary_unavailable": "temporarily_unavailable"}
"""Reasons that RFC 6749 spells otherwise."""


@service.method
def GetAuthRequest(ctx: Context, request: Any) -> Any:
    """An authorization request that waits."""
    row = _request(ctx, request.auth_request_id, READS)
    made = oidc_v2.AuthRequest(
        id=row.id,
        creation_date=stamp(row.created_at),
        client_id=row.client_id,
        scope=row.scopes,
        redirect_uri=row.redirect_uri,
        prompt=[PROMPTS[one] for one in row.prompt if one in PROMPTS],
        ui_locales=row.ui_locales,
    )
    if row.login_hint:
        made.login_hint = row.login_hint
    if row.hint_user_id:
        made.hint_user_id = row.hint_user_id
    if row.max_age is not None:
        made.max_age.FromSeconds(row.max_age)
    return oidc_v2.GetAuthRequestResponse(auth_request=made)


@service.method
def CreateCallback(ctx: Context, request: Any) -> Any:
    """Answer a request with a session that proves enough, or with an error; the address to send the browser to."""
    _request(ctx, request.auth_request_id, LINKS)
    match request.WhichOneof("callback_kind"):
        case "session":
            url = _finish(ctx, request.auth_request_id, request.session)
        case "error":
            url = _refuse(ctx, request.auth_request_id, request.error)
        case _:
            raise InvalidInput("api.field_missing", field="session")
    made = object_v2.Details(resource_owner=ctx.instance, change_date=stamp(ctx.now()))
    return oidc_v2.CreateCallbackResponse(callback_url=url, details=made)


def _request(ctx: Context, id: str, needs: str) -> AuthRequest:
    """A request that waits. The login that passed it on needs no right for it: its own user id is noted there.

    Raises PermissionDenied before NotFound for anybody else.
    """
    row = login_door.find_auth_request(ctx, id)
    if row is None or not row.login_client_id or row.login_client_id != ctx.actor:
        ctx.require(needs, ctx.instance)
    if row is None:
        raise NotFound("auth_request.not_found")
    return row


def _refuse(ctx: Context, id: str, why: Any) -> str:
    name = oidc_v2.ErrorReason.Name(why.error).removeprefix("ERROR_REASON_").lower()
    if name == "unspecified":
        raise InvalidInput("api.field_missing", field="error.error")
    return login_door.refuse(ctx, id, SPELLED.get(name, name), why.error_description, why.error_uri)


def _finish(ctx: Context, id: str, proof: Any) -> str:
    return login_door.finish(ctx, id, _session(ctx, proof))


def _session(ctx: Context, proof: Any) -> str:
    row = proved_session(ctx, proof.session_id, proof.session_token)
    if row is None:
        raise PermissionDenied("session.token_invalid")
    return row.id


@service.method
def GetDeviceAuthorizationRequest(ctx: Context, request: Any) -> Any:
    """What the device asks that waits under a code, for the person to decide about.

    Guesses are counted on the caller like its other calls: a login of one's own knows the addresses behind it.
    """
    ctx.require(READS, ctx.instance)
    row = devices.get_by_user_code(ctx, request.user_code)
    asker = devices.asker_of(ctx, row)
    made = oidc_v2.DeviceAuthorizationRequest(
        id=row.id,
        client_id=row.client_id,
        scope=row.scopes,
        app_name=asker.app_name,
        project_name=asker.project_name,
    )
    return oidc_v2.GetDeviceAuthorizationRequestResponse(device_authorization_request=made)


@service.method
def AuthorizeOrDenyDeviceAuthorization(ctx: Context, request: Any) -> Any:
    """Let a device in on behalf of a session that proves enough, or turn it away."""
    ctx.require(LINKS, ctx.instance)
    id = devices.get_waiting(ctx, request.device_authorization_id).id
    match request.WhichOneof("decision"):
        case "session":
            devices.approve(ctx, id, _session(ctx, request.session))
        case "deny":
            devices.deny(ctx, id)
        case _:
            raise InvalidInput("api.field_missing", field="session")
    return oidc_v2.AuthorizeOrDenyDeviceAuthorizationResponse()
