"""How much of the API is there."""

from typing import Any

from django.core.management.base import BaseCommand

from iam.api import descriptors
from iam.api.methods import registered


class Command(BaseCommand):
    """`manage.py coverage`."""

    help = "Print implemented and all methods per service."

    def handle(self, *args: Any, **options: Any) -> None:
        """Count."""
        there, all_of_them, implemented = 0, 0, registered()
        for name in descriptors.services():
            methods = [f"{name}/{one.name}" for one in descriptors.service(name).methods if not one.server_streaming]
            done = sum(one in implemented for one in methods)
            self.stdout.write(f"{done:4d}/{len(methods):<4d} {name}")
            there, all_of_them = there + done, all_of_them + len(methods)
        self.stdout.write(f"{there:4d}/{all_of_them:<4d} in all")
