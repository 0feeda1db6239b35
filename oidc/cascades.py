"""What is asked before something else happens: no thing gets the id of a request, a code or a token that is underway."""

from iam.kernel.cascade import checks
from iam.kernel.change import Unit
from iam.kernel.errors import AlreadyExists
from oidc.models import AccessToken, AuthRequest, DeviceAuthorization, Grant, RefreshToken

UNDERWAY = (AuthRequest, DeviceAuthorization, Grant, AccessToken, RefreshToken)


@checks
def ids_are_not_underway(unit: Unit) -> None:
    """Of ids that callers chose; raises AlreadyExists. These are rows with an end of their own, so no claim tells of them."""
    chosen = unit.chosen_ids()
    if not chosen:
        return
    first, *others = (
        table.objects.filter(instance_id=unit.ctx.instance, id__in=chosen).values_list("id") for table in UNDERWAY
    )
    if first.union(*others).exists():
        raise AlreadyExists("id.taken", field="id")
