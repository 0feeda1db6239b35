"""Sign-ins wait at the door of the process, few are at work, and the surplus is answered at once (checklist N07, P12)."""

import asyncio
import json

import pytest

from iam.access.caller import RequestMeta
from iam.api import admission, gate

SESSION = {
    "type": "http",
    "method": "POST",
    "path": "/v2/sessions",
    "http_version": "1.1",
    "headers": [(b"content-type", b"application/json")],
}

PASSWORD = b'{"checks":{"user":{"userId":"218"},"password":{"password":"x"}}}'


class House:
    """An application that answers when it is told to, behind the gate."""

    def __init__(self):
        self.begun, self.may_end = 0, asyncio.Event()

    async def __call__(self, scope, receive, send):
        self.begun += 1
        await self.may_end.wait()
        await send({"type": "http.response.start", "status": 201, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def ask(self, **changed):
        sent = await self.messages(**changed)
        return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]

    async def messages(self, body=PASSWORD, **changed):
        sent = []

        async def send(message):
            sent.append(message)

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        await gate.passed({**SESSION, **changed}, receive, send, self)
        return sent


@pytest.fixture
def small(monkeypatch):
    """A room with one at work and one who waits."""
    made = admission.Room(1, 1)
    monkeypatch.setattr(admission, "room", lambda: made)


async def crowd(house, number, **changed):
    asking = [asyncio.create_task(house.ask(**changed)) for _ in range(number)]
    for _ in range(20):
        await asyncio.sleep(0.001)
    return asking


def test_p12_one_works_one_waits_and_the_next_is_refused_at_once(small):
    async def story():
        house = House()
        asking = await crowd(house, 3)
        assert house.begun == 1 and [one.done() for one in asking] == [False, False, True]
        status, headers, body = asking[2].result()
        assert status == 429 and headers[b"retry-after"] == b"2" and json.loads(body)["code"] == 8
        assert b"connection" not in headers, "its body was read, so the connection goes on"
        house.may_end.set()
        assert [status for status, _, _ in await asyncio.gather(*asking)] == [201, 201, 429]
        assert (await house.ask())[0] == 201, "there is room again"

    asyncio.run(story())


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/v2/sessions", "application/json", PASSWORD),
        ("/v2beta/sessions/218", "application/json", PASSWORD),
        ("/zitadel.session.v2.SessionService/CreateSession", "application/json", PASSWORD),
        ("/zitadel.session.v2beta.SessionService/SetSession", "application/grpc", b"\1\0\0\0\0"),
        ("/v2/users/human", "application/json", b'{"password":{"password":"x"}}'),
        ("/management/v1/users/human/_import", "application/json", b'{"p\\u0061ssword":"x"}'),
        ("/v2/users/218/password", "application/json", b"{}"),
        ("/ui/v2/login/password", "application/x-www-form-urlencoded", b""),
        ("/ui/v2/login/password/", "application/x-www-form-urlencoded", b""),
        ("/ui/v2/login/password/change", "application/x-www-form-urlencoded", b""),
        ("/ui/v2/login/password/set", "application/x-www-form-urlencoded", b""),
    ],
)
def test_p12_every_request_with_a_password_leads_through_the_room(small, path, kind, body):
    async def story():
        house = House()
        headers = [(b"content-type", kind.encode())]
        asking = await crowd(house, 3, path=path, headers=headers, body=body)
        assert house.begun == 1 and asking[2].done()
        house.may_end.set()
        await asyncio.gather(*asking)

    asyncio.run(story())


