"""One budget for a person, whatever name is typed and whichever door is asked; one for a network (P03, P05, O03, O04)."""

import itertools
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client

from iam.api import rates
from iam.kernel.errors import InvalidInput, Refusal, ResourceExhausted
from iam.outbox.models import Message
from iam.outbox.post import opened
from tests.conftest import HOST
from tests.instance.test_settings_effect import own
from tests.oidc.support import make_flow
from tests.users.support import OLDER, USERS, Rpc
from users import attempts, cleaning, letters
from users import commands as users
from users.commands import codes
from users.commands.codes import Wish
from users.commands.people import Changes, NewPassword
from users.commands.sessions import must_know_password
from users.domain.profile import Profile
from users.models import AttemptRow, CodeRow, ResetRequest, SessionRow
from users.resets import send_codes_asked_for

PASSWORD, NEW = "Correct-Horse-9", "Another-Horse-7"
RESET = "/ui/v2/login/password/reset"
SET = "/ui/v2/login/password/set"
HERE, THERE = "203.0.113.9", "198.51.100.1"
SPELLINGS = (
    "gigi",
    "GIGI",
    "  gigi ",
    "gigi@zitadel.localhost",
    "Gigi@Zitadel.LOCALHOST",
    "gigi@example.com",
    "GIGI@EXAMPLE.COM",
    "+41791234567",
    "+41 79 123 45 67",
    "+41-79-123-45-67",
    "+41 (79) 123.45.67",
    "0041791234567",
    "00 41 79 123 45 67",
)


@pytest.fixture
def flow(house, web):
    return make_flow(house, web)


@pytest.fixture
def gigi(house, flow):
    """A person with an address and a number that are proved."""
    users.change_phone(house.system, user_id=flow.person, phone="+41791234567", verified=True)
    return flow.person


@pytest.fixture
def wide(monkeypatch):
    """Nobody waits because of the address: what is left are the budgets of persons. Who waits, waits longer than a test."""
    monkeypatch.setattr(attempts, "_pause", lambda beyond: timedelta(minutes=15 if beyond >= 0 else 0))
    limits = settings.CONFIG.RateLimits
    for rate in (limits.Letters.Address, limits.Letters.Name, limits.Code, limits.Address):
        monkeypatch.setattr(rate, "Burst", 10_000)
    rates.forget()
    return limits


def at(ctx, ip):
    return replace(ctx, origin=replace(ctx.origin, ip=ip))


def ask(name, ip=HERE, web=None):
    """Ask for a new password; the status."""
    return (web or Client(HTTP_HOST=HOST)).post(RESET, {"login_name": name}, REMOTE_ADDR=ip).status_code


def settle():
    while send_codes_asked_for():
        pass


def code_of(house):
    """The code of the last letter."""
    body = opened(house.system, Message.objects.order_by("-created_at", "-id")[0]).body
    return re.search(r"[?&]code=(\w+)", body)[1]


# Letters


def test_o04_a_person_gets_so_many_letters_by_whatever_name_from_wherever(house, gigi, wide):
    """A mail bomb of every spelling from a hundred networks is as many letters as one person's budget."""
    for number in range(100):
        assert ask(SPELLINGS[number % len(SPELLINGS)], f"203.{number}.113.9") == 200
    settle()
    assert Message.objects.count() == wide.Letters.Person.Burst
    assert not ResetRequest.objects.exists(), "nothing waits"


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_o04_every_spelling_leads_to_the_person(house, gigi, spelling):
    assert ask(spelling) == 200
    settle()
    assert Message.objects.get().user_id == gigi


@pytest.mark.parametrize("name", ["gigi", "nobody-at-all"])
def test_p03_spellings_of_one_name_are_one_name_known_or_not(house, gigi, name):
    """Case, blanks and domains: the same for a name that nobody bears."""
    spellings = [name, name.upper(), f" {name} ", f"{name}@zitadel.localhost", f"{name}@example.com", f"{name}\t", name]
    burst = settings.CONFIG.RateLimits.Letters.Name.Burst
    assert [ask(one) for one in spellings[: burst + 1]] == [200] * burst + [429]
    assert ask(name, THERE) == 200, "another address"


