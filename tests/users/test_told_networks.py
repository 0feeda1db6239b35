"""A login of one's own says where a person is: guesses there keep nobody out elsewhere (checklist P03, P05)."""

import pytest
from django.conf import settings

STRANGER, PERSON = "203.0.113.9", "198.51.100.7"
PASSWORD = "Correct-Horse-9"


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(settings.CONFIG.RateLimits.Guesses, "NetworkTries", 3)
    monkeypatch.setattr(settings.CONFIG.RateLimits.Guesses, "Tries", 2)


def at_once(api, name, password, ip):
    """A session with both checks."""
    checks = {"user": {"loginName": name}, "password": {"password": password}}
    return api.post("/v2/sessions", {"userAgent": {"ip": ip} if ip else {}, "checks": checks}).status_code


def step_by_step(api, name, password, ip):
    """First who it is, then the password."""
    agent = {"ip": ip} if ip else {}
    begun = api.post("/v2/sessions", {"userAgent": agent, "checks": {"user": {"loginName": name}}}).json()
    answer = api.patch(f"/v2/sessions/{begun['sessionId']}", {"checks": {"password": {"password": password}}})
    return 201 if answer.status_code == 200 else answer.status_code


@pytest.mark.parametrize("sign_in", [at_once, step_by_step])
def test_p05_who_guesses_at_a_login_of_ones_own_keeps_out_nobody_from_elsewhere(house, api, few, sign_in):
    for name in ("gigi", "bert", "carl"):
        house.person(name)
    for name in ("gigi", "gigi", "gigi", "bert", "carl"):
        wrong = sign_in(api, name, "wrong", STRANGER)
    assert wrong == 429, "the guesser has to wait, for anybody"
    for name in ("gigi", "bert", "carl"):
        assert sign_in(api, name, PASSWORD, PERSON) == 201


@pytest.mark.parametrize("ip", ["", "nowhere", "203.0.113.9, 10.0.0.1"])
def test_p03_who_says_nothing_of_where_a_person_is_is_counted_for_itself(house, api, few, ip):
    house.person("gigi")
    for number in range(3):
        at_once(api, f"nobody-{number}", "wrong", ip)
    assert at_once(api, "gigi", PASSWORD, f"{ip}") == 429
