"""Idempotency-Key: sent twice, happens once, answered alike."""

from datetime import timedelta

import pytest

from iam.api import idempotency, methods
from iam.api.cleaning import remove_old_answers
from iam.api.models import KeptAnswer
from users.models import AttemptRow, UserRow

MACHINE = "/management/v1/users/machine"
BODY = {"userName": "robot", "name": "Robot"}


def post(api, path, body, key, **headers):
    headers = {**api.headers, **headers, **({"idempotency-key": key} if key is not None else {})}
    return api.client.post(path, body, content_type="application/json", headers=headers)


def machines():
    return UserRow.objects.filter(kind="machine").count()


def test_the_same_request_is_answered_again_and_happens_once(api, house):
    before = machines()
    first, again = post(api, MACHINE, BODY, "k1"), post(api, MACHINE, BODY, "k1")
    assert first.status_code == again.status_code == 200
    assert first.content == again.content and machines() == before + 1
    assert "Idempotency-Replayed" not in first and again["Idempotency-Replayed"] == "true"


def test_another_body_under_the_same_key_is_refused(api):
    post(api, MACHINE, BODY, "k1")
    refused = post(api, MACHINE, {**BODY, "name": "Other"}, "k1")
    assert (refused.status_code, refused.json()["code"]) == (422, 3)
    assert "API-1dr3u" in refused.json()["message"]


def test_another_organization_asked_for_is_another_request(api, house):
    post(api, MACHINE, BODY, "k1")
    assert post(api, MACHINE, BODY, "k1", **{"x-zitadel-orgid": "1"}).status_code in (403, 404, 422)


def test_keys_belong_to_a_caller_and_a_method(api, house):
    from iam.instance import commands as instances
    from tests.conftest import Api
    from users import commands as users

    made = users.add_machine(house.system, org_id=house.org, user_name="second", name="s")
    instances.add_member(house.system, user_id=made.id, roles=("IAM_OWNER",))
    other = Api(users.add_pat(house.system, user_id=made.id).secret)
    assert post(api, MACHINE, BODY, "k1").status_code == 200
    assert post(other, MACHINE, BODY, "k1").status_code == 409  # decided on its own: the name is taken
    assert post(api, "/v2/projects", {"name": "p"}, "k1").status_code == 200


def test_a_secret_is_given_again_and_kept_sealed(api, house):
    robot, _ = house.machine("robot")
    first, again = (post(api, f"/v2/users/{robot}/secret", {}, "k1").json() for _ in range(2))
    assert first["clientSecret"] and first == again
    kept = KeptAnswer.objects.get()
    assert first["clientSecret"] not in kept.answer and kept.answer.startswith("v1.")


def test_a_refusal_by_the_state_is_given_again(api, house):
    robot, _ = house.machine("robot")
    path = f"/v2/users/{robot}/unlock"
    first = post(api, path, {}, "k1")
    assert first.status_code == 400
    assert post(api, f"/v2/users/{robot}/lock", {}, None).status_code == 200
    again = post(api, path, {}, "k1")
    assert (again.status_code, again.content, again["Idempotency-Replayed"]) == (400, first.content, "true")


def test_missing_rights_and_wrong_messages_do_not_use_a_key_up(api, house):
    from iam.instance import commands as instances
    from tests.conftest import Api

    id, token = house.machine("weak")
    weak = Api(token)
    assert post(weak, MACHINE, BODY, "k1").status_code in (403, 404)
    instances.add_member(house.system, user_id=id, roles=("IAM_OWNER",))
    assert post(weak, MACHINE, {"userName": "robot"}, "k1").status_code == 400
    assert post(weak, MACHINE, BODY, "k1").status_code == 200


def test_a_failed_call_leaves_neither_a_change_nor_an_answer(api, house, monkeypatch):
    name = "zitadel.management.v1.ManagementService/AddMachineUser"
    original = methods._registered[name]

    def breaks(ctx, request):
        original(ctx, request)
        raise RuntimeError("the process stumbles after its write")

    before = machines()
    monkeypatch.setitem(methods._registered, name, breaks)
    assert post(api, MACHINE, BODY, "k1").status_code == 500
    assert (KeptAnswer.objects.count(), machines()) == (0, before)
    monkeypatch.setitem(methods._registered, name, original)
    assert post(api, MACHINE, BODY, "k1").status_code == 200


def test_p03_guesses_under_keys_are_counted(api, house):
    from tests.conftest import Api

    person = house.person("gigi")
    body = {"checks": {"user": {"userId": person}, "password": {"password": "wrong"}}}
    for number in range(3):
        assert post(Api(house.pat), "/v2/sessions", body, f"k{number}").status_code == 400
    assert {row.failures for row in AttemptRow.objects.all()} == {3}


def test_a_wrong_password_is_told_again_and_counted_once(api, house):
    body = {"checks": {"user": {"userId": house.person("gigi")}, "password": {"password": "wrong"}}}
    first, again = (post(api, "/v2/sessions", body, "k1") for _ in range(2))
    assert (first.status_code, first.json()["details"][0]["failedAttempts"]) == (400, 1)
    assert (again.status_code, again.content, again["Idempotency-Replayed"]) == (400, first.content, "true")
    assert {row.failures for row in AttemptRow.objects.all()} == {1}


def test_every_refusal_that_is_kept_can_be_told_again(house):
    from iam.kernel import errors

    call = idempotency.Call(house.system, "m", KeptAnswer, "k")
    kept = tuple(idempotency.DECIDED.values())
    for kind in (one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, kept)):
        sealed = house.system.ports.secrets.seal(house.instance, idempotency.PURPOSE, idempotency._packed(kind("a.b")))
        assert type(idempotency._opened(call, sealed, KeptAnswer)) is kind


@pytest.mark.parametrize("key", ["", "ä", "a b", "x" * 256, "a\tb"])
def test_keys_are_visible_ascii(api, key):
    assert post(api, MACHINE, BODY, key).status_code == 400


def test_reading_ignores_keys(api, house):
    assert post(api, "/v2/users", {}, "k1").status_code == 200
    assert KeptAnswer.objects.count() == 0


def test_an_answer_is_given_for_a_day_and_then_removed(api, house):
    first = post(api, MACHINE, BODY, "k1")
    kept = KeptAnswer.objects.get()
    assert timedelta(hours=23) < kept.expires_at - house.system.now() <= timedelta(hours=24)
    KeptAnswer.objects.update(expires_at=kept.expires_at - timedelta(hours=25))
    remove_old_answers()
    assert KeptAnswer.objects.count() == 0
    assert first.status_code == 200 and post(api, MACHINE, BODY, "k1").status_code == 409


def test_an_old_answer_that_nobody_removed_yet_counts_no_more(api, house):
    post(api, MACHINE, BODY, "k1")
    KeptAnswer.objects.update(expires_at=house.system.now() - timedelta(seconds=1))
    assert post(api, MACHINE, {**BODY, "userName": "robot2"}, "k1").status_code == 200
