"""Client credentials and the JWT profile; statement budgets of the hot paths (DESIGN §8)."""

import base64
import hmac
import json
import time
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from joserfc import jws
from joserfc.jwk import RSAKey

from eventstore.store import Write
from iam.access.caller import authenticate
from iam.kernel.errors import AlreadyExists
from oidc.jose import SKEW
from oidc.models import UsedAssertion
from projects import commands as projects
from tests.oidc.support import make_flow
from users import commands as users
from users.domain.events import MachineAdded

API = "openid urn:zitadel:iam:org:project:id:zitadel:aud"
BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
NUMBER = "SELECT coalesce(max(position)"  # SQLite's next position; PostgreSQL draws it in the same statement
FRAME = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT", "ROLLBACK")


@contextmanager
def statements(most):
    """At most so many SQL statements; those that only frame a transaction are left out."""
    with CaptureQueriesContext(connection) as captured:
        yield
    counted = [one["sql"] for one in captured.captured_queries if not one["sql"].startswith((*FRAME, NUMBER))]
    assert len(counted) <= most, "\n".join(counted)


@pytest.fixture
def flow(house, web):
    return make_flow(house, web)


@pytest.fixture
def robot(house):
    made = users.add_machine(house.system, org_id=house.org, user_name="robot", name="Robot")
    return made.id


def credentials(flow, robot):
    secret = users.set_machine_secret(flow.house.system, user_id=robot).secret
    return {"grant_type": "client_credentials", "client_id": "robot", "client_secret": secret, "scope": API}


def test_client_credentials_reach_the_api(flow, robot):
    token = flow.form("/oauth/v2/token", credentials(flow, robot)).json()["access_token"]
    assert flow.web.get(f"/v2/users/{robot}", headers={"authorization": f"Bearer {token}"}).status_code == 200


def test_a_token_without_the_audience_does_not(flow, robot):
    form = {**credentials(flow, robot), "scope": "openid"}
    token = flow.form("/oauth/v2/token", form).json()["access_token"]
    assert flow.web.get(f"/v2/users/{robot}", headers={"authorization": f"Bearer {token}"}).status_code == 401


def test_a_wrong_secret_is_refused(flow, robot):
    form = {**credentials(flow, robot), "client_secret": "wrong"}
    answer = flow.form("/oauth/v2/token", form)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def assertion(key_id, key, user, **changed):
    now = int(time.time())
    claims = {"iss": user, "sub": user, "aud": "http://localhost", "iat": now, "exp": now + 300, **changed}
    return jws.serialize_compact(
        {"alg": "RS256", "kid": key_id}, json.dumps(claims).encode(), RSAKey.import_key(key), algorithms=["RS256"]
    )


@pytest.fixture
def key(house, robot):
    return users.add_machine_key(house.system, user_id=robot)


def by_assertion(flow, text):
    return flow.form("/oauth/v2/token", {"grant_type": BEARER, "assertion": text, "scope": API})


def test_the_jwt_profile_reaches_the_api(flow, robot, key):
    token = by_assertion(flow, assertion(key.id, key.secret, robot)).json()["access_token"]
    assert flow.web.get(f"/v2/users/{robot}", headers={"authorization": f"Bearer {token}"}).status_code == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "http://other"},
        {"iss": "1"},
        {"sub": "1"},
        {"exp": 1},
        {"exp": int(time.time()) + 90_000},
        {"exp": "soon"},
        {"iat": int(time.time()) + 90_000},
    ],
)
def test_d02_j07_j08_a_wrong_assertion_is_refused(flow, robot, key, changed):
    assert by_assertion(flow, assertion(key.id, key.secret, robot, **changed)).json()["error"] == "invalid_grant"


def test_d02_an_assertion_with_an_id_counts_once(flow, robot, key):
    text = assertion(key.id, key.secret, robot, jti="1")
    assert by_assertion(flow, text).status_code == 200
    assert by_assertion(flow, text).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("jti", ["1", "", " ", "é", "x" * 1000])
def test_d02_any_id_counts_once_for_as_long_as_the_assertion_would_be_taken(flow, robot, key, jti):
    now = int(time.time())
    text = assertion(key.id, key.secret, robot, jti=jti, iat=now + 20, exp=now + 3620)
    assert by_assertion(flow, text).status_code == 200
    row = UsedAssertion.objects.get()
    assert row.expires_at.timestamp() >= now + 3620 + SKEW.total_seconds(), "or it would be forgotten before its end"
    assert by_assertion(flow, text).json()["error"] == "invalid_grant"
    other = assertion(key.id, key.secret, robot, jti=f"{jti}other"[-900:])
    assert by_assertion(flow, other).status_code == 200


@pytest.mark.parametrize("jti", [7, 1.5, None, True, [], ["1"], {}, "x" * 1001])
def test_d02_what_is_no_text_is_no_id(flow, robot, key, jti):
    assert by_assertion(flow, assertion(key.id, key.secret, robot, jti=jti)).json()["error"] == "invalid_grant"


