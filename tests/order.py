"""The order in which whole files are handed out to the cores: the longest first, so that no core waits for the other at the end."""

import pytest

LONGEST = (
    "tests/clients/test_every_method.py",
    "tests/clients/test_fuzzing.py",
    "tests/clients/test_rotation.py",
    "tests/clients/test_webhook_rotation.py",
    "tests/setup/test_setup.py",
    "tests/store/test_followers.py",
)
"""Files that take a minute and more."""
LONG = (
    "tests/clients/",
    "tests/deploy/",
    "tests/setup/",
    "tests/cache/",
    "tests/archive/",
    "tests/observe/",
    "tests/browser/",
    "tests/store/",
)
"""Folders whose tests start servers, databases and browsers."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort files; inside of a file nothing changes."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    file = item.nodeid.partition("::")[0]
    if file in LONGEST:
        return LONGEST.index(file)
    return len(LONGEST) + (not file.startswith(LONG))
