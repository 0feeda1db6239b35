"""Signing keys over the API: published before they sign, and after."""

import pytest

from iam.access.caller import RequestMeta
from iam.api.gen import webkey_v2
from iam.api.methods import invoke
from iam.setup import new_instance
from oidc.models import WebKeyRow
from oidc.web_keys import ensure_signing_keys
from tests.oidc.support import make_flow

SERVICE = "zitadel.webkey.v2.WebKeyService/"


def test_a_key_is_published_signs_and_overlaps(house, web, api):
    flow = make_flow(house, web)
    old_token = flow.tokens()["id_token"]
    first = api.get("/v2/web_keys").json()["webKeys"]
    assert [one["state"] for one in first] == ["STATE_ACTIVE", "STATE_INITIAL"]
    meta = RequestMeta(host="localhost", headers=api.headers)
    wanted = webkey_v2.CreateWebKeyRequest(ecdsa=webkey_v2.ECDSA(curve=2))
    made = invoke(SERVICE + "CreateWebKey", wanted, meta).id
    kids = [one["kid"] for one in web.get("/oauth/v2/keys").json()["keys"]]
    assert kids == [first[0]["id"], first[1]["id"], made]
    invoke(SERVICE + "ActivateWebKey", webkey_v2.ActivateWebKeyRequest(id=made), meta)
    states = {one["id"]: one["state"] for one in api.get("/v2/web_keys").json()["webKeys"]}
    assert states == {first[0]["id"]: "STATE_INACTIVE", first[1]["id"]: "STATE_INITIAL", made: "STATE_ACTIVE"}
    keys = {one["kid"]: one for one in web.get("/oauth/v2/keys").json()["keys"]}
    assert keys[made]["alg"] == "ES384" and first[0]["id"] in keys
    assert "error" not in flow.authorize(id_token_hint=old_token)["Location"]
    assert flow.tokens()["id_token"].split(".")[0] != old_token.split(".")[0]
    assert api.delete(f"/v2/web_keys/{made}").json()["code"] == 9
    assert api.delete(f"/v2/web_keys/{first[0]['id']}").status_code == 200
    assert "error=invalid_request" in flow.authorize(id_token_hint=old_token)["Location"]
    assert api.delete("/v2/web_keys/1").json()["code"] == 5


def test_a_client_ends_its_own_key_after_it_let_the_other_one_of_the_set_up_sign(house, web, api):
    """What a Terraform run does when an activated key is destroyed: without a second key it could not."""
    signing, other = (one["id"] for one in api.get("/v2/web_keys").json()["webKeys"])
    assert api.delete(f"/v2/web_keys/{signing}").json()["code"] == 9
    assert api.post(f"/v2beta/web_keys/{other}/activate", {}).status_code == 200
    assert api.delete(f"/v2/web_keys/{signing}").status_code == 200
    assert [one["kid"] for one in web.get("/oauth/v2/keys").json()["keys"]] == [other]


@pytest.mark.parametrize("left", [(), ("STATE_ACTIVE",), ("STATE_INITIAL",)])
def test_a_set_up_that_was_killed_between_the_keys_ends_with_two(house, api, left):
    for one in api.get("/v2/web_keys").json()["webKeys"]:
        if one["state"] not in left:
            WebKeyRow.objects.filter(id=one["id"]).delete()
    for _ in range(2):
        ensure_signing_keys(house.system)
        states = sorted(one["state"] for one in api.get("/v2/web_keys").json()["webKeys"])
        assert states == ["STATE_ACTIVE", "STATE_INITIAL"]


def test_another_instance_has_two_keys_as_well(house):
    owner = new_instance.Person("boss", "boss@example.com", password="Correct-Horse-9")
    made = new_instance.create_instance(house.system, name="Second", owner=owner)
    rows = WebKeyRow.objects.filter(instance_id=made.receipt.id)
    assert sorted(rows.values_list("state", flat=True)) == [1, 2]
