"""Limits: how often, how much, in which form the answer says so."""

import json

import pytest
from django.conf import settings
from django.test.utils import CaptureQueriesContext

from iam.access.caller import RequestMeta
from iam.api import content, rates
from iam.api.buckets import LocalBuckets, Rate, RedisBuckets
from iam.kernel.errors import InvalidInput, ResourceExhausted
from tests.oidc.support import make_flow
from tests.ports import free_port


@pytest.fixture
def tight(monkeypatch):
    """Small buckets that do not refill while a test runs."""
    limits = settings.CONFIG.RateLimits
    for name in ("Caller", "Address", "Client"):
        monkeypatch.setattr(getattr(limits, name), "PerSecond", 0.001)
        monkeypatch.setattr(getattr(limits, name), "Burst", 5)
    rates.forget()
    yield limits
    rates.forget()


def test_a_bucket_is_emptied_refilled_and_only_looked_at(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("iam.api.buckets.time.monotonic", lambda: clock[0])
    buckets, rate = LocalBuckets(), Rate(per_second=2, burst=3)
    assert [buckets.take("a", rate) for _ in range(3)] == [0, 0, 0]
    assert buckets.take("a", rate, 0) == buckets.take("a", rate) == 0.5
    assert buckets.take("b", rate) == 0
    clock[0] += 0.5
    assert [buckets.take("a", rate), buckets.take("a", rate)] == [0, 0.5]


def test_a_caller_beyond_its_rate_is_told_when_to_come_back(house, api, tight):
    assert [api.get(f"/v2/users/{house.admin}").status_code for _ in range(5)] == [200] * 5
    refused = api.get(f"/v2/users/{house.admin}")
    assert (refused.status_code, refused.json()["code"]) == (429, 8)
    assert int(refused["Retry-After"]) >= 1
    _, other = house.machine("other")
    assert rates.enter(RequestMeta("localhost", headers={"authorization": f"Bearer {other}"})) is None


def test_nobody_is_counted_by_address_and_known_callers_behind_it_go_on(house, api, web, tight):
    tight.Caller.Burst = 50
    assert api.get(f"/v2/users/{house.admin}").status_code == 200
    answers = [web.get("/v2/users/1").status_code for _ in range(7)]
    assert answers == [401] * 5 + [429] * 2
    unknown = web.get("/v2/users/1", headers={"authorization": "Bearer nonsense"})
    assert unknown.status_code == 429
    assert web.get("/v2/users/1", REMOTE_ADDR="192.0.2.7").status_code == 401
    assert api.get(f"/v2/users/{house.admin}").status_code == 200


def test_being_refused_by_rate_costs_no_statement(house, web, tight):
    from django.db import connection

    for _ in range(5):
        web.get("/v2/users/1")
    with CaptureQueriesContext(connection) as captured:
        assert web.get("/v2/users/1").status_code == 429
    assert len(captured) == 0


def test_p04_a_forged_address_opens_no_new_bucket(house, web, tight, monkeypatch):
    asks = [web.get("/v2/users/1", headers={"x-forwarded-for": f"203.0.113.{one}"}).status_code for one in range(7)]
    assert asks[-1] == 429
    monkeypatch.setattr(settings.CONFIG, "TrustedProxies", "127.0.0.1")
    assert web.get("/v2/users/1", headers={"x-forwarded-for": "203.0.113.9"}).status_code == 401


def test_an_ipv6_customer_is_one_source_and_an_ipv4_address_another():
    assert rates.source_of("2001:db8:1:2::1") == rates.source_of("2001:db8:1:2:ffff::9")
    assert rates.source_of("2001:db8:1:3::1") != rates.source_of("2001:db8:1:2::1")
    assert rates.source_of("::ffff:192.0.2.1") == rates.source_of("192.0.2.1") != rates.source_of("192.0.2.2")


ENDPOINTS = ("/oauth/v2/token", "/oauth/v2/introspect", "/oauth/v2/revoke")


@pytest.mark.parametrize("path", ENDPOINTS)
def test_d03_guessing_a_clients_secret_is_throttled_by_client_and_source(house, web, tight, path):
    from projects import commands as projects

    tight.Address.Burst = 1000
    flow = make_flow(house, web)
    made = projects.add_api_app(house.system, project_id=flow.project, name="api")
    form = {"client_id": made.client_id, "token": "x", "grant_type": "refresh_token", "refresh_token": "x"}

    def guess(secret, **more):
        from urllib.parse import urlencode

        kind = "application/x-www-form-urlencoded"
        return web.post(path, urlencode({**form, "client_secret": secret}), content_type=kind, **more)

    answers = [guess(f"wrong-{number}") for number in range(7)]
    assert [one.status_code for one in answers] == [401] * 5 + [429] * 2
    assert answers[-1].json()["error"] == "temporarily_unavailable" and int(answers[-1]["Retry-After"]) > 1
    assert guess(made.secret).status_code == 429
    assert guess(made.secret, REMOTE_ADDR="192.0.2.8").status_code in (200, 400)


def test_d03_guessing_a_service_users_secret_is_throttled(house, web, tight):
    from users import commands as users

    tight.Address.Burst = 1000
    robot, _ = house.machine("robot")
    secret = users.set_machine_secret(house.system, user_id=robot).secret
    flow = make_flow(house, web)
    form = {"grant_type": "client_credentials", "client_id": "robot"}
    answers = [flow.form("/oauth/v2/token", {**form, "client_secret": f"no{one}"}).status_code for one in range(6)]
    assert answers == [401] * 5 + [429]
    assert flow.form("/oauth/v2/token", {**form, "client_secret": secret}).status_code == 429


def test_d03_many_wrong_secrets_over_many_clients_empty_the_address(house, web, tight):
    flow = make_flow(house, web)
    form = {"grant_type": "client_credentials", "client_secret": "x"}
    answers = [flow.form("/oauth/v2/token", {**form, "client_id": f"c{one}"}).status_code for one in range(7)]
    assert answers == [401] * 5 + [429] * 2


def test_h10_n07_strange_values_open_a_bounded_number_of_buckets():
    buckets = LocalBuckets(most=1000)
    for number in range(20_000):
        buckets.take(f"guess:{number}", Rate(1, 10))
    assert len(buckets) == 1000
    known = rates._Known()
    for number in range(rates.MOST_KNOWN + 5000):
        known.add(str(number).encode())
    assert len(known._kept) == rates.MOST_KNOWN


def test_while_redis_is_away_every_process_counts_for_itself():
    local = LocalBuckets()
    buckets = RedisBuckets("redis://127.0.0.1:1/0", local)
    assert [buckets.take("a", Rate(0.001, 2)) for _ in range(3)][:2] == [0, 0]
    assert buckets.take("a", Rate(0.001, 2)) > 1 and len(local) == 1


def test_all_processes_share_a_bucket_in_redis(tmp_path):
    import shutil
    import subprocess

    import redis

    port = free_port()
    command = [shutil.which("redis-server"), "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen([*command, "--bind", "127.0.0.1"], stdout=subprocess.DEVNULL)
    try:
        client = redis.Redis(port=port, retry=redis.retry.Retry(redis.backoff.ConstantBackoff(0.1), 100))
        client.ping()
        one, two = (RedisBuckets(f"redis://127.0.0.1:{port}/0", LocalBuckets()) for _ in range(2))
        rate = Rate(0.001, 4)
        assert [one.take("a", rate), two.take("a", rate), one.take("a", rate), two.take("a", rate)] == [0] * 4
        assert one.take("a", rate) > 900 and two.take("a", rate, 0) > 900
        assert one.take("b", rate, 0) == 0 and client.exists("gatehouse:rate:b") == 0
        assert client.pttl("gatehouse:rate:a") > 1_000_000
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"[" * 100_000, "api.body_too_complex"),
        (b'{"a":' * 61 + b"1" + b"}" * 61, "api.body_too_complex"),
        (json.dumps({str(one): 1 for one in range(20_001)}).encode(), "api.body_too_complex"),
        (b"[" + b'{"a":1},' * 20_001 + b"0]", "api.body_too_complex"),
        (b'{"a":1,"a":2}', "api.member_twice"),
        (b'{"a":NaN}', "api.body_invalid"),
        (b'{"a":-Infinity}', "api.body_invalid"),
        (b"\xff", "api.body_invalid"),
        (b"{", "api.body_invalid"),
        (b'{"\\ud800":1,"\\ud800":2}', "api.member_twice"),
        (b"1" * 100_000, "api.body_invalid"),
    ],
)
def test_n01_json_is_read_within_bounds(text, code):
    with pytest.raises(InvalidInput) as refused:
        content.loads(text)
    assert refused.value.code == code


