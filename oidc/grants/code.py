"""authorization_code (RFC 6749 §4.1.3, RFC 7636 §4.5)."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping

from django.db.models import Q

from iam.access.tokens import digest
from iam.kernel.context import Context
from oidc.admission import still_admitted
from oidc.clients import Client
from oidc.errors import OAuthError
from oidc.families import ReusedError
from oidc.issuers import same_host
from oidc.models import Grant
from oidc.tokens import Order, Subject

VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def order(ctx: Context, client: Client, form: Mapping[str, str]) -> Order:
    """Redeem a code; raises OAuthError invalid_grant. A second use revokes what the first gave (checklist C01)."""
    row = Grant.objects.filter(instance_id=ctx.instance, digest=digest(form.get("code", ""))).first()
    if row is None or row.client_id != client.id or not same_host(ctx.base_url, row.issuer):
        raise OAuthError("invalid_grant", "unknown code")
    if row.redirect_uri != form.get("redirect_uri", ""):
        raise OAuthError("invalid_grant", "redirect_uri differs from the authorization request")
    _check_verifier(row.code_challenge, form.get("code_verifier", ""))
    user = still_admitted(ctx, client, row, tuple(row.scopes))
    return Order(
        subject=Subject(user, row.session_id, row.auth_time, tuple(row.amr), row.nonce),
        scopes=tuple(row.scopes),
        client=client,
        family_id=row.family_id,
        with_refresh="offline_access" in row.scopes and "refresh_token" in client.grant_types,
        take=lambda: _take(ctx, row),
    )


def _take(ctx: Context, row: Grant) -> None:
    """Use the code up, in the transaction that makes the tokens: a second use waits and finds them to revoke."""
    fresh = Q(used_at=None, expires_at__gt=ctx.now())
    if Grant.objects.filter(fresh, instance_id=ctx.instance, id=row.id).update(used_at=ctx.now()):
        return
    told = "the code was used or is too old"
    if row.used_at is not None or row.expires_at > ctx.now():
        raise ReusedError(told, family_id=row.family_id, reason="code_reused")
    raise OAuthError("invalid_grant", told)


def _check_verifier(challenge: str, verifier: str) -> None:
    """Challenge and verifier come together or not at all (RFC 9700 §4.8.2, checklist C04)."""
    if not challenge and not verifier:
        return
    if not challenge or not VERIFIER.fullmatch(verifier):
        raise OAuthError("invalid_grant", "code_verifier does not fit the authorization request")
    made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if not hmac.compare_digest(made, challenge):
        raise OAuthError("invalid_grant", "code_verifier does not fit the authorization request")
