"""Keeping and serving the files of a branding. A file's key holds a hash of its content, so it never changes."""

import hashlib
from datetime import timedelta

from iam.instance.images import checked_asset
from iam.instance.models import AssetRow
from iam.instance.setting_commands import Place, set_label_asset
from iam.kernel.change import Receipt
from iam.kernel.context import Context
from iam.kernel.errors import NotFound

MOST_KEPT = 50
"""Files per owner; the oldest go first. Old ones may still be shown until the branding is activated."""


def upload_asset(ctx: Context, place: Place, *, asset: str, content: bytes) -> Receipt:
    """Check and keep a file, and use it in the branding that is being prepared; raises InvalidInput, NotFound."""
    ctx.require(place.write, place.id)
    checked = checked_asset(asset, content)
    key = f"policy/label/{asset.replace('_', '-')}-{hashlib.sha256(checked.content).hexdigest()[:32]}"
    receipt = set_label_asset(ctx, place, asset=asset, store_key=key)
    AssetRow.objects.update_or_create(
        instance_id=ctx.instance,
        owner=place.id,
        store_key=key,
        defaults={"content_type": checked.content_type, "content": checked.content, "created_at": ctx.now()},
    )
    _forget_old(ctx, place.id)
    return receipt


def get_asset(instance: str, owner: str, key: str) -> AssetRow:
    """A kept file; raises NotFound. Brandings are public: login pages show them to anybody."""
    row = AssetRow.objects.filter(instance_id=instance, owner=owner, store_key=key).first()
    if row is None:
        raise NotFound("setting.asset_not_found")
    return row


def _forget_old(ctx: Context, owner: str) -> None:
    rows = AssetRow.objects.filter(instance_id=ctx.instance, owner=owner)
    old = list(rows.order_by("-created_at").values_list("store_key", flat=True)[MOST_KEPT:])
    rows.filter(store_key__in=old, created_at__lt=ctx.now() - timedelta(days=1)).delete()
