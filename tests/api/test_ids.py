"""Ids that callers choose: every method that takes one × the id of every other thing, every reserved and malformed word (T05, U04).

Which methods these are is said by the descriptors: a message that creates something and has a field for its id.
"""

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from google.protobuf import json_format

from eventstore.models import EventRow
from iam.access.caller import RequestMeta
from iam.access.models import MembershipRow
from iam.access.queries import rights_of
from iam.access.roles import ROLES
from iam.actions import commands as actions
from iam.actions.domain.target import TargetValues
from iam.api.methods import invoke, method, registered
from iam.kernel.context import Rights
from iam.kernel.errors import AlreadyExists, InvalidInput, NotFound, PermissionDenied, Refusal
from iam.kernel.ids import RESERVED, reserved
from iam.kernel.levels import Level, Resource
from oidc.models import AccessToken, DeviceAuthorization, RefreshToken, WebKeyRow
from orgs import commands as orgs
from orgs.models import OrgRow
from projects import commands as projects
from projects.domain.project import OidcConfig
from projects.models import ProjectRow
from tests.oidc.support import make_flow
from tests.users.support import Rpc
from users import commands as users
from users.commands import sessions
from users.models import UserRow

CREATES = re.compile(r"(?:Add|Create|Import|SetUp|Register)(\w+?)(?:Request)?$")
OWN_FIELDS = {
    "User": "user_id", "Project": "project_id", "Application": "application_id", "App": "app_id", "Key": "key_id",
    "Organization": "organization_id", "Org": "org_id", "Session": "session_id", "Target": "target_id", "Grant": "grant_id",
    "Instance": "instance_id", "Authorization": "authorization_id",
}  # fmt: skip


def own_ids(name: str, message, depth: int = 0):
    """The paths of the fields of a request that hold the id of what it creates."""
    found = CREATES.match(name)
    things = [thing for thing in OWN_FIELDS if found and found[1].endswith(thing)]
    wanted = {"id", *(OWN_FIELDS[thing] for thing in things)} | ({"org_id"} if "Organization" in things else set())
    for field in message.fields:
        if found and field.name in wanted and not field.is_repeated and field.type == field.TYPE_STRING:
            yield field.json_name
        elif field.message_type and field.message_type.full_name.startswith("zitadel") and depth < 4:
            for below in own_ids(field.message_type.name, field.message_type, depth + 1):
                yield f"{field.json_name}.{below}"


def found_doors():
    """(method, path of the field) of everything registered."""
    for name in registered():
        for path in own_ids(name.partition("/")[2], method(name).request.DESCRIPTOR):
            yield name, path


PROFILE = {"profile": {"givenName": "A", "familyName": "B"}, "email": {"email": "x@example.com"}}
API_APP = {"projectId": "{project}", "name": "x", "apiConfiguration": {}}
ADMIN = {"name": "Fresh", "admins": [{"human": {"username": "x", **PROFILE}}]}
BODIES = {
    ("zitadel.application.v2.ApplicationService/CreateApplication", "applicationId"): API_APP,
    ("zitadel.app.v2beta.AppService/CreateApplication", "id"): {"projectId": "{project}", "name": "x", "apiRequest": {}},
    ("zitadel.management.v1.ManagementService/AddMachineUser", "userId"): {"userName": "x", "name": "x"},
    ("zitadel.org.v2.OrganizationService/AddOrganization", "orgId"): {"name": "Fresh"},
    ("zitadel.org.v2.OrganizationService/AddOrganization", "organizationId"): {"name": "Fresh"},
    ("zitadel.org.v2.OrganizationService/AddOrganization", "admins.human.userId"): ADMIN,
    ("zitadel.org.v2beta.OrganizationService/CreateOrganization", "id"): {"name": "Fresh"},
    ("zitadel.org.v2beta.OrganizationService/CreateOrganization", "admins.human.userId"): ADMIN,
    ("zitadel.project.v2.ProjectService/CreateProject", "projectId"): {"organizationId": "{org}", "name": "x"},
    ("zitadel.project.v2beta.ProjectService/CreateProject", "id"): {"organizationId": "{org}", "name": "x"},
    ("zitadel.user.v2.UserService/AddHumanUser", "userId"): {"username": "x", **PROFILE},
    ("zitadel.user.v2beta.UserService/AddHumanUser", "userId"): {"username": "x", **PROFILE},
    ("zitadel.user.v2.UserService/CreateUser", "userId"): {"organizationId": "{org}", "username": "x", "machine": {"name": "x"}},
}  # fmt: skip
"""What else a request needs."""
DOORS = sorted(BODIES)

