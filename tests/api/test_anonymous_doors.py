"""Every address and method that somebody without a token may ask: how often, what stays behind, what it costs (N08, P02, P12).

The tables are made from the routes of the server and the methods of the API: a new one that nobody classified fails.
"""

import re
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLResolver, get_resolver

from iam.access.caller import RequestMeta
from iam.api import methods, rates
from iam.api.methods import invoke, registered
from iam.api.routes import routes
from iam.kernel.errors import Refusal, ResourceExhausted
from iam.vault.passwords import PasswordPool
from oidc.models import AuthRequest
from tests.conftest import HOST
from tests.instance.test_settings_effect import own
from tests.oidc.support import CHALLENGE, REDIRECT, make_tv
from tests.users.support import USERS, Rpc
from users import attempts
from users import commands as users
from users.commands import codes
from users.commands.codes import Wish
from users.models import ResetRequest
from users.queries import find_user_by_login

LOGIN = "ui/v2/login/"
PAGE, ENDPOINT, API, PROBE = "page", "endpoint", "api", "probe"
"""Counted by `iam.api.doors`; by `oidc.endpoints`; by `iam.api.methods`; asked by machines, one check at a time."""
ROUTES = {
    "": PAGE,
    ".well-known/openid-configuration": PAGE,
    ".well-known/oauth-authorization-server": PAGE,
    "oauth/v2/authorize": PAGE,
    "oauth/v2/keys": PAGE,
    "oauth/v2/token": ENDPOINT,
    "oauth/v2/device_authorization": ENDPOINT,
    "oauth/v2/introspect": ENDPOINT,
    "oauth/v2/revoke": ENDPOINT,
    "oidc/v1/userinfo": ENDPOINT,
    "oidc/v1/end_session": PAGE,
    **{
        LOGIN + name: PAGE
        for name in (
            "login",
            "accounts",
            "loginname",
            "password",
            "password/change",
            "password/expiring",
            "password/reset",
            "password/set",
            "verify",
            "device",
            "device/confirm",
            "logout",
            "signedout",
        )
    },
    "device": PAGE,
    "ui/login/login": PAGE,
    "ui/login/logout": PAGE,
    "assets/v1/org/policy/label/logo": PAGE,
    "assets/v1/1/policy/label/x-1": PAGE,
    "ui/v2/branding/1/1.css": PAGE,
    "ui/console": PAGE,
    "openapi.json": PAGE,
    "openapi": PAGE,
    "debug/healthz": PROBE,
    "debug/ready": PROBE,
    "debug/seen": PROBE,
    "debug/validate": PROBE,
    "debug/metrics": PROBE,
    "v2/no/such/route": API,
}
"""An address of each route → who counts it. Console pages and routes of the API are found by their names."""
CONSOLE = "ui/console/"
HEALTHY = {
    "grpc.health.v1.Health/Check",
    *(f"zitadel.{one}.v1.{one.title()}Service/Healthz" for one in ("admin", "auth", "management", "system")),
}
"""Methods that nobody needs a token for: probes, which are not counted."""
FEW = 3


def all_routes(patterns, before="") -> Iterator[tuple[str, str]]:
    """(route, name) of every address of the server."""
    for one in patterns:
        if isinstance(one, URLResolver):
            yield from all_routes(one.url_patterns, before + str(one.pattern))
        else:
            yield before + str(one.pattern), one.name or ""


def found_routes():
    return [(route, name) for route, name in all_routes(get_resolver().url_patterns) if not name.startswith("/")]


def example_of(route: str) -> str:
    """An address that a route of the console answers."""
    return re.sub(r"<(?:\w+:)?\w+>", "1", route)


def pages():
    """Every page: (address, who counts it)."""
    console = [route for route, _ in found_routes() if route.startswith(CONSOLE)]
    return [(path, kind) for path, kind in ROUTES.items() if kind in (PAGE, ENDPOINT)] + [
        (example_of(route), PAGE) for route in console
    ]


@pytest.fixture
def few(monkeypatch):
    """Small buckets that do not refill while a test runs."""
    limits = settings.CONFIG.RateLimits
    for rate in (limits.Address, limits.Code, limits.Letters.Address, limits.Letters.Name):
        monkeypatch.setattr(rate, "Burst", FEW)
        monkeypatch.setattr(rate, "PerSecond", 0.001)
    rates.forget()
    yield limits
    rates.forget()


