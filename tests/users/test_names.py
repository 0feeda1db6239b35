"""To whom a login name leads: nobody else's act changes it (checklist T12, U03, U01), whatever settings say of names."""

from dataclasses import replace

import pytest
from django.db import transaction

from eventstore.models import ClaimRow
from eventstore.store import Conflict, Taken
from iam.instance import setting_commands as settings
from iam.instance.setting_commands import of_instance
from iam.kernel.change import Unit, change
from iam.kernel.context import Caller, Rights
from iam.kernel.errors import AlreadyExists, InvalidInput
from orgs import commands as orgs
from orgs.domain.events import OrgDomainVerified
from orgs.domain.org import Org
from orgs.settings import of_org
from projects import commands as projects
from users import commands as users
from users.commands.naming import must_be_free
from users.domain.names import lookalike
from users.domain.profile import Profile
from users.domain.user import User, checked_user_name
from users.models import UserRow
from users.queries import find_user_by_login

D = "d.example"
NUMBER = "+41791234567"
WITH_DOMAIN = {"user_login_must_be_domain": True}


@pytest.fixture
def two(house):
    """Organizations A and B, both without people."""
    return orgs.add_org(house.system, name="A").id, orgs.add_org(house.system, name="B").id


def person(house, org, name, *, email="", verified=True, id=""):
    made = users.add_human(
        house.system,
        org_id=org,
        user_name=name,
        user_id=id,
        profile=Profile("P", "Q"),
        email=email or f"{name.replace('@', '.')}@mail.example",
        email_verified=verified,
    )
    return made.id


def leads(house, name, org=""):
    row = find_user_by_login(house.instance, name, org_id=org)
    return row.id if row else None


def of_domain(house, values, org=""):
    place = of_org(org, "domain") if org else of_instance(house.system)
    settings.keep_setting(house.system, place, kind="domain", values=values)


def as_user(house, id):
    """The person, without any role."""
    row = UserRow.objects.get(id=id)
    return replace(house.system, caller=Caller(user_id=id, org_id=row.org_id, kind="human"), rights=Rights())


# What a name may be of somebody, and every way to a name: (house, A, B) → a name and the id that it leads to.


def has_user_name(house, a, b):
    return "vic", person(house, a, "vic")


def has_user_name_with_domain(house, a, b):
    return f"vic@{D}", person(house, a, f"vic@{D}")


def has_login_name(house, a, b):
    orgs.add_org_domain(house.system, org_id=a, domain=D)
    return f"vic@{D}", person(house, a, "vic")


def has_second_login_name(house, a, b):
    id = person(house, a, "vic")
    orgs.add_org_domain(house.system, org_id=a, domain="first.example")
    orgs.add_org_domain(house.system, org_id=a, domain=D)
    orgs.set_primary_domain(house.system, org_id=a, domain="first.example")
    return f"VIC@{D}", id


def has_address(house, a, b):
    return f"vic@{D}", person(house, a, "other", email=f"vic@{D}")


def has_number(house, a, b):
    id = person(house, a, "other")
    users.change_phone(house.system, user_id=id, phone=NUMBER, verified=True)
    return NUMBER, id


HAD = [has_user_name, has_user_name_with_domain, has_login_name, has_second_login_name, has_address, has_number]


def by_person(house, org, name):
    person(house, org, name, email="new@mail.example")


def by_address_alone(house, org, name):
    users.add_human(house.system, org_id=org, profile=Profile("P", "Q"), email=name)


def by_machine(house, org, name):
    users.add_machine(house.system, org_id=org, user_name=name, name="x")


def by_renaming_oneself(house, org, name):
    id = person(house, org, "me")
    users.rename_user(as_user(house, id), user_id=id, user_name=name)


def by_being_renamed(house, org, name):
    users.rename_user(house.system, user_id=person(house, org, "me"), user_name=name)


NAMING = [by_person, by_address_alone, by_machine, by_renaming_oneself, by_being_renamed]


@pytest.mark.parametrize("other", [False, True], ids=["own", "other"])
@pytest.mark.parametrize("way", NAMING)
@pytest.mark.parametrize("had", HAD)
def test_u03_t12_no_name_is_taken_that_leads_to_somebody(house, two, had, way, other):
    a, b = two
    name, victim = had(house, a, b)
    assert leads(house, name) == victim
    with pytest.raises((AlreadyExists, InvalidInput) if way is by_address_alone else AlreadyExists):
        way(house, b if other else a, name)
    assert leads(house, name) == victim


def by_adding_a_domain(house, org, domain):
    orgs.add_org_domain(house.system, org_id=org, domain=domain)


def by_preferring_a_domain(house, org, domain):
    orgs.add_org_domain(house.system, org_id=org, domain=domain)
    orgs.set_primary_domain(house.system, org_id=org, domain=domain)