MALFORMED = (
    " ", "\t", "a b", " a", "a ", "a/b", "/", "../x", "..", ".", "a\\b", "a?b", "a#b", "a%2Fb", "a;b", "a,b", "a:b", "*", "a*",
    "a\nb", "a\r", "\x00", "a\x00b", "\x7f", "\x1f", "ä", "ａ", "\u202ex", "a\u200bb", "\ufeffa", "\U0001f600", "<a>", "a'b", 'a"b',
    "{a}", "{{a}}", "$a", "a&b", "a=b", "x" * 201,
)  # fmt: skip
RESERVED_WORDS = (
    "SYSTEM", "system", "System", "nobody", "Nobody", "zitadel", "ZITADEL", "me", "new", "_search", "human", "machine",
    "V2_123456789012345678", "v2_x",
)  # fmt: skip


def everything(house, web) -> dict[str, str]:
    """The id of one living thing of every kind, of some that are gone, and names that stand where ids stand."""
    flow = make_flow(house, web)
    system = house.system
    config = OidcConfig(grant_types=(0, 2, 3), redirect_uris=("https://app.example/cb",), auth_method_type=2)
    tv = projects.add_oidc_app(system, project_id=flow.project, name="tv", config=config)
    projects.add_role(system, project_id=flow.project, key="admin")
    borrower = orgs.add_org(system, name="Borrower").id
    _, grant = projects.add_grant(system, project_id=flow.project, granted_org_id=borrower, roles=("admin",))
    _, given = projects.add_authorization(
        system, org_id=house.org, user_id=flow.person, project_id=flow.project, roles=("admin",)
    )
    machine, _ = house.machine("robot")
    api = projects.add_api_app(system, project_id=flow.project, name="keyed", method=1)
    request = parse_qs(urlsplit(flow.authorize()["Location"]).query)["authRequest"][0]
    assert flow.form("/oauth/v2/device_authorization", {"client_id": tv.client_id}).status_code == 200
    flow.tokens()
    gone_user, _ = house.machine("gone")
    users.remove_user(system, user_id=gone_user)
    gone_org = orgs.add_org(system, name="Gone").id
    gone_project = projects.add_project(system, org_id=gone_org, name="x").id
    gone_app = projects.add_api_app(system, project_id=gone_project, name="x").id
    orgs.remove_org(system, org_id=gone_org)
    users.add_machine(system, org_id=house.org, name="c", user_id="Chosen-Before")
    return {
        "instance": house.instance,
        "organization": borrower,
        "the own organization": house.org,
        "project": flow.project,
        "project grant": grant,
        "authorization": given,
        "application": flow.app,
        "client": flow.client_id,
        "client of an API application": api.client_id,
        "person": flow.person,
        "service user": machine,
        "owner of the instance": house.admin,
        "session": sessions.create_session(system),
        "key of a service user": users.add_machine_key(system, user_id=machine).id,
        "personal access token": users.add_pat(system, user_id=machine).id,
        "key of an application": projects.add_app_key(system, project_id=flow.project, app_id=api.id).id,
        "target": actions.add_target(system, values=TargetValues(name="t", endpoint="https://t.example/")).receipt.id,
        "web key": WebKeyRow.objects.filter(instance_id=house.instance).first().id,
        "authorization request": request,
        "device request": DeviceAuthorization.objects.get().id,
        "access token": AccessToken.objects.order_by("-created_at").first().id,
        "refresh token": RefreshToken.objects.get().id,
        "removed user": gone_user,
        "removed organization": gone_org,
        "project of a removed organization": gone_project,
        "application of a removed organization": gone_app,
        "removed grant": _removed_grant(system, flow.project),
        "name of a service user": "robot",
        "name in another case": "ROBOT",
        "chosen before": "Chosen-Before",
        "chosen before in another case": "chosen-bEFORE",
    }


def _removed_grant(system, project):
    other = orgs.add_org(system, name="Other").id
    _, id = projects.add_grant(system, project_id=project, granted_org_id=other, roles=())
    projects.remove_grant(system, project_id=project, grant_id=id)
    return id