@pytest.mark.parametrize("written", ["+41791234567", "+41790000000"])
def test_p03_spellings_of_one_number_are_one_number_known_or_not(house, gigi, written):
    spaced = f"{written[:3]} {written[3:5]} {written[5:8]} {written[8:]}"
    forms = [written, spaced, spaced.replace(" ", "-"), written.replace("+", "00"), spaced.replace("+", "00 "), spaced]
    assert [ask(one) for one in forms] == [200] * 5 + [429]


def test_p03_an_address_that_asks_for_many_names_has_to_wait(house, gigi):
    burst = settings.CONFIG.RateLimits.Letters.Address.Burst
    told = [ask(f"name-{number}") for number in range(burst + 1)]
    assert told == [200] * burst + [429] and ResetRequest.objects.count() == burst


NEW_ADDRESSES = itertools.count()
LETTERS = {
    "reset page": lambda house, id: ask("gigi") and settle(),
    "PasswordReset": lambda house, id: Rpc(USERS, house.pat)("PasswordReset", {"userId": id}),
    "PasswordReset by SMS": lambda house, id: Rpc(USERS, house.pat)(
        "PasswordReset", {"userId": id, "sendLink": {"notificationType": "NOTIFICATION_TYPE_SMS"}}
    ),
    "SendEmailCode": lambda house, id: Rpc(USERS, house.pat)("SendEmailCode", {"userId": id}),
    "SetEmail": lambda house, id: Rpc(USERS, house.pat)(
        "SetEmail", {"userId": id, "email": f"gigi{next(NEW_ADDRESSES)}@example.com", "sendCode": {}}
    ),
    "v1 reset": lambda house, id: Rpc(OLDER, house.pat)("SendHumanResetPasswordNotification", {"userId": id}),
}


@pytest.mark.parametrize("first", LETTERS)
@pytest.mark.parametrize("then", LETTERS)
def test_o04_all_doors_that_send_share_a_persons_budget(house, gigi, wide, monkeypatch, first, then):
    monkeypatch.setattr(wide.Letters.Person, "Burst", 3)
    send = lambda door: LETTERS[door](house, gigi)
    for _ in range(3):
        send(first)
    if not Message.objects.exists():
        return  # this door sends nothing where all is proved
    assert Message.objects.count() == 3
    try:
        send(then)
    except ResourceExhausted as refused:
        assert refused.code == "letter.too_many" and refused.retry_after > timedelta(0)
    assert Message.objects.count() == 3


def test_o04_letters_come_again_with_time_and_the_last_code_is_good(house, gigi, wide, monkeypatch):
    monkeypatch.setattr(wide.Letters.Person, "Burst", 2)
    for _ in range(4):
        ask("gigi")
    settle()
    assert Message.objects.count() == 2
    code = code_of(house)
    AttemptRow.objects.filter(network=letters.EVERYWHERE).update(wait_until=house.system.now())
    cleaning.remove_ended()
    ask("gigi")
    settle()
    assert Message.objects.count() == 3
    with pytest.raises(InvalidInput):
        users.set_password_by_code(house.system, user_id=gigi, code=code, password=NEW)
    users.set_password_by_code(house.system, user_id=gigi, code=code_of(house), password=NEW)


def test_o04_cleaning_up_gives_nobody_new_letters(house, gigi, wide, monkeypatch):
    monkeypatch.setattr(wide.Letters.Person, "Burst", 1)
    monkeypatch.setattr(wide.Letters.Person, "PerSecond", 1 / (3 * 3600))
    codes.request_password_code(house.system, user_id=gigi, wish=Wish())
    AttemptRow.objects.update(changed_at=house.system.now() - timedelta(hours=2))
    cleaning.remove_ended()
    with pytest.raises(ResourceExhausted):
        codes.request_password_code(house.system, user_id=gigi, wish=Wish())


