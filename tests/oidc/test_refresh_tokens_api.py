"""The applications that stay signed in for oneself: seen and ended over the API."""

import pytest

from iam.kernel.errors import NotFound
from tests.oidc.support import make_flow
from tests.users.support import MINE, Rpc

SCOPE = "openid offline_access urn:zitadel:iam:org:project:id:zitadel:aud"


@pytest.fixture
def flow(house, web):
    return make_flow(house, web)


def test_a_sign_in_is_listed_once_under_one_id_and_ended_with_all_its_tokens(flow):
    first = flow.tokens(scope=SCOPE)
    me = Rpc(MINE, flow.tokens(scope=SCOPE)["access_token"])
    before = me("ListMyRefreshTokens")
    assert before["details"]["totalResult"] == "2"
    newer = flow.refresh(first["refresh_token"]).json()
    listed = me("ListMyRefreshTokens")["result"]
    assert {one["id"] for one in listed} == {one["id"] for one in before["result"]}
    assert {one["clientId"] for one in listed} == {flow.client_id} and "openid" in listed[0]["scopes"]
    oldest = listed[-1]["id"]
    me("RevokeMyRefreshToken", {"id": oldest})
    assert [one["id"] for one in me("ListMyRefreshTokens")["result"]] == [listed[0]["id"]]
    assert flow.refresh(newer["refresh_token"]).status_code == 400
    assert flow.userinfo(newer["access_token"]).status_code == 401
    with pytest.raises(NotFound):
        me("RevokeMyRefreshToken", {"id": oldest})


def test_t02_nobody_ends_the_sign_ins_of_somebody_else(house, flow):
    tokens = flow.tokens(scope=SCOPE)
    mine = Rpc(MINE, tokens["access_token"])("ListMyRefreshTokens")["result"][0]["id"]
    _, stranger = house.machine("stranger")
    assert "result" not in Rpc(MINE, stranger)("ListMyRefreshTokens")
    with pytest.raises(NotFound):
        Rpc(MINE, stranger)("RevokeMyRefreshToken", {"id": mine})
    Rpc(MINE, stranger)("RevokeAllMyRefreshTokens")
    assert flow.refresh(tokens["refresh_token"]).status_code == 200


def test_all_sign_ins_are_ended_at_once(flow):
    tokens = [flow.tokens(scope=SCOPE) for _ in range(2)]
    Rpc(MINE, tokens[0]["access_token"])("RevokeAllMyRefreshTokens")
    assert [flow.refresh(one["refresh_token"]).status_code for one in tokens] == [400, 400]
    assert flow.userinfo(tokens[1]["access_token"]).status_code == 401
