"""A device without a browser asks to come in (RFC 8628 §3.1): what is kept of it, and how many may wait."""

import secrets
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Q

from iam.access.tokens import digest
from iam.api import rates
from iam.kernel.context import Context
from iam.kernel.errors import ResourceExhausted
from oidc import user_codes
from oidc.admission import must_be_reasonable
from oidc.clients import Client
from oidc.devices import State, terms
from oidc.errors import OAuthError
from oidc.models import DeviceAuthorization
from oidc.role_scopes import with_roles
from oidc.scopes import Scopes, known

PAGE = "/device"
MOST_OF_SOURCE = 100
"""Devices of one client that wait behind one address at the same time (checklist N08)."""
MOST_OF_CLIENT = 20_000
"""Devices of one client that wait at the same time."""
DRAWS = 5
"""How often a code is drawn until nobody has it: of 20^8, one in a million is taken when 20,000 devices wait."""


def start(ctx: Context, client: Client, scope: str) -> Mapping[str, Any]:
    """Let a device wait; the answer of the endpoint (RFC 8628 §3.2).

    Raises OAuthError for scopes that nobody can answer, ResourceExhausted while too many of the client wait.
    """
    scopes = known(scope)
    must_be_reasonable(ctx, Scopes(scopes))
    _clear(ctx)
    _must_have_room(ctx, client)
    device_code, shape = secrets.token_urlsafe(32), terms()
    user_code = _remember(ctx, client, with_roles(ctx, client, scopes), device_code)
    page = f"{ctx.base_url}{PAGE}"
    return {
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?user_code={user_code}",
        "expires_in": int(shape.Lifetime.total_seconds()),
        "interval": int(shape.PollInterval.total_seconds()),
    }


def _clear(ctx: Context) -> None:
    """Forget devices whose time has been up for as long again; until then they are told so."""
    before = ctx.now() - terms().Lifetime
    DeviceAuthorization.objects.filter(instance_id=ctx.instance, expires_at__lt=before).delete()


def _must_have_room(ctx: Context, client: Client) -> None:
    rows = DeviceAuthorization.objects.filter(instance_id=ctx.instance, client_id=client.id, expires_at__gt=ctx.now())
    here = Count("id", filter=Q(source=rates.source_of(ctx.origin.ip)))
    counted = rows.aggregate(every=Count("id"), here=here)
    if counted["every"] >= MOST_OF_CLIENT or counted["here"] >= MOST_OF_SOURCE:
        raise ResourceExhausted("device_authorization.too_many", retry_after=terms().Lifetime / 10)


def _remember(ctx: Context, client: Client, scopes: tuple[str, ...], device_code: str) -> str:
    """Keep a device; answers its user code, drawn again when somebody has it."""
    now, shape = ctx.now(), terms()
    for _ in range(DRAWS):
        user_code = user_codes.draw(shape.UserCode)
        try:
            with transaction.atomic():
                DeviceAuthorization.objects.create(
                    instance_id=ctx.instance,
                    id=ctx.ports.new_id(),
                    digest=digest(device_code),
                    user_digest=digest(user_codes.bare(user_code, shape.UserCode)),
                    family_id=ctx.ports.new_id(),
                    issuer=ctx.base_url,
                    client_id=client.id,
                    app_id=client.app_id,
                    user_id="",
                    org_id="",
                    scopes=list(scopes),
                    state=State.INITIATED,
                    interval=int(shape.PollInterval.total_seconds()),
                    source=rates.source_of(ctx.origin.ip),
                    created_at=now,
                    expires_at=now + shape.Lifetime,
                )
        except IntegrityError:
            continue
        return user_code
    raise OAuthError("server_error", "no free code was found")
