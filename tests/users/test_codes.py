"""Codes for addresses, passwords and invitations, and the messages that carry them."""

import re
import socketserver
import threading
from datetime import timedelta
from typing import ClassVar

import pytest
from django.conf import settings

from iam.kernel.errors import InvalidInput, ResourceExhausted
from iam.outbox import delivery
from iam.outbox.models import FAILED, QUEUED, SENT, Message
from iam.outbox.post import opened
from iam.vault import wiring
from projections.runner import run_until_done
from tests.store.test_projections import settle_all
from users import attempts
from users import commands as users
from users.commands import codes
from users.commands.codes import Wish
from users.commands.sessions import must_know_password
from users.domain.profile import Profile
from users.models import CodeRow, UserRow

ASKED_BACK = Wish(returned=True)
NEW = "Another-Horse-7"


@pytest.fixture
def mailbox(tmp_path, monkeypatch):
    """What was delivered, as files."""
    monkeypatch.setattr(settings, "VAR", tmp_path)
    return lambda: [path.read_text() for path in sorted((tmp_path / "mail").glob("*.eml"))]


@pytest.fixture
def gigi(house):
    """A person whose address is not verified."""
    return users.add_human(
        house.system,
        org_id=house.org,
        user_name="gigi",
        profile=Profile("Gigi", "Giraffe", preferred_language="de"),
        email="gigi@example.com",
        phone="+41791234567",
    ).id


def row(id):
    return UserRow.objects.get(id=id)


def test_a_code_is_sent_in_the_persons_language_and_proves_the_address(house, gigi, mailbox):
    codes.request_email_code(house.system, user_id=gigi, wish=Wish())
    assert delivery.deliver()
    text = mailbox()[0]
    assert "gigi@example.com" in text and "Bestätigen" in text.replace("=C3=A4", "ä")
    code = re.search(r"\b([A-Z2-9]{6})\b", text.split("verify?")[1])[1]
    codes.verify_email(house.system, user_id=gigi, code=code.lower())
    assert row(gigi).email_verified
    with pytest.raises(InvalidInput):
        codes.verify_email(house.system, user_id=gigi, code=code)


def test_a_code_is_good_for_five_tries_and_one_hour(house, gigi, monkeypatch):
    code = codes.request_email_code(house.system, user_id=gigi, wish=ASKED_BACK).code
    for _ in range(attempts.limits().CodeTries):
        with pytest.raises(InvalidInput, match=r"user\.code_invalid"):
            codes.verify_email(house.system, user_id=gigi, code="WRONG2")
    with pytest.raises(InvalidInput):
        codes.verify_email(house.system, user_id=gigi, code=code)
    code = codes.request_email_code(house.system, user_id=gigi, wish=ASKED_BACK).code
    CodeRow.objects.update(expires_at=house.system.now() - timedelta(seconds=1))
    with pytest.raises(InvalidInput):
        codes.verify_email(house.system, user_id=gigi, code=code)


def test_codes_are_not_kept_in_clear(house, gigi):
    code = codes.request_email_code(house.system, user_id=gigi, wish=ASKED_BACK).code
    codes.request_phone_code(house.system, user_id=gigi, wish=Wish())
    stored = [str(vars(one)) for table in (CodeRow, Message) for one in table.objects.all()]
    assert not [one for one in stored if code in one or "+41791234567" in one]
    assert opened(house.system, Message.objects.get()).to == "+41791234567"


def test_a_new_address_makes_the_code_for_the_one_before_useless(house, gigi):
    code = codes.request_email_code(house.system, user_id=gigi, wish=ASKED_BACK).code
    users.change_email(house.system, user_id=gigi, email="new@example.com")
    with pytest.raises(InvalidInput):
        codes.verify_email(house.system, user_id=gigi, code=code)


def test_a_password_is_set_by_code_and_a_weak_one_does_not_cost_it(house, gigi):
    code = codes.request_password_code(house.system, user_id=gigi, wish=ASKED_BACK).code
    with pytest.raises(InvalidInput, match=r"password\.too_short"):
        users.set_password_by_code(house.system, user_id=gigi, code=code, password="short")
    users.set_password_by_code(house.system, user_id=gigi, code=code, password=NEW)
    must_know_password(house.system, user_id=gigi, password=NEW)
    assert row(gigi).email_verified


def test_h01_links_lead_to_the_instances_origin_and_templates_to_http_only(house, gigi):
    codes.request_email_code(house.system, user_id=gigi, wish=Wish())
    assert "http://localhost/ui/v2/login/verify?" in opened(house.system, Message.objects.get()).body
    for template in ("javascript:alert({{.Code}})", "{{.Nonsense}}", "/relative/{{.Code}}"):
        with pytest.raises(InvalidInput, match=r"user\.url_template_invalid"):
            codes.request_email_code(house.system, user_id=gigi, wish=Wish(url_template=template))
    wish = Wish(url_template="https://app.example/v?u={{.UserID}}&c={{.Code}}")
    codes.request_email_code(house.system, user_id=gigi, wish=wish)
    body = opened(house.system, Message.objects.order_by("-created_at")[0]).body
    assert f"https://app.example/v?u={gigi}&c=" in body


