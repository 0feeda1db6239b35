"""Service users: client_credentials (RFC 6749 §4.4) and JWT bearer (RFC 7523 §2.1)."""

from collections.abc import Mapping

from iam.instance.settings import Instance
from iam.kernel.context import Context
from oidc import audience
from oidc.client_auth import check_assertion_claims, credentials, must_know_secret
from oidc.errors import OAuthError
from oidc.jose import BadTokenError, BoundKey, public_pem, read, text_of, verify
from oidc.membership import of_own_org
from oidc.scopes import Scopes, known
from oidc.subjects import living_machine, living_user
from oidc.tokens import Order, Subject
from users.models import MachineKeyRow, UserRow

BY_SECRET = ("pwd",)
"""How a client secret is told (RFC 8176)."""


def by_secret(ctx: Context, form: Mapping[str, str], authorization: str) -> Order:
    """A service user with its client secret; the client id is its id, its user name or one of its login names."""
    id, secret, method = credentials(form, authorization)
    if method != "secret":
        raise OAuthError("invalid_client", "client_credentials needs a client secret")
    found = living_machine(ctx.instance, id)
    must_know_secret(ctx, found.user.id if found else id, found.user if found else None, secret)
    assert found is not None
    if not form.get("scope", "").strip():
        raise OAuthError("invalid_request", "scope is missing")
    return Order(
        subject=Subject(found.user, auth_time=ctx.now(), amr=BY_SECRET),
        scopes=_scopes(ctx, form, found.user, found.instance),
        presented_id=id,
        instance=found.instance,
        key=found.key,
    )


def by_assertion(ctx: Context, form: Mapping[str, str]) -> Order:
    """A service user with an assertion signed by one of its keys; raises OAuthError invalid_grant."""
    assertion = form.get("assertion", "")
    try:
        user_id = text_of(read(assertion).claims, "iss")
        claims = verify(assertion, lambda kid: _key(ctx, user_id, kid), types=("jwt",))
        check_assertion_claims(ctx, claims, subject=user_id)
    except BadTokenError as wrong:
        raise OAuthError("invalid_grant", str(wrong)) from wrong
    user = living_user(ctx.instance, user_id)
    if user is None or user.kind != "machine":
        raise OAuthError("invalid_grant", "the user is not active")
    return Order(subject=Subject(user, auth_time=ctx.now()), scopes=_scopes(ctx, form, user))


def _scopes(ctx: Context, form: Mapping[str, str], user: UserRow, instance: Instance | None = None) -> tuple[str, ...]:
    """What a service user asks for itself; raises OAuthError invalid_scope for an audience that is not there."""
    scopes = of_own_org(ctx, known(form.get("scope", "")), user)
    audience.must_exist(ctx, Scopes(scopes), instance)
    return scopes


def _key(ctx: Context, user_id: str, kid: str) -> BoundKey | None:
    row = MachineKeyRow.objects.filter(instance_id=ctx.instance, id=kid, user_id=user_id).first()
    if row is None or (row.expires_at is not None and row.expires_at <= ctx.now()):
        return None
    return public_pem(kid, row.public_key)
