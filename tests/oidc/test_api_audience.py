"""Tokens for the product's own API act as the person: whose applications get them without anybody being asked (R23)."""

import pytest

from iam.instance.models import InstanceRow
from oidc.models import AccessToken, DeviceAuthorization, Grant, RefreshToken
from orgs import commands as orgs
from projects import commands as projects
from tests.oidc import ways
from tests.oidc.ways import API

NARROW = "openid profile"


@pytest.fixture
def place(house):
    """(whose application, whose person) → a world with both; each organization has its person."""
    other, third = (orgs.add_org(house.system, name=name).id for name in ("Other", "Third"))
    people = {"default": house.person("dora"), "other": house.person("otto", org=other)}

    def made(of, person):
        row = InstanceRow.objects.get()
        org = {"default": house.org, "other": other, "third": third}.get(of, "")
        project = row.iam_project_id if of == "product" else projects.add_project(house.system, org_id=org, name="p").id
        return ways.make_world(house, project=project, person=people[person])

    return made


TRUSTED = [
    ("product", "default"),
    ("product", "other"),
    ("default", "default"),
    ("default", "other"),
    ("other", "other"),
]
STRANGERS = [("other", "default"), ("third", "default"), ("third", "other")]
SPELLINGS = {
    "name": API,
    "id": "urn:zitadel:iam:org:project:id:{id}:aud",
    "both": API + " urn:zitadel:iam:org:project:id:{id}:aud",
    "among others": "urn:zitadel:iam:org:project:id:{own}:aud " + API,
}


def spelled(world, spelling):
    return SPELLINGS[spelling].format(id=InstanceRow.objects.get().iam_project_id, own=world.project)


@pytest.mark.parametrize("way", ways.OF_PEOPLE)
@pytest.mark.parametrize(("of", "person"), TRUSTED)
def test_r23_applications_of_the_house_get_the_api_without_a_question(place, of, person, way):
    world = place(of, person)
    tokens = ways.OF_PEOPLE[way](world, f"{NARROW} {API}")
    assert ways.reaches_api(world, tokens["access_token"])


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("way", ways.OF_PEOPLE)
@pytest.mark.parametrize(("of", "person"), STRANGERS)
def test_r23_an_application_of_strangers_gets_no_token_that_acts_as_the_person(place, of, person, way, spelling):
    world = place(of, person)
    with pytest.raises(ways.Refused) as refused:
        ways.OF_PEOPLE[way](world, f"{NARROW} {spelled(world, spelling)}")
    asked = set(spelled(world, spelling).split())
    assert not AccessToken.objects.filter(for_api=True).exists()
    assert not [one for one in Grant.objects.all() if asked & set(one.scopes)]
    expected = {"prompt=none": "consent_required", "device": "device_authorization.consent_missing"}
    assert refused.value.args[0] == expected.get(way, "access_denied")


@pytest.mark.parametrize("way", ways.OF_PEOPLE)
@pytest.mark.parametrize(("of", "person"), STRANGERS)
def test_r23_without_that_audience_strangers_work_as_before(place, of, person, way):
    """Its tokens are none of the API's, and it learns who signed in."""
    world = place(of, person)
    token = ways.OF_PEOPLE[way](world, NARROW)["access_token"]
    assert world.flow.userinfo(token).json()["sub"] == world.flow.person
    assert not ways.reaches_api(world, token)


@pytest.mark.parametrize("more", [API, "urn:zitadel:iam:org:project:id:{id}:aud"])
def test_r23_a_wider_scope_later_is_refused(place, more):
    """Neither a refresh nor a second, silent sign-in makes more of what was given."""
    world = place("other", "default")
    more = more.format(id=InstanceRow.objects.get().iam_project_id)
    first = ways.by_code(world, f"{NARROW} offline_access")
    assert world.flow.refresh(first["refresh_token"], scope=f"{NARROW} {more}").json()["error"] == "invalid_scope"
    for prompt in ({}, {"prompt": "none"}, {"prompt": "consent"}):
        with pytest.raises(ways.Refused):
            ways.silently(world, f"{NARROW} {more}", **prompt)


@pytest.mark.parametrize("table", [Grant, RefreshToken, DeviceAuthorization])
def test_r23_what_was_given_before_is_not_redeemed_for_it(place, table):
    """Codes and refresh tokens of before, and those of an application whose project went to somebody else."""
    world = place("other", "default")
    scopes = ["openid", "offline_access", API]
    if table is Grant:
        code = world.flow.code(scope="openid offline_access")
        redeem = lambda: world.flow.redeem(code).json()
    elif table is RefreshToken:
        token = ways.by_code(world, "openid offline_access")["refresh_token"]
        redeem = lambda: world.flow.refresh(token).json()
    else:
        world.tv.start(scope="openid offline_access")
        world.tv.approve()
        redeem = lambda: world.tv.poll().json()
    table.objects.update(scopes=scopes)
    assert redeem()["error"] == "invalid_grant"
    table.objects.update(scopes=["openid", "offline_access"])
    assert "access_token" in redeem()


def test_r23_who_refreshes_for_less_goes_on(place):
    world = place("other", "default")
    token = ways.by_code(world, "openid offline_access")["refresh_token"]
    RefreshToken.objects.update(scopes=["openid", "offline_access", API])
    tokens = world.flow.refresh(token, scope="openid").json()
    assert not ways.reaches_api(world, tokens["access_token"])


@pytest.mark.parametrize("way", ways.OF_SERVICES)
def test_a_service_user_asks_for_itself(place, way):
    world = place("third", "other")
    assert ways.reaches_api(world, ways.OF_SERVICES[way](world, f"openid {API}")["access_token"])


def test_a_person_is_told_why_on_the_devices_page(place):
    from iam.access.catalog import text_of

    world = place("third", "other")
    world.tv.start(scope=f"openid {API}")
    ways.signed_in(world)
    page = "/ui/v2/login/device"
    request = world.flow.web.post(page, {"user_code": world.tv.started["user_code"]})["Location"].split("=")[-1]
    answer = world.flow.web.post(f"{page}/confirm", {"authRequest": request, "decision": "approve"})
    assert answer.status_code == 403
    assert text_of("device_authorization.consent_missing") in answer.content.decode()
    assert world.tv.poll().json()["error"] == "access_denied"