def test_n01_brackets_in_strings_do_not_nest():
    text = '"' + "[{" * 1000 + '\\" ["'
    assert content.loads(f'{{"a": {text}, "b": 1e40}}'.encode())["b"] == 1e40


@pytest.mark.parametrize("raw", [b'{"name":"\\ud800"}', b'{"name":"x","name":"y"}', b'{"name": 1e400}'])
def test_n01_what_is_no_text_is_refused_and_not_stored(house, raw):
    from tests.conftest import Api

    answer = Api(house.pat).client.post(
        "/v2/projects", raw, content_type="application/json", headers={"authorization": f"Bearer {house.pat}"}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, 3)


def test_limits_can_be_switched_off(house, web, tight):
    tight.Enabled = False
    try:
        assert {web.get("/v2/users/1").status_code for _ in range(20)} == {401}
    finally:
        tight.Enabled = True


def test_a_refusal_by_rate_says_so_on_rpc(tight):
    from iam.api.errors import told
    from iam.api.rpc import connect_error

    meta = RequestMeta("localhost", remote_addr="192.0.2.9")
    with pytest.raises(ResourceExhausted) as refused:
        for _ in range(6):
            rates.count_nobody(meta)
    error = connect_error(told(refused.value), refused.value.retry_after)
    assert error.code.value == "resource_exhausted"
    assert [detail.type_name for detail in error.details] == ["zitadel.v1.ErrorDetail", "google.rpc.RetryInfo"]