@pytest.mark.parametrize(
    "changed",
    [
        {"path": "/oauth/v2/introspect", "body": b"token=x"},
        {"path": "/v2/users", "body": b"{}"},
        {"method": "DELETE", "body": b""},
        {"body": b"{}"},
        {"body": b""},
        {"body": b'{"checks":{"user":{"loginName":"gigi"}}}'},
        {"path": "/zitadel.session.v2.SessionService/CreateSession", "body": b"{}"},
    ],
)
def test_p12_everything_else_goes_past_it_at_the_same_doors_too(small, changed):
    async def story():
        house = House()
        waiting = await crowd(house, 3)
        others = await crowd(house, 5, **changed)
        assert house.begun == 1 + 5
        house.may_end.set()
        await asyncio.gather(*waiting, *others)

    asyncio.run(story())


def test_p12_a_request_without_a_password_never_asks_for_a_turn(monkeypatch):
    def room():
        raise AssertionError("it asked")

    monkeypatch.setattr(admission, "room", room)

    async def story():
        house = House()
        house.may_end.set()
        assert {(await house.ask(body=b"{}"))[0] for _ in range(50)} == {201}

    asyncio.run(story())


def test_p12_who_leaves_while_waiting_gives_the_place_back(small):
    async def story():
        house = House()
        asking = await crowd(house, 2)
        asking[1].cancel()
        await asyncio.gather(asking[1], return_exceptions=True)
        after = await crowd(house, 1)
        assert not after[0].done(), "there is room to wait again"
        house.may_end.set()
        assert [(await one)[0] for one in (asking[0], after[0])] == [201, 201]

    asyncio.run(story())


def test_grpc_and_people_are_told_in_their_own_form(small):
    async def story():
        house = House()
        waiting = await crowd(house, 2)
        grpc = {
            "body": b"\1\0\0\0\0",
            "path": "/zitadel.session.v2.SessionService/CreateSession",
            "headers": [(b"content-type", b"application/grpc")],
        }
        status, headers, _ = await house.ask(**grpc)
        assert (status, headers[b"grpc-status"]) == (200, b"8")
        behind = await house.messages(**grpc, extensions={"http.response.trailers": {}})
        assert b"grpc-status" not in dict(behind[0]["headers"]) and behind[0]["trailers"]
        assert dict(behind[-1]["headers"])[b"grpc-status"] == b"8", "over HTTP/2 it stands behind the body"
        page = {"path": "/ui/v2/login/password", "headers": [(b"accept-language", b"de-CH,de;q=0.9")]}
        status, headers, body = await house.ask(**page)
        assert status == 429 and headers[b"content-type"].startswith(b"text/html")
        assert headers[b"content-security-policy"] == b"default-src 'none'; frame-ancestors 'none'"
        assert 'lang="de"' in body.decode() and "Zu viele Anmeldungen" in body.decode()
        house.may_end.set()
        await asyncio.gather(*waiting)

    asyncio.run(story())


def test_p12_an_address_that_has_asked_too_much_takes_no_place_in_the_queue(small, monkeypatch):
    """Else a stranger who sends the word holds all turns, and whoever signs in is told that too many do."""
    from django.conf import settings

    from iam.api import rates

    rates.forget()
    monkeypatch.setattr(settings.CONFIG.RateLimits.Address, "Burst", 3)
    monkeypatch.setattr(settings.CONFIG.RateLimits.Address, "PerSecond", 0.001)
    flood, person = {"client": ("192.0.2.9", 1)}, {"client": ("198.51.100.1", 1)}

    async def story(path):
        house = House()
        for _ in range(3):
            rates.count_page("192.0.2.9")
            rates.count_nobody(RequestMeta("localhost", remote_addr="192.0.2.9"))
        strangers = await crowd(house, 5, path=path, **flood)
        assert [one.result()[0] for one in strangers] == [429] * 5 and house.begun == 0
        people = await crowd(house, 1, path=path, **person)
        assert house.begun == 1, path
        house.may_end.set()
        await asyncio.gather(*people)

    for path in (
        "/v2/sessions",
        "/ui/v2/login/password",
        "/zitadel.session.v2.SessionService/CreateSession",
        "/nothing",
    ):
        rates.forget()
        asyncio.run(story(path))
    rates.forget()
