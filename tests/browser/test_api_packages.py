"""The JavaScript packages that call the API: @zitadel/client from Node and from a page, @zitadel/node with a service account."""

import json
import os
import shutil
import subprocess
import uuid

import pytest

from tests.browser.support import JS, post

pytestmark = pytest.mark.browser
NOT_FOUND, DEADLINE, INVALID, UNAUTHENTICATED = 5, 4, 3, 16


def node(script, settings, **environment):
    """Run a script with Node; what it printed."""
    command = [shutil.which("node"), script, json.dumps(settings)]
    done = subprocess.run(
        command, cwd=JS, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("wire", ["h2c", "tls"])
def test_zitadel_client_over_its_server_transport(request, modules, wire):
    server = request.getfixturevalue("tls_server" if wire == "tls" else "server")
    name = uuid.uuid4().hex[:12]
    trust = {"NODE_EXTRA_CA_CERTS": str(server.certificate)} if wire == "tls" else {}
    told = node("server.mjs", {"url": server.url, "token": server.pat, "name": name}, **trust)
    assert (told["org"], told["other"], told["user"], told["session"]) == ("ZITADEL", name, name, True)
    assert told["listed"] >= 2
    assert told["wrong"]["code"] == INVALID
    assert told["gone"]["code"] == NOT_FOUND and len(told["gone"]["ids"]) == 1
    assert told["late"]["code"] == DEADLINE
    assert told["nobody"]["code"] == UNAUTHENTICATED


def test_zitadel_node_with_a_service_account(server, modules):
    name = uuid.uuid4().hex[:12]
    told = node("node.mjs", {"url": server.url, "key": str(server.var / "admin-key.json"), "name": name})
    assert (told["org"], told["organizations"], told["user"]) == ("ZITADEL", [name], "L")
    assert (told["listed"], told["session"]) == (1, True)
    assert (told["missing"], told["gone"]) == (NOT_FOUND, NOT_FOUND)


@pytest.fixture
def built(site, modules):
    """The page, and where it is at home."""
    folder, home = site
    command = ["node_modules/.bin/esbuild", "page.js", "--bundle", "--format=iife", f"--outfile={folder}/page.js"]
    subprocess.run([*command, "--log-level=error"], cwd=JS, check=True)
    (folder / "index.html").write_text('<p id="there">there</p><script src="/page.js"></script>')
    return home


def test_zitadel_client_over_its_web_transport_from_a_page(page, server, built):
    project = post(server, "/v2/projects", {"name": uuid.uuid4().hex})["id"]
    app = {"name": "page", "redirect_uris": [built + "callback"], "auth_method_type": "OIDC_AUTH_METHOD_TYPE_PKCE"}
    post(server, f"/v2/projects/{project}/apps/oidc", app)
    page.goto(built)
    told = page.evaluate("settings => window.ask(settings)", {"url": server.url, "token": server.pat})
    assert told["org"]
    assert told["users"] == told["connect"] == told["rest"] > 0
    assert told["missing"]["code"] == NOT_FOUND and len(told["missing"]["ids"]) == 1
    assert told["nobody"]["code"] == UNAUTHENTICATED


def test_d10_a_page_of_an_unknown_origin_gets_nothing(page, server, built):
    page.goto(built)
    assert page.evaluate("url => window.tried(url)", server.url) == "TypeError"
