"""What an access token proves at the API. One statement: token, user, organization, session, application, memberships."""

from iam.access.caller import JWT, Authenticated, authenticates
from iam.access.tokens import TokenKind
from oidc.introspection import alive
from oidc.issuers import is_issuer
from oidc.system_users import system_user


@authenticates(TokenKind.ACCESS)
def opaque(instance: str, token: str, base_url: str) -> Authenticated | None:
    """The user of a living opaque access token of this instance, whichever of its hosts issued it."""
    return _proved(instance, token, base_url)


@authenticates(JWT)
def jwt(instance: str, token: str, base_url: str) -> Authenticated | None:
    """The user of a living JWT access token. It is kept like the opaque ones, so that revoking it counts at once;
    a forged one is simply unknown (checklist J01–J04). Else the system user whose own token it is."""
    return system_user(instance, token) or _proved(instance, token, base_url)


def _proved(instance: str, token: str, base_url: str) -> Authenticated | None:
    row = alive(instance, token, with_rights=True)
    if row is None or not is_issuer(instance, base_url, row.issuer):
        return None
    return Authenticated(
        user_id=row.user_id,
        org_id=row.user.org_id,
        kind=row.user.kind,
        token_id=row.id,
        client_id=row.client_id,
        session_id=row.session_id,
        scopes=tuple(row.scopes),
        authenticated_at=row.auth_time,
        for_api=row.for_api,
        memberships=row.held or (),
    )
