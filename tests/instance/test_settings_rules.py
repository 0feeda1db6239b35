"""Rules of settings: own values, changes, resets, branding, factors."""

from datetime import timedelta

import pytest

from eventstore.events import declared_events, from_payload, to_payload
from eventstore.testing import given
from iam.instance.domain import kinds
from iam.instance.domain.events import InstanceAdded
from iam.instance.domain.features import FACTS, Features, SystemFeaturesReset
from iam.instance.domain.instance import Instance
from iam.instance.domain.kinds import FACTOR_FACTS, KINDS, LABEL_FACTS, ORG
from iam.kernel.errors import AlreadyExists, FailedPrecondition, InvalidInput, NotFound
from orgs.domain.events import OrgAdded
from orgs.domain.settings import OrgSettings

ADDED = OrgAdded(name="Acme")
BY_ORG = [kind for kind in KINDS.values() if ORG in kind.facts]
RULES = {"min_length": 10, "has_lowercase": False, "has_uppercase": False, "has_number": False, "has_symbol": False}


def own(**told):
    return kinds.COMPLEXITY.fact(ORG, "added", **{**RULES, **told})


def test_an_organization_gets_settings_of_its_own():
    given(OrgSettings, ADDED).when(lambda one: one.settings.add(kinds.COMPLEXITY, RULES)).then(own())


def test_a_second_addition_is_refused():
    given(OrgSettings, ADDED, own()).when(lambda one: one.settings.add(kinds.COMPLEXITY, RULES)).refuses(
        AlreadyExists, "setting.already_custom"
    )


def test_a_change_says_only_what_differs():
    change = lambda one: one.settings.change(kinds.COMPLEXITY, {"min_length": 12, "has_number": False})
    given(OrgSettings, ADDED, own()).when(change).then(kinds.COMPLEXITY.fact(ORG, "changed", min_length=12))


def test_a_change_without_difference_is_refused():
    given(OrgSettings, ADDED, own()).when(lambda one: one.settings.change(kinds.COMPLEXITY, RULES)).refuses(
        FailedPrecondition, "setting.not_changed"
    )


@pytest.mark.parametrize("kind", BY_ORG, ids=lambda kind: kind.name)
def test_without_settings_of_its_own_an_organization_has_none_to_change_or_reset(kind):
    for decide in (lambda one: one.settings.change(kind, {}), lambda one: one.settings.remove(kind)):
        given(OrgSettings, ADDED).when(decide).refuses(NotFound, "setting.not_custom")


def test_a_reset_takes_them_away():
    after = given(OrgSettings, ADDED, own()).when(lambda one: one.settings.remove(kinds.COMPLEXITY))
    assert after.then(kinds.COMPLEXITY.fact(ORG, "removed")).settings.own == {}


def test_the_instance_changes_its_default_without_adding_it_first():
    change = lambda one: one.settings.change(kinds.LOCKOUT, {"max_password_attempts": 3})
    given(Instance, InstanceAdded(name="i")).when(change).then(
        kinds.LOCKOUT.fact("instance", "changed", max_password_attempts=3)
    )


@pytest.mark.parametrize(
    ("kind", "wrong", "code"),
    [
        ("password_complexity", {"min_length": 0}, "setting.value_invalid"),
        ("password_complexity", {"min_length": 73}, "setting.value_invalid"),
        ("lockout", {"max_password_attempts": 1001}, "setting.value_invalid"),
        ("password_age", {"max_age_days": 36501}, "setting.value_invalid"),
        ("oidc", {"access_token_lifetime": timedelta(0)}, "setting.value_invalid"),
        ("oidc", {"id_token_lifetime": timedelta(days=4000)}, "setting.value_invalid"),
        ("label", {"primary_color": "red;}body{display:none"}, "setting.colour_invalid"),
        ("label", {"font_color_dark": "url(//x)"}, "setting.colour_invalid"),
        ("privacy", {"tos_link": "javascript:alert(1)"}, "setting.link_invalid"),
        ("privacy", {"help_link": 'https://x.example/"><script>'}, "setting.link_invalid"),
        ("privacy", {"help_link": "http://["}, "setting.link_invalid"),
        ("privacy", {"tos_link": "localhost:8080"}, "setting.link_invalid"),
        ("privacy", {"support_email": "nobody"}, "setting.email_invalid"),
        ("login", {"default_redirect_uri": "data:text/html,x"}, "setting.link_invalid"),
        ("security", {"allowed_origins": ("https://x.example/path",)}, "setting.origin_invalid"),
        ("security", {"allowed_origins": ("https://x.example; script-src *",)}, "setting.origin_invalid"),
        ("restrictions", {"allowed_languages": ("xx",)}, "instance.language_unknown"),
        ("generator_2", {"length": 5}, "setting.value_invalid"),
        ("generator_2", {"include_digits": False, "include_upper_letters": False}, "setting.value_invalid"),
    ],
)
def test_h05_values_without_sense_are_refused(kind, wrong, code):
    given(Instance, InstanceAdded(name="i")).when(lambda one: one.settings.change(KINDS[kind], wrong)).refuses(
        InvalidInput, code
    )


