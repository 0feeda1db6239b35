"""What addresses and links can do to a page: end a source of its content policy, fill its forms; and how long tokens get."""

import re
from urllib.parse import urlencode

import pytest

from iam.console import site
from iam.console.kit import FormPage
from iam.settings.guards import page_policy, source_of
from oidc.models import AuthRequest
from projects import commands as projects
from projects.domain.uris import problem_of
from tests.console.conftest import arrived, sign_in
from tests.hosts.forms import MALFORMED
from tests.oidc.support import make_flow
from users import commands as users

LETTERS = [chr(one) for one in range(33, 127) if not chr(one).isalnum() and chr(one) not in "/?#\\.-_:@[]*"]
"""Signs that a host cannot have, and that an address may have elsewhere."""
SOURCE = re.compile(r"https?://[a-z0-9._-]+(:\d+)?|https?://\[[0-9a-f:.]+\](:\d+)?|[a-z][a-z0-9+.-]*:", re.IGNORECASE)


@pytest.mark.parametrize("letter", [*LETTERS, "\u3002", "\u00f6", "\u212a", "\t", "\n", " ", "\u00a0", "\u2028"])
@pytest.mark.parametrize(
    "form", ["https://a{}b.example/cb", "https://a.example{}x/cb", "https://a.example:44{}3/cb", "a.b://x{}y/cb"]
)
def test_h05_a_host_with_signs_that_no_host_has_cannot_be_registered(letter, form):
    uri = form.format(letter)
    assert problem_of(uri, dev_mode=True)


@pytest.mark.parametrize(
    "uri",
    [
        "https://a.example/cb;x=1,2",
        "https://a.example/?a=b;c,d",
        "https://xn--mller-kva.example:8443/cb",
        "https://[::1]:80/x",
    ],
)
def test_what_an_address_may_have_elsewhere_is_registered(uri):
    assert problem_of(uri, dev_mode=False) == ""


HOSTILE = [
    *(f"https://a{letter}script-src *{letter}.example/cb" for letter in (*LETTERS, "\n", "\u2028", "\u00f6")),
    *(f"https://{host}/cb" for host in MALFORMED),
    *(
        "https://a.example;script-src 'unsafe-inline'",
        "https://a.example,default-src *",
        "http:// evil/",
        "javascript;x:y",
    ),
]


@pytest.mark.parametrize("address", HOSTILE)
def test_h05_nothing_of_an_address_ends_a_source(address):
    assert not source_of(address) or SOURCE.fullmatch(source_of(address))
    policy = page_policy([address, "https://good.example/cb;x,y"], [address, "https://frame.example"])
    directives = [one.split()[0] for one in policy.split("; ")]
    assert directives == [one.split()[0] for one in page_policy([], []).split("; ")]
    assert "," not in policy and "unsafe" not in policy and "\n" not in policy and policy.isascii()
    assert "https://good.example " not in policy.partition("form-action")[0]
    assert "form-action 'self'" in policy and " https://good.example;" in policy and "https://frame.example;" in policy


def test_h05_an_address_that_was_registered_before_cannot_change_a_page(house, web):
    flow = make_flow(house, web)
    page = flow.authorize()["Location"]
    AuthRequest.objects.update(redirect_uri="https://a.example;script-src *,x/cb")
    policy = arrived(web, web.get(page))["Content-Security-Policy"]
    assert "script-src *" not in policy and "," not in policy and policy.count("script-src") == 1


PREFILLED = {
    "users/new-human": ("org",),
    "users/new-machine": ("org",),
    "projects/new": ("org",),
    "authorizations/new": ("user", "project"),
    "administrators/new": ("user", "resource"),
}


def test_only_the_fields_that_our_links_choose_are_filled_from_an_address():
    found = {page.route: page.from_link for page in site.pages() if isinstance(page, FormPage) and page.from_link}
    assert found == PREFILLED


def test_a_link_puts_no_words_into_a_form(house, web):
    users.set_password(house.system, user_id=house.admin, password="Correct-Horse-9")
    sign_in(web, "zitadel-admin", "Correct-Horse-9")
    console = web
    words = urlencode({"user_name": "mallory", "given_name": "Evil", "email": "evil@example.com", "org": house.org})
    page = console.get(f"/ui/console/users/new-human?{words}").content.decode()
    assert "mallory" not in re.sub(r'action="[^"]*"', "", page) and house.org in page
    renamed = console.get("/ui/console/instance/rename?name=Evil").content.decode()
    assert 'value="Evil"' not in renamed


def test_our_own_largest_tokens_come_back(house, web):
    flow = make_flow(house, web)
    keys = tuple(f"role-with-a-long-name-{number:04}" for number in range(150))
    projects.add_roles(house.system, project_id=flow.project, roles=[(key, key, "") for key in keys])
    projects.add_authorization(house.system, org_id=house.org, user_id=flow.person, project_id=flow.project, roles=keys)
    changes = {"access_token_type": 1, "id_token_role_assertion": True, "access_token_role_assertion": True}
    projects.change_oidc_app(house.system, project_id=flow.project, app_id=flow.app, changes=changes)
    got = flow.tokens(scope="openid urn:zitadel:iam:org:projects:roles urn:zitadel:iam:org:project:roles")
    assert 16_384 < len(got["id_token"]) < 60_000
    assert flow.userinfo(got["access_token"]).status_code == 200
    out = web.get(f"/oidc/v1/end_session?{urlencode({'id_token_hint': got['id_token']})}")
    assert out["Location"] == "/ui/v2/login/signedout"
