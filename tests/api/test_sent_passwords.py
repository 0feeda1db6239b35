"""Which requests carry a password: those that reach the hasher, on every wire and however it is written (checklist P12)."""

import json
from contextlib import suppress
from urllib.parse import quote

import pytest
from django.db import transaction
from django.test import RequestFactory
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor

from iam.access.caller import RequestMeta
from iam.api.content import loads
from iam.api.methods import invoke, method, registered
from iam.api.routes import routes
from iam.api.sent_passwords import holds_password, is_password, may_carry_password
from iam.kernel.errors import Refusal
from iam.vault.passwords import PasswordPool
from tests.api.test_callers import filled, things_of

METHODS = sorted(registered())
HOLDING = [name for name in METHODS if holds_password(method(name).request.DESCRIPTOR)]
JSON, PROTO, GRPC = "application/json", "application/proto", "application/grpc"


def asked(path, body, kind=JSON, verb="POST", **headers):
    sent = [(b"content-type", kind.encode()), *((k.encode(), v.encode()) for k, v in headers.items())]
    return may_carry_password({"method": verb, "path": path, "headers": sent}, body)


def framed(content, flag=0):
    return bytes([flag]) + len(content).to_bytes(4, "big") + content


def wires(name, message):
    """A call by every wire, as path, body and type."""
    text, binary = json_format.MessageToJson(message).encode(), message.SerializeToString()
    snake = json_format.MessageToJson(message, preserving_proto_field_name=True).encode()
    return {
        "Connect JSON": (text, JSON),
        "Connect JSON, field names": (snake, "application/json; charset=utf-8"),
        "Connect": (binary, PROTO),
        "gRPC": (framed(binary), GRPC),
        "gRPC-Web": (framed(binary), "application/grpc-web+proto"),
        "gRPC JSON": (framed(text), "application/grpc+json"),
    }


def without_passwords(message):
    for field, value in message.ListFields():
        if is_password(field):
            message.ClearField(field.name)
        elif field.type == FieldDescriptor.TYPE_MESSAGE and not field.message_type.GetOptions().map_entry:
            for one in value if field.is_repeated else [value]:
                without_passwords(one)
    return message


def every_password(message, depth=0):
    """Fill every field for a password, all others as they are."""
    for field in message.DESCRIPTOR.fields:
        if depth > 4:
            continue
        if is_password(field) and field.type == FieldDescriptor.TYPE_STRING:
            setattr(message, field.name, "Passw0rd!x")
        elif field.type == FieldDescriptor.TYPE_MESSAGE and holds_password(field.message_type):
            inner = getattr(message, field.name)
            inner = inner.add() if field.is_repeated else inner
            every_password(inner, depth + 1)
            inner.SetInParent()
    return message


def test_p12_the_methods_that_hash_are_among_those_that_hold_a_password(house, monkeypatch):
    """No list of doors: every method of the table is called with all its fields filled, and the hasher says which they are."""
    hashed, run, things = [], PasswordPool._run, things_of(house)
    monkeypatch.setattr(PasswordPool, "_run", lambda pool, *work: (hashed.append(name), run(pool, *work))[1])
    meta = RequestMeta(host="localhost", headers={"authorization": f"Bearer {house.pat}"})
    for name in METHODS:
        for request in (filled(name, things), every_password(filled(name, things))):
            with suppress(Refusal), transaction.atomic():
                invoke(name, request, meta)
                transaction.set_rollback(True)
    assert set(hashed) <= set(HOLDING)
    assert {name.rpartition("/")[2] for name in hashed} >= {
        "CreateUser",
        "AddHumanUser",
        "ImportHumanUser",
        "SetPassword",
        "CreateSession",
    }


@pytest.mark.parametrize("name", HOLDING)
def test_p12_a_call_with_a_password_is_known_by_every_wire_and_without_one_passes(name):
    message = every_password(method(name).request())
    for wire, (body, kind) in wires(name, message).items():
        assert asked(f"/{name}", body, kind), wire
    is_about = "password" in name.lower()
    for wire, (body, kind) in wires(name, without_passwords(method(name).request())).items():
        assert asked(f"/{name}", body, kind) == is_about, wire


@pytest.mark.parametrize("name", [one for one in METHODS if one not in HOLDING])
def test_p12_what_cannot_hold_a_password_never_waits(name):
    for body, kind in ((b'{"password": 1}', JSON), (framed(b"\xff", 1), GRPC), (b"\xff", PROTO)):
        assert not asked(f"/{name}", body, kind)


@pytest.mark.parametrize("route", [one for one in routes() if one.method in HOLDING and one.body], ids=str)
def test_p12_every_route_of_a_method_that_holds_one_knows_it(route):
    path = route.path.replace("{", "").replace("}", "")
    message = every_password(method(route.method).request())
    content = json_format.MessageToDict(message)
    if route.body != "*":
        content = content.get(message.DESCRIPTOR.fields_by_name[route.body].json_name, {})
    assert asked(path, json.dumps(content).encode(), verb=route.verb.upper())


