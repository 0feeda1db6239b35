"""Every declared page answers; forms call commands; what is refused stands at its field."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from iam.access.models import MembershipRow
from iam.console import site
from iam.console.kit import FormPage
from iam.instance.models import InstanceRow
from iam.instance.settings import settings_of
from iam.outbox.models import Message
from iam.vault import wiring
from orgs import commands as orgs
from projections.models import Checkpoint
from projections.runner import run_until_done
from projects import commands as projects
from projects.models import AppRow, ProjectRow
from tests.conftest import HOST
from tests.console.conftest import sign_in
from users import commands as users
from users.commands import codes
from users.commands.codes import Wish
from users.models import UserRow

HOME = "/ui/console/"


@pytest.fixture
def things(house):
    """One of everything, by the names of the pages' addresses."""
    ctx = house.system
    project = projects.add_project(ctx, org_id=house.org, name="shop").id
    projects.add_role(ctx, project_id=project, key="admin")
    person = house.person()
    machine, _ = house.machine("robot")
    app = projects.add_api_app(ctx, project_id=project, name="api").id
    _, authorization = projects.add_authorization(
        ctx, org_id=house.org, user_id=person, project_id=project, roles=("admin",)
    )
    codes.request_password_code(ctx, user_id=person, wish=Wish())
    return {
        "org_id": house.org,
        "project_id": project,
        "user_id": person,
        "machine_id": machine,
        "app_id": app,
        "authorization_id": authorization,
        "message_id": Message.objects.get().id,
        "domain": "localhost",
        "role_key": "admin",
        "key": "admin",
    }


def test_every_page_answers_and_says_what_it_is(console, things):
    run_until_done(wiring.store())
    asked, skipped = 0, []
    for page in site.pages():
        names = [part.split(">")[0] for part in page.route.split("<")[1:]]
        if not set(names) <= set(things):
            skipped.append(page.route)
            continue
        route = page.route.replace("<", "{").replace(">", "}").format(**things)
        answer = console.get(HOME + route)
        is_machines = isinstance(page, FormPage) and answer.status_code in (400, 404, 409)
        assert answer.status_code == 200 or is_machines, (route, answer.status_code)
        assert b"<h1" in answer.content
        asked += 1
    assert asked > 40
    assert len(skipped) < 15, skipped


def test_settings_of_the_instance_are_changed_and_bounded(console, house):
    rules = {"min_length": "12", "has_lowercase": "on"}
    assert console.post(f"{HOME}instance/settings/password", rules).status_code == 303
    found = settings_of(house.instance).password_complexity
    assert (found.min_length, found.has_lowercase, found.has_symbol) == (12, True, False)
    wrong = console.post(f"{HOME}instance/settings/password", {"min_length": "1000"})
    assert wrong.status_code == 422
    tokens = dict.fromkeys(
        ("access_token_lifetime", "id_token_lifetime", "refresh_token_idle_expiration", "refresh_token_expiration"), "5"
    )
    assert console.post(f"{HOME}instance/settings/tokens", tokens).status_code == 303
    assert settings_of(house.instance).oidc.access_token_lifetime.total_seconds() == 300
    assert b"instance.oidc.settings.changed" in console.get(f"{HOME}instance?tab=history").content


def line_of(page, title):
    """The cells of a row of a page's table, without their marks."""
    row = next(one for one in page.content.decode().split("<tr>") if f">{title}</td>" in one)
    return re.findall(r"<td[^>]*>(?:<[^>]+>)*([^<]*)", row)


def test_row_50_the_settings_in_force_and_where_they_come_from_are_shown(console, house):
    org = f"{HOME}orgs/{house.org}"
    ticks = {"allow_username_password": "on", "allow_register": "on", "allow_external_idp": "on"}
    minutes = {"password_check_lifetime": "14400", "second_factor_check_lifetime": "1080"}
    form = {**ticks, **minutes, "multi_factor_check_lifetime": "720", "allow_domain_discovery": "on"}
    shown = lambda: line_of(console.get(f"{org}?tab=settings"), "Sign-in")
    assert shown()[1:3] == ["product", "as the product comes"]
    assert console.post(f"{HOME}instance/settings/login", {**form, "force_mfa": "on"}).status_code == 303
    assert shown()[1:3] == ["instance", "A second factor is required: yes"]
    assert "values of the instance" in console.get(f"{org}/settings/login").content.decode()
    assert console.post(f"{org}/settings/login", form).status_code == 303
    assert shown()[1:3] == ["organization", "as the product comes"]
    assert settings_of(house.instance, house.org).login.force_mfa is False
    assert console.post(f"{org}/settings/login/reset").status_code == 303
    assert shown()[1:3] == ["instance", "A second factor is required: yes"]