def test_o04_one_address_or_number_gets_so_many_whoever_bears_it(house, wide, monkeypatch):
    """Somebody who gives a stranger's address as their own, in one account after the other."""
    monkeypatch.setattr(wide.Letters.Recipient, "Burst", 3)

    def add(number, email):
        made = {"username": f"p{number}", "profile": {"givenName": "A", "familyName": "B"}, "email": {"email": email}}
        return Rpc(USERS, house.pat)("AddHumanUser", made)

    for number, email in enumerate(("victim@example.com", "Victim@Example.com", "VICTIM@EXAMPLE.COM")):
        add(number, email)
    with pytest.raises(ResourceExhausted):
        add(3, "victim@example.com")
    assert Message.objects.count() == 3
    add(4, "somebody.else@example.com")


def test_o04_a_range_of_numbers_gets_so_many_text_messages(house, wide, monkeypatch):
    """Pumping: numbers in a row that somebody earns by (checklist O04)."""
    monkeypatch.setattr(wide.Letters.NumberRange, "Burst", 3)

    def send(number, start="+4179123"):
        id = house.person(f"p{number}{start[-1]}")
        Rpc(USERS, house.pat)("SetPhone", {"userId": id, "phone": f"{start}{number:04}", "sendCode": {}})

    for number in range(3):
        send(number)
    with pytest.raises(ResourceExhausted):
        send(3)
    assert Message.objects.filter(medium="sms").count() == 3
    send(3, "+4179124")


def test_o04_an_instance_sends_so_many(house, gigi, wide, monkeypatch):
    monkeypatch.setattr(wide.Letters.Instance, "Burst", 2)
    monkeypatch.setattr(wide.Letters.Instance, "PerSecond", 0.001)
    for _ in range(2):
        codes.request_password_code(house.system, user_id=gigi, wish=Wish())
    with pytest.raises(ResourceExhausted):
        codes.request_password_code(house.system, user_id=house.person("other"), wish=Wish())
    monkeypatch.setattr(wide, "Enabled", False)
    codes.request_password_code(house.system, user_id=house.person("third"), wish=Wish())


def test_o04_who_is_refused_is_seen(house, gigi, wide, monkeypatch):
    counted = []
    monkeypatch.setattr("users.letters.meter.add", lambda name, count=1, **labels: counted.append((name, labels)))
    monkeypatch.setattr(wide.Letters.Person, "Burst", 1)
    ask("gigi")
    ask("gigi")
    settle()
    assert ("gatehouse_letters_refused_total", {"medium": "email"}) in counted


def test_o04_a_code_that_comes_back_to_the_caller_is_no_letter(house, gigi, wide, monkeypatch):
    monkeypatch.setattr(wide.Letters.Person, "Burst", 1)
    for _ in range(3):
        assert codes.request_password_code(house.system, user_id=gigi, wish=Wish(returned=True)).code
    assert not Message.objects.exists()


def test_p05_strangers_do_not_use_up_the_letters_of_a_browser_that_the_person_knows(
    house, flow, gigi, wide, monkeypatch
):
    monkeypatch.setattr(wide.Letters.Person, "Burst", 2)
    web = signed_in(flow, Client(HTTP_HOST=HOST))
    for number in range(5):
        ask("gigi", f"203.{number}.113.9")
    settle()
    assert Message.objects.count() == 2
    ask("gigi", web=web)
    settle()
    assert Message.objects.count() == 3
    set_by(web, gigi, code_of(house), 200)


# Codes


def set_by(web, id, code, status, ip=HERE, password=NEW):
    form = {"userId": id, "code": code, "password": password, "again": password}
    answer = web.post(SET, form, REMOTE_ADDR=ip)
    assert answer.status_code == status, answer.content.decode()
    return answer


def wrong(ctx, id, times, ip):
    for number in range(times):
        with pytest.raises(Refusal):
            users.set_password_by_code(at(ctx, ip), user_id=id, code=f"WRNG{number:02}", password=NEW)


