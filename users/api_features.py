"""zitadel.feature.v2.FeatureService for users: the definitions know no feature, so nothing is kept."""

from typing import Any

from iam.api.gen import feature_v2, object_v2
from iam.api.lists import row_details
from iam.api.methods import Service
from iam.kernel.context import Context
from iam.kernel.errors import NotFound
from users.models import UserRow

features = Service("zitadel.feature.v2.FeatureService")


def _user_details(ctx: Context, user_id: str, needs: str) -> Any:
    row = UserRow.objects.filter(instance_id=ctx.instance, id=user_id).first()
    if not (needs.endswith(".read") and user_id == ctx.actor):
        ctx.require(needs, row.org_id if row else "")
    if row is None:
        raise NotFound("user.not_found")
    return row_details(object_v2.Details, row, row.org_id)


@features.method
def GetUserFeatures(ctx: Context, request: Any) -> Any:
    """Features of a user: none is defined."""
    return feature_v2.GetUserFeaturesResponse(details=_user_details(ctx, request.user_id, "user.feature.read"))


@features.method
def SetUserFeatures(ctx: Context, request: Any) -> Any:
    """Switch features of a user: none is defined, so there is nothing to switch."""
    return feature_v2.SetUserFeaturesResponse(details=_user_details(ctx, request.user_id, "user.feature.write"))


@features.method
def ResetUserFeatures(ctx: Context, request: Any) -> Any:
    """Set nothing for a user."""
    return feature_v2.ResetUserFeaturesResponse(details=_user_details(ctx, request.user_id, "user.feature.delete"))