def test_d02_without_an_id_an_assertion_may_come_again(flow, robot, key):
    text = assertion(key.id, key.secret, robot)
    assert [by_assertion(flow, text).status_code for _ in range(2)] == [200, 200]


@pytest.mark.parametrize(("lifetime", "status"), [(60, 200), (3600, 200), (3601, 400), (86_400, 400)])
def test_d02_an_assertion_lives_an_hour_at_most(flow, robot, key, lifetime, status):
    now = int(time.time())
    assert by_assertion(flow, assertion(key.id, key.secret, robot, iat=now, exp=now + lifetime)).status_code == status


def test_j01_j02_unsigned_and_symmetric_assertions_are_refused(flow, robot, key):
    good = assertion(key.id, key.secret, robot)

    def head(alg):
        return base64.urlsafe_b64encode(json.dumps({"alg": alg, "kid": key.id}).encode()).rstrip(b"=").decode()

    unsigned = f"{head('none')}.{good.split('.')[1]}."
    public = RSAKey.import_key(key.secret).as_pem(private=False)
    body = f"{head('HS256')}.{good.split('.')[1]}"
    mac = hmac.new(public, body.encode(), "sha256").digest()
    forged = f"{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    for text in (unsigned, forged, good[:-4] + "AAAA", "a.b"):
        assert by_assertion(flow, text).json()["error"] == "invalid_grant"


def test_a_removed_key_is_refused(flow, robot, key):
    users.remove_machine_key(flow.house.system, user_id=robot, key_id=key.id)
    assert by_assertion(flow, assertion(key.id, key.secret, robot)).json()["error"] == "invalid_grant"


def test_budget_of_client_credentials(flow, robot):
    """The key that seals the caller's address is remembered for a minute; its first making is not counted."""
    form = credentials(flow, robot)
    flow.form("/oauth/v2/token", form)
    with statements(4):
        assert flow.form("/oauth/v2/token", form).status_code == 200


def test_budget_of_introspection_and_userinfo(flow):
    api = projects.add_api_app(flow.house.system, project_id=flow.project, name="api")
    token = flow.tokens()["access_token"]
    form = {"client_id": api.client_id, "client_secret": api.secret, "token": token}
    with statements(3):
        assert flow.form("/oauth/v2/introspect", form).json()["active"]
    with statements(3):
        assert flow.userinfo(token).status_code == 200


def test_budget_of_reading_and_deactivating_a_user(flow, api):
    """Host, token, the user's stream and sessions, whether the organization is still there, the fact, and the row; two more
    than before so that the last owner of the instance stays: who owns it, and that nobody else came or left meanwhile (which
    PostgreSQL locks first)."""
    api.get(f"/v2/users/{flow.person}")
    with statements(3):
        assert api.get(f"/v2/users/{flow.person}").status_code == 200
    api.post(f"/v2/users/{flow.person}/lock", {})
    api.post(f"/v2/users/{flow.person}/unlock", {})
    with statements(10):
        assert api.post(f"/v2/users/{flow.person}/deactivate", {}).status_code == 200


def test_budget_of_a_personal_access_token(house):
    """What the check itself asks: token, user, organization and memberships in one statement."""
    with statements(1):
        assert authenticate(house.instance, house.pat, "http://localhost") is not None


def test_budget_of_creating_a_person(house, api):
    """Host, token, two streams, their locks and guard, claim, the person's key, the caller's, facts, and the row; one more
    than before, so that no login name of somebody else is taken: whether those that the name would make are vacant."""
    human = {"profile": {"givenName": "A", "familyName": "B"}}
    make = lambda name: api.post(
        "/v2/users/human", {"username": name, **human, "email": {"email": f"{name}@example.com", "isVerified": True}}
    )
    make("first")
    with statements(14):  # the caller's key is read anew in a transaction of several commands
        assert make("second").status_code == 200


@pytest.mark.parametrize("first", [True, False])
def test_c18_the_id_of_a_service_user_leads_to_it_whoever_is_called_so(flow, first):
    """Another one with that user name, planted as an earlier release let it be made, with an id that sorts before or after."""
    victim = users.add_machine(flow.house.system, org_id=flow.house.org, user_name="victim", name="V").id
    secret = users.set_machine_secret(flow.house.system, user_id=victim).secret
    ctx, id = flow.house.system, "0" if first else "z"
    fact = MachineAdded(user_name=victim, name="odd")
    ctx.store.push([Write(ctx.stream("user", id), 0, (fact,), flow.house.org, "", ctx.now())])
    users.set_machine_secret(ctx, user_id=id)
    form = {"grant_type": "client_credentials", "client_id": victim, "client_secret": secret, "scope": "openid"}
    assert flow.form("/oauth/v2/token", form).status_code == 200


def test_c18_no_id_is_chosen_that_is_a_name(flow, robot):
    for id in ("robot", "ROBOT"):
        with pytest.raises(AlreadyExists):
            users.add_machine(flow.house.system, org_id=flow.house.org, user_name="other", name="O", user_id=id)
    own = users.add_machine(flow.house.system, org_id=flow.house.org, name="O", user_id="own-name").id
    assert users.add_pat(flow.house.system, user_id=own).secret  # its name is its own id, where none is given
