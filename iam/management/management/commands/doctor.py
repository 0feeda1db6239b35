"""Look for what a deployment has wrong."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from iam.management.management.flags import add_flags
from iam.setup.doctor.examine import examine
from iam.setup.doctor.findings import OK, PROBLEM, Finding

SIGNS = {OK: "✓", PROBLEM: "✗"}


class Command(BaseCommand):
    """`manage.py doctor [--json]`: exit code 1 when there is a problem, 0 with warnings or nothing."""

    help = "Check database, keys, origin, proxies, clocks, TLS, mail, Redis and followers; name cause and remedy."
    requires_system_checks = ()

    def add_arguments(self, parser: Any) -> None:
        """The flags of the reference, and the form."""
        add_flags(parser)
        parser.add_argument("--json", action="store_true", help="one object per finding and line")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look, and tell."""
        problems = 0
        for finding in examine():
            problems += finding.level == PROBLEM
            self.stdout.write(json.dumps(asdict(finding)) if options["json"] else _told(finding))
        if problems:
            raise SystemExit(1)


def _told(finding: Finding) -> str:
    lines = [f"{SIGNS.get(finding.level, '!')} {finding.check:<12} {finding.told}"]
    if finding.cause:
        lines += [f"    cause   {finding.cause}", f"    remedy  {finding.remedy}"]
    return "\n".join(lines)