def test_an_origin_may_leave_out_its_scheme():
    wanted = ("foo.com", "*.foo.com:8443", "localhost:3000", "https://foo.com")
    given(Instance, InstanceAdded(name="i")).when(
        lambda one: one.settings.change(KINDS["security"], {"allowed_origins": wanted})
    ).then(KINDS["security"].fact("instance", "changed", allowed_origins=wanted))


def test_factors_of_the_login_are_facts_of_their_own():
    listed = FACTOR_FACTS["instance"]["second_factors"]
    given(Instance, InstanceAdded(name="i")).when(lambda one: one.settings.list_factor("second_factors", 3)).then(
        listed(mfa_type=3)
    )
    given(Instance, InstanceAdded(name="i"), listed(mfa_type=3)).when(
        lambda one: one.settings.list_factor("second_factors", 3)
    ).refuses(AlreadyExists, "setting.factor_already_listed")
    given(Instance, InstanceAdded(name="i")).when(lambda one: one.settings.unlist_factor("second_factors", 4)).refuses(
        NotFound, "setting.factor_not_listed"
    )


def test_files_of_the_branding_come_and_go():
    facts = LABEL_FACTS["instance"]
    given(Instance, InstanceAdded(name="i")).when(lambda one: one.settings.remove_asset("logo")).refuses(
        NotFound, "setting.asset_not_found"
    )
    given(Instance, InstanceAdded(name="i"), facts["logo"](store_key="k")).when(
        lambda one: one.settings.remove_asset("logo")
    ).then(facts["logo_removed"](store_key="k"))


def test_an_older_addition_that_leaves_values_out_means_empty_ones():
    cls = kinds.COMPLEXITY.facts[ORG]["added"]
    state = given(OrgSettings, ADDED, from_payload(cls, {"minLength": 6})).state
    assert kinds.COMPLEXITY.complete(state.settings.own["password_complexity"]).has_symbol is False


def test_stored_names_and_keys_are_those_of_the_reference():
    names = dict(declared_events())
    for stored in ("org.policy.login.added", "instance.policy.login.changed"):
        payload, personal = to_payload(
            names[stored](
                force_mfa=True, default_redirect_uri="https://a", multi_factor_check_lifetime=timedelta(hours=1)
            )
        )
        assert payload == {
            "forceMFA": True,
            "defaultRedirectURI": "https://a",
            "multiFactorCheckLifetime": 3_600_000_000_000,
        }
        assert not personal
    assert to_payload(names["org.policy.label.added"](disable_watermark=True))[0] == {"disableMsgPopup": True}
    assert to_payload(names["org.policy.label.changed"](disable_watermark=True))[0] == {"disableWatermark": True}
    assert to_payload(names["instance.policy.lockout.changed"](max_otp_attempts=2))[0] == {"maxOTPAttempts": 2}
    security = names["instance.policy.security.set"](enable_iframe_embedding=True, enable_impersonation=False)
    assert to_payload(security)[0] == {"enable_iframe_embedding": True, "enable_impersonation": False}
    generator = names["instance.secret.generator.changed"](generator_type=2, length=8)
    assert to_payload(generator)[0] == {"generatorType": 2, "length": 8}


def test_features_are_set_once_and_reset():
    login = FACTS["instance"]["login_default_org"]
    given(Features, id="i").when(lambda one: one.set({"login_default_org": True})).then(login(value=True))
    given(Features, login(value=True), id="i").when(lambda one: one.set({"login_default_org": True})).then()
    given(Features, id="i").when(lambda one: one.set({})).refuses(InvalidInput, "feature.none_given")
    given(Features, id="SYSTEM").when(Features.reset).then(SystemFeaturesReset())
    v2 = FACTS["instance"]["login_v2"](required=True, base_uri="https://login.example")
    assert to_payload(v2)[0] == {"Value": {"required": True, "base_uri": "https://login.example"}}