def test_p05_wrong_codes_of_one_network_do_not_kill_the_owners_code(house, gigi, wide):
    code = codes.request_password_code(house.system, user_id=gigi, wish=Wish(returned=True)).code
    stranger, owner = at(house.system, HERE), at(house.system, THERE)
    wrong(house.system, gigi, wide.Guesses.CodeTries, HERE)
    for ip in (HERE, "203.0.113.200"):
        with pytest.raises(InvalidInput, match=r"user\.code_invalid"):
            users.set_password_by_code(at(stranger, ip), user_id=gigi, code=code, password=NEW)
    users.set_password_by_code(owner, user_id=gigi, code=code, password=NEW)


@pytest.mark.parametrize("purpose", ["password", "email", "phone", "invite"])
def test_p05_o03_after_so_many_from_everywhere_nobody_elsewhere_may_try_a_code(house, wide, purpose):
    """Of every purpose. Twenty in all, whatever networks they come from."""
    person = users.add_human(
        house.system,
        org_id=house.org,
        user_name="new",
        profile=Profile("New", "Person"),
        email="new@example.com",
        phone="+41791230000",
    ).id
    make = {
        "password": codes.request_password_code,
        "email": codes.request_email_code,
        "phone": codes.request_phone_code,
        "invite": codes.request_invite_code,
    }[purpose]
    use = {
        "password": lambda ctx, code: users.set_password_by_code(ctx, user_id=person, code=code, password=NEW),
        "email": lambda ctx, code: codes.verify_email(ctx, user_id=person, code=code),
        "phone": lambda ctx, code: codes.verify_phone(ctx, user_id=person, code=code),
        "invite": lambda ctx, code: codes.verify_invite(ctx, user_id=person, code=code),
    }[purpose]
    code = make(house.system, user_id=person, wish=Wish(returned=True)).code
    for number in range(wide.Guesses.CodeTriesInAll):
        with pytest.raises(InvalidInput):
            use(at(house.system, f"203.{number}.113.9"), "WRONG2")
    with pytest.raises(InvalidInput):
        use(at(house.system, THERE), code)
    code = make(house.system, user_id=person, wish=Wish(returned=True)).code
    use(at(house.system, THERE), code)


def test_p05_the_browser_that_asked_may_still_use_its_code(house, gigi, wide):
    web = Client(HTTP_HOST=HOST)
    assert ask("gigi", web=web) == 200
    settle()
    code = code_of(house)
    for network in range(4):
        wrong(house.system, gigi, wide.Guesses.CodeTries, f"203.{network}.113.9")
    wrong(house.system, gigi, 3, HERE)
    set_by(Client(HTTP_HOST=HOST), gigi, code, 422, THERE)
    set_by(web, gigi, "WRONG2", 422)
    set_by(web, gigi, code, 422, password="short")
    set_by(web, gigi, code, 200)
    must_know_password(house.system, user_id=gigi, password=NEW)


def test_o03_the_browser_that_asked_has_no_more_tries_than_a_network(house, gigi, wide):
    """A stranger may ask in somebody's name: that buys a handful of tries, not the code."""
    web = Client(HTTP_HOST=HOST)
    ask("gigi", web=web)
    settle()
    code = code_of(house)
    for number in range(4):
        wrong(house.system, gigi, wide.Guesses.CodeTries, f"203.{number}.113.9")
    for number in range(wide.Guesses.CodeTries):
        set_by(web, gigi, f"WRNG{number:02}", 422)
    set_by(web, gigi, code, 422)
    assert sum(CodeRow.objects.get().tries_from.values()) == wide.Guesses.CodeTriesInAll + wide.Guesses.CodeTries


@pytest.mark.parametrize("forged", ["", "x", "e30:1:2", '{"id":"1","people":[]}'])
def test_p05_a_browsers_cookie_cannot_be_made_up(house, gigi, wide, forged):
    web = Client(HTTP_HOST=HOST)
    ask("gigi", web=web)
    settle()
    code = code_of(house)
    for number in range(4):
        wrong(house.system, gigi, wide.Guesses.CodeTries, f"203.{number}.113.9")
    thief = Client(HTTP_HOST=HOST)
    thief.cookies["gatehouse_device"] = forged
    set_by(thief, gigi, code, 422, THERE)


