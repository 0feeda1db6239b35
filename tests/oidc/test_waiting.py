"""Who begins many sign-ins keeps nobody else out: not their network, not the instance (checklist N08, P05)."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from oidc.models import AuthRequest
from tests.conftest import HOST
from tests.oidc.support import make_flow


@pytest.fixture
def flow(house, web):
    return make_flow(house, web)


@pytest.fixture
def most(monkeypatch):
    waiting = settings.CONFIG.RateLimits.Waiting
    monkeypatch.setattr(waiting, "Network", 3)
    return waiting


def begin(flow, web, **changed):
    flow.web = web
    return flow.authorize(**changed)


def sign_in(flow, web):
    """Through the pages, as a browser does."""
    id = parse_qs(urlsplit(begin(flow, web)["Location"]).query)["authRequest"][0]
    web.post(f"/ui/v2/login/loginname?authRequest={id}", {"login_name": "gigi"})
    answer = web.post(f"/ui/v2/login/password?authRequest={id}", {"password": "Correct-Horse-9"})
    assert answer["Location"].startswith("https://app.example/cb")


def fill(flow, most):
    """A stranger of the same network begins as many as may wait."""
    stranger = Client(HTTP_HOST=HOST)
    statuses = [begin(flow, stranger).status_code for _ in range(most.Network + 1)]
    assert statuses[-1] == 429


def test_silent_requests_that_nobody_is_there_for_leave_nothing_and_fill_nothing(flow, web, most):
    """An application in many tabs looks every few minutes whether somebody is signed in."""
    for _ in range(2 * most.Network):
        answer = begin(flow, web, prompt="none")
        assert "error=login_required" in answer["Location"]
    assert not AuthRequest.objects.exists()
    fill(flow, most)
    assert "error=login_required" in begin(flow, web, prompt="none")["Location"], "an answer, not a page in a frame"


def test_who_is_signed_in_goes_on_silently_from_a_full_network(flow, web, most):
    sign_in(flow, web)
    fill(flow, most)
    for prompt in ("none", None):
        assert "code=" in begin(flow, web, prompt=prompt)["Location"]


def test_who_has_signed_in_before_begins_from_a_full_network_a_few_times(flow, web, most):
    sign_in(flow, web)
    for session in ("gatehouse_sessions",):
        del web.cookies[session]
    fill(flow, most)
    statuses = [begin(flow, web).status_code for _ in range(30)]
    assert statuses[:20] == [303] * 20 and statuses[-1] == 429, "that does not become a way around the limit"
    assert begin(flow, Client(HTTP_HOST=HOST)).status_code == 429


def test_what_was_begun_and_left_shuts_a_network_for_minutes_only(flow, web, most):
    fill(flow, most)
    AuthRequest.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    assert begin(flow, web).status_code == 303


def test_a_full_instance_forgets_its_oldest_and_refuses_nobody(flow, web, most, monkeypatch):
    monkeypatch.setattr(most, "Instance", 4)
    begun = []
    for number in range(8):
        flow.web = Client(HTTP_HOST=HOST, REMOTE_ADDR=f"192.0.{number}.1")
        begun.append(parse_qs(urlsplit(flow.authorize()["Location"]).query)["authRequest"][0])
    assert set(AuthRequest.objects.values_list("id", flat=True)) == set(begun[-4:])