def test_n08_every_route_is_classified():
    from django.urls import resolve

    known = {resolve(f"/{path}").route for path in ROUTES}
    missing = {route for route, _ in found_routes() if not route.startswith(CONSOLE)} - known
    assert not missing, f"say who counts what anybody asks there, in ROUTES: {missing}"


def test_n08_every_method_without_permission_is_classified():
    """Whatever needs no token is counted, or a probe."""
    assert {name for name in registered() if methods.method(name).is_public} == HEALTHY


@pytest.mark.parametrize("verb", ["get", "post"])
def test_n08_one_address_asks_a_page_so_often_and_then_waits(house, few, verb):
    for path, kind in pages():
        rates.forget()
        web = Client(HTTP_HOST=HOST)
        ask = lambda web=web, path=path, **more: getattr(web, verb)(f"/{path}", {"grant_type": "refresh_token"}, **more)
        answers = [ask() for _ in range(2 * FEW + 1)]
        assert all(one.status_code < 500 for one in answers), path
        if kind == ENDPOINT and answers[-1].status_code == 405:
            continue  # answered without a look at anything
        assert answers[-1].status_code == 429 and int(answers[-1]["Retry-After"]) >= 1, path
        assert ask(REMOTE_ADDR="192.0.2.77").status_code < 429, f"{path} from another address"


def test_n08_one_address_asks_a_route_of_the_api_so_often_and_then_waits(house, few):
    web = Client(HTTP_HOST=HOST)
    for route in routes():
        if route.method in HEALTHY:
            continue
        rates.forget()
        path = re.sub(r"\{\w+(=\*\*)?\}", "1", route.path)
        answers = [getattr(web, route.verb)(path, content_type="application/json") for _ in range(FEW + 1)]
        assert [one.status_code for one in answers[:FEW]] == [401] * FEW, path
        assert answers[-1].status_code == 429 and int(answers[-1]["Retry-After"]) >= 1, path


def test_n08_one_address_asks_a_method_so_often_and_then_waits(house, few):
    meta = RequestMeta(HOST, remote_addr="192.0.2.1")
    for name in registered():
        if name in HEALTHY:
            continue
        rates.forget()
        for number in range(FEW + 1):
            with pytest.raises(Refusal) as refused:
                invoke(name, methods.method(name).request(), meta)
            assert isinstance(refused.value, ResourceExhausted) == (number == FEW), name


def test_n08_one_address_opens_so_many_sockets_and_is_then_told_to_wait(house, few):
    from asgiref.sync import async_to_sync

    from iam.asgi import application

    def opened(address):
        said = []

        async def receive():
            return {"type": "websocket.connect"}

        async def send(message):
            said.append(message)

        scope = {
            "type": "websocket",
            "path": "/no/such/socket",
            "headers": [(b"host", b"localhost")],
            "client": (address, 1),
            "subprotocols": [],
        }
        async_to_sync(application)(scope, receive, send)
        return said[-1]["code"]

    assert [opened("192.0.2.1") for _ in range(FEW + 1)] == [4404] * FEW + [1013]
    assert opened("192.0.2.2") == 4404


# What stays behind


def rows():
    """How many rows each table has."""
    return {model._meta.db_table: model._default_manager.count() for model in apps.get_models()}


def authorize(flow, number):
    return f"oauth/v2/authorize?client_id={flow.client_id}&redirect_uri={REDIRECT}&response_type=code&scope=openid" + (
        f"&state={number}&code_challenge={CHALLENGE}&code_challenge_method=S256"
    )


