"""Ask the running server whether it is ready."""

import ssl
import sys
import urllib.error
import urllib.request
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from iam.management.management.flags import add_flags


class Command(BaseCommand):
    """`manage.py ready`: exit code 0 when /debug/ready answers 200."""

    help = "Exit code 0 when the server of this configuration is ready."
    requires_system_checks = ()

    def add_arguments(self, parser: Any) -> None:
        """The flags of the reference."""
        add_flags(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask; the certificate is not looked at, it is our own process."""
        scheme = "https" if settings.CONFIG.TLS.Enabled else "http"
        context = ssl._create_unverified_context() if scheme == "https" else None  # noqa: S323 - own process
        try:
            urllib.request.urlopen(
                f"{scheme}://localhost:{settings.CONFIG.Port}/debug/ready", timeout=5, context=context
            )
        except (urllib.error.URLError, OSError) as problem:
            sys.stderr.write(f"not ready: {problem}\n")
            raise SystemExit(1) from problem