def test_languages_are_chosen(console, house):
    page = f"{HOME}instance/languages"
    assert console.post(page, {"language": "de", "allowed": ["de", "es"]}).status_code == 303
    found = settings_of(house.instance)
    assert (found.default_language, tuple(found.restrictions.allowed_languages)) == ("de", ("de", "es"))
    assert console.post(page, {"language": "de", "allowed": ["de", "es"]}).status_code == 303
    assert console.post(page, {"language": "fr"}).status_code == 422


def test_lists_show_names_with_one_statement_for_a_whole_page(console, house, things):
    """Organizations of users and projects: as many statements for twenty rows as for one."""
    ctx = house.system
    acme = orgs.add_org(ctx, name="Acme & Söhne").id
    projects.add_project(ctx, org_id=acme, name="billing")
    projects.add_grant(ctx, project_id=things["project_id"], granted_org_id=acme, roles=("admin",))
    orgs.add_org_member(ctx, org_id=acme, user_id=things["user_id"], roles=("ORG_OWNER",))

    def asked(address):
        with CaptureQueriesContext(connection) as captured:
            page = console.get(HOME + address).content.decode()
        return page, len(captured)

    lists = ("users", "projects", "grants", "administrators", "authorizations")
    few = {address: asked(address)[1] for address in lists}
    for number in range(20):
        org = orgs.add_org(ctx, name=f"org {number}").id
        person = house.person(f"p{number}", org=org)
        projects.add_project(ctx, org_id=org, name=f"project {number}")
        projects.add_grant(ctx, project_id=things["project_id"], granted_org_id=org, roles=("admin",))
        orgs.add_org_member(ctx, org_id=org, user_id=person, roles=("ORG_OWNER",))
    for address in lists:
        page, statements = asked(address)
        assert statements == few[address], address
        if address != "authorizations":
            assert acme not in re.sub(r'href="[^"]*"', "", page), address
            assert "org 7" in page or "Acme &amp; Söhne" in page, address


def test_an_organization_leads_to_its_users_and_projects_and_a_user_to_the_roles(console, house, things):
    page = lambda address: console.get(HOME + address).content.decode()
    other = orgs.add_org(house.system, name="Other").id
    house.person("elsewhere", org=other)
    projects.add_project(house.system, org_id=other, name="far")
    for address in (f"users?q={other}", f"projects?q={other}"):
        assert f'href="/ui/console/{address}"' in page(f"orgs/{other}")
    assert "elsewhere" in page(f"users?q={other}") and "gigi" not in page(f"users?q={other}")
    assert ">far<" in page(f"projects?q={other}") and ">shop<" not in page(f"projects?q={other}")
    assert f'href="/ui/console/authorizations?q={things["user_id"]}"' in page(f"users/{things['user_id']}")
    assert ">shop<" in page(f"authorizations?q={things['user_id']}")
    assert ">shop<" not in page(f"authorizations?q={house.admin}")
    assert ">shop<" in page("authorizations?q=SHO") and ">shop<" not in page("authorizations?q=far")


def test_a_page_behind_the_last_one_is_the_last_one(console, house, things, monkeypatch):
    monkeypatch.setattr("iam.console.table.PER_PAGE", 2)
    last = console.get(f"{HOME}users?page=77").content.decode()
    found = re.search(r"(\d+)–(\d+) of (\d+)", last)
    assert found[2] == found[3] != "0"


def test_a_grant_goes_to_an_organization_by_its_domain(console, house, things):
    acme = orgs.add_org(house.system, name="Acme").id
    page = f"{HOME}projects/{things['project_id']}/grants"
    assert console.post(f"{page}/new", {"org": "acme.localhost", "roles": ["admin"]}).status_code == 303
    shown = console.get(f"{HOME}projects/{things['project_id']}?tab=grants").content.decode()
    assert "Acme" in shown and acme not in shown
    assert console.post(f"{page}/new", {"org": "nowhere.example", "roles": ["admin"]}).status_code == 422