def test_a_message_that_cannot_be_sent_is_tried_again_and_then_given_up(house, gigi, monkeypatch):
    codes.request_email_code(house.system, user_id=gigi, wish=Wish())

    def refuse(message, letter):
        raise OSError("no such mail server")

    monkeypatch.setattr(delivery, "_send", refuse)
    for number in range(delivery.MOST_TRIES):
        Message.objects.update(try_at=house.system.now())
        assert Message.objects.get().state == QUEUED
        assert delivery.deliver()
        assert Message.objects.get().tries == number + 1
    one = Message.objects.get()
    assert (one.state, one.error) == (FAILED, "OSError: no such mail server")
    assert not delivery.deliver()
    monkeypatch.undo()
    delivery.try_again(house.instance, one.id)
    delivery.deliver()
    assert Message.objects.get().state == SENT


def test_l11_people_are_told_when_their_password_or_address_changed(house, mailbox):
    settle_all()
    gigi = house.person("gigi")
    users.set_password(house.system, user_id=gigi, password=NEW)
    users.change_email(house.system, user_id=gigi, email="thief@example.com", verified=True)
    run_until_done(wiring.store())
    texts = mailbox()
    assert [re.search(r"To: (\S+)", text)[1] for text in texts] == ["thief@example.com", "gigi@example.com"]
    assert "password" in texts[0] and "another e-mail address" in texts[1]
    run_until_done(wiring.store())
    assert len(mailbox()) == 2


def test_e05_an_erased_person_leaves_no_messages_and_codes(house, gigi):
    codes.request_email_code(house.system, user_id=gigi, wish=Wish())
    users.erase_user(house.system, user_id=gigi)
    assert not Message.objects.exists()
    assert not CodeRow.objects.exists()


def from_network(ctx, ip):
    from dataclasses import replace

    return replace(ctx, origin=replace(ctx.origin, ip=ip))


def guess(ctx, user_id, password="wrong"):
    with pytest.raises(InvalidInput):
        must_know_password(ctx, user_id=user_id, password=password)


def test_p03_guesses_wait_longer_and_longer_but_not_for_the_owner_elsewhere(house):
    gigi = house.person("gigi")
    attacker = from_network(house.system, "203.0.113.9")
    for _ in range(attempts.limits().Tries):
        guess(attacker, gigi)
    with pytest.raises(ResourceExhausted) as waits:
        must_know_password(from_network(house.system, "203.0.113.77"), user_id=gigi, password="Correct-Horse-9")
    assert waits.value.retry_after <= timedelta(seconds=1)
    must_know_password(from_network(house.system, "198.51.100.1"), user_id=gigi, password="Correct-Horse-9")


def test_p03_a_network_that_sprays_over_accounts_has_to_wait(house, monkeypatch):
    monkeypatch.setattr(attempts.limits(), "NetworkTries", 10)
    attacker = from_network(house.system, "203.0.113.9")
    for number in range(10):
        with pytest.raises(InvalidInput):
            must_know_password(attacker, user_id="nobody", password="x", asked=f"name-{number}")
    with pytest.raises(ResourceExhausted):
        must_know_password(attacker, user_id="nobody", password="x", asked="another")


def test_p03_a_right_password_starts_anew(house):
    gigi = house.person("gigi")
    for _ in range(3):
        for _ in range(attempts.limits().Tries - 1):
            guess(house.system, gigi)
        must_know_password(house.system, user_id=gigi, password="Correct-Horse-9")


class MailServer(socketserver.StreamRequestHandler):
    """Takes mails (RFC 5321, the least of it)."""

    taken: ClassVar[list[str]] = []

    def handle(self):
        """One conversation."""
        self.say("220 ready")
        while line := self.rfile.readline().decode().strip():
            match line[:4].upper():
                case "DATA":
                    self.say("354 go on")
                    lines = iter(lambda: self.rfile.readline().decode(), ".\r\n")
                    MailServer.taken.append("".join(lines))
                    self.say("250 taken")
                case "QUIT":
                    self.say("221 bye")
                    return
                case _:
                    self.say("250 fine")

    def say(self, text):
        """One line."""
        self.wfile.write(f"{text}\r\n".encode())


def test_mails_leave_by_smtp_where_it_is_configured(house, gigi, monkeypatch):
    MailServer.taken.clear()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), MailServer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        smtp = settings.CONFIG.DefaultInstance.SMTPConfiguration.model_copy(deep=True)
        smtp.SMTP.Host, smtp.From, smtp.FromName = f"127.0.0.1:{server.server_address[1]}", "id@acme.example", "Acme"
        monkeypatch.setattr(settings.CONFIG.DefaultInstance, "SMTPConfiguration", smtp)
        codes.request_email_code(house.system, user_id=gigi, wish=Wish())
        delivery.deliver()
        server.shutdown()
    assert Message.objects.get().state == SENT, Message.objects.get().error
    assert "From: Acme <id@acme.example>" in MailServer.taken[0] and "To: gigi@example.com" in MailServer.taken[0]
