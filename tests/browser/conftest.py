"""A browser and a server for it."""

import shutil

import pytest
from playwright.sync_api import sync_playwright

from tests.servers import new_server


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A server of this file's own."""
    made = new_server(tmp_path_factory.mktemp("browser"))
    made.start()
    yield made
    made.kill()


@pytest.fixture(scope="session")
def chromium():
    """The distribution's browser."""
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium):
    """A page that remembers what its console complained about."""
    context = chromium.new_context()
    made = context.new_page()
    made.set_default_timeout(15_000)
    made.problems = []
    made.on("console", lambda message: made.problems.append(message.text) if message.type == "error" else None)
    made.on("pageerror", lambda error: made.problems.append(str(error)))
    yield made
    context.close()