def by_verifying_a_domain(house, org, domain):
    of_domain(house, {"validate_org_domains": True})
    orgs.add_org_domain(house.system, org_id=org, domain=domain)
    change(house.system, Org, org, lambda _: [OrgDomainVerified(domain=domain)], needs="org.write")


@pytest.mark.parametrize("policy", [False, True], ids=["bare", "with domain"])
@pytest.mark.parametrize("way", [by_adding_a_domain, by_preferring_a_domain, by_verifying_a_domain])
@pytest.mark.parametrize("had", [has_user_name_with_domain, has_address])
def test_t12_a_domain_without_proof_goes_before_no_name_and_no_proved_address(house, two, had, way, policy):
    """The attack: an organization has a user of the same local part and adds the domain, which counts at once."""
    a, b = two
    name, victim = had(house, a, b)
    vic = person(house, b, "vic")
    way(house, b, D)
    if policy:
        of_domain(house, WITH_DOMAIN, b)
    assert leads(house, name) == victim
    assert leads(house, "vic") == (None if policy else vic)


@pytest.mark.parametrize("other", [False, True], ids=["own", "other"])
@pytest.mark.parametrize("had", HAD[1:])
def test_t12_nobody_gets_ahead_by_proving_what_leads_to_somebody(house, two, had, other):
    """Nothing is refused: addresses and numbers may be shared."""
    a, b = two
    name, victim = had(house, a, b)
    late = person(house, b if other else a, "late")
    if "@" in name:
        users.change_email(house.system, user_id=late, email=name, verified=True)
    else:
        users.change_phone(house.system, user_id=late, phone=name, verified=True)
    assert leads(house, name) == victim


@pytest.mark.parametrize("way", NAMING)
def test_t12_nor_does_a_user_that_is_made_after_the_domain(house, two, way):
    a, b = two
    victim = person(house, a, "other", email=f"alice@{D}")
    orgs.add_org_domain(house.system, org_id=b, domain=D)
    if way is not by_address_alone:
        way(house, b, "alice")
        assert leads(house, "alice")
    assert leads(house, f"alice@{D}") == victim


@pytest.mark.parametrize("kind", ["email", "phone"])
def test_t12_an_address_leads_to_who_proved_it_first(house, two, kind):
    a, b = two
    first, second = person(house, a, "one"), person(house, b, "two")
    value = NUMBER if kind == "phone" else "both@mail.example"
    change = users.change_phone if kind == "phone" else users.change_email
    change(house.system, user_id=second, **{kind: value}, verified=False)
    assert leads(house, value) is None
    change(house.system, user_id=first, **{kind: value}, verified=True)
    change(house.system, user_id=second, **{kind: value}, verified=True)
    assert leads(house, value) == first
    users.remove_user(house.system, user_id=first)
    assert leads(house, value) == second


def test_a_name_that_is_proved_as_an_address_later_stays_where_it_was(house, two):
    a, b = two
    orgs.add_org_domain(house.system, org_id=b, domain=D)
    bob = person(house, b, "bob")
    thief = person(house, a, "thief")
    users.change_email(house.system, user_id=thief, email=f"bob@{D}", verified=True)
    assert leads(house, f"bob@{D}") == bob


@pytest.mark.parametrize("way", [by_machine, by_renaming_oneself, by_being_renamed])
def test_c18_a_user_name_is_no_id_of_anything(house, two, way):
    a, b = two
    project = projects.add_project(house.system, org_id=a, name="p").id
    for id in (person(house, a, "drawn"), project, a):
        with pytest.raises(AlreadyExists):
            way(house, b, id)
        for row in UserRow.objects.filter(user_name="me"):
            users.remove_user(house.system, user_id=row.id)


def test_c18_an_id_is_no_user_name_of_anybody(house, two):
    a, b = two
    person(house, a, "vic")
    with pytest.raises(AlreadyExists):
        person(house, b, "new", id="vic")


# Unique per organization


def test_user_names_are_unique_per_organization_where_login_names_have_its_domain(house, two):
    a, b = two
    of_domain(house, WITH_DOMAIN)
    one, two_ = person(house, a, "same38"), person(house, b, "same38", email="b@mail.example")
    with pytest.raises(AlreadyExists):
        person(house, b, "SAME38", email="c@mail.example")
    assert leads(house, "same38") is None
    assert [leads(house, "same38@a.localhost"), leads(house, "same38@b.localhost")] == [one, two_]
    assert [leads(house, "same38", a), leads(house, "same38", b)] == [one, two_]


