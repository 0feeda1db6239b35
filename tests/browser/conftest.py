"""A browser and a server for it."""

import functools
import http.server
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.support import JS
from tests.servers import new_server


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A server of this file's own."""
    made = new_server(tmp_path_factory.mktemp("browser"))
    made.start()
    yield made
    made.kill()


@pytest.fixture(scope="module")
def chromium():
    """The distribution's browser. As long as it is there, this thread has a running event loop, in which Django asks no
    database: whichever file comes next is to be without it."""
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


@pytest.fixture(scope="session")
def modules():
    """The packages of package-lock.json, installed when they are not there or older than it."""
    lock, installed = JS / "package-lock.json", JS / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run(["npm", "ci"], cwd=JS, check=True, capture_output=True)


class Page(http.server.SimpleHTTPRequestHandler):
    """Serves the built page for every path that is no file."""

    def translate_path(self, path):
        """The index for /callback."""
        found = super().translate_path(path)
        return found if Path(found).is_file() else super().translate_path("/index.html")

    def log_message(self, *args):
        """Quiet."""


@pytest.fixture
def site(tmp_path):
    """A web server of one folder, and its address."""
    handler = functools.partial(Page, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield tmp_path, f"http://localhost:{server.server_port}/"
    server.shutdown()