def body_of(door, id, house, project):
    """The request of a door with an id."""
    text = json.dumps(BODIES[door]).replace("{org}", house.org).replace("{project}", project)
    body = place = json.loads(text)
    *steps, last = door[1].split(".")
    for step in steps:
        place = place.setdefault(step, {})
        place = place[0] if isinstance(place, list) else place
    place[last] = id
    return body


def call(door, body, token, host="localhost"):
    """Invoke a method as both wires do."""
    request = json_format.ParseDict(body, method(door[0]).request())
    return invoke(door[0], request, RequestMeta(host=host, headers={"authorization": f"Bearer {token}"}))


def all_rights(house):
    """What everybody may do, and where it is written."""
    people = [*UserRow.objects.filter(instance_id=house.instance).values_list("id", flat=True), "SYSTEM", "nobody", "*"]
    rows = sorted(map(str, MembershipRow.objects.values_list()))
    return rows, {id: rights_of(house.instance, id) for id in people}


def test_every_method_with_an_id_of_its_own_is_tried():
    assert set(found_doors()) == set(DOORS)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: f"{door[0].split('.', 1)[1]}-{door[1]}")
def test_t05_an_id_belongs_to_one_thing_of_any_kind(house, web, door):
    taken = everything(house, web)
    facts, rights = EventRow.objects.count(), all_rights(house)
    wrong = {}
    for thing, id in taken.items():
        expected = AlreadyExists if not id.startswith("V2_") else (AlreadyExists, InvalidInput)
        try:
            call(door, body_of(door, id, house, taken["project"]), house.pat)
            wrong[thing] = "was made"
        except expected:
            continue
        except Refusal as other:
            wrong[thing] = repr(other)
    assert not wrong
    assert EventRow.objects.count() == facts
    assert all_rights(house) == rights
    call(door, body_of(door, "4f1c6a2e-free.one", house, taken["project"]), house.pat)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: f"{door[0].split('.', 1)[1]}-{door[1]}")
def test_u04_reserved_and_malformed_ids_are_refused(house, door):
    project = projects.add_project(house.system, org_id=house.org, name="p").id
    facts, rights = EventRow.objects.count(), all_rights(house)
    made = []
    for id in (*MALFORMED, *RESERVED_WORDS):
        try:
            call(door, body_of(door, id, house, project), house.pat)
            made.append(id)
        except InvalidInput:
            continue
    assert not made
    assert EventRow.objects.count() == facts
    assert all_rights(house) == rights


GOOD = (
    "1", "a", "A-b_c.d~e", "4f1c6a2e-9c1d-4d7f-8a61-0d4e1a7a2f10", "auth0|60425da93519d90068f82966", "ada@example.com",
    "264240953343934729", "999999999999999999", "000000000000000001", "x" * 200, "-x", "_x",
)  # fmt: skip
REST = {
    "user": ("/v2/users/{}", lambda house, id: users.add_machine(house.system, org_id=house.org, name="n", user_id=id)),
    "project": ("/v2beta/projects/{}", lambda house, id: projects.add_project(house.system, org_id=house.org, name="n", project_id=id)),
    "organization": ("/management/v1/orgs/me", lambda house, id: orgs.add_org(house.system, name="n", org_id=id)),
}  # fmt: skip


@pytest.mark.parametrize("id", GOOD)
@pytest.mark.parametrize("thing", REST)
def test_u04_whatever_id_is_accepted_is_within_reach_of_every_wire(house, api, thing, id):
    path, make = REST[thing]
    make(house, id)
    headers = api.headers | ({"x-zitadel-orgid": id} if thing == "organization" else {})
    answer = Client(HTTP_HOST="localhost").get(path.format(id), headers=headers)
    assert answer.status_code == 200, answer.content
    assert f'"{id}"' in answer.content.decode()
    if thing == "user":
        assert Rpc("zitadel.user.v2.UserService", house.pat)("GetUserByID", {"userId": id})["user"]["userId"] == id


def test_u04_no_address_of_the_api_or_the_console_hides_an_id():
    from iam.api.routes import routes
    from iam.console import site

    paths = [route.path for route in routes()] + ["/" + re.sub(r"<[^>]+>", "{x}", page.route) for page in site.pages()]
    split = [path.strip("/").split("/") for path in paths]
    hiding = {
        (literal := parts[n])
        for parts in split
        for n in range(len(parts))
        if "{" not in parts[n]
        and any(len(other) > n and other[:n] == parts[:n] and other[n] == "{x}" for other in split)
    }
    assert "new" in hiding and literal
    assert {word.casefold() for word in hiding} <= reserved()
    assert {word.casefold() for word in RESERVED} <= reserved()


