"""Sign-ins wait at the door of the process, few are at work, and the surplus is answered at once (checklist N07, P12)."""

import asyncio
import json

import pytest

from iam.api import admission, gate

SESSION = {
    "type": "http",
    "method": "POST",
    "path": "/v2/sessions",
    "http_version": "1.1",
    "headers": [(b"content-type", b"application/json")],
}


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

    async def messages(self, **changed):
        sent = []

        async def send(message):
            sent.append(message)

        async def receive():
            return {"type": "http.request", "body": b"{}", "more_body": False}

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
        await asyncio.sleep(0)
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
    "path",
    [
        "/v2/sessions",
        "/v2beta/sessions/218",
        "/zitadel.session.v2.SessionService/CreateSession",
        "/zitadel.session.v2beta.SessionService/SetSession",
        "/ui/v2/login/password",
        "/ui/v2/login/password/",
    ],
)
def test_every_door_that_takes_a_password_leads_through_the_room(small, path):
    async def story():
        house = House()
        asking = await crowd(house, 3, path=path)
        assert house.begun == 1 and asking[2].done()
        house.may_end.set()
        await asyncio.gather(*asking)

    asyncio.run(story())


@pytest.mark.parametrize("changed", [{"path": "/oauth/v2/introspect"}, {"path": "/v2/users"}, {"method": "DELETE"}])
def test_everything_else_goes_past_it(small, changed):
    async def story():
        house = House()
        waiting = await crowd(house, 3)
        others = await crowd(house, 5, **changed)
        assert house.begun == 1 + 5
        house.may_end.set()
        await asyncio.gather(*waiting, *others)

    asyncio.run(story())


def test_grpc_and_people_are_told_in_their_own_form(small):
    async def story():
        house = House()
        waiting = await crowd(house, 2)
        grpc = {
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
