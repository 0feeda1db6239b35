"""Signing keys over the API: published before they sign, and after."""

from iam.access.caller import RequestMeta
from iam.api.gen import webkey_v2
from iam.api.methods import invoke
from tests.oidc.support import make_flow

SERVICE = "zitadel.webkey.v2.WebKeyService/"


def test_a_key_is_published_signs_and_overlaps(house, web, api):
    flow = make_flow(house, web)
    old_token = flow.tokens()["id_token"]
    first = api.get("/v2/web_keys").json()["webKeys"]
    assert [one["state"] for one in first] == ["STATE_ACTIVE"]
    meta = RequestMeta(host="localhost", headers=api.headers)
    wanted = webkey_v2.CreateWebKeyRequest(ecdsa=webkey_v2.ECDSA(curve=2))
    made = invoke(SERVICE + "CreateWebKey", wanted, meta).id
    kids = [one["kid"] for one in web.get("/oauth/v2/keys").json()["keys"]]
    assert kids == [first[0]["id"], made]
    invoke(SERVICE + "ActivateWebKey", webkey_v2.ActivateWebKeyRequest(id=made), meta)
    states = {one["id"]: one["state"] for one in api.get("/v2/web_keys").json()["webKeys"]}
    assert states == {first[0]["id"]: "STATE_INACTIVE", made: "STATE_ACTIVE"}
    keys = {one["kid"]: one for one in web.get("/oauth/v2/keys").json()["keys"]}
    assert keys[made]["alg"] == "ES384" and first[0]["id"] in keys
    assert "error" not in flow.authorize(id_token_hint=old_token)["Location"]
    assert flow.tokens()["id_token"].split(".")[0] != old_token.split(".")[0]
    assert api.delete(f"/v2/web_keys/{made}").json()["code"] == 9
    assert api.delete(f"/v2/web_keys/{first[0]['id']}").status_code == 200
    assert "error=invalid_request" in flow.authorize(id_token_hint=old_token)["Location"]
    assert api.delete("/v2/web_keys/1").json()["code"] == 5
