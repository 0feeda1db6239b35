"""Changes of a user in one go, codes and who may have them back, and what a session carries."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from eventstore.testing import given
from iam.api.errors import told
from iam.api.gen import v1
from iam.api.rpc import connect_error
from iam.instance import commands as instance
from iam.kernel.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidInput,
    NotFound,
    PermissionDenied,
    Unimplemented,
    WrongCredentials,
)
from iam.outbox.models import Message
from iam.outbox.post import opened
from tests.oidc.support import make_flow
from tests.users.support import OLDER, SESSIONS, USERS, Rpc
from users import commands as users
from users.commands import codes
from users.commands.codes import Wish
from users.commands.sessions import must_know_password
from users.domain.events import EmailVerified, HumanAdded, MachineAdded, MfaInitSkipped
from users.domain.session import LONGEST, MOST_METADATA, Agent, Session
from users.domain.session_events import SessionAdded, SessionLifetimeSet, SessionMetadataSet, SessionTerminated
from users.domain.user import User
from users.models import SessionRow, UserRow

ADDED = HumanAdded(user_name="gigi", first_name="Gigi", last_name="G", display_name="Gigi G", email="g@example.com")
NEW = "Another-Horse-7"
API = "openid urn:zitadel:iam:org:project:id:zitadel:aud"


def test_an_address_is_proved_once():
    given(User, ADDED).when(User.prove_email).then(EmailVerified())
    given(User, ADDED, EmailVerified()).when(User.prove_email).then()


def test_only_people_put_off_a_second_factor():
    given(User, ADDED).when(User.skip_mfa_init).then(MfaInitSkipped())
    given(User, MachineAdded(user_name="r", name="r")).when(User.skip_mfa_init).refuses(
        FailedPrecondition, "user.not_human"
    )


def test_a_session_tells_its_agent():
    agent = Agent("f", "192.0.2.1", "Shop", {"x": ("1", "2")})
    given(Session).when(lambda one: one.add(agent)).then(
        SessionAdded(fingerprint_id="f", ip="192.0.2.1", description="Shop", header={"x": ["1", "2"]})
    )


def test_metadata_of_a_session_is_merged_and_an_empty_value_forgets_its_key():
    kept = SessionMetadataSet(metadata={"a": b"1", "b": b"2"})
    given(Session, SessionAdded(), kept).when(lambda one: one.set_metadata({"b": b"", "c": b"3"})).then(
        SessionMetadataSet(metadata={"a": b"1", "c": b"3"})
    )
    given(Session, SessionAdded(), kept).when(lambda one: one.set_metadata({"a": b"1", "z": b""})).then()
    for bad in ({"": b"1"}, {"k" * 201: b"1"}, {"k": b"1" * MOST_METADATA}):
        given(Session, SessionAdded()).when(lambda one, bad=bad: one.set_metadata(bad)).refuses(
            InvalidInput, "session.metadata_too_large"
        )
    given(Session, SessionAdded(), SessionTerminated()).when(lambda one: one.set_metadata({"a": b"1"})).refuses(
        NotFound, "session.not_found"
    )


def test_a_lifetime_has_bounds():
    hour = timedelta(hours=1)
    given(Session, SessionAdded()).when(lambda one: one.set_lifetime(hour)).then(SessionLifetimeSet(lifetime=hour))
    for bad in (timedelta(0), -hour, LONGEST + hour):
        given(Session, SessionAdded()).when(lambda one, bad=bad: one.set_lifetime(bad)).refuses(
            InvalidInput, "session.lifetime_invalid"
        )


@pytest.fixture
def rpc(house):
    return Rpc(USERS, house.pat)


@pytest.fixture
def gigi(house):
    return house.person("gigi")


def test_a_person_is_made_and_changed_in_one_call_each(rpc, house):
    human = {
        "profile": {"givenName": "Ada", "familyName": "Lovelace"},
        "email": {"email": "ada@example.com", "returnCode": {}},
        "phone": {"phone": "+41791234567", "returnCode": {}},
        "password": {"password": "Correct-Horse-9"},
        "metadata": [{"key": "inner", "value": "MQ=="}],
    }
    asked = {"organizationId": house.org, "userId": "chosen-1", "username": "ada", "human": human}
    made = rpc("CreateUser", {**asked, "metadata": [{"key": "outer", "value": "Mg=="}]})
    assert (made["id"], len(made["emailCode"]), len(made["phoneCode"])) == ("chosen-1", 6, 6)
    kept = rpc("ListUserMetadata", {"userId": "chosen-1", "pagination": {"asc": True}})["metadata"]
    assert [one["key"] for one in kept] == ["inner", "outer"]
    with pytest.raises(AlreadyExists):
        rpc("CreateUser", {**asked, "username": "other"})
    changes = {
        "username": "augusta",
        "human": {
            "profile": {"givenName": "Augusta"},
            "email": {"email": "augusta@example.com", "isVerified": True},
            "phone": {"phone": "+41797654321", "returnCode": {}},
            "password": {"password": {"password": NEW}, "currentPassword": "Correct-Horse-9"},
        },
        "metadata": [{"key": "outer", "value": "Mw=="}],
    }
    answer = rpc("UpdateUser", {"userId": "chosen-1", **changes})
    assert "emailCode" not in answer and len(answer["phoneCode"]) == 6
    user = rpc("GetUserByID", {"userId": "chosen-1"})["user"]
    assert (user["username"], user["human"]["profile"]["familyName"]) == ("augusta", "Lovelace")
    assert user["human"]["profile"]["displayName"] == "Ada Lovelace"
    assert user["human"]["email"] == {"email": "augusta@example.com", "isVerified": True}
    must_know_password(house.system, user_id="chosen-1", password=NEW)


def test_a_change_that_fails_in_one_part_changes_nothing(rpc, house, gigi):
    house.person("taken")
    before = UserRow.objects.get(id=gigi)
    parts = (
        {"username": "taken", "human": {"profile": {"givenName": "Other"}}},
        {
            "username": "free",
            "human": {"email": {"email": "x@example.com"}, "password": {"password": {"password": "a"}}},
        },
        {"username": "free", "human": {"password": {"password": {"password": NEW}, "currentPassword": "wrong"}}},
        {"username": "free", "machine": {"name": "x"}},
        {
            "username": "free",
            "human": {"profile": {"preferredLanguage": "?"}},
            "metadata": [{"key": "k", "value": "dg=="}],
        },
    )
    for changes in parts:
        with pytest.raises((AlreadyExists, InvalidInput, FailedPrecondition)):
            rpc("UpdateUser", {"userId": gigi, **changes})
        after = UserRow.objects.get(id=gigi)
        assert {**after.__dict__, "_state": 0, "version": 0, "changed_at": 0} == {
            **before.__dict__,
            "_state": 0,
            "version": 0,
            "changed_at": 0,
        }
    assert "metadata" not in rpc("ListUserMetadata", {"userId": gigi})


def test_a_machine_is_made_and_changed(rpc, house):
    machine = {"name": "Robot", "description": "d", "accessTokenType": "ACCESS_TOKEN_TYPE_JWT"}
    id = rpc("CreateUser", {"organizationId": house.org, "username": "robot", "machine": machine})["id"]
    rpc("UpdateUser", {"userId": id, "machine": {"description": "", "accessTokenType": 0}})
    assert rpc("GetUserByID", {"userId": id})["user"]["machine"] == {"name": "Robot"}


def test_what_a_person_cannot_have_yet_is_refused(rpc, house):
    human = {"profile": {"givenName": "A", "familyName": "B"}, "email": {"email": "a@example.com"}}
    for part in ({"totpSecret": "x"}, {"idpLinks": [{"idpId": "1", "userId": "2", "userName": "3"}]}):
        with pytest.raises(Unimplemented):
            rpc("CreateUser", {"organizationId": house.org, "human": {**human, **part}})
    assert not UserRow.objects.filter(email="a@example.com").exists()


def test_ways_to_sign_in_and_a_second_factor_that_was_put_off(rpc, gigi):
    assert rpc("ListAuthenticationMethodTypes", {"userId": gigi})["authMethodTypes"] == [
        "AUTHENTICATION_METHOD_TYPE_PASSWORD"
    ]
    assert "mfaInitSkipped" not in rpc("GetUserByID", {"userId": gigi})["user"]["human"]
    rpc("HumanMFAInitSkipped", {"userId": gigi})
    assert rpc("GetUserByID", {"userId": gigi})["user"]["human"]["mfaInitSkipped"]


def test_t05_nobody_proves_their_own_address_with_a_code_that_they_asked_back(house, web):
    flow = make_flow(house, web)
    users.change_email(house.system, user_id=flow.person, email="somebody-else@example.com")
    own = Rpc(USERS, flow.tokens(scope=API)["access_token"])
    asked = {"userId": flow.person, "returnCode": {}}
    for method in ("SendEmailCode", "ResendEmailCode", "PasswordReset"):
        with pytest.raises(PermissionDenied):
            own(method, asked)
    with pytest.raises(PermissionDenied):
        own("UpdateUser", {"userId": flow.person, "human": {"email": {"email": "x@example.com", "isVerified": True}}})
    own("SendEmailCode", {"userId": flow.person, "sendCode": {}})
    assert opened(house.system, Message.objects.latest("id")).to == "somebody-else@example.com"


def test_p05_a_stranger_cannot_count_wrong_passwords_against_somebody(house, gigi):
    _, token = house.machine("stranger")
    asked = {"userId": gigi, "newPassword": {"password": NEW}, "currentPassword": "wrong"}
    for _ in range(8):
        with pytest.raises(PermissionDenied):
            Rpc(USERS, token)("SetPassword", asked)
    must_know_password(house.system, user_id=gigi, password="Correct-Horse-9")


def test_a_password_is_reset_by_text_message_and_that_proves_no_address(rpc, house, gigi):
    users.change_phone(house.system, user_id=gigi, phone="+41791234567", verified=True)
    users.change_email(house.system, user_id=gigi, email="new@example.com")
    rpc("PasswordReset", {"userId": gigi, "sendLink": {"notificationType": "NOTIFICATION_TYPE_SMS"}})
    message = Message.objects.latest("id")
    letter = opened(house.system, message)
    assert (message.medium, letter.to) == ("sms", "+41791234567")
    code = letter.body.partition("enter the code ")[2][:6]
    rpc("SetPassword", {"userId": gigi, "newPassword": {"password": NEW}, "verificationCode": code})
    must_know_password(house.system, user_id=gigi, password=NEW)
    assert not UserRow.objects.get(id=gigi).email_verified
    code = codes.request_password_code(house.system, user_id=gigi, wish=Wish(returned=True)).code
    users.set_password_by_code(house.system, user_id=gigi, code=code, password="Third-Horse-5")
    assert UserRow.objects.get(id=gigi).email_verified


@pytest.fixture
def sessions(house):
    return Rpc(SESSIONS, house.pat)


def test_a_session_carries_metadata_and_the_headers_of_its_agent(sessions, gigi):
    agent = {"fingerprintId": "f1", "ip": "192.0.2.7", "description": "Shop", "header": {"x": {"values": ["1", "2"]}}}
    asked = {"checks": {"user": {"userId": gigi}}, "metadata": {"cart": "MQ==", "old": "Mg=="}, "userAgent": agent}
    made = sessions("CreateSession", asked)
    id, token = made["sessionId"], made["sessionToken"]
    shown = sessions("GetSession", {"sessionId": id})["session"]
    assert (shown["metadata"], shown["userAgent"]) == (asked["metadata"], agent)
    new = sessions("SetSession", {"sessionId": id, "sessionToken": token, "metadata": {"old": "", "new": "Mw=="}})
    shown = sessions("GetSession", {"sessionId": id, "sessionToken": new["sessionToken"]})["session"]
    assert shown["metadata"] == {"cart": "MQ==", "new": "Mw=="}
    with pytest.raises(PermissionDenied):
        sessions("DeleteSession", {"sessionId": id, "sessionToken": token})
    sessions("DeleteSession", {"sessionId": id, "sessionToken": new["sessionToken"]})
    with pytest.raises(NotFound):
        sessions("GetSession", {"sessionId": id})


def test_metadata_of_a_session_is_sealed_in_the_log(sessions, gigi):
    sessions("CreateSession", {"metadata": {"k": "cGxhbnRlZA=="}})
    with connection.cursor() as cursor:
        cursor.execute("SELECT payload FROM eventstore_events WHERE event_type = 'session.metadata.set'")
        (payload,) = cursor.fetchone()
    assert "cGxhbnRlZA==" not in str(payload) and "$sealed" in str(payload)


def test_every_query_of_sessions_finds_what_it_should(house, sessions, gigi):
    early = sessions("CreateSession", {"checks": {"user": {"userId": gigi}}, "userAgent": {"fingerprintId": "f1"}})
    id, token = house.machine("other")
    instance.add_member(house.system, user_id=id, roles=("IAM_LOGIN_CLIENT",))
    others = Rpc(SESSIONS, token)
    late = others("CreateSession", {"lifetime": "3600s"})
    ids = {early["sessionId"]: "early", late["sessionId"]: "late"}
    made = sessions("GetSession", {"sessionId": late["sessionId"]})["session"]
    ends = made["expirationDate"]
    for query, expected in (
        ({"idsQuery": {"ids": [late["sessionId"], "1"]}}, "late"),
        ({"userIdQuery": {"id": gigi}}, "early"),
        ({"creatorQuery": {"id": id}}, "late"),
        ({"creatorQuery": {}}, "early"),
        ({"userAgentQuery": {"fingerprintId": "f1"}}, "early"),
        (
            {"creationDateQuery": {"creationDate": made["creationDate"], "method": "TIMESTAMP_QUERY_METHOD_LESS"}},
            "early",
        ),
        ({"creationDateQuery": {"creationDate": made["creationDate"]}}, "late"),
        (
            {"creationDateQuery": {"creationDate": made["creationDate"], "method": "TIMESTAMP_QUERY_METHOD_GREATER"}},
            "",
        ),
        ({"expirationDateQuery": {"expirationDate": ends, "method": "TIMESTAMP_QUERY_METHOD_LESS_OR_EQUALS"}}, "late"),
        ({"expirationDateQuery": {"expirationDate": ends, "method": "TIMESTAMP_QUERY_METHOD_GREATER"}}, "early"),
        (
            {"expirationDateQuery": {"expirationDate": ends, "method": "TIMESTAMP_QUERY_METHOD_GREATER_OR_EQUALS"}},
            "early late",
        ),
    ):
        found = sessions("ListSessions", {"queries": [query]}).get("sessions", [])
        assert {ids[one["id"]] for one in found if one["id"] in ids} == set(expected.split()), query
    for asc in (True, False):
        listed = sessions("ListSessions", {"sortingColumn": 1, "query": {"asc": asc}})["sessions"]
        assert [ids[one["id"]] for one in listed if one["id"] in ids] == ["early", "late"][:: 1 if asc else -1]
    for nobody in ({"userAgentQuery": {}}, {"userAgentQuery": {"fingerprintId": ""}}, {"creatorQuery": {"id": ""}}):
        with pytest.raises(InvalidInput):
            sessions("ListSessions", {"queries": [nobody]})


def test_who_opened_a_session_sees_and_ends_it_but_not_others(house, gigi):
    id, token = house.machine("login")
    instance.add_member(house.system, user_id=id, roles=("IAM_LOGIN_CLIENT",))
    rpc = Rpc(SESSIONS, token)
    own = rpc("CreateSession", {"checks": {"user": {"userId": gigi}}})["sessionId"]
    foreign = Rpc(SESSIONS, house.pat)("CreateSession", {"checks": {"user": {"userId": gigi}}})["sessionId"]
    instance.remove_member(house.system, user_id=id)
    assert [one["id"] for one in rpc("ListSessions")["sessions"]] == [own]
    with pytest.raises(PermissionDenied):
        rpc("GetSession", {"sessionId": foreign})
    with pytest.raises(PermissionDenied):
        rpc("SetSession", {"sessionId": own})
    rpc("DeleteSession", {"sessionId": own})


def test_a_wrong_password_tells_how_often_it_was_wrong_and_unknown_users_look_alike(house, gigi, api):
    def body(name):
        return {"checks": {"user": {"loginName": name}, "password": {"password": "wrong"}}}

    for number in (1, 2, 3):
        for name in ("gigi", "nobody"):
            answer = api.post("/v2/sessions", body(name))
            (detail,) = answer.json()["details"]
            assert answer.status_code == 400
            assert detail == {
                "@type": "type.googleapis.com/zitadel.v1.CredentialsCheckError",
                "id": "COMMAND-3M0fs",
                "message": detail["message"],
                "failedAttempts": number,
            }
    right = {"checks": {"user": {"loginName": "gigi"}, "password": {"password": "Correct-Horse-9"}}}
    assert api.post("/v2/sessions", right).status_code == 201
    with pytest.raises(WrongCredentials) as wrong:
        must_know_password(house.system, user_id=gigi, password="wrong")
    assert wrong.value.failed_attempts == 1


def test_the_same_detail_travels_over_connect_and_grpc():
    error = connect_error(told(WrongCredentials("password.invalid", field="password", failed_attempts=2)))
    (detail,) = error.details
    sent = v1.CredentialsCheckError.FromString(detail.message_bytes)
    assert (detail.type_name, sent.id, sent.failed_attempts) == ("zitadel.v1.CredentialsCheckError", "COMMAND-3M0fs", 2)


def test_a_session_whose_time_is_over_is_shown_and_ended_but_proves_nothing(sessions):
    made = sessions("CreateSession", {"lifetime": "3600s"})
    SessionRow.objects.filter(id=made["sessionId"]).update(expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    one, proof = {"sessionId": made["sessionId"]}, {"sessionToken": made["sessionToken"]}
    for asked in (one, {**one, **proof}):
        assert sessions("GetSession", asked)["session"]["expirationDate"] == "2020-01-01T00:00:00Z"
    ids = {"idsQuery": {"ids": [made["sessionId"]]}}
    over = {"expirationDate": "2021-01-01T00:00:00Z", "method": "TIMESTAMP_QUERY_METHOD_LESS_OR_EQUALS"}
    assert len(sessions("ListSessions", {"queries": [ids, {"expirationDateQuery": over}]})["sessions"]) == 1
    with pytest.raises(NotFound):
        sessions("SetSession", {**one, "lifetime": "3600s"})
    with pytest.raises(PermissionDenied):
        sessions("GetSession", {**one, "sessionToken": "other"})
    sessions("DeleteSession", {**one, **proof})
    with pytest.raises(NotFound):
        sessions("GetSession", one)


def test_ending_a_session_twice_is_no_mistake(house, sessions):
    made = sessions("CreateSession", {})
    one = {"sessionId": made["sessionId"]}
    first = sessions("DeleteSession", one)
    assert sessions("DeleteSession", one) == first
    assert sessions("DeleteSession", {**one, "sessionToken": made["sessionToken"]}) == first
    with pytest.raises(NotFound):
        sessions("DeleteSession", {"sessionId": "1"})
    _, token = house.machine("stranger")
    for asked in (one, {**one, "sessionToken": made["sessionToken"]}):
        with pytest.raises(PermissionDenied):
            Rpc(SESSIONS, token)("DeleteSession", asked)


def test_clients_read_through_a_number_and_a_language_that_are_not_known(rpc, house, gigi):
    shown = rpc("GetUserByID", {"userId": gigi})["user"]["human"]
    assert (shown["phone"], shown["profile"]["preferredLanguage"]) == ({}, "und")
    older = Rpc(OLDER, house.pat)("GetUserByID", {"id": gigi})["user"]["human"]
    assert (older["phone"], older["profile"]["preferredLanguage"]) == ({}, "und")


def test_a_language_that_is_not_known_is_not_kept(rpc, gigi):
    for tag, kept in (("de", "de"), ("und", "")):
        rpc("UpdateUser", {"userId": gigi, "human": {"profile": {"preferredLanguage": tag}}})
        assert UserRow.objects.get(id=gigi).preferred_language == kept


def test_only_the_newer_method_takes_a_number_away(rpc, house, gigi):
    users.change_phone(house.system, user_id=gigi, phone="+41791234567", verified=True)
    rpc("UpdateHumanUser", {"userId": gigi, "phone": {}})
    assert UserRow.objects.get(id=gigi).phone == "+41791234567"
    with pytest.raises(InvalidInput, match=r"api\.field_missing: phone"):
        rpc("UpdateUser", {"userId": gigi, "human": {"phone": {"isVerified": True}}})
    rpc("UpdateUser", {"userId": gigi, "human": {"phone": {}}})
    assert not UserRow.objects.get(id=gigi).phone
