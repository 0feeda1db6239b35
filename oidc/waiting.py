"""How many sign-ins may wait for somebody to end them: of one network, and of one instance (checklist N08).

Nobody is to keep others out by beginning many: of a network only those count that began lately, a browser in which
somebody has signed in before begins on its own account, and a full instance forgets its oldest ones.
"""

from datetime import timedelta

from django.conf import settings
from django.db.models import Count, Q

from iam.api import rates
from iam.kernel.context import Context
from iam.kernel.errors import ResourceExhausted
from oidc.models import AuthRequest
from users.attempts import network_of

KEPT = timedelta(hours=1)
"""After their time is over, so that who comes late is told so."""
LATELY = timedelta(minutes=10)
"""What somebody began and left counts no longer for the network: so many people share one, and so long it is shut."""
RETRY_AFTER = timedelta(minutes=1)


def require_room(ctx: Context, *, browser: str = "") -> str:
    """Forget requests that nobody ended in time; answers the network that the next one is counted on.

    `browser`: the digest of one in which somebody has signed in before. Raises ResourceExhausted while too many wait.
    """
    rows, network = AuthRequest.objects.filter(instance_id=ctx.instance), network_of(ctx.origin.ip)
    rows.filter(expires_at__lt=ctx.now() - KEPT).delete()
    limits = settings.CONFIG.RateLimits
    if not limits.Enabled or not network:
        return network
    waiting = rows.filter(finished_at=None, expires_at__gt=ctx.now())
    here = Count("id", filter=Q(source=network, created_at__gt=ctx.now() - LATELY))
    counted = waiting.aggregate(every=Count("id"), here=here)
    if counted["here"] >= limits.Waiting.Network:
        _must_be_known(ctx, browser)
    if (over := counted["every"] - limits.Waiting.Instance) >= 0:
        oldest = waiting.order_by("expires_at").values_list("id", flat=True)[: over + 1]
        rows.filter(id__in=list(oldest)).delete()
    return network


def _must_be_known(ctx: Context, browser: str) -> None:
    if not browser:
        raise ResourceExhausted("auth_request.too_many", retry_after=RETRY_AFTER)
    rates.count_known_browser(ctx.instance, browser)