@pytest.mark.parametrize(("path", "body", "status"), [
    ("/v2beta/projects", {"organizationId": "{org}", "name": "n", "id": "{instance}"}, 409),
    ("/v2beta/projects", {"organizationId": "{org}", "name": "n", "id": "a/b"}, 400),
    ("/v2/organizations", {"name": "n", "organizationId": "{instance}"}, 409),
    ("/v2/organizations", {"name": "n", "organizationId": "SYSTEM"}, 400),
    ("/v2/users/human", {"userId": "{org}", "username": "n", **PROFILE}, 409),
    ("/v2/users/human", {"userId": "nobody", "username": "n", **PROFILE}, 400),
])  # fmt: skip
def test_t05_the_wires_say_conflict_and_bad_request(house, api, path, body, status):
    text = json.dumps(body).replace("{org}", house.org).replace("{instance}", house.instance)
    assert api.post(path, json.loads(text)).status_code == status
    service, rpc = {
        "/v2beta/projects": ("project.v2beta", "ProjectService/CreateProject"),
        "/v2/organizations": ("org.v2", "OrganizationService/AddOrganization"),
        "/v2/users/human": ("user.v2", "UserService/AddHumanUser"),
    }[path]
    with pytest.raises(AlreadyExists if status == 409 else InvalidInput):
        invoke(
            f"zitadel.{service}.{rpc}",
            json_format.Parse(text, method(f"zitadel.{service}.{rpc}").request()),
            RequestMeta(host="localhost", headers={"authorization": f"Bearer {house.pat}"}),
        )


def test_t05_two_things_of_one_request_have_two_ids(house):
    with pytest.raises(AlreadyExists):
        call(
            ("zitadel.org.v2.OrganizationService/AddOrganization", ""),
            {"organizationId": "same", **ADMIN, "admins": [{"human": {"userId": "same", "username": "x", **PROFILE}}]},
            house.pat,
        )
    assert not OrgRow.objects.filter(id="same").exists()


def test_no_console_form_lets_an_id_be_chosen(house):
    from iam.console import site
    from iam.console.kit import FormPage

    for page in site.pages():
        if isinstance(page, FormPage) and page.route.endswith(
            ("new", "new-human", "new-machine", "new-oidc", "new-api")
        ):
            form = page.form(house.system, {"id": "1", "project_id": "1", "org_id": house.org}) if page.form else None
            chosen = {"id", "org_id", "client_id", "app_id"} & set(getattr(form, "base_fields", {}))
            assert not chosen, page.route


def test_t05_a_drawn_id_is_never_one_that_was_chosen_before(house, monkeypatch):
    """Somebody chose an id of the form of those that are drawn; the server draws the same one later."""
    from iam.kernel.ids import Ids
    from iam.vault import wiring

    chosen = "300000000000000000"
    users.add_machine(house.system, org_id=house.org, name="first", user_id=chosen)
    ports = wiring.ports()
    generator = Ids(0)
    monkeypatch.setattr("iam.kernel.ids._now", lambda: int(chosen[:12]))
    ctx = house.system.__class__(
        **{**vars(house.system), "ports": ports.__class__(**{**vars(ports), "new_id": generator})}
    )
    facts = EventRow.objects.count()
    with pytest.raises(AlreadyExists):
        projects.add_project(ctx, org_id=house.org, name="second")
    assert EventRow.objects.count() == facts
    projects.add_project(ctx, org_id=house.org, name="third")  # the next one is free


@pytest.mark.parametrize("seconds", [1, 20, 58])
def test_t05_what_is_about_to_be_drawn_cannot_be_chosen(house, seconds):
    from iam.kernel.ids import Ids

    now = int(Ids(0)()[:12]) + seconds * 1000
    with pytest.raises(InvalidInput, match=r"id\.reserved"):
        users.add_machine(house.system, org_id=house.org, name="n", user_id=f"{now:012d}000000")


# ---- rights are asked by level and id

PERMISSIONS = sorted({one for held in ROLES.values() for one in held})
LEVELS = (Level.ORG, Level.PROJECT, Level.GRANT)