@pytest.mark.parametrize("door", ["set", "verify"])
@pytest.mark.parametrize("whose", ["gigi", "unknown"])
def test_p03_an_address_that_sends_wrong_codes_has_to_wait(house, gigi, door, whose):
    """The same for ids that nobody has."""
    codes.request_password_code(house.system, user_id=gigi, wish=Wish(returned=True))
    web, id = Client(HTTP_HOST=HOST), gigi if whose == "gigi" else "1234567890"
    burst = settings.CONFIG.RateLimits.Code.Burst
    forms = [{"userId": id, "code": f"WR{number:04}", "password": NEW, "again": NEW} for number in range(burst + 1)]
    answers = [web.post(f"/ui/v2/login/{'password/set' if door == 'set' else 'verify'}", form) for form in forms]
    assert [one.status_code for one in answers] == [422] * burst + [429]
    assert int(answers[-1]["Retry-After"]) >= 1


def test_p03_a_network_that_sends_wrong_codes_for_many_has_to_wait(house, wide, monkeypatch):
    monkeypatch.setattr(wide.Guesses, "NetworkTries", 10)
    web = Client(HTTP_HOST=HOST)
    statuses = [
        web.post("/ui/v2/login/verify", {"userId": f"{n}", "code": "WRONG2"}, REMOTE_ADDR=f"203.0.113.{n}").status_code
        for n in range(12)
    ]
    assert statuses[:10] == [422] * 10 and statuses[-1] == 429
    assert AttemptRow.objects.count() == 1, "no row for ids that nobody has"


def test_o03_two_kinds_of_codes_share_no_tries_and_a_right_one_costs_none(house, gigi, wide):
    code = codes.request_password_code(house.system, user_id=gigi, wish=Wish(returned=True)).code
    for _ in range(3 * wide.Guesses.CodeTries):
        with pytest.raises(InvalidInput, match=r"password\."):
            users.set_password_by_code(house.system, user_id=gigi, code=code, password="short")
    users.set_password_by_code(house.system, user_id=gigi, code=code, password=NEW)
    with pytest.raises(InvalidInput):
        users.set_password_by_code(house.system, user_id=gigi, code=code, password=NEW)


def test_a_code_is_used_up_only_with_what_it_sets(house, gigi):
    """When the change is refused after all, the code is good for the next."""
    code = codes.request_password_code(house.system, user_id=gigi, wish=Wish(returned=True)).code
    new = NewPassword(NEW, code=code)

    def refuse():
        raise InvalidInput("api.field_missing")

    with pytest.raises(InvalidInput):
        users.update_user(house.system, user_id=gigi, changes=Changes(password=new), also=refuse)
    users.set_password_by_code(house.system, user_id=gigi, code=code, password=NEW)


# Passwords


def sign_in(flow, web, name, password, ip=HERE):
    """Through the pages of the login; the answer to the password."""
    flow.web = web
    request = re.search(r"authRequest=(\w+)", flow.authorize(prompt="login")["Location"])[1]
    web.post("/ui/v2/login/loginname", {"authRequest": request, "login_name": name}, REMOTE_ADDR=ip)
    return web.post("/ui/v2/login/password", {"authRequest": request, "password": password}, REMOTE_ADDR=ip)


def signed_in(flow, web):
    """A browser in which the person has signed in."""
    assert "code=" in sign_in(flow, web, "gigi", PASSWORD)["Location"]
    return web


def session(house, name, password, ip=HERE, **search):
    """By the session API; a status as a page would have it."""
    checks = {"user": search or {"loginName": name}, "password": {"password": password}}
    headers = {"authorization": f"Bearer {house.pat}"}
    answer = Client(HTTP_HOST=HOST).post(
        "/v2/sessions", {"checks": checks}, content_type="application/json", headers=headers, REMOTE_ADDR=ip
    )
    return answer.status_code, answer


def change(house, user_id, password):
    new = {"userId": user_id, "newPassword": {"password": NEW}, "currentPassword": password}
    headers = {"authorization": f"Bearer {house.pat}"}
    path = f"/v2/users/{user_id}/password"
    return Client(HTTP_HOST=HOST).post(path, new, content_type="application/json", headers=headers, REMOTE_ADDR=HERE)