def test_the_policy_is_not_switched_back_while_names_would_meet(house, two):
    a, b = two
    of_domain(house, WITH_DOMAIN)
    one = person(house, a, "same38")
    other = person(house, b, "same38", email="b@mail.example")
    alone = person(house, a, "alone")
    with pytest.raises(AlreadyExists, match="same38") as refused:
        of_domain(house, {"user_login_must_be_domain": False})
    assert refused.value.code == "user.names_meet"
    assert "alone" not in refused.value.reason
    users.rename_user(house.system, user_id=other, user_name="other38")
    of_domain(house, {"user_login_must_be_domain": False})
    assert [leads(house, name) for name in ("same38", "other38", "alone")] == [one, other, alone]
    with pytest.raises(AlreadyExists):
        person(house, b, "alone", email="d@mail.example")


@pytest.mark.parametrize("whole", [False, True], ids=["organization", "instance"])
def test_t12_a_name_that_needs_no_domain_any_more_comes_after_what_was_proved_meanwhile(house, two, whole):
    a, b = two
    of_domain(house, WITH_DOMAIN, "" if whole else a)
    named = person(house, a, f"bob@{D}", email="a@mail.example")
    assert leads(house, f"bob@{D}") is None
    victim = person(house, b, "other", email=f"bob@{D}")
    of_domain(house, {"user_login_must_be_domain": False}, "" if whole else a)
    assert [leads(house, f"bob@{D}"), leads(house, f"bob@{D}@a.localhost")] == [victim, named]


def test_one_organization_may_differ_from_the_instance_both_ways(house, two):
    a, b = two
    one = person(house, a, "gigi")
    of_domain(house, WITH_DOMAIN, a)
    other = person(house, b, "gigi", email="b@mail.example")
    assert [leads(house, "gigi"), leads(house, "gigi@a.localhost")] == [other, one]
    with pytest.raises(AlreadyExists, match="gigi"):
        settings.reset_setting(house.system, of_org(a, "domain"), kind="domain")
    users.remove_user(house.system, user_id=one)
    settings.reset_setting(house.system, of_org(a, "domain"), kind="domain")
    assert leads(house, "gigi") == other
    of_domain(house, WITH_DOMAIN)
    person(house, a, "gigi", email="c@mail.example")


def test_a_removed_or_renamed_user_frees_the_name_however_it_was_unique(house, two):
    a = two[0]
    first = person(house, a, "gigi")
    of_domain(house, WITH_DOMAIN, a)
    users.rename_user(house.system, user_id=first, user_name="gigo")
    again = person(house, a, "gigi", email="b@mail.example")
    users.remove_user(house.system, user_id=again)
    person(house, a, "gigi", email="c@mail.example")
    assert not ClaimRow.objects.filter(kind="usernames", owner=a, value="gigi").exists()


def test_names_without_a_suffix_unless_the_policy_asks_for_it(house, api):
    id = house.person("gigi1")
    shown = api.get(f"/v2/users/{id}").json()["user"]
    assert (shown["loginNames"], shown["preferredLoginName"]) == (["gigi1"], "gigi1")
    of_domain(house, WITH_DOMAIN)
    assert api.get(f"/v2/users/{id}").json()["user"]["preferredLoginName"] == "gigi1@zitadel.localhost"
    of_domain(house, {"user_login_must_be_domain": False})
    assert api.get(f"/v2/users/{id}").json()["user"]["preferredLoginName"] == "gigi1"
    assert leads(house, "gigi1@zitadel.localhost") == id


def test_set_organization_settings_scopes_user_names(house, api, two):
    a, b = two
    asked = {"organizationId": a, "organizationScopedUsernames": True}
    assert "setDate" in api.post("/v2/settings/organization", asked).json()
    listed = api.post("/v2/settings/organization/search", {}).json()
    assert [(one["organizationId"], one["organizationScopedUsernames"]) for one in listed["organizationSettings"]] == [
        (a, True)
    ]
    first = person(house, b, "gigi")
    second = person(house, a, "gigi", email="b@mail.example")
    assert [leads(house, "gigi"), leads(house, "gigi", a), leads(house, "gigi@a.localhost")] == [first, second, second]
    refused = api.post("/v2/settings/organization", {**asked, "organizationScopedUsernames": False})
    assert (refused.status_code, "gigi" in refused.content.decode()) == (409, True)
    users.remove_user(house.system, user_id=second)
    assert api.post("/v2/settings/organization", {**asked, "organizationScopedUsernames": False}).status_code == 200
    with pytest.raises(AlreadyExists):
        person(house, a, "gigi", email="c@mail.example")
    assert api.post("/v2/settings/organization", {"organizationScopedUsernames": True}).status_code == 400
    unknown = {"organizationId": "nowhere", "organizationScopedUsernames": True}
    assert api.post("/v2/settings/organization", unknown).status_code == 404


# Look-alikes (UTS 39)

