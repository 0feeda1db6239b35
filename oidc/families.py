"""All tokens that came from one sign-in: revoked together."""

from iam.kernel.context import Context
from oidc.domain.events import TokenRefused
from oidc.errors import OAuthError
from oidc.models import AccessToken, RefreshToken


class ReusedError(OAuthError):
    """A code or refresh token came a second time: whoever answers revokes its family, outside of what is rolled back."""

    def __init__(self, description: str, *, family_id: str, reason: str) -> None:
        super().__init__("invalid_grant", description)
        self.family_id = family_id
        self.reason = reason


def revoke_family(ctx: Context, family_id: str, *, reason: str) -> None:
    """End every token of a family and note why."""
    for table in (AccessToken, RefreshToken):
        table.objects.filter(instance_id=ctx.instance, family_id=family_id, revoked_at=None).update(
            revoked_at=ctx.now()
        )
    ctx.note("oidc_session", f"V2_{family_id}", TokenRefused(reason=reason), owner=ctx.instance)
