"""Questions about instances."""

from django.db.models import QuerySet

from iam.access.caller import finds_instance
from iam.console.signin import knows_console_client
from iam.instance.models import InstanceDomainRow, InstanceRow
from iam.kernel.context import Context
from iam.kernel.errors import NotFound


@finds_instance
def find_instance(host: str) -> str:
    """The instance of a host, with its port or without; empty for an unknown host. One statement."""
    asked = host.lower()
    names = {asked, asked.rsplit(":", 1)[0]}
    rows = InstanceDomainRow.objects.filter(domain__in=names).values_list("domain", "instance_id")
    found = dict(rows)
    return found.get(asked) or found.get(asked.rsplit(":", 1)[0]) or ""


@knows_console_client
def console_client(instance: str) -> str:
    """The console's client id."""
    return InstanceRow.objects.values_list("console_client_id", flat=True).get(instance_id=instance)


def get_instance(ctx: Context) -> InstanceRow:
    """This instance; raises NotFound, PermissionDenied."""
    ctx.require("iam.read", ctx.instance)
    row = InstanceRow.objects.filter(instance_id=ctx.instance).first()
    if row is None:
        raise NotFound("instance.not_found")
    return row


def list_domains(ctx: Context) -> "QuerySet[InstanceDomainRow]":
    """The hosts of this instance."""
    ctx.require("iam.read", ctx.instance)
    return InstanceDomainRow.objects.filter(instance_id=ctx.instance)


def known_hosts() -> list[str]:
    """Hosts that lead somewhere, for the page that answers a wrong one; at most five."""
    return list(InstanceDomainRow.objects.order_by("created_at").values_list("domain", flat=True)[:5])
