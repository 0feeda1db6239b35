"""Rules of users."""

from datetime import UTC, datetime

import pytest

from eventstore.testing import given
from iam.kernel.errors import AlreadyExists, FailedPrecondition, InvalidInput, NotFound
from users.domain.events import (
    EmailVerified,
    HumanAdded,
    MachineAdded,
    PasswordChanged,
    PasswordCheckFailed,
    PasswordCheckSucceeded,
    SecretRemoved,
    SecretSet,
    UserDeactivated,
    UserLocked,
    UserReactivated,
    UserRemoved,
    UserUnlocked,
)
from users.domain.profile import Profile, checked_email, checked_phone
from users.domain.user import User, checked_user_name

ADDED = HumanAdded(user_name="gigi", first_name="Gigi", last_name="G", display_name="Gigi G", email="g@example.com")
MACHINE = MachineAdded(user_name="robot", name="Robot")


def test_a_person_is_added():
    given(User).when(
        lambda user: user.add_human(
            user_name="gigi", profile=Profile("Gigi", "G"), email="g@example.com", email_verified=True
        )
    ).then(ADDED, EmailVerified())


def test_an_id_is_used_once():
    given(User, ADDED).when(
        lambda user: user.add_machine(user_name="x", name="x", description="", access_token_type=0)
    ).refuses(AlreadyExists, "user.id_already_exists")


def test_an_active_user_is_deactivated_once():
    given(User, ADDED).when(User.deactivate).then(UserDeactivated())
    given(User, ADDED, UserDeactivated()).when(User.deactivate).refuses(FailedPrecondition, "user.already_inactive")
    given(User, ADDED, UserDeactivated()).when(User.reactivate).then(UserReactivated())
    given(User, ADDED).when(User.reactivate).refuses(FailedPrecondition, "user.not_inactive")


def test_locking_and_unlocking():
    given(User, ADDED).when(User.lock).then(UserLocked())
    given(User, ADDED, UserLocked()).when(User.unlock).then(UserUnlocked())
    given(User, ADDED).when(User.unlock).refuses(FailedPrecondition, "user.not_locked")
    given(User, ADDED, UserDeactivated()).when(User.lock).refuses(
        FailedPrecondition, "user.should_be_active_or_initial"
    )


def test_p03_who_failed_too_often_is_locked_unless_they_cannot_sign_in_anyway():
    given(User, ADDED).when(User.lock_after_checks).then(UserLocked())
    for stopped in (UserLocked(), UserDeactivated(), UserRemoved()):
        given(User, ADDED, stopped).when(User.lock_after_checks).then()


def test_failed_checks_of_old_logs_still_count_and_begin_anew():
    counted = given(User, ADDED, PasswordCheckFailed(), PasswordCheckFailed()).state
    assert (counted.failed_checks, counted.fresh_starts) == (2, 0)
    assert given(User, ADDED, PasswordCheckFailed(), PasswordCheckSucceeded()).state.failed_checks == 0
    for fact in (PasswordChanged(encoded_hash="x"), UserUnlocked(), UserReactivated()):
        state = given(User, ADDED, PasswordCheckFailed(), fact).state
        assert (state.failed_checks, state.fresh_starts) == (0, 1)


def test_a_removed_user_is_not_found_and_holds_no_name():
    removed = given(User, ADDED, UserRemoved())
    assert removed.state.claims() == frozenset()
    removed.when(User.deactivate).refuses(NotFound, "user.not_found")


def test_only_service_users_have_tokens():
    given(User, ADDED).when(lambda user: user.add_pat(id="1", digest="d", expires_at=None, scopes=())).refuses(
        FailedPrecondition, "user.not_machine"
    )


@pytest.mark.parametrize("name", ["", " ", "a b", "a\u202eb", "a\u200bb", "x" * 201, "a\x00b"])
def test_u01_user_names_are_visible_and_have_no_spaces(name):
    with pytest.raises(InvalidInput):
        checked_user_name(name)


@pytest.mark.parametrize("email", ["", "a", "a@b@c", "a@b\n", "a＠b.c", "a..b@c.d", "a@" + "b" * 300, "a(b)@c.d"])
def test_u02_addresses_follow_the_grammar(email):
    with pytest.raises(InvalidInput):
        checked_email(email)


def test_numbers_are_stored_in_one_form():
    assert checked_phone("+41 79 123 45 67") == "+41791234567"
    assert checked_phone("+1234567890") == "+1234567890"
    with pytest.raises(InvalidInput):
        checked_phone("079 123")


def test_the_client_secret_before_is_kept_when_asked_for_and_there_was_one():
    until = datetime(2026, 1, 2, tzinfo=UTC)
    renew = lambda user: user.set_secret("new", previous_until=until)
    first = SecretSet(hashed_secret="old")
    given(User, MACHINE, first).when(renew).then(SecretSet(hashed_secret="new", previous_until=until))
    given(User, MACHINE, first).when(lambda user: user.set_secret("new")).then(SecretSet(hashed_secret="new"))
    given(User, MACHINE).when(renew).then(SecretSet(hashed_secret="new"))
    given(User, MACHINE, first, SecretRemoved()).when(renew).then(SecretSet(hashed_secret="new"))