def test_what_to_do_next_is_what_one_may_do(console, house, web):
    assert b"Create a person" in console.get(HOME).content
    house.person("plain")
    page = sign_in(Client(HTTP_HOST=HOST), "plain", "Correct-Horse-9").content
    assert b"Look at your own account" in page and b"Create a person" not in page


def test_projects_and_applications_are_made_and_changed_by_forms(console, house):
    made = console.post(f"{HOME}projects/new", {"org": house.org, "name": "shop"})
    assert made.status_code == 303
    project = made["Location"]
    assert console.post(f"{project}/edit", {"name": "store", "project_role_check": "on"}).status_code == 303
    assert b"store" in console.get(project).content
    form = {
        "name": "web",
        "application_type": "0",
        "auth_method_type": "0",
        "redirect_uris": "https://app.example/cb",
        "grant_types": ["0"],
    }
    shown = console.post(f"{project}/apps/new-oidc", form)
    assert shown.status_code == 200 and b"secret" in shown.content.lower()
    bad = console.post(f"{project}/apps/new-oidc", {**form, "redirect_uris": "http://evil.example/*"})
    assert bad.status_code == 422
    key = console.post(f"{project}/roles/new", {"key": "admin", "display_name": "Admin"})
    assert key.status_code == 303


def test_an_application_for_devices_alone_needs_no_address_to_be_redirected_to(console, house):
    project = console.post(f"{HOME}projects/new", {"org": house.org, "name": "living room"})["Location"]
    form = {"name": "tv", "application_type": "2", "auth_method_type": "2", "grant_types": ["2", "3"]}
    page = f"{project}/apps/new-oidc"
    assert b"Device code" in console.get(page).content
    assert console.post(page, {**form, "grant_types": ["0", "3"]}).status_code == 422
    assert console.post(page, {**form, "grant_types": []}).status_code == 422
    made = console.post(page, form)
    assert made.status_code in (200, 303), made.content[:500]
    app = AppRow.objects.get(name="tv")
    assert (app.grant_types, app.redirect_uris) == ([2, 3], [])
    assert b"refresh token, device code" in console.get(f"{project}/apps/{app.id}").content


def test_people_are_made_and_changed_by_forms(console, house):
    form = {"org": house.org, "first_name": "Ada", "last_name": "L", "email": "ada@example.com", "user_name": "ada"}
    made = console.post(f"{HOME}users/new-human", form)
    assert made.status_code in (200, 303), made.content[:500]
    person = UserRow.objects.get(user_name="ada")
    page = f"{HOME}users/{person.id}"
    for route, state in (("deactivate", 2), ("reactivate", 1), ("lock", 4), ("unlock", 1)):
        assert console.post(f"{page}/{route}").status_code == 303, route
        assert UserRow.objects.get(id=person.id).state == state


@pytest.mark.parametrize(("hours", "keeps"), [("24", True), ("0", False)])
def test_a_new_client_secret_leaves_the_one_before_for_as_long_as_is_chosen(console, house, things, hours, keeps):
    users.set_machine_secret(house.system, user_id=things["machine_id"])
    app = f"{HOME}projects/{things['project_id']}/apps/{things['app_id']}"
    for table, id, page, shown in (
        (UserRow, things["machine_id"], f"{HOME}users/{things['machine_id']}", "?tab=credentials"),
        (AppRow, things["app_id"], app, ""),
    ):
        assert b'name="keep_hours"' in console.get(f"{page}/secret").content
        before = table.objects.get(id=id).secret_hash
        answer = console.post(f"{page}/secret", {"keep_hours": hours})
        row = table.objects.get(id=id)
        assert answer.status_code == 200 and row.secret_hash != before
        if not keeps:
            assert (row.previous_secret_hash, row.previous_secret_until) == ("", None)
            continue
        ahead = row.previous_secret_until - row.changed_at
        assert row.previous_secret_hash == before and abs(ahead - timedelta(hours=24)) < timedelta(minutes=1)
        assert f"{row.previous_secret_until:%Y-%m-%d %H:%M}".encode() in console.get(page + shown).content
        assert b"previousUntil" in console.get(f"{page}?tab=history").content
        assert console.post(f"{page}/secret", {"keep_hours": "5000"}).status_code == 422


