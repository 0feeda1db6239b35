"""A device without a browser: openid-client asks and polls, a person types the code in Chromium and decides."""

import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.browser.support import JS, post, sign_in
from tests.servers import new_server

PASSWORD = "Correct-Horse-9"
pytestmark = pytest.mark.browser
PICTURES = os.environ.get("GATEHOUSE_PICTURES", "")
"""A folder for pictures of every page in both themes, wide and narrow, for people who look."""
LOOKS = [(theme, width) for theme in ("light", "dark") for width in (1280, 360)]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A server whose administrator signs in without a change of password; devices ask every second."""
    made = new_server(tmp_path_factory.mktemp("device"))
    made.environment |= {
        "ZITADEL_FIRSTINSTANCE_ORG_HUMAN_PASSWORD": PASSWORD,
        "ZITADEL_FIRSTINSTANCE_ORG_HUMAN_PASSWORDCHANGEREQUIRED": "false",
        "ZITADEL_OIDC_DEVICEAUTH_POLLINTERVAL": "1s",
    }
    made.start()
    people = post(made, "/v2/users", {"queries": [{"typeQuery": {"type": "TYPE_HUMAN"}}]})["result"]
    made.login, made.person = people[0]["preferredLoginName"], people[0]["userId"]
    project = post(made, "/v2/projects", {"name": "Living room"})["id"]
    body = {
        "name": "Television",
        "grant_types": ["OIDC_GRANT_TYPE_DEVICE_CODE", "OIDC_GRANT_TYPE_REFRESH_TOKEN"],
        "app_type": "OIDC_APP_TYPE_NATIVE",
        "auth_method_type": "OIDC_AUTH_METHOD_TYPE_NONE",
    }
    made.client_id = post(made, f"/v2/projects/{project}/apps/oidc", body)["clientId"]
    yield made
    made.kill()


@contextmanager
def openid_client(house):
    """openid-client as the device: ask(step) → what it answers."""
    settings = {"issuer": house.url, "id": house.client_id, "secret": "", "method": "none"}
    command = [shutil.which("node"), "openid.mjs", json.dumps(settings)]
    process = subprocess.Popen(command, cwd=JS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(step):
        process.stdin.write(json.dumps({"step": step}) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        assert "result" in answer, (step, answer)
        return answer["result"]

    try:
        yield ask
    finally:
        process.kill()


def seen(page, name):
    """The page fits the screen in both themes, wide and narrow, and can be used by keys alone."""
    for theme, width in LOOKS:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (name, theme, width)
        if PICTURES:
            page.screenshot(path=str(Path(PICTURES) / f"{name}-{theme}-{width}.png"), full_page=True)


def test_a_person_lets_a_device_in(page, house, modules):
    with openid_client(house) as ask:
        told = ask("device")
        page.goto(told["verification_uri"])
        page.fill("#user_code", "BBBB-BBBB")
        page.press("#user_code", "Enter")
        page.wait_for_selector("[role=alert]")
        seen(page, "wrong")
        page.fill("#user_code", told["user_code"].lower().replace("-", ""))
        seen(page, "code")
        page.press("#user_code", "Enter")
        sign_in(page, house.login, PASSWORD)
        page.wait_for_selector("text=Television")
        assert "Living room" in page.inner_text("main") and house.login in page.inner_text("main")
        seen(page, "question")
        page.click("button[value=approve]")
        page.wait_for_selector("h1:has-text('The device is signed in')")
        seen(page, "done")
        answer = ask("polled")
        assert answer["claims"]["sub"] == house.person and answer["refreshes"]
        assert ask("userinfo")["sub"] == house.person
        assert ask("refresh") == {"rotated": True}
        turn_away(page, ask)
    assert [one for one in page.problems if "favicon" not in one and "422" not in one] == []


def turn_away(page, ask):
    """The next device, by its link, while signed in: straight to the question; German."""
    told = ask("device")
    page.goto(f"{told['verification_uri_complete']}&lang=de")
    assert page.input_value("#user_code") == told["user_code"]
    page.click("button[type=submit]")
    page.wait_for_selector("h1:has-text('Dieses Gerät anmelden?')")
    seen(page, "frage")
    page.click("button[value=deny]")
    page.wait_for_selector("h1:has-text('Abgewiesen')")
    assert ask("polled") == {"refused": "access_denied", "status": 400}


def test_everything_works_without_scripts(chromium, house, modules):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    with openid_client(house) as ask:
        told = ask("device")
        page.goto(told["verification_uri_complete"])
        page.click("button[type=submit]")
        sign_in(page, house.login, PASSWORD)
        page.click("button[value=approve]")
        page.wait_for_selector("h1:has-text('The device is signed in')")
        assert ask("polled")["claims"]["sub"] == house.person
    context.close()