GUESSES = {
    "page": lambda flow, name, password: sign_in(flow, Client(HTTP_HOST=HOST), name, password),
    "session": lambda flow, name, password: session(flow.house, name, password)[1],
    "session by id": lambda flow, name, password: session(flow.house, name, password, userId=flow.person)[1],
    "change": lambda flow, name, password: change(flow.house, flow.person, password),
}


@pytest.mark.parametrize("first", GUESSES)
@pytest.mark.parametrize("then", GUESSES)
def test_p03_guesses_by_every_name_and_door_are_one_budget(flow, gigi, wide, first, then):
    for number in range(wide.Guesses.Tries):
        answer = GUESSES[first](flow, SPELLINGS[number * 3 % len(SPELLINGS)], "wrong")
        assert answer.status_code in (400, 422), answer.content
    for name in ("gigi", "gigi@example.com", "+41 79 123 45 67", "gigi@zitadel.localhost"):
        refused = GUESSES[then](flow, name, PASSWORD)
        assert refused.status_code == 429 and int(refused["Retry-After"]) >= 1, name


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_p03_each_spelling_counts_for_the_person(flow, gigi, wide, spelling):
    for _ in range(wide.Guesses.Tries):
        assert sign_in(flow, Client(HTTP_HOST=HOST), spelling, "wrong").status_code == 422
    assert session(flow.house, "", PASSWORD, userId=gigi)[0] == 429
    assert session(flow.house, "", PASSWORD, THERE, userId=gigi)[0] == 201, "another network"


@pytest.mark.parametrize("first", ["{}", "{}@zitadel.localhost", "{}@example.com"])
@pytest.mark.parametrize("then", ["{}", " {} ", "{}@zitadel.localhost", "{}@example.com", "{}@elsewhere.example"])
def test_p01_spellings_of_one_name_wait_together_whether_somebody_bears_it_or_not(flow, gigi, wide, first, then):
    """Else who waits would tell who exists."""
    told = {}
    for name in ("gigi", "nobody-at-all"):
        for _ in range(wide.Guesses.Tries):
            sign_in(flow, Client(HTTP_HOST=HOST), first.format(name), "wrong")
        told[name] = sign_in(flow, Client(HTTP_HOST=HOST), then.format(name).upper(), "wrong").status_code
    assert set(told.values()) == {429}


def test_p05_who_guesses_in_the_same_network_keeps_no_browser_out_that_the_person_knows(flow, gigi, wide, monkeypatch):
    monkeypatch.setattr(wide.Guesses, "NetworkTries", 8)
    web = signed_in(flow, Client(HTTP_HOST=HOST))
    for number in range(12):
        sign_in(flow, Client(HTTP_HOST=HOST), "gigi" if number < 6 else f"name-{number}", "wrong")
    strange = sign_in(flow, Client(HTTP_HOST=HOST), "gigi", PASSWORD)
    assert strange.status_code == 429 and int(strange["Retry-After"]) >= 1
    assert "code=" in sign_in(flow, web, "gigi", PASSWORD)["Location"]


def test_p03_a_browser_that_the_person_knows_has_no_more_guesses_than_a_network(flow, gigi, wide):
    web = signed_in(flow, Client(HTTP_HOST=HOST))
    for _ in range(wide.Guesses.Tries):
        assert sign_in(flow, web, "gigi", "wrong").status_code == 422
    assert sign_in(flow, web, "gigi", PASSWORD).status_code == 429
    assert "code=" in sign_in(flow, Client(HTTP_HOST=HOST), "gigi", PASSWORD)["Location"], "its guesses are its own"


def test_p05_a_browser_is_spared_for_those_who_signed_in_there_only(flow, gigi, wide):
    web = signed_in(flow, Client(HTTP_HOST=HOST))
    flow.house.person("bert")
    for _ in range(wide.Guesses.Tries):
        sign_in(flow, Client(HTTP_HOST=HOST), "bert", "wrong")
    assert sign_in(flow, web, "bert", PASSWORD).status_code == 429


