"""The threads that answer requests, of all wires together."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

from django.conf import settings


@cache
def threads() -> ThreadPoolExecutor:
    """`Threads` of them in this process."""
    return ThreadPoolExecutor(settings.CONFIG.Threads, thread_name_prefix="requests")