REFUSED = [
    "аdmin",  # a Cyrillic a
    "pаypal@acme.example",
    "bob@аcme.example",
    "αdmin",  # a Greek alpha
    "ａdmin",  # full width
    "ﬁona",  # a ligature
    "ad\u00admin",  # soft hyphen
    "admin.",
    ".admin",
    "admin.@acme.example",
    "admin\u200b",
    "admin\u200d",
    "\u202enimda",
    "ad\u2066min",
    "ad\u2028min",
    "ad\U000e0061min",
    "ad\u115fmin\u3164",
    "admin\ufeff",
    "ad\u00a0min",
]


@pytest.mark.parametrize("name", REFUSED)
def test_u01_names_that_look_like_others_are_refused(name):
    with pytest.raises(InvalidInput):
        checked_user_name(name)


@pytest.mark.parametrize(
    "name",
    ["müller@example.com", "иван@example.com", "用户", "山田たろう", "yılmaz", "josé", "Ελένη", "김철수", "o'neil"],
)
def test_u01_names_of_every_script_are_welcome(name):
    assert checked_user_name(name) == name


def test_u01_one_way_to_write_a_sign():
    assert checked_user_name("jose\u0301") == "josé"


@pytest.mark.parametrize(("name", "like"), [("admın", "admin"), ("сосо", "coco"), ("ορο", "opo")])
@pytest.mark.parametrize("turned", [False, True])
def test_u01_a_name_that_reads_as_another_is_taken(house, two, name, like, turned):
    assert lookalike(name) == like
    first, second = (name, like) if turned else (like, name)
    kept = person(house, two[0], first, email="a@mail.example")
    with pytest.raises(AlreadyExists):
        person(house, two[1], second, email="b@mail.example")
    users.remove_user(house.system, user_id=kept)
    person(house, two[1], second, email="b@mail.example")


@pytest.mark.parametrize("text", ["a\u202eb", "a\u2028b", "a\u2066b", "a\u00adb", "a\x07b", "a\u200bb", "a\ufeffb"])
def test_u01_no_name_for_people_turns_or_breaks_a_line(house, two, text):
    id = person(house, two[0], "gigi")
    changes = [
        lambda: users.change_profile(house.system, user_id=id, profile=Profile("P", "Q", display_name=text)),
        lambda: users.change_profile(house.system, user_id=id, profile=Profile(text, "Q")),
        lambda: users.change_profile(house.system, user_id=id, profile=Profile("P", text)),
        lambda: users.change_profile(house.system, user_id=id, profile=Profile("P", "Q", nick_name=text)),
        lambda: users.add_machine(house.system, org_id=two[0], user_name="robot", name=text),
        lambda: orgs.rename_org(house.system, org_id=two[0], name=text),
        lambda: orgs.add_org(house.system, name=text),
    ]
    for attempt in changes:
        with pytest.raises(InvalidInput):
            attempt()
    users.change_profile(house.system, user_id=id, profile=Profile("P", "Q", display_name="نمی\u200cخواهم 👩\u200d🚀"))


# Two at once: what is decided at the same time is decided in the push


def decided(ctx, work):
    """What a command decided, before it is pushed: another one comes in between."""
    unit = Unit(ctx)
    work(unit)
    return unit.writes()


def naming(name, org):
    def work(unit):
        id = unit.ctx.ports.new_id()
        unit.load(Org, org)
        add = lambda user: user.add_machine(user_name=name, name="x", description="", access_token_type=0)
        unit.change(User, id, add, owner=org)
        must_be_free(unit, id, name, org)

    return work


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("one", "other", "same_org"),
    [("gigi", "gigi", False), ("gigi", "GIGI", True), ("gigi", f"gigi@{D}", True), ("admın", "admin", False)],
)
def test_u03_of_two_names_at_once_one_is_refused(house, two, one, other, same_org, turned):
    a, b = two
    orgs.add_org_domain(house.system, org_id=a, domain=D)
    wanted = [(one, a), (other, a if same_org else b)]
    first, second = (decided(house.system, naming(*pair)) for pair in (wanted[::-1] if turned else wanted))
    house.system.store.push(first)
    with pytest.raises(Taken), transaction.atomic():
        house.system.store.push(second)


def test_t12_of_a_name_and_a_domain_at_once_one_is_refused_or_the_name_was_first(house, two):
    a, b = two
    victim = person(house, b, "bob")
    late = decided(house.system, naming(f"bob@{D}", a))
    orgs.add_org_domain(house.system, org_id=b, domain=D)
    with pytest.raises(Taken), transaction.atomic():
        house.system.store.push(late)
    assert leads(house, f"bob@{D}") == victim


def test_a_domain_and_a_name_of_the_same_organization_at_once_decide_again(house, two):
    a, b = two
    person(house, b, f"bob@{D}")
    late = decided(house.system, naming("bob", a))
    orgs.add_org_domain(house.system, org_id=a, domain=D)
    with pytest.raises(Conflict), transaction.atomic():
        house.system.store.push(late)