def test_p05_a_browser_is_spared_at_its_own_tenant_only(house, flow, gigi):
    from django.test import RequestFactory

    from iam.login import browser

    web = signed_in(flow, Client(HTTP_HOST=HOST))
    request = RequestFactory().get("/")
    request.COOKIES["gatehouse_device"] = web.cookies["gatehouse_device"].value
    assert browser.device_of(request, house.instance).known_to(gigi)
    assert not browser.device_of(request, "999").people


def test_l08_the_cookie_of_a_browser_is_bounded_and_not_for_scripts(house, flow, gigi):
    from iam.login import browser

    web = signed_in(flow, Client(HTTP_HOST=HOST))
    first = web.cookies["gatehouse_device"]
    assert first["httponly"] and first["samesite"] == "Lax" and gigi not in first.value
    for number in range(browser.MOST + 2):
        house.person(f"p{number}")
        sign_in(flow, web, f"p{number}", PASSWORD)
    assert len(web.cookies["gatehouse_device"].value) < 1000


LOCKED = {
    "page": lambda flow, web: sign_in(flow, web, "gigi", PASSWORD).status_code == 422,
    "session": lambda flow, web: session(flow.house, "gigi", PASSWORD, THERE)[0] == 400,
    "session of a known one": lambda flow, web: session(flow.house, "", PASSWORD, THERE, userId=flow.person)[0] == 400,
    "change": lambda flow, web: change(flow.house, flow.person, PASSWORD).status_code in (400, 429),
    "silent": lambda flow, web: "error=login_required" in flow.authorize(prompt="none")["Location"],
    "no letter": lambda flow, web: (ask("gigi"), settle()) and not Message.objects.exists(),
}


@pytest.mark.parametrize("door", LOCKED)
def test_p05_a_lockout_that_somebody_set_locks_every_door_and_known_browsers_too(flow, gigi, wide, door):
    """As the reference does; whoever knows the code of a letter that was sent before does not get in either."""
    own(flow.house, "lockout", max_password_attempts=3)
    web = signed_in(flow, Client(HTTP_HOST=HOST))
    code = codes.request_password_code(flow.house.system, user_id=gigi, wish=Wish(returned=True)).code
    for _ in range(3):
        sign_in(flow, Client(HTTP_HOST=HOST), "gigi", "wrong")
    flow.web = web
    assert LOCKED[door](flow, web)
    with pytest.raises(InvalidInput):
        users.set_password_by_code(flow.house.system, user_id=gigi, code=code, password=NEW)
    assert not SessionRow.objects.filter(user_id=gigi, terminated=False).exists()


@pytest.mark.parametrize("shown", [True, False])
@pytest.mark.parametrize("door", ["page", "session"])
def test_p01_a_lockout_is_told_after_the_right_password_only(flow, gigi, wide, door, shown):
    own(flow.house, "lockout", max_password_attempts=1, show_lock_out_failures=shown)
    guess = GUESSES[door]
    guess(flow, "gigi", "wrong")
    told = {password: b"locked" in guess(flow, "gigi", password).content for password in ("wrong", PASSWORD)}
    assert told == {"wrong": False, PASSWORD: shown}


# What is meant by the settings


def test_how_often_and_how_long_is_as_configured(house, gigi, monkeypatch):
    limits = settings.CONFIG.RateLimits.Guesses
    monkeypatch.setattr(limits, "Tries", 2)
    monkeypatch.setattr(limits, "LongestWait", timedelta(seconds=3))
    ctx = at(house.system, HERE)
    for _ in range(6):
        AttemptRow.objects.update(wait_until=house.system.now())
        with pytest.raises(InvalidInput):
            must_know_password(ctx, user_id=gigi, password="wrong")
    with pytest.raises(ResourceExhausted) as refused:
        must_know_password(ctx, user_id=gigi, password=PASSWORD)
    assert timedelta(seconds=2) < refused.value.retry_after <= timedelta(seconds=3)


