"""Milestones are reached once, and a usage report holds numbers only and goes nowhere that nobody named."""

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.conf import settings

from eventstore.portable import facts_of_instance
from eventstore.testing import given
from iam.settings.sources import BadValue, read
from iam.usage import following, report
from iam.usage.counts import counts
from iam.usage.milestone import Milestone, MilestonePushed, MilestoneReached, Milestones
from iam.usage.models import MilestoneRow, ReportState
from iam.vault import wiring
from oidc.models import AccessToken
from projections.projection import projection
from projects import commands as projects

AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_milestone_is_reached_once_and_told_once():
    reached = MilestoneReached(type=3, reached_at=AT)
    given(Milestones).when(lambda all: all.reach(Milestone.PROJECT_CREATED, AT)).then(reached)
    given(Milestones, reached).when(lambda all: all.reach(Milestone.PROJECT_CREATED, AT)).then()
    pushed = MilestonePushed(type=3, pushed_at=AT)
    given(Milestones, reached).when(lambda all: all.push(frozenset({3, 4}), AT)).then(pushed)
    given(Milestones, reached, pushed).when(lambda all: all.push(frozenset({3}), AT)).then()


def follow(house) -> None:
    """Feed every fact again, as a follower may: the horizon of PostgreSQL does not move inside a test's transaction."""
    for fact in facts_of_instance(wiring.store(), house.instance):
        projection("milestone_follower").apply(fact)


def reached(instance: str) -> set[str]:
    return {
        Milestone(type).name
        for type in MilestoneRow.objects.filter(instance_id=instance).values_list("type", flat=True)
    }


def test_the_products_own_project_and_console_are_no_milestone(house):
    follow(house)
    assert reached(house.instance) == {"INSTANCE_CREATED"}
    project = projects.add_project(house.system, org_id=house.org, name="Billing").id
    follow(house)
    assert reached(house.instance) == {"INSTANCE_CREATED", "PROJECT_CREATED"}
    projects.add_api_app(house.system, project_id=project, name="api")
    follow(house)
    assert reached(house.instance) == {"INSTANCE_CREATED", "PROJECT_CREATED", "APPLICATION_CREATED"}


def test_a_token_for_an_application_is_found_and_one_for_the_console_is_none(house):
    from iam.instance.models import InstanceRow

    console = InstanceRow.objects.get().console_client_id
    for number, client in enumerate((console, "")):
        AccessToken.objects.create(
            instance_id=house.instance, id=str(number), digest=str(number), family_id="1", issuer="x", client_id=client,
            user_id=house.admin, org_id=house.org, session_id="1", created_at=AT, expires_at=AT,
        )  # fmt: skip
    following.look_for_applications_that_let_somebody_in()
    assert reached(house.instance) == set()
    AccessToken.objects.filter(client_id=console).update(client_id="217000000000000000")
    following.look_for_applications_that_let_somebody_in()
    assert reached(house.instance) == {"AUTHENTICATION_SUCCEEDED_ON_APPLICATION"}


def test_milestones_are_listed_over_the_api(house, api):
    follow(house)
    answer = api.post("/admin/v1/milestones/_search", {}).json()
    assert len(answer["result"]) == len(Milestone)
    assert answer["result"][0]["type"] == "MILESTONE_TYPE_INSTANCE_CREATED" and answer["result"][0]["reachedDate"]
    answer = api.post("/admin/v1/milestones/_search", {"queries": [{"isReachedQuery": {"reached": True}}]}).json()
    assert [one["type"] for one in answer["result"]] == ["MILESTONE_TYPE_INSTANCE_CREATED"]


@pytest.fixture
def receiver(monkeypatch):
    """A server that keeps what it is sent and answers `status`."""
    heard: list[bytes] = []

    class Receiver(BaseHTTPRequestHandler):
        status = 204

        def do_POST(self):
            heard.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(self.status)
            self.end_headers()

        def log_message(self, *_):
            pass

    made = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    config = settings.CONFIG.model_copy(deep=True)
    config.Telemetry.Endpoints = f"http://127.0.0.1:{made.server_port}/report"
    monkeypatch.setattr(settings, "CONFIG", config)
    yield heard, config, Receiver
    made.shutdown()


def due() -> None:
    """Let the next report be due now."""
    report._state()
    ReportState.objects.update(due_at=datetime.now(UTC) - timedelta(seconds=1))


def test_row_17_e14_a_report_holds_numbers_and_nothing_of_anybody(house, receiver):
    heard, _, _ = receiver
    house.person("planted-name")
    follow(house)
    due()
    report.report_when_due()
    report.report_when_due()  # not due any more
    assert len(heard) == 1
    content = json.loads(heard[0])
    assert content["counts"] == counts() and content["counts"]["users_human"] == 2
    assert content["milestones"]["instance_created"] == 1
    values = [value for part in ("counts", "milestones") for value in content[part].values()]
    assert all(isinstance(value, int) for value in values)
    assert set(content) == {"installation", "version", "counts", "milestones"}
    for planted in (b"planted-name", b"zitadel-admin", b"localhost", house.instance.encode(), house.org.encode()):
        assert planted not in heard[0]
    assert not MilestoneRow.objects.filter(pushed_at=None).exists()


def test_row_17_the_first_report_does_not_leave_at_once(house, receiver):
    report.report_when_due()
    assert receiver[0] == []
    assert ReportState.objects.get().due_at > datetime.now(UTC) + timedelta(minutes=20)


def test_row_17_the_off_switch_and_an_unnamed_receiver_send_nothing(house, receiver):
    heard, config, _ = receiver
    due()
    config.Telemetry.Enabled = False
    report.report_when_due()
    config.Telemetry.Enabled, config.Telemetry.Endpoints = True, ""
    report.report_when_due()
    assert heard == []
    assert read([], {})[0].Telemetry.receivers == ()


def test_a_receiver_that_is_away_is_tried_again_and_then_left_alone_for_a_day(house, receiver):
    heard, _, kind = receiver
    kind.status = 503
    for number in range(1, report.MOST_TRIES + 1):
        due()
        report.report_when_due()
        state = ReportState.objects.get()
        assert len(heard) == number and "503" in state.error and state.sent_at is None
    assert state.tries == 0 and state.due_at > datetime.now(UTC) + timedelta(hours=23)


def test_a_receiver_is_an_http_address():
    with pytest.raises(BadValue, match="Endpoints"):
        read([], {"ZITADEL_TELEMETRY_ENDPOINTS": "file:///etc/passwd"})
