"""How many sign-ins may wait for somebody to end them: of one network, and of one instance (checklist N08)."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Count, Q

from iam.kernel.context import Context
from iam.kernel.errors import ResourceExhausted
from oidc.models import AuthRequest
from users.attempts import network_of

KEPT = timedelta(hours=1)
"""After their time is over, so that who comes late is told so."""
RETRY_AFTER = timedelta(minutes=1)


def make_room(ctx: Context) -> str:
    """Forget requests that nobody ended in time; answers the network that the next one is counted on.

    Raises ResourceExhausted while too many wait.
    """
    rows, network = AuthRequest.objects.filter(instance_id=ctx.instance), network_of(ctx.origin.ip)
    rows.filter(expires_at__lt=ctx.now() - KEPT).delete()
    limits = settings.CONFIG.RateLimits
    if not limits.Enabled or not network:
        return network
    waiting = rows.filter(finished_at=None, expires_at__gt=ctx.now())
    counted = waiting.aggregate(every=Count("id"), here=Count("id", filter=Q(source=network)))
    if counted["every"] >= limits.Waiting.Instance or counted["here"] >= limits.Waiting.Network:
        raise ResourceExhausted("auth_request.too_many", retry_after=RETRY_AFTER)
    return network
