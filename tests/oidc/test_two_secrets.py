"""While a client secret is renewed the one before counts for a while: of applications and of service users."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings

from iam.access.tokens import is_secret_of
from iam.archive.arriving import arrive
from iam.archive.leaving import export
from iam.cache import kept
from iam.vault import wiring
from oidc.registry import find_client
from projections.projection import IMMEDIATE, projections
from projections.rebuild import rebuild
from projects import commands as projects
from projects.domain.project import OidcConfig
from projects.models import AppRow
from tests.archive.test_archive import KEY, other_instance
from tests.oidc.support import make_flow
from tests.oidc.test_service_users import statements
from users import commands as users
from users.models import UserRow

HOUR = timedelta(hours=1)
TABLES = (AppRow, UserRow)


@pytest.fixture
def flow(house, web):
    return make_flow(house, web)


class ServiceUser:
    """A service user that gets tokens by its client secret."""

    renewals = ("/v2/users/{id}/secret", "/management/v1/users/{id}/secret")

    def __init__(self, flow):
        self.flow, self.system = flow, flow.house.system
        self.id, _ = flow.house.machine("robot")
        self.first = users.set_machine_secret(self.system, user_id=self.id).secret

    def renew(self, **options):
        return users.set_machine_secret(self.system, user_id=self.id, **options).secret

    def works(self, secret):
        form = {"grant_type": "client_credentials", "client_id": "robot", "client_secret": secret, "scope": "openid"}
        return self.flow.form("/oauth/v2/token", form).status_code == 200

    def stop(self):
        users.deactivate_user(self.system, user_id=self.id)

    def renew_by(self, api, path):
        """v2 answers a POST, v1 a PUT."""
        ask = api.put if path.startswith("/management") else api.post
        answer = ask(path.format(id=self.id), {})
        assert answer.status_code == 200, answer.content
        return answer.json()["clientSecret"]


class Application:
    """An application that asks about tokens with its client secret."""

    def __init__(self, flow):
        self.flow, self.system = flow, flow.house.system
        self.token = flow.tokens()["access_token"]
        made = self.make()
        self.id, self.client_id, self.first = made.id, made.client_id, made.secret
        self.where = {"project_id": flow.project, "app_id": self.id}

    def renew(self, **options):
        return projects.change_app_secret(self.system, **self.where, **options).secret

    def works(self, secret):
        form = {"client_id": self.client_id, "client_secret": secret, "token": self.token}
        return self.flow.form("/oauth/v2/introspect", form).status_code == 200

    def stop(self):
        projects.deactivate_app(self.system, **self.where)

    def renew_by(self, api, path):
        body = {"projectId": self.flow.project, f"is{self.kind}": True} if path.startswith("/v2beta") else {}
        answer = api.post(path.format(project=self.flow.project, id=self.id), body)
        assert answer.status_code == 200, answer.content
        return answer.json()["clientSecret"]


class ApiApplication(Application):
    kind = "Api"
    renewals = (
        "/v2beta/applications/{id}/generate_client_secret",
        "/management/v1/projects/{project}/apps/{id}/api_config/_generate_client_secret",
    )

    def make(self):
        return projects.add_api_app(self.system, project_id=self.flow.project, name="api")


class OidcApplication(Application):
    kind = "Oidc"
    renewals = (
        "/v2beta/applications/{id}/generate_client_secret",
        "/management/v1/projects/{project}/apps/{id}/oidc_config/_generate_client_secret",
    )

    def make(self):
        config = OidcConfig(redirect_uris=("https://app.example/cb",), auth_method_type=1)
        return projects.add_oidc_app(self.system, project_id=self.flow.project, name="shop", config=config)


KINDS = (ServiceUser, ApiApplication, OidcApplication)


@pytest.fixture(params=KINDS)
def holder(request, flow):
    return request.param(flow)


def ways(holder, secrets):
    return [holder.works(secret) for secret in secrets]


def test_d03_the_secret_before_counts_as_long_as_it_is_kept_and_no_longer(holder):
    new = holder.renew(keep_previous=HOUR)
    assert ways(holder, (new, holder.first, "neither")) == [True, True, False]
    for table in TABLES:
        table.objects.exclude(previous_secret_until=None).update(previous_secret_until=datetime.now(UTC))
    assert ways(holder, (new, holder.first)) == [True, False]


def test_d03_a_second_renewal_drops_the_oldest(holder):
    second = holder.renew(keep_previous=HOUR)
    third = holder.renew(keep_previous=HOUR)
    assert ways(holder, (third, second, holder.first)) == [True, True, False]
    fourth = holder.renew()
    assert ways(holder, (fourth, third, second)) == [True, False, False]


@pytest.mark.parametrize("number", [0, 1])
def test_over_the_api_the_secret_before_counts_as_long_as_is_configured(holder, api, number, monkeypatch):
    path = holder.renewals[number]
    second = holder.renew_by(api, path)
    assert ways(holder, (second, holder.first)) == [True, False], "as the reference does it without the setting"
    monkeypatch.setattr(settings.CONFIG.SystemDefaults, "ClientSecretOverlap", HOUR)
    third = holder.renew_by(api, path)
    assert ways(holder, (third, second)) == [True, True]


def test_whoever_is_stopped_is_refused_with_both(holder):
    new = holder.renew(keep_previous=HOUR)
    holder.stop()
    assert ways(holder, (new, holder.first)) == [False, False]


def test_a_removed_secret_takes_the_one_before_with_it(flow, api):
    robot = ServiceUser(flow)
    new = robot.renew(keep_previous=HOUR)
    assert api.delete(f"/v2/users/{robot.id}/secret").status_code == 200
    assert ways(robot, (new, robot.first)) == [False, False]
    again = robot.renew(keep_previous=HOUR)
    assert ways(robot, (again, new)) == [True, False], "nothing counted before it"


def test_the_secret_before_costs_no_statement_more(flow):
    api, robot = ApiApplication(flow), ServiceUser(flow)
    for one in (api, robot):
        one.renew(keep_previous=HOUR)
        one.works(one.first)
    with statements(3):
        assert api.works(api.first)
    with statements(4):
        assert robot.works(robot.first)


def test_a_kept_answer_knows_when_the_secret_before_ends(flow):
    """A cache may hold the application for longer than the secret counts."""
    app, section = ApiApplication(flow), settings.CONFIG.Caches.OIDC
    app.renew(keep_previous=HOUR)
    kept.start_anew()
    section.Connector = "memory"
    try:
        client = [find_client(flow.house.instance, app.client_id) for _ in range(2)][1]
        until = client.previous_secret_until
        assert is_secret_of(client, app.first, until - timedelta(seconds=1))
        assert not is_secret_of(client, app.first, until)
    finally:
        section.Connector = ""
        kept.start_anew()


def previous(table, instance):
    rows = table.objects.filter(instance_id=instance).exclude(previous_secret_hash="")
    return list(rows.values_list("id", "secret_hash", "previous_secret_hash", "previous_secret_until"))


def test_replays_and_archives_keep_both(flow):
    for holder in (ServiceUser(flow), ApiApplication(flow)):
        holder.renew(keep_previous=HOUR)
    for one in projections(IMMEDIATE):
        assert rebuild(wiring.store(), one, swap=False).different == ()
    target, out = other_instance(flow.house), io.StringIO()
    export(flow.house.org, out, KEY)
    arrive(io.StringIO(out.getvalue()), KEY, instance=target)
    for table in TABLES:
        assert previous(table, target) == previous(table, flow.house.instance) != []