def test_hosts_are_added_and_bad_ones_refused_at_their_field(console):
    assert console.post(f"{HOME}instance/domains/add", {"domain": "id.acme.com"}).status_code == 303
    again = console.post(f"{HOME}instance/domains/add", {"domain": "id.acme.com"})
    assert (again.status_code, b"Domain already exists" in again.content) == (422, True)
    assert console.post(f"{HOME}instance/domains/add", {"domain": "no host!"}).status_code == 422
    kept = console.post(f"{HOME}instance/domains/localhost/remove")
    assert kept.status_code == 409


def test_the_application_of_the_console_itself_is_kept_and_the_page_says_why(console, house):
    app = AppRow.objects.get(id=InstanceRow.objects.get().console_app_id)
    page = f"{HOME}projects/{app.project_id}/apps/{app.id}"
    for answer in (
        console.post(f"{page}/delete"),
        console.post(f"{page}/deactivate"),
        console.post(f"{HOME}projects/{app.project_id}/delete"),
        console.post(f"{HOME}orgs/{house.org}/deactivate"),
    ):
        assert (answer.status_code, "console" in answer.content.decode()) == (409, True)
    assert "Welcome" in console.get(HOME).content.decode()


def test_a_stopped_follower_is_shown_with_its_error(console, house):
    Checkpoint.objects.create(
        projection="hours",
        instance_id=house.instance,
        changed_at=house.system.now(),
        error="ValueError: cannot",
        failed_fact="user.human.added",
        failed_position=1,
    )
    page = console.get(f"{HOME}instance?tab=followers").content.decode()
    assert "stopped" in page and "ValueError: cannot" in page and "user.human.added" in page


def test_the_history_of_an_application_is_its_own(console, house, things):
    projects.add_api_app(house.system, project_id=things["project_id"], name="another")
    page = console.get(f"{HOME}projects/{things['project_id']}/apps/{things['app_id']}?tab=history").content.decode()
    assert "project.application.added" in page
    assert "another" not in page and "project.role.added" not in page


def test_messages_are_tried_again(console, things):
    Message.objects.update(state="failed", tries=8, error="no")
    page = console.post(f"{HOME}messages/{things['message_id']}/again")
    assert page.status_code == 303
    assert Message.objects.get().state == "queued"


def test_t02_a_person_without_rights_sees_nothing_of_the_instance(house, web, things):
    sign_in(web, "gigi", "Correct-Horse-9")
    for route in ("instance", "messages", f"messages/{things['message_id']}", "users", f"users/{house.admin}"):
        assert web.get(HOME + route).status_code in (403, 404), route
    refused = web.post(f"{HOME}instance/settings/password", {"min_length": "1"})
    assert refused.status_code in (403, 422)
    assert settings_of(house.instance).password_complexity.min_length == 8


def test_where_there_are_many_organizations_and_projects_they_are_chosen_by_name_or_id(
    console, house, things, monkeypatch
):
    monkeypatch.setattr("iam.console.picking.FEW", 1)
    far, shop, person = orgs.add_org(house.system, name="Far away").id, things["project_id"], things["user_id"]

    def post(address, **sent):
        answer = console.post(HOME + address, sent)
        return answer.status_code, answer.content.decode()

    assert "Its name or its id." in console.get(f"{HOME}projects/new").content.decode()
    assert post("projects/new", org="far AWAY", name="Shop")[0] == 303
    assert ProjectRow.objects.get(org_id=far).name == "Shop"
    status, page = post("projects/new", org="nowhere", name="lost")
    assert status == 422 and "There is none of this name or id." in page
    status, page = post("authorizations/new", org=house.org, user=person, project="shop", roles="admin")
    assert status == 422 and "Several are called so; give the id." in page
    for resource, role in (("Instance", "IAM_OWNER"), ("Far away", "ORG_OWNER"), (shop, "PROJECT_OWNER")):
        assert post("administrators/new", user=person, resource=resource, role=role)[0] == 303
    held = MembershipRow.objects.filter(user_id=person).values_list("level", "resource_id")
    assert {*held} == {("instance", house.instance), ("org", far), ("project", shop)}