DOORS = {
    "authorize": lambda web, tv, n: web.get(f"/{authorize(tv.flow, n)}"),
    "authorize by post": lambda web, tv, n: web.post(
        "/oauth/v2/authorize",
        {
            "client_id": tv.flow.client_id,
            "redirect_uri": REDIRECT,
            "response_type": "code",
            "scope": "openid",
            "state": f"{n}",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        },
    ),
    "console": lambda web, tv, n: web.get(web.get("/ui/console/login")["Location"]),
    "sign-in without application": lambda web, tv, n: web.get("/ui/v2/login/login"),
    "device": lambda web, tv, n: tv.flow.form(
        "/oauth/v2/device_authorization", {"client_id": tv.client_id, "scope": "openid"}
    ),
    "user code": lambda web, tv, n: web.post("/ui/v2/login/device", {"user_code": f"ABCD-{n:04}"}),
    "reset": lambda web, tv, n: web.post("/ui/v2/login/password/reset", {"login_name": f"name-{n}"}),
    "set": lambda web, tv, n: web.post(
        "/ui/v2/login/password/set", {"userId": f"{n}", "code": "AAAAAA", "password": "a", "again": "a"}
    ),
    "set of somebody": lambda web, tv, n: web.post(
        "/ui/v2/login/password/set", {"userId": tv.flow.person, "code": f"AA{n:04}", "password": "a", "again": "a"}
    ),
    "verify": lambda web, tv, n: web.post("/ui/v2/login/verify", {"userId": f"{n}", "code": "AAAAAA"}),
    "verify somebody": lambda web, tv, n: web.post(
        "/ui/v2/login/verify", {"userId": tv.flow.person, "code": f"A{n:05}"}
    ),
    "code": lambda web, tv, n: tv.flow.redeem(f"code-{n}"),
    "refresh": lambda web, tv, n: tv.flow.refresh(f"token-{n}"),
    "assertion": lambda web, tv, n: tv.flow.form(
        "/oauth/v2/token",
        {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": f"e30.e30.{n}", "scope": "openid"},
    ),
    "revoke": lambda web, tv, n: tv.flow.form("/oauth/v2/revoke", {"client_id": tv.flow.client_id, "token": f"{n}"}),
    "userinfo": lambda web, tv, n: tv.flow.userinfo(f"token-{n}"),
    "end of session": lambda web, tv, n: web.get(f"/oidc/v1/end_session?state={n}"),
}
MOST = 20
ASKED = 60


@pytest.mark.parametrize("door", DOORS)
def test_n08_who_asks_and_asks_leaves_few_rows(house, web, monkeypatch, door):
    """A good request with something new each time; the limits are set to a handful, the buckets stay as they are."""
    tv = make_tv(house, web)
    own(house, "login", default_redirect_uri="https://home.example/")
    before, limits = rows(), settings.CONFIG.RateLimits
    monkeypatch.setattr(limits.Waiting, "Network", 10)
    monkeypatch.setattr(limits.Guesses, "NetworkTries", 10)
    monkeypatch.setattr(limits.Letters.Address, "Burst", 10)
    monkeypatch.setattr("oidc.device_start.MOST_OF_SOURCE", 10)
    monkeypatch.setattr("oidc.devices.FREE_OF_NETWORK", 10)
    statuses = [DOORS[door](web, tv, number).status_code for number in range(ASKED)]
    assert all(200 <= status < 500 for status in statuses), statuses
    more = {table: count - before[table] for table, count in rows().items() if count > before[table]}
    assert sum(more.values()) <= MOST, more
    if more:
        assert statuses[-1] == 429, "what leaves rows tells when it leaves no more"


# What it costs


@pytest.fixture
def hashed(monkeypatch):
    """How often passwords were hashed or checked."""
    calls = []
    for name in ("hash", "verify"):
        work = getattr(PasswordPool, name)
        monkeypatch.setattr(PasswordPool, name, lambda *given, work=work: calls.append(1) or work(*given))
    return calls


def statements(captured):
    """The statements without their values."""
    return [re.sub(r"'[^']*'|\s*-?\b\d+\b|%s|\bs\d+_x\d+\b", "?", one["sql"]) for one in captured.captured_queries]


def cost(hashed, act):
    """(status, page, statements, hasher calls) of what a browser of its own does."""
    hashed.clear()
    web = Client(HTTP_HOST=HOST)
    with CaptureQueriesContext(connection) as captured:
        answer = act(web)
    text = re.sub(
        r'value="[^"]*"|userId=[^&"]*|code=[^&"]*|login_name=[^&"]*|authRequest=\w+', "", answer.content.decode()
    )
    return answer.status_code, text, statements(captured), len(hashed)


def people(house):
    """Who could be meant: (user id, login name) of each kind."""
    found = {
        name: (house.person(name), name) for name in ("active", "other", "locked", "inactive", "removed", "invited")
    }
    for name, do in (("locked", users.lock_user), ("inactive", users.deactivate_user), ("removed", users.remove_user)):
        do(house.system, user_id=found[name][0])
    for name in ("active", "invited"):
        codes.request_password_code(house.system, user_id=found[name][0], wish=Wish(returned=True))
    robot, _ = house.machine("robot")
    return {**found, "robot": (robot, "robot"), "unknown": ("1234567890", "unknown-name"), "odd": ('a/b"', "a b")}


def set_password(web, id, password):
    form = {"userId": id, "code": "WRONG2", "password": password, "again": password}
    return web.post("/ui/v2/login/password/set", form)


ANONYMOUS = {
    "reset": lambda web, id, name: web.post("/ui/v2/login/password/reset", {"login_name": name}),
    "set, good password": lambda web, id, name: set_password(web, id, "Another-Horse-7"),
    "set, weak password": lambda web, id, name: set_password(web, id, "short"),
    "set, name as password": lambda web, id, name: set_password(web, id, "Giraffe-Giraffe-1"),
    "verify": lambda web, id, name: web.post("/ui/v2/login/verify", {"userId": id, "code": "WRONG2"}),
}


@pytest.mark.parametrize("door", ANONYMOUS)
def test_p02_p12_known_and_unknown_people_cost_the_same(house, web, hashed, door):
    """Answer, statements and hasher calls, for everybody that could be meant."""
    act = ANONYMOUS[door]
    meant = people(house)
    cost(hashed, lambda web: act(web, *meant["other"]))  # what is looked up once
    found = {}
    for kind, (id, name) in meant.items():
        attempts.AttemptRow.objects.all().delete()
        rates.forget()
        found[kind] = cost(hashed, lambda web, id=id, name=name: act(web, id, name))
    for part, what in enumerate(("status", "page", "statements", "hasher calls")):
        others = {kind: one[part] for kind, one in found.items() if one[part] != found["unknown"][part]}
        assert not others, (what, found["unknown"][part], others)
    assert found["unknown"][3] == 0, "no proof, no hash"


def sign_in(web, flow, name):
    web.cookies.clear()
    page = web.get(flow)
    request = re.search(r"authRequest=(\w+)", page["Location"])[1]
    web.post("/ui/v2/login/loginname", {"authRequest": request, "login_name": name})
    return web.post("/ui/v2/login/password", {"authRequest": request, "password": "wrong"})


def test_p01_p12_a_wrong_password_costs_the_same_for_whoever_is_meant(house, web, hashed):
    """But for the look at the names, and the note of a check that failed, which only who exists can have."""
    tv = make_tv(house, web)
    meant = people(house)
    address = f"/{authorize(tv.flow, 1)}"
    cost(hashed, lambda web: sign_in(web, address, "other"))
    found = {}
    looked_up = lambda name: len(
        cost(hashed, lambda web: HttpResponse(str(find_user_by_login(house.instance, name))))[2]
    )
    for kind, (_, name) in meant.items():
        attempts.AttemptRow.objects.all().delete()
        status, text, asked, hashes = cost(hashed, lambda web, name=name: sign_in(web, address, name))
        noted = [one for one in asked if "eventstore_activity" in one]
        found[kind] = (status, text.replace(name, ""), len(asked) - len(noted) - looked_up(name), hashes)
    assert {one[:2] for one in found.values()} == {found["unknown"][:2]} and found["unknown"][0] == 422
    assert {one[3] for one in found.values()} == {1}, "a dummy is checked where there is nothing"
    assert {kind: one[2] for kind, one in found.items()} == dict.fromkeys(found, found["unknown"][2])


def test_p12_a_right_code_with_a_weak_password_costs_no_hash_and_a_wrong_one_never_reaches_the_rules(
    house, web, hashed
):
    """Nobody learns by a wrong code whether a password holds somebody's name (P02)."""
    gigi = house.person("gigi")
    code = codes.request_password_code(house.system, user_id=gigi, wish=Wish(returned=True)).code
    hashed.clear()

    def answer(code, password):
        form = {"userId": gigi, "code": code, "password": password, "again": password}
        return Client(HTTP_HOST=HOST).post("/ui/v2/login/password/set", form)

    wrong = {
        re.sub(r'value="[^"]*"', "", answer("WRONG2", one).content.decode()) for one in ("short", "Giraffe-Giraffe-1")
    }
    assert len(wrong) == 1 and not hashed
    assert answer(code, "short").status_code == 422 and not hashed
    assert answer(code, "Another-Horse-7").status_code == 200 and len(hashed) == 1
    assert answer(code, "Another-Horse-8").status_code == 422 and len(hashed) == 1, "used up"


def test_p12_every_door_that_sets_a_password_asks_for_the_proof_first(house, api, hashed):
    """Wrong code, wrong current password, no right: none costs more than the check of the current one."""
    gigi, (_, token) = house.person("gigi"), house.machine("robot")
    own = Rpc(USERS, house.pat)
    new = {"newPassword": {"password": "Another-Horse-7"}}
    human = {"human": {"password": {"password": {"password": "Another-Horse-7"}}}}
    wrong_code = {**human["human"]["password"], "verificationCode": "WRONG2"}
    wrong_current = {**human["human"]["password"], "currentPassword": "wrong"}
    tries = [
        (own, "SetPassword", {"userId": gigi, **new, "verificationCode": "WRONG2"}, 0),
        (own, "SetPassword", {"userId": "nobody-at-all", **new, "verificationCode": "WRONG2"}, 0),
        (own, "SetPassword", {"userId": gigi, **new, "currentPassword": "wrong"}, 1),
        (own, "UpdateUser", {"userId": gigi, "human": {"password": wrong_code}}, 0),
        (own, "UpdateUser", {"userId": gigi, "human": {"password": wrong_current}}, 1),
        (Rpc(USERS, token), "SetPassword", {"userId": gigi, **new}, 0),
        (Rpc(USERS, token), "SetPassword", {"userId": gigi, **new, "verificationCode": "WRONG2"}, 0),
        (Rpc(USERS, token), "UpdateUser", {"userId": gigi, **human}, 0),
        (Rpc(USERS, token), "SetPassword", {"userId": house.admin, **new}, 0),
    ]
    for rpc, name, body, most in tries:
        hashed.clear()
        with pytest.raises(Refusal):
            rpc(name, body)
        assert len(hashed) <= most, (name, body)


# What is meant by the settings


def test_a_network_has_so_many_sign_ins_and_an_instance_so_many(house, web, monkeypatch):
    flow, limits = make_tv(house, web).flow, settings.CONFIG.RateLimits.Waiting
    monkeypatch.setattr(limits, "Network", 2)
    assert [flow.authorize().status_code for _ in range(3)] == [303, 303, 429]
    from_there = {"REMOTE_ADDR": "192.0.2.77"}
    elsewhere = lambda: web.get(f"/{authorize(flow, 1)}", **from_there).status_code
    assert elsewhere() == 303, "another network"
    monkeypatch.setattr(limits, "Instance", 3)
    assert elsewhere() == 429, "wherever they are"
    AuthRequest.objects.update(finished_at=house.system.now())
    assert flow.authorize().status_code == 303, "those that ended do not count"


def test_an_instance_has_so_many_letters_to_look_at(house, web, monkeypatch):
    monkeypatch.setattr(settings.CONFIG.RateLimits.Waiting, "Letters", 2)
    ask = lambda name, address: web.post("/ui/v2/login/password/reset", {"login_name": name}, REMOTE_ADDR=address)
    assert [ask(f"n{one}", f"192.0.{one}.1").status_code for one in range(3)] == [200, 200, 429]
    assert ResetRequest.objects.count() == 2
    monkeypatch.setattr(settings.CONFIG.RateLimits, "Enabled", False)
    assert ask("n4", "192.0.4.1").status_code == 200


def test_a_limit_that_is_switched_off_counts_nothing(house, web, few, monkeypatch):
    monkeypatch.setattr(settings.CONFIG.RateLimits, "Enabled", False)
    assert {web.get("/ui/v2/login/signedout").status_code for _ in range(2 * FEW)} == {200}


def test_being_refused_a_page_costs_no_statement(house, web, few):
    for _ in range(FEW):
        web.get("/ui/v2/login/signedout")
    with CaptureQueriesContext(connection) as captured:
        refused = web.get("/ui/v2/login/signedout", headers={"accept": "text/html"})
    assert (refused.status_code, len(captured)) == (429, 0)
    assert "Too many requests" in refused.content.decode() and refused["Cache-Control"] == "no-store"


def test_who_shows_a_good_secret_is_not_its_addresss_affair(house, web, few):
    """A service behind one address asks as often as it likes; nobody does."""
    tv = make_tv(house, web)
    form = {"token": "x", "client_id": tv.flow.client_id}
    assert [tv.flow.form("/oauth/v2/revoke", form).status_code for _ in range(FEW + 1)] == [200] * FEW + [429]
