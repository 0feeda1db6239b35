"""E-mail addresses beyond ASCII (RFC 6531): taken at every door, sent as the mail server can; numbers without a country."""

import socketserver
import threading
from contextlib import contextmanager
from email import message_from_string, policy

import pytest
from django.conf import settings

from iam.kernel.errors import InvalidInput
from iam.outbox import delivery
from iam.outbox.models import QUEUED, SENT, Message
from users import commands as users
from users.commands import codes
from users.commands.codes import Wish
from users.domain.profile import Profile, checked_email, checked_phone, find_phone
from users.models import UserRow
from users.queries import find_user_by_login

GOOD = {
    "müller@example.com": "müller@example.com",
    "abc@sünde.com": "abc@sünde.com",
    "abc@SÜNDE.com": "abc@sünde.com",
    "Ü@例え.jp": "Ü@例え.jp",
    "用户@例子.广告": "用户@例子.广告",
    "अजय@डाटा.भारत": "अजय@डाटा.भारत",
    "e\u0301@x.de": "é@x.de",
    "a@Example.COM": "a@Example.COM",
    "a@xn--snde-0ra.com": "a@xn--snde-0ra.com",
    "é" * 32 + "@x.de": "é" * 32 + "@x.de",
}
BAD = [
    "é" * 33 + "@x.de",  # 66 octets
    "ü\u200b@x.de",
    "ü\u202e@x.de",
    "ü\u00a0@x.de",
    "\ue000@x.de",
    "\ufeffü@x.de",
    "ü\n@x.de",
    "ü..b@x.de",
    "ü<@x.de",
    'ü"@x.de',
    "a@x\u200b.de",
    "a@ü..de",
    "a@-ü.de",
    "a@ü_.de",
    "a@" + "ü" * 64 + ".de",
    "ü@",
    "@ü.de",
    "ü＠x.de",
    "ü@x@y.de",
    "\ud800@x.de",
]


@pytest.mark.parametrize(("sent", "stored"), GOOD.items())
def test_addresses_in_any_script_are_taken(sent, stored):
    assert checked_email(sent) == stored == checked_email(stored)


@pytest.mark.parametrize("address", BAD)
def test_u02_what_is_not_seen_or_no_domain_is_refused(address):
    with pytest.raises((InvalidInput, UnicodeError)):
        checked_email(address)


def human(email):
    return {"profile": {"givenName": "A", "familyName": "B"}, "email": {"email": email, "isVerified": True}}


DOORS = {
    "v2 human": lambda api, org, email: api.post("/v2/users/human", human(email)),
    "v2 new": lambda api, org, email: api.post("/v2/users/new", {"organizationId": org, "human": human(email)}),
    "v1 human": lambda api, org, email: api.post(
        "/management/v1/users/human/_import",
        {"userName": email, "profile": {"firstName": "A", "lastName": "B"}, "email": {"email": email}},
    ),
    "v2 email": lambda api, org, email: api.post(f"/v2/users/{added(api)}/email", {"email": email}),
    "v1 email": lambda api, org, email: api.put(f"/management/v1/users/{added(api)}/email", {"email": email}),
    "v2 update": lambda api, org, email: api.patch(
        f"/v2/users/{added(api)}", {"human": {"email": {"email": email, "isVerified": True}}}
    ),
}


def added(api):
    return api.post("/v2/users/human", human("before@example.com")).json()["userId"]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("email", ["müller@example.com", "abc@sünde.com"])
def test_every_door_takes_them(house, api, door, email):
    answer = DOORS[door](api, house.org, email)
    assert answer.status_code in (200, 201), answer.content
    assert UserRow.objects.filter(instance_id=house.instance, email=email).count() == 1


def test_a_person_signs_in_by_such_an_address(house, api):
    id = api.post("/v2/users/human", human("müller@sünde.com")).json()["userId"]
    assert find_user_by_login(house.instance, "müller@sünde.com").id == id


class Conversation(socketserver.StreamRequestHandler):
    """Takes mails; says that it takes addresses in any script if its server does."""

    def handle(self):
        self.say("220 ready")
        while line := self.rfile.readline().strip():
            self.server.lines.append(line)
            match line[:4].upper():
                case b"EHLO":
                    more = ["here", "SMTPUTF8", "8BITMIME"] if self.server.offers else ["here"]
                    for extension in more:
                        self.say(f"250-{extension}")
                    self.say("250 fine")
                case b"DATA":
                    self.say("354 go on")
                    self.server.mails.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                    self.say("250 taken")
                case b"QUIT":
                    self.say("221 bye")
                    return
                case _:
                    self.say("250 fine")

    def say(self, text):
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def mail_server(monkeypatch, *, offers, sender="id@acme.example"):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Conversation) as server:
        server.offers, server.lines, server.mails = offers, [], []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        smtp = settings.CONFIG.DefaultInstance.SMTPConfiguration.model_copy(deep=True)
        smtp.SMTP.Host, smtp.From = f"127.0.0.1:{server.server_address[1]}", sender
        smtp.FromName, smtp.ReplyToAddress = "Ácme, Inc.", "help@sünde.com"
        monkeypatch.setattr(settings.CONFIG.DefaultInstance, "SMTPConfiguration", smtp)
        yield server
        server.shutdown()


