"""Log lines: their form, their level, and that nothing personal or secret gets into them through any door."""

import io
import json
import logging
import re

import pytest
from django.conf import settings

from iam.settings import logs, sources
from iam.settings.sources import BadValue
from tests.clients.test_wires import by_connect_json
from tests.oidc.support import make_flow
from tests.servers import new_server

NAME, MAIL, PHONE = "Planted-Given-Name", "planted.person@example.org", "+41791234567"
SECRETS = {
    "password": "Planted-Password-77",
    "client secret": "planted-client-secret-88",
    "token": "planted-token-99",
    "query": "planted-query-66",
}


@pytest.fixture
def output():
    """Everything that would be written at the most talkative level, in both forms."""
    stream, root = io.StringIO(), logging.getLogger()
    handlers = []
    for form in ("text", "json"):
        handler = logging.StreamHandler(stream)
        handler.setFormatter(logs.lines(form))
        handlers.append(handler)
        root.addHandler(handler)
    before = root.level
    root.setLevel(logging.DEBUG)
    yield stream
    root.setLevel(before)
    for handler in handlers:
        root.removeHandler(handler)


def line_of(form, message, *args, error=None, **more):
    """One record as a form writes it."""
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("some.library", logging.WARNING, "file.py", 1, message, args, info)
    record.__dict__.update(more)
    return logs.lines(form).format(record)


def test_a_request_is_one_line_with_its_ids_and_no_path(house, api, output):
    answer = api.client.get(
        f"/v2/users/{house.admin}?q=1", headers={"authorization": f"Bearer {house.pat}", "x-request-id": "abcd-1234"}
    )
    assert answer.headers["X-Request-Id"] == "abcd-1234"
    lines = [json.loads(line) for line in output.getvalue().splitlines() if line.startswith("{")]
    (served,) = [line for line in lines if line["event"] == "request served"]
    told = {name: served[name] for name in ("level", "request_id", "instance", "method", "wire", "route", "status")}
    assert told == {
        "level": "info",
        "request_id": "abcd-1234",
        "instance": house.instance,
        "method": "GET",
        "wire": "rest",
        "route": "/v2/users/{user_id}",
        "status": "200",
    }
    assert served["duration_ms"] > 0
    assert house.admin not in json.dumps(served)


def test_the_trace_of_a_trusted_caller_is_named(house, api, output, monkeypatch):
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    api.client.get("/admin/v1/healthz", headers=headers)
    assert trace not in output.getvalue()
    monkeypatch.setattr(settings.CONFIG.Instrumentation.Trace, "TrustRemoteSpans", True)
    api.client.get("/admin/v1/healthz", headers=headers)
    assert f'"trace_id": "{trace}"' in output.getvalue()


def test_nothing_planted_reaches_the_log_through_any_door(house, api, web, output, caplog):
    caplog.set_level(logging.DEBUG)
    flow = make_flow(house, web)
    person = {
        "userName": MAIL,
        "profile": {"givenName": NAME, "familyName": NAME, "displayName": NAME},
        "email": {"email": MAIL, "isVerified": True},
        "phone": {"phone": PHONE, "isVerified": True},
        "password": {"password": SECRETS["password"]},
    }
    for path in ("/v2/users/human", "/v2/users/human", "/v2/users/human/_import", f"/v2/users/{NAME}/deactivate"):
        api.post(path, person)
    api.post("/v2/users", {"queries": [{"userNameQuery": {"userName": MAIL}}]})
    api.get(f"/v2/users/{MAIL}?name={SECRETS['query']}")
    api.client.post("/v2/users/human", "{" + SECRETS["password"], content_type="application/json", headers=api.headers)
    for scheme in ("Bearer", "Basic", "Strange"):
        web.get("/v2/users/1", headers={"authorization": f"{scheme} {SECRETS['token']}"})
    form = {"grant_type": "client_credentials", "client_id": NAME, "client_secret": SECRETS["client secret"]}
    flow.form("/oauth/v2/token", form)
    flow.form("/oauth/v2/introspect", {**form, "token": SECRETS["token"]})
    flow.redeem(SECRETS["token"], code_verifier=SECRETS["token"] + "v" * 43)
    flow.form(f"/oauth/v2/token?client_secret={SECRETS['query']}", form)
    web.get(f"/oauth/v2/authorize?client_id={NAME}&login_hint={MAIL}&state={SECRETS['query']}")
    web.get(f"/ui/login?user={MAIL}")
    web.post("/ui/login/identify", {"login_name": MAIL, "password": SECRETS["password"]})
    web.get(
        f"/ui/console/?next={SECRETS['query']}", headers={"cookie": f"gatehouse_console_session={SECRETS['token']}"}
    )
    web.get(f"/{NAME}/{MAIL}?a={SECRETS['query']}", headers={"host": f"{NAME}.example.org", "user-agent": NAME})
    web.get("/oidc/v1/userinfo", headers={"authorization": f"Bearer {SECRETS['token']}"})
    _fail(house, web)
    text = output.getvalue()
    assert text.count("request served") > 20
    planted = [NAME, MAIL, PHONE, MAIL.split("@", maxsplit=1)[0], *SECRETS.values(), house.pat]
    assert [one for one in planted if one.casefold() in text.casefold()] == []