@pytest.mark.parametrize("held", LEVELS)
@pytest.mark.parametrize("asked", Level)
def test_t05_a_right_at_one_level_says_nothing_of_another_with_the_same_id(held, asked):
    name = {Level.ORG: "orgs", Level.PROJECT: "projects", Level.GRANT: "grants"}[held]
    rights = Rights(**{name: {"same": frozenset(PERMISSIONS)}})
    for permission in PERMISSIONS:
        assert rights.allow(permission, Resource(asked, "same")) is (asked is held)
        assert not rights.allow(permission, Resource(asked, "other"))
        assert not rights.allow(permission)


def test_t05_the_instance_is_no_organization_whatever_is_held_over_its_id(house):
    from dataclasses import replace

    rights = Rights(orgs={house.instance: frozenset(PERMISSIONS)})
    ctx = replace(house.system, rights=rights)
    for permission in PERMISSIONS:
        assert not ctx.allows(permission, ctx.instance)
        with pytest.raises((PermissionDenied, NotFound)):
            ctx.require(permission, ctx.instance)


def test_t05_a_project_with_the_id_of_a_grant_gives_no_right_over_the_grant(house):
    """As an earlier release let it be made: rows are planted beside the checks that refuse it today."""
    lent = projects.add_project(house.system, org_id=house.org, name="lent").id
    projects.add_role(house.system, project_id=lent, key="admin")
    borrower, other = (orgs.add_org(house.system, name=name).id for name in ("C", "B"))
    _, grant = projects.add_grant(house.system, project_id=lent, granted_org_id=borrower, roles=("admin",))
    attacker, token = house.machine("attacker", other)
    plant(house, "project", grant, other, "P")
    projects.add_project_member(house.system, project_id=grant, user_id=attacker, roles=("PROJECT_OWNER",))
    rpc = Rpc("zitadel.management.v1.ManagementService", token)
    member = {"projectId": lent, "grantId": grant, "userId": attacker, "roles": ["PROJECT_GRANT_OWNER"]}
    with pytest.raises((NotFound, PermissionDenied)):
        rpc("AddProjectGrantMember", member)
    give = {"organizationId": borrower, "userId": attacker, "projectId": lent, "roleKeys": ["admin"]}
    with pytest.raises((NotFound, PermissionDenied)):
        Rpc("zitadel.authorization.v2.AuthorizationService", token)("CreateAuthorization", give)
    assert ProjectRow.objects.filter(id=grant).exists()


def plant(house, kind, id, owner, name):
    """A thing with an id that is taken, as an earlier release let it be made."""
    from eventstore.store import Write
    from orgs.domain.events import OrgAdded
    from projects.domain.events import ProjectAdded
    from users.domain.events import MachineAdded

    fact = {
        "project": ProjectAdded(name=name),
        "org": OrgAdded(name=name),
        "user": MachineAdded(user_name=name, name=name),
    }
    ctx = house.system
    ctx.store.push([Write(ctx.stream(kind, id), 0, (fact[kind],), owner, "", ctx.now())])


POLICIES = [name for name in registered() if re.search(r"ManagementService/AddCustom\w+Policy$", name)]


@pytest.fixture
def twin(house):
    """An organization that has the instance's id, and a manager of organizations: no owner of the instance."""
    plant(house, "org", house.instance, house.instance, "Twin")
    id, token = house.machine("manager")
    from iam.instance import commands as instances

    instances.add_member(house.system, user_id=id, roles=("IAM_ORG_MANAGER",))
    return token


@pytest.mark.parametrize("name", POLICIES)
def test_t05_an_organization_with_the_instances_id_does_not_change_the_instances_policies(house, twin, name):
    from iam.instance.models import SettingRow

    before = list(SettingRow.objects.values_list())
    headers = {"authorization": f"Bearer {twin}", "x-zitadel-orgid": house.instance}
    with pytest.raises((NotFound, PermissionDenied, InvalidInput)):
        invoke(name, method(name).request(), RequestMeta(host="localhost", headers=headers))
    assert list(SettingRow.objects.values_list()) == before


def test_t05_removing_it_takes_nothing_of_the_instance(house, twin):
    from eventstore.models import ClaimRow

    held = ClaimRow.objects.filter(owner=house.instance).count()
    rights = sorted(map(str, MembershipRow.objects.filter(level="instance").values_list()))
    Rpc("zitadel.org.v2.OrganizationService", twin)("DeleteOrganization", {"organizationId": house.instance})
    assert not OrgRow.objects.filter(id=house.instance).exists()
    assert sorted(map(str, MembershipRow.objects.filter(level="instance").values_list())) == rights
    assert ClaimRow.objects.filter(owner=house.instance).count() == held
