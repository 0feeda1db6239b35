"""Invitations: sent once more as they were sent, and codes of two kinds that wait at once."""

import re
from datetime import timedelta

import pytest

from iam.kernel.errors import FailedPrecondition, InvalidInput
from iam.outbox.models import Message
from iam.outbox.post import opened
from tests.users.support import USERS, Rpc
from users import attempts, cleaning
from users import commands as users
from users.commands import codes
from users.commands.codes import Wish
from users.commands.sessions import must_know_password
from users.domain.profile import Profile
from users.models import CodeRow, UserRow

PAGE = "https://shop.example/welcome?user={{.UserID}}&code={{.Code}}"
SENT = {"sendCode": {"urlTemplate": PAGE, "applicationName": "Shop"}}
PASSWORD = "Another-Horse-7"


@pytest.fixture
def rpc(house):
    return Rpc(USERS, house.pat)


@pytest.fixture
def gigi(house):
    """A person without a password."""
    return users.add_human(
        house.system, org_id=house.org, user_name="gigi", profile=Profile("Gigi", "G"), email="gigi@example.com"
    ).id


def letter(house):
    return opened(house.system, Message.objects.latest("id"))


def code_in(house):
    return re.search(r"https://shop\.example/welcome\S+code=(\w+)", letter(house).body)[1]


def test_an_invitation_is_sent_once_more_to_the_same_page_in_the_same_name(house, rpc, gigi):
    rpc("CreateInviteCode", {"userId": gigi, **SENT})
    first = code_in(house)
    rpc("ResendInviteCode", {"userId": gigi})
    second = code_in(house)
    assert Message.objects.count() == 2 and first != second and "Shop" in letter(house).subject
    with pytest.raises(InvalidInput):
        rpc("VerifyInviteCode", {"userId": gigi, "verificationCode": first})
    rpc("VerifyInviteCode", {"userId": gigi, "verificationCode": second})
    assert UserRow.objects.get(id=gigi).email_verified


def test_only_an_invitation_that_was_sent_is_sent_once_more(house, rpc, gigi):
    with pytest.raises(FailedPrecondition, match=r"user\.invitation_not_sent"):
        rpc("ResendInviteCode", {"userId": gigi})
    code = rpc("CreateInviteCode", {"userId": gigi, "returnCode": {}})["inviteCode"]
    with pytest.raises(FailedPrecondition, match=r"user\.invitation_not_sent"):
        rpc("ResendInviteCode", {"userId": gigi})
    users.set_password_by_code(house.system, user_id=gigi, code=code, password=PASSWORD)
    with pytest.raises(FailedPrecondition, match=r"user\.already_has_password"):
        rpc("ResendInviteCode", {"userId": gigi})


def test_an_invitation_that_ended_is_sent_once_more_until_it_is_forgotten(house, rpc, gigi):
    rpc("CreateInviteCode", {"userId": gigi, **SENT})
    now = house.system.now()
    CodeRow.objects.update(expires_at=now - timedelta(days=30))
    cleaning.remove_ended()
    rpc("ResendInviteCode", {"userId": gigi})
    assert code_in(house)
    CodeRow.objects.update(expires_at=now - cleaning.REMEMBERED - timedelta(days=1))
    cleaning.remove_ended()
    assert not CodeRow.objects.exists()


def test_other_codes_are_removed_when_they_have_ended(house, gigi):
    codes.request_email_code(house.system, user_id=gigi, wish=Wish())
    CodeRow.objects.update(expires_at=house.system.now() - timedelta(days=1))
    cleaning.remove_ended()
    assert not CodeRow.objects.exists()


def test_an_invitation_to_a_wrong_address_is_sent_once_more_to_the_right_one(house, rpc, gigi):
    rpc("CreateInviteCode", {"userId": gigi, **SENT})
    wrong = code_in(house)
    rpc("UpdateUser", {"userId": gigi, "human": {"email": {"email": "right@example.com", "returnCode": {}}}})
    with pytest.raises(InvalidInput):
        rpc("VerifyInviteCode", {"userId": gigi, "verificationCode": wrong})
    rpc("ResendInviteCode", {"userId": gigi})
    assert letter(house).to == "right@example.com" and code_in(house)


@pytest.mark.parametrize("used", ["invitation", "reset"])
def test_a_code_for_a_password_counts_beside_an_invitation(house, gigi, used):
    asked = {"user_id": gigi, "wish": Wish(returned=True)}
    made = {
        "invitation": codes.request_invite_code(house.system, **asked).code,
        "reset": codes.request_password_code(house.system, **asked).code,
    }
    users.set_password_by_code(house.system, user_id=gigi, code=made[used], password=PASSWORD)
    must_know_password(house.system, user_id=gigi, password=PASSWORD)
    assert UserRow.objects.get(id=gigi).email_verified


def test_p07_guesses_count_for_every_code_that_waits(house, gigi):
    asked = {"user_id": gigi, "wish": Wish(returned=True)}
    made = [request(house.system, **asked).code for request in (codes.request_invite_code, codes.request_password_code)]
    for _ in range(attempts.limits().CodeTries):
        with pytest.raises(InvalidInput):
            users.set_password_by_code(house.system, user_id=gigi, code="WRONG1", password=PASSWORD)
    for code in made:
        with pytest.raises(InvalidInput):
            users.set_password_by_code(house.system, user_id=gigi, code=code, password=PASSWORD)


def test_a_code_may_be_asked_for_an_address_that_is_proved(house, rpc):
    person = house.person("mia")
    code = rpc("SendEmailCode", {"userId": person, "returnCode": {}})["verificationCode"]
    rpc("VerifyEmail", {"userId": person, "verificationCode": code})
    with pytest.raises(FailedPrecondition, match=r"user\.email_already_verified"):
        rpc("ResendEmailCode", {"userId": person, "returnCode": {}})