def _fail(house, web):
    """An error of the program whose message quotes what a request held."""
    try:
        raise ValueError(f"DETAIL: Key (email)=({MAIL}) of {NAME} with {SECRETS['password']}")
    except ValueError as error:
        logging.getLogger("iam").exception("it failed: %s", error)


def test_an_error_is_told_by_kind_and_place_and_not_by_its_message(output):
    _fail(None, None)
    line = next(json.loads(line) for line in output.getvalue().splitlines() if line.startswith("{"))
    assert line["error"] == "ValueError"
    assert line["event"] == "it failed: ValueError"
    assert any("test_logs.py" in place and "_fail" in place for place in line["at"])


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    "evil", ["a\r\nfaked line", "\x1b[31mred", '"}, "level": "info', "a\u2028b", "\x9b2J", "a\0b", "\x7f"]
)
def test_h08_nothing_breaks_out_of_its_line(form, evil):
    line = line_of(form, "user agent %s", evil, told={"route": evil})
    assert len(line.splitlines()) == 1
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", line)
    if form == "json":
        told = json.loads(line)
        assert told["level"] == "warning" and told["route"] == evil


@pytest.mark.parametrize("sent", ["short", "a b c d e f g", "x" * 65, "abcdefgh\r\n", "abcdefgh\x1b[31m", "ábcdefghi"])
def test_h08_a_request_id_that_is_none_is_replaced(house, web, output, sent):
    answer = web.get("/admin/v1/healthz", headers={"x-request-id": sent})
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["X-Request-Id"])


@pytest.mark.parametrize(
    "text",
    [
        "GET /callback?code=planted-1&state=planted-1 failed",
        "Authorization: Bearer planted-1",
        "header authorization=Basic planted-1",
        "token eyJplanted-1.eyJplanted-1.planted-1",
        'body {"client_secret": "planted-1"}',
        "password=planted-1",
        "mail to planted-1@example.org",
        "gthp_planted1planted-1".replace("-1", "1") + " planted?planted-1",
        "redis://user:planted-1@host:6379/0",
    ],
)
def test_what_libraries_say_is_masked(text):
    for form in ("text", "json"):
        line = line_of(form, text)
        assert "planted-1" not in line and "gthp_planted" not in line and logs.MASK in line


def test_what_is_no_secret_stays_readable():
    assert "cannot connect to 10.0.0.1:5432 after 3 tries" in line_of(
        "text", "cannot connect to %s after %s tries", "10.0.0.1:5432", 3
    )


def test_row16_the_level_filters_and_a_wrong_one_is_refused(tmp_path):
    assert logs.configuration("warn", "text")["root"]["level"] == "WARNING"
    assert [logs.level_of(one) for one in ("debug", "info", "WARNING", "error")] == [
        "DEBUG",
        "INFO",
        "WARNING",
        "ERROR",
    ]
    with pytest.raises(BadValue, match=r"Log\.Level"):
        sources.read([], {"ZITADEL_LOG_LEVEL": "loud"})
    server = new_server(tmp_path)
    server.environment |= {"ZITADEL_LOG_LEVEL": "loud"}
    done = server.manage("start")
    assert done.returncode == 1 and "Log.Level" in done.stderr


@pytest.mark.parametrize(("level", "shown"), [("info", True), ("warning", False)])
def test_row16_a_server_logs_what_its_level_lets_through(tmp_path, own_database, level, shown):
    server = new_server(tmp_path)
    server.environment |= {**own_database, "ZITADEL_LOG_LEVEL": level, "ZITADEL_LOG_FORMATTER_FORMAT": "json"}
    server.start()
    try:
        import urllib.request

        urllib.request.urlopen(f"{server.url}/admin/v1/healthz", timeout=10)
        by_connect_json(server, "1")
    finally:
        server.kill()
    lines = [line for line in (server.var / "server.log").read_text().splitlines() if line.startswith("{")]
    routes = {json.loads(line).get("route") for line in lines}
    wanted = {"/admin/v1/healthz", "/zitadel.user.v2.UserService/GetUserByID"}
    assert (wanted <= routes) is shown
    assert "/debug/ready" not in routes