@pytest.mark.parametrize(("of_network", "in_all"), [(1, 20), (5, 3)])
def test_a_code_has_as_many_tries_as_configured(house, gigi, wide, monkeypatch, of_network, in_all):
    monkeypatch.setattr(wide.Guesses, "CodeTries", of_network)
    monkeypatch.setattr(wide.Guesses, "CodeTriesInAll", in_all)
    code = codes.request_password_code(house.system, user_id=gigi, wish=Wish(returned=True)).code
    wrong(house.system, gigi, min(of_network, in_all), HERE)
    with pytest.raises(InvalidInput):
        users.set_password_by_code(at(house.system, HERE), user_id=gigi, code=code, password=NEW)
    if in_all > of_network:
        users.set_password_by_code(at(house.system, THERE), user_id=gigi, code=code, password=NEW)
    else:
        with pytest.raises(InvalidInput):
            users.set_password_by_code(at(house.system, THERE), user_id=gigi, code=code, password=NEW)


def test_guesses_count_also_where_requests_are_not_limited(house, gigi, monkeypatch):
    monkeypatch.setattr(settings.CONFIG.RateLimits, "Enabled", False)
    ctx = at(house.system, HERE)
    for _ in range(attempts.limits().Tries):
        with pytest.raises(InvalidInput):
            must_know_password(ctx, user_id=gigi, password="wrong")
    with pytest.raises(ResourceExhausted):
        must_know_password(ctx, user_id=gigi, password=PASSWORD)


@pytest.mark.parametrize(
    ("one", "other"),
    [("192.0.2.1", "::ffff:192.0.2.200"), ("2001:db8:1::1", "2001:db8:1:ffff::9"), ("192.0.2.1", "192.0.2.254")],
)
def test_p04_addresses_of_one_network_are_one(one, other):
    assert attempts.network_of(one) == attempts.network_of(other) != attempts.network_of("198.51.100.1")


def test_p02_a_name_is_kept_sealed_and_forgotten_when_it_was_looked_at(house, gigi):
    ask("gigi@example.com")
    assert "gigi" not in str(vars(ResetRequest.objects.get()))
    settle()
    assert not ResetRequest.objects.exists()
    ask("gigi@example.com")
    ResetRequest.objects.update(expires_at=house.system.now())
    settle()
    assert Message.objects.count() == 1, "who has waited for too long has asked again"


def test_what_cannot_be_answered_does_not_stop_the_next(house, gigi, monkeypatch):
    from users import resets

    ask("unlucky")
    ask("gigi")
    find = resets.find_user_by_login

    def look(instance, name):
        if name == "unlucky":
            raise RuntimeError("a fault")
        return find(instance, name)

    monkeypatch.setattr(resets, "find_user_by_login", look)
    settle()
    assert Message.objects.get().user_id == gigi and not ResetRequest.objects.exists()


@pytest.mark.parametrize("setting", [{"hide_password_reset": True}, {"allow_username_password": False}])
def test_p10_who_may_not_reset_gets_no_letter(house, gigi, setting):
    """Asked before it was switched off, or through the page of another organization."""
    ask("gigi@example.com")
    own(house, "login", **setting)
    settle()
    assert not Message.objects.exists() and not ResetRequest.objects.exists()


def test_e10_tries_and_letters_at_the_same_time_are_all_counted(house, gigi, wide):
    """Each decides by what it read before the others wrote."""
    from users import tries

    codes.request_password_code(house.system, user_id=gigi, wish=Wish(returned=True))
    rows = CodeRow.objects.filter(instance_id=house.instance, user_id=gigi)
    seen = [rows.get() for _ in range(wide.Guesses.CodeTriesInAll + 5)]
    for number, row in enumerate(seen):
        assert not tries.is_right(at(house.system, f"203.{number}.113.9"), rows, row, "wrong", "")
    assert sum(rows.get().tries_from.values()) == wide.Guesses.CodeTriesInAll
    rate = wide.Letters.Person
    for _ in range(rate.Burst):
        letters._spend(house.system, "subject", rate, None)
    with pytest.raises(ResourceExhausted):
        letters._spend(house.system, "subject", rate, None)