def sent_to(house, email):
    person = users.add_human(
        house.system, org_id=house.org, user_name="gigi", profile=Profile("Zoë", "Giraffe"), email=email
    ).id
    codes.request_email_code(house.system, user_id=person, wish=Wish())
    delivery.deliver()
    return Message.objects.get()


@pytest.mark.parametrize(
    ("address", "offers", "receiver", "options"),
    [
        ("gigi@example.com", False, b"gigi@example.com", b""),
        ("gigi@sünde.com", False, b"gigi@xn--snde-0ra.com", b""),
        ("gigi@sünde.com", True, b"gigi@xn--snde-0ra.com", b""),
        ("zoë@example.com", True, "zoë@example.com".encode(), b"SMTPUTF8"),
        ("zoë@sünde.com", True, "zoë@sünde.com".encode(), b"SMTPUTF8"),
    ],
)
def test_a_mail_goes_as_the_server_can_take_it(house, monkeypatch, address, offers, receiver, options):
    with mail_server(monkeypatch, offers=offers) as server:
        message = sent_to(house, address)
    assert message.state == SENT, message.error
    assert b"rcpt TO:<" + receiver + b">" in server.lines
    asked = next(line for line in server.lines if line.lower().startswith(b"mail from:"))
    assert (options in asked) and (b"SMTPUTF8" in asked) == bool(options)
    mail = message_from_string(server.mails[0].decode(), policy=policy.SMTPUTF8)
    assert mail["To"].addresses[0].addr_spec.encode() == receiver
    assert (mail["From"].addresses[0].display_name, mail["From"].addresses[0].addr_spec) == (
        "Ácme, Inc.",
        "id@acme.example",
    )
    assert mail["Reply-To"] == "help@xn--snde-0ra.com" and mail["Date"] and mail["Message-ID"]
    assert "Zoë" in mail.get_content()


def test_a_server_that_cannot_take_an_address_is_named_and_tried_again(house, monkeypatch):
    with mail_server(monkeypatch, offers=False) as server:
        message = sent_to(house, "zoë@example.com")
    assert (message.state, server.mails) == (QUEUED, [])
    assert "SMTPUTF8" in message.error


def test_a_mail_to_such_an_address_is_written_to_a_file_where_no_server_is_set(house, tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "VAR", tmp_path)
    assert sent_to(house, "zoë@sünde.com").state == SENT
    (file,) = (tmp_path / "mail").glob("*.eml")
    assert "To: zoë@sünde.com" in file.read_text()


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("079 123 45 67", "+41791234567"),
        ("0791234567", "+41791234567"),
        ("0041 79 123 45 67", "+41791234567"),
        ("+41 79 123 45 67", "+41791234567"),
        ("+1 234 567 890", "+1234567890"),
        ("(044) 668-18 00", "+41446681800"),
    ],
)
def test_a_number_without_its_country_is_of_the_country_of_the_reference(sent, stored):
    assert checked_phone(sent) == stored == checked_phone(stored)


@pytest.mark.parametrize("text", ["12", "079 123", "abc", "", "0", "+", "079 123 45 67 89 10 11"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(InvalidInput):
        checked_phone(text)


def test_a_name_of_digits_is_no_number_at_sign_in():
    assert find_phone("079 123 45 67") == "" and find_phone("+41 79 123 45 67") == "+41791234567"


PHONE_DOORS = {
    "v2": lambda api, id, number: api.post(f"/v2/users/{id}/phone", {"phone": number}),
    "update": lambda api, id, number: api.patch(
        f"/v2/users/{id}", {"human": {"phone": {"phone": number, "isVerified": True}}}
    ),
}


@pytest.mark.parametrize("door", PHONE_DOORS)
def test_every_door_takes_a_number_without_its_country(house, api, door):
    id = house.person()
    answer = PHONE_DOORS[door](api, id, "079 123 45 67")
    assert answer.status_code == 200, answer.content
    assert UserRow.objects.get(id=id).phone == "+41791234567"
