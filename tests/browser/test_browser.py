"""A real browser: first sign-in with forced change, console, sample application, sign-out; no error in its console."""

import subprocess
import sys
import time

import pytest

from tests.browser.support import post, sign_in
from tests.ports import free_port
from tests.servers import ROOT

NEW = "Correct-Horse-9"
pytestmark = pytest.mark.browser


def test_first_sign_in_console_and_sample(page, house, tmp_path):
    page.goto(f"{house.url}/ui/console")
    sign_in(page, house.login, house.password)
    page.wait_for_selector("#current")
    page.fill("#current", house.password)
    page.fill("#password", NEW)
    page.fill("#again", NEW)
    page.click("button[type=submit]")
    page.wait_for_selector("text=Welcome, ZITADEL Admin")
    create_person(page, house)
    live_activity(page, house)
    sample(page, house)
    assert [one for one in page.problems if "favicon" not in one and "404" not in one] == []


def create_person(page, house):
    page.goto(f"{house.url}/ui/console/users/new-human")
    for name, value in {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com"}.items():
        page.fill(f"[name={name}]", value)
    page.click("button:has-text('Create')")
    page.wait_for_selector("h1:has-text('Ada Lovelace')")
    page.fill("#search", "lovelace")
    page.press("#search", "Enter")
    page.click(".hits a")
    page.click("text=History")
    page.wait_for_selector("text=user.human.added")


def live_activity(page, house):
    page.goto(f"{house.url}/ui/console/activity")
    page.wait_for_selector("text=Live: new lines appear by themselves.")
    post(house, "/v2/projects", {"name": "seen-live"})
    page.wait_for_selector("tbody tr:has-text('project.added')")


def sample(page, house):
    port = free_port()
    project = post(house, "/v2/projects", {"name": "sample"})["id"]
    home = f"http://localhost:{port}/"
    app = post(
        house,
        f"/v2/projects/{project}/apps/oidc",
        {
            "name": "sample",
            "redirect_uris": [home + "callback"],
            "post_logout_redirect_uris": [home],
            "response_types": ["OIDC_RESPONSE_TYPE_CODE"],
            "grant_types": ["OIDC_GRANT_TYPE_AUTHORIZATION_CODE"],
            "auth_method_type": "OIDC_AUTH_METHOD_TYPE_PKCE",
        },
    )
    command = [
        sys.executable,
        "deploy/sample/app.py",
        "--issuer",
        house.url,
        "--client-id",
        app["clientId"],
        "--port",
        str(port),
    ]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        time.sleep(1.5)
        page.goto(home)
        page.click("text=Sign in")
        page.wait_for_selector("text=Roles: none")
        assert "ZITADEL Admin" in page.content()
        page.click("text=Sign out")
        page.wait_for_selector("text=Sign in")
        page.click("text=Sign in")
        page.wait_for_selector("#login_name")
        sign_in(page, house.login, NEW)
        page.wait_for_selector("text=Roles: none")
    finally:
        process.terminate()
