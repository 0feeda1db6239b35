"""The JavaScript clients of the field: openid-client with every way to authenticate, @zitadel/react on a page of its own."""

import base64
import json
import shutil
import subprocess

import pytest

from tests.browser.support import JS, post, sign_in
from tests.servers import new_server

PASSWORD = "Correct-Horse-9"
ROLES = "urn:zitadel:iam:org:project:roles"
METHODS = {
    "none": "OIDC_AUTH_METHOD_TYPE_NONE",
    "basic": "OIDC_AUTH_METHOD_TYPE_BASIC",
    "post": "OIDC_AUTH_METHOD_TYPE_POST",
    "private_key_jwt": "OIDC_AUTH_METHOD_TYPE_PRIVATE_KEY_JWT",
}
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A server whose administrator has the role `editor` of a project."""
    made = new_server(tmp_path_factory.mktemp("javascript"))
    made.environment |= {
        "ZITADEL_FIRSTINSTANCE_ORG_HUMAN_PASSWORD": PASSWORD,
        "ZITADEL_FIRSTINSTANCE_ORG_HUMAN_PASSWORDCHANGEREQUIRED": "false",
    }
    made.start()
    people = post(made, "/v2/users", {"queries": [{"typeQuery": {"type": "TYPE_HUMAN"}}]})["result"]
    made.login = people[0]["preferredLoginName"]
    organization = people[0]["details"]["resourceOwner"]
    made.project = post(made, "/v2/projects", {"name": "shop", "projectRoleAssertion": True})["id"]
    rpc = "/zitadel.project.v2.ProjectService/AddProjectRole"
    post(made, rpc, {"projectId": made.project, "roleKey": "editor", "displayName": "Editor"})
    rpc = "/zitadel.authorization.v2.AuthorizationService/CreateAuthorization"
    granted = {"userId": people[0]["userId"], "projectId": made.project, "organizationId": organization}
    post(made, rpc, granted | {"roleKeys": ["editor"]})
    yield made
    made.kill()


def application(house, name, home, method):
    """An application whose page lives at `home`."""
    body = {
        "name": name,
        "redirect_uris": [home + "callback"],
        "post_logout_redirect_uris": [home],
        "response_types": ["OIDC_RESPONSE_TYPE_CODE"],
        "grant_types": ["OIDC_GRANT_TYPE_AUTHORIZATION_CODE", "OIDC_GRANT_TYPE_REFRESH_TOKEN"],
        "auth_method_type": method,
    }
    return post(house, f"/v2/projects/{house.project}/apps/oidc", body)


def key_of(house, app):
    """A key of the application: what stands in the file that is given out once."""
    rpc = "/zitadel.application.v2.ApplicationService/CreateApplicationKey"
    body = {"projectId": house.project, "applicationId": app["appId"], "expirationDate": "2037-01-01T00:00:00Z"}
    return json.loads(base64.b64decode(post(house, rpc, body)["keyDetails"]))


@pytest.mark.parametrize("method", METHODS)
def test_openid_client(page, house, site, modules, method):
    folder, home = site
    (folder / "index.html").write_text("<p id=back>back</p>")
    app = application(house, f"openid-{method}", home, METHODS[method])
    settings = {
        "issuer": house.url,
        "id": app["clientId"],
        "secret": app.get("clientSecret", ""),
        "method": method,
        "key": key_of(house, app) if method == "private_key_jwt" else None,
        "redirect": home + "callback",
    }
    command = [shutil.which("node"), "openid.mjs", json.dumps(settings)]
    process = subprocess.Popen(command, cwd=JS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(step, **more):
        process.stdin.write(json.dumps({"step": step, **more}) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        assert "result" in answer, (step, answer)
        return answer["result"]

    try:
        page.goto(ask("authorize"))
        sign_in(page, house.login, PASSWORD)
        page.wait_for_selector("#back")
        claims = ask("grant", url=page.url)
        assert claims["iss"] == house.url
        person = ask("userinfo")
        assert person["sub"] == claims["sub"]
        assert [*person[ROLES]] == ["editor"]
        assert ask("refresh") == {"rotated": True}
        if method != "none":
            assert ask("introspect")["active"] is True
        ask("revoke")
        if method != "none":
            assert ask("introspect") == {"active": False}
        page.goto(ask("leave", home=home))
        page.wait_for_url(home + "**")
        page.wait_for_selector("#back")
    finally:
        process.kill()


def test_zitadel_react(page, house, site, modules):
    folder, home = site
    build = ["node_modules/.bin/esbuild", "app.jsx", "--bundle", "--format=esm", f"--outfile={folder}/app.js"]
    subprocess.run([*build, "--jsx=automatic", "--log-level=error"], cwd=JS, check=True)
    (folder / "index.html").write_text('<div id="root"></div><script type="module" src="/app.js"></script>')
    app = application(house, "react", home, "OIDC_AUTH_METHOD_TYPE_PKCE")
    settings = {
        "authority": house.url,
        "client_id": app["clientId"],
        "redirect_uri": home + "callback",
        "post_logout_redirect_uri": home,
        "project_resource_id": house.project,
        "scope": "openid profile email offline_access urn:zitadel:iam:org:projects:roles",
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    page.goto(home)
    page.click("#in")
    sign_in(page, house.login, PASSWORD)
    told = json.loads(page.inner_text("#user"))
    assert told["email"]
    assert [*told[ROLES]] == ["editor"]
    page.click("#refresh")
    page.wait_for_selector("#said:has-text('refreshed')")
    page.click("#revoke")
    page.wait_for_selector("#said:has-text('revoked')")
    page.click("#out")
    page.wait_for_url(home + "**")
    page.click("#in")
    page.wait_for_selector("#login_name")
    assert [one for one in page.problems if "favicon" not in one] == []
