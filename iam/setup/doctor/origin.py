"""The public origin: what people type against what the server sees of it, through every proxy between."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

from django.conf import settings

from iam.instance.models import InstanceDomainRow
from iam.setup.doctor.findings import Finding, ok, problem, warning
from iam.setup.seen import HEADER, PATH, signed_now

TIMEOUT_SECONDS = 5


def hosts() -> Iterator[Finding]:
    """Whether ExternalDomain leads to an instance."""
    domain = settings.CONFIG.ExternalDomain
    asked = (domain, f"{domain}:{settings.CONFIG.ExternalPort}")
    if InstanceDomainRow.objects.filter(domain__in=asked).exists():
        yield ok("hosts", f"{domain} leads to an instance")
        return
    known = list(InstanceDomainRow.objects.values_list("domain", flat=True)[:20])
    yield problem(
        "hosts",
        f"{domain} leads to no instance; known: {', '.join(known) or 'none'}",
        cause="ExternalDomain was changed after set-up, or set-up has not run",
        remedy="run `manage.py setup`: it carries the host and the console's addresses over",
    )


def seen() -> Iterator[Finding]:
    """Ask the public origin what arrives at the server."""
    config = settings.CONFIG
    origin = config.origin(config.ExternalDomain)
    request = urllib.request.Request(origin + PATH, headers={HEADER: signed_now()})  # noqa: S310 - own origin
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            found = json.load(response)
    except urllib.error.HTTPError as answer:
        yield problem(
            "origin",
            f"{origin} answers {answer.code}, and it is not this server that does",
            cause="another program or an error page of the proxy, or a process with another master key",
            remedy="let the proxy pass every path to the server's Port; give every process the same master key",
        )
    except (urllib.error.URLError, OSError, ValueError) as failure:
        yield warning(
            "origin",
            f"{origin} cannot be asked from here: {getattr(failure, 'reason', failure)}",
            cause="the server is not running, the name is not known here, or the certificate is not trusted here",
            remedy="start the server; run the doctor where the public name leads to it",
        )
    else:
        yield from _compared(origin, found)


def _compared(origin: str, found: dict[str, Any]) -> Iterator[Finding]:
    config = settings.CONFIG
    wanted = origin.partition("://")[2]
    if found["host"] != wanted:
        yield problem(
            "origin",
            f"asked {wanted}, the server was asked for {found['host']}",
            cause="the proxy does not pass the host on",
            remedy="nginx: proxy_set_header Host $host; or X-Forwarded-Host from a proxy that TrustedProxies names",
        )
    if found["forwarded_proto"] and (found["forwarded_proto"] == "https") != config.ExternalSecure:
        yield problem(
            "origin",
            f"the proxy serves {found['forwarded_proto']}, ExternalSecure is {str(config.ExternalSecure).lower()}",
            cause="issuer, links and cookies follow ExternalSecure, never a header",
            remedy="set ExternalSecure, or --tlsMode external, and run setup again",
        )
    if found["forwarded_for"] and not found["is_trusted"]:
        yield warning(
            "origin",
            f"{found['peer']} forwards for others and is not trusted",
            cause="TrustedProxies does not name it, so all sign-ins count as coming from it",
            remedy=f"TrustedProxies: {found['peer']} (or its network)",
        )
    if found["host"] == wanted:
        yield ok("origin", f"{origin} leads to this server; it sees clients as {found['client']}")