@pytest.mark.parametrize(
    ("flag", "headers", "kind"),
    [
        (1, {}, GRPC),
        (0, {"content-encoding": "gzip"}, PROTO),
        (0, {"content-encoding": "br"}, JSON),
        (0, {}, "application/grpc-web-text"),
        (128, {}, "application/grpc-web"),
    ],
)
def test_p12_a_call_that_cannot_be_read_at_the_door_counts_as_carrying_one(flag, headers, kind):
    session = "/zitadel.session.v2.SessionService/CreateSession"
    body = framed(b"", flag) if "grpc" in kind else b"\x1f\x8b"
    assert asked(session, body, kind, **headers)
    assert not asked("/zitadel.user.v2.UserService/ListUsers", body, kind, **headers)


@pytest.mark.parametrize(
    "body",
    [framed(b"")[:-1], framed(b"x")[:-1], framed(b"") + framed(b""), b"", framed(b"\xff\xff")],
)
def test_p12_a_broken_frame_counts_as_carrying_one(body):
    assert asked("/zitadel.session.v2.SessionService/CreateSession", body, GRPC)


SPELLINGS = {
    "plain": b'{"checks":{"password":{"password":"x"}}}',
    "escaped letter": b'{"checks":{"p\\u0061ssword":{"p\\u0061ssword":"x"}}}',
    "all escaped": ('{"' + "".join(f"\\u{ord(one):04X}" for one in "password") + '":{}}').encode(),
    "blanks": b'\n\t{ "checks" : { "password"\r\n: {} } }',
    "UTF-16": '{"checks":{"password":{}}}'.encode("utf-16"),
    "UTF-16 without a mark": '{"checks":{"password":{}}}'.encode("utf-16-le"),
    "UTF-32": '{"checks":{"password":{}}}'.encode("utf-32-be"),
    "mark in front": b'\xef\xbb\xbf{"checks":{"password":{}}}',
    "empty": b'{"password":""}',
    "far behind": b'{"metadata":{"a":"' + b"x" * 500_000 + b'"},"password":{}}',
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("kind", [JSON, "text/plain", "", "application/x-protobuf", "APPLICATION/JSON; charset=UTF-16"])
@pytest.mark.parametrize(
    "path", ["/v2/sessions", "/v2/sessions/218", "/v2/users/human", "/management/v1/users/human/_import"]
)
def test_p12_no_spelling_of_a_name_hides_a_password(spelling, kind, path):
    assert asked(path, SPELLINGS[spelling], kind)
    if spelling != "mark in front" and "UTF" not in spelling:  # which the parser of bodies refuses
        assert "password" in json.dumps(loads(SPELLINGS[spelling])), "it is one indeed"


def multipart(head, kind="multipart/form-data; boundary=b"):
    return b"--b\r\nContent-Disposition: form-data; " + head + b"\r\n\r\nx\r\n--b--\r\n", kind


FORMS = {
    "plain": (b"login_name=a&password=x", "application/x-www-form-urlencoded"),
    "escaped": (b"%70a%73sword=x", "application/x-www-form-urlencoded"),
    "multipart": multipart(b'name="password"'),
    "multipart, RFC 2231": multipart(b"name*=utf-8''p%61ssword"),
    "multipart in UTF-7": multipart(b'name="p+AGE-ssword"', "multipart/form-data; boundary=b; charset=utf-7"),
    "multipart in EBCDIC": multipart(
        b'name="' + "password".encode("cp500") + b'"', "multipart/form-data; boundary=b; charset=cp500"
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_p12_no_spelling_of_a_field_hides_a_password_of_a_page(form):
    body, kind = FORMS[form]
    assert asked("/ui/console/users/new-human", body, kind)
    read = RequestFactory().generic("POST", "/", body, kind)
    assert form.endswith("EBCDIC") or read.POST["password"] == "x", "it is one indeed"


@pytest.mark.parametrize(
    "path",
    [
        "/ui/v2/login/password",
        "/ui/v2/login/password/",
        "/ui/v2/login/password/change",
        "/ui/v2/login/password/set",
        "/ui/console/users/218/password",
        "/v2/users/218/password",
        "/auth/v1/users/me/password",
        "/management/v1/users/218/password/_initialize",
    ],
)
def test_p12_pages_and_resources_of_passwords_wait_whatever_they_are_sent(path):
    for body in (b"", b"{}", b"login_name=a", quote("authRequest=1").encode()):
        assert asked(path, body, "application/x-www-form-urlencoded")
    assert not asked(path, b"password=x", verb="GET")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"checks":{"user":{"loginName":"gigi"}}}',
        b'{"metadata":{"a":"cGFzc3dvcmQ="},"lifetime":"60s"}',
        json.dumps({"checks": {"user": {"loginName": "Zoë 100%"}}}).encode(),
    ],
)
@pytest.mark.parametrize("path", ["/v2/sessions", "/v2beta/sessions/218"])
def test_p12_a_session_without_a_password_waits_for_nobody(path, body):
    assert not asked(path, body)
    assert not asked(path, body, verb="PATCH") and not asked(path, body, verb="DELETE")
