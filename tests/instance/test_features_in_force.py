"""What GET of features says in an instance whose features nobody has set: what holds, as a login of one's own reads it."""

import pytest

FRESH = {
    "loginDefaultOrg": {"enabled": True, "source": "SOURCE_INSTANCE"},
    "loginV2": {"required": True, "source": "SOURCE_INSTANCE"},
}
ASKED = ["/v2/features/instance", "/v2/features/instance?inheritance=true", "/v2beta/features/instance"]


@pytest.mark.parametrize("path", ASKED)
def test_a_new_instance_tells_what_is_in_force(api, path):
    told = api.get(path).json()
    known = [name for name in FRESH if "v2beta" not in path or name != "loginV2"]  # v2beta has none
    assert {name: told[name] for name in known} == {name: FRESH[name] for name in known}
    assert told["userSchema"] == {}


def test_whoever_sets_features_reads_back_these_and_no_others(api):
    assert api.put("/v2/features/instance", {"userSchema": True}).status_code == 200
    told = api.get("/v2/features/instance").json()
    assert told["userSchema"]["enabled"] and told["loginDefaultOrg"] == {} and "loginV2" not in told
    assert api.delete("/v2/features/instance").status_code == 200
    assert {name: value for name, value in api.get("/v2/features/instance").json().items() if name in FRESH} == FRESH


@pytest.mark.parametrize("login", [{"required": False}, {"required": True, "baseUri": "https://login.example"}])
def test_a_login_that_was_chosen_is_told(api, login):
    assert api.put("/v2/features/instance", {"loginV2": login}).status_code == 200
    told = api.get("/v2/features/instance").json()["loginV2"]
    assert told == {name: value for name, value in login.items() if value} | {"source": "SOURCE_INSTANCE"}


def test_features_of_the_system_are_owned_by_it(api):
    assert api.get("/v2/features/system").json()["details"]["resourceOwner"] == "SYSTEM"
