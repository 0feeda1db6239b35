"""Organizations with names in any script have a domain of their own, which name servers could hold, and never collide."""

import idna
import pytest

from iam.kernel.errors import AlreadyExists, InvalidInput
from orgs import commands
from orgs.domain.domains import checked_domain, generated_among, generated_domain
from orgs.domain.names import ascii_of, folded, label_of, letters_of
from orgs.models import OrgDomainRow, OrgRow
from orgs.queries import find_org_of_domain
from users.queries import find_user_by_login

NAMES = {
    "日本": "日本",
    "Компания": "компания",
    "Straße": "straße",
    "Acme & Söhne": "acme-söhne",
    "Ｆｕｌｌ": "full",
    "مثال": "مثال",
    "שלום World": "שלום",
    "World שלום": "world",
    "नमस्ते": "नमस्ते",
    "한국": "한국",
    "2024": "2024",
    "O'Neil": "o-neil",
    "xn--bcher": "xn-bcher",
    "ab--cd": "ab-cd",
    " -a- ": "a",
    "😀": "org",
    "!!!": "org",
    "\u0301x": "x",
    "a" * 200: "a" * 63,
}


@pytest.mark.parametrize(("name", "label"), NAMES.items())
def test_letters_and_digits_of_any_script_stay(name, label):
    assert label_of(name) == label


@pytest.mark.parametrize("name", [*NAMES, "é" * 200, "日" * 200, "ש" * 200, "a" * 62 + "é"])
@pytest.mark.parametrize("tail", ["", "1234"])
@pytest.mark.parametrize(
    "base", ["localhost", "auth.example.com:8080", "x" * 60 + "." + "y" * 60 + "." + "z" * 60 + ".de"]
)
def test_every_generated_domain_is_one_for_name_servers(name, tail, base):
    domain = generated_domain(name, base, tail=tail)
    in_ascii = ascii_of(domain)
    assert len(in_ascii) <= 253
    assert idna.decode(idna.encode(in_ascii)) == domain == checked_domain(domain)
    assert domain.partition(".")[0].endswith(tail)


def test_the_domain_of_before_is_known_as_generated():
    for domains, name in (
        (["acme-s-hne.localhost"], "Acme & Söhne"),
        (["acme-söhne.localhost"], "Acme & Söhne"),
        (["acme-söhne-0815.localhost"], "Acme & Söhne"),
        (["org.localhost"], "日本"),
        (["日本-1234.localhost"], "日本"),
    ):
        assert generated_among(["example.com", *domains], name, "localhost") == domains[0]
    assert generated_among(["acme.localhost", "example.com"], "Other", "localhost") == ""


COLLIDING = (
    ("日本!", "日本?", "日本"),
    ("!!!", "???", "😀"),
    ("a" * 63 + "b", "a" * 63 + "c", "a" * 64),
    ("Straße!", "strasse?", "STRASSE."),
    ("שלום!", "שלום?", "שלום"),
    ("Acme", "acme.", "-ACME-"),
)


@pytest.mark.parametrize("names", COLLIDING)
@pytest.mark.parametrize("way", ["create", "rename"])
def test_names_alike_get_domains_of_their_own(house, names, way):
    for number, name in enumerate(names):
        if way == "create":
            commands.add_org(house.system, name=name)
        else:
            made = commands.add_org(house.system, name=f"before {number}")
            commands.rename_org(house.system, org_id=made.id, name=name)
    rows = OrgRow.objects.filter(instance_id=house.instance, name__in=names)
    domains = {row.primary_domain for row in rows}
    assert len(rows) == len({folded(one) for one in domains}) == len(names)
    assert all(find_org_of_domain(house.instance, row.primary_domain) == row.id for row in rows)
    held = OrgDomainRow.objects.filter(instance_id=house.instance, org_id__in=[row.id for row in rows])
    assert {row.domain for row in held} == domains


def test_the_same_name_twice_is_still_refused(house):
    commands.add_org(house.system, name="日本")
    with pytest.raises(AlreadyExists) as refused:
        commands.add_org(house.system, name="日本")
    assert refused.value.code == "org.name_already_exists"


def test_a_domain_that_suits_the_new_name_stays(house):
    commands.add_org(house.system, name="Acme")
    second = commands.add_org(house.system, name="Acme!").id
    before = OrgRow.objects.get(instance_id=house.instance, id=second).primary_domain
    commands.rename_org(house.system, org_id=second, name="Acme?")
    assert OrgRow.objects.get(instance_id=house.instance, id=second).primary_domain == before != "acme.localhost"


def test_a_person_signs_in_by_the_domain_in_either_spelling(house):
    org = commands.add_org(house.system, name="Sünde").id
    person = house.person("gigi", org=org)
    for domain in ("sünde.localhost", "SÜNDE.localhost", "xn--snde-0ra.localhost"):
        found = find_user_by_login(house.instance, f"gigi@{domain}")
        assert found is not None and found.id == person, domain


@pytest.mark.parametrize(
    ("first", "second"),
    [("sünde.com", "xn--snde-0ra.com"), ("xn--snde-0ra.com", "Sünde.com"), ("straße.de", "strasse.de")],
)
def test_t12_two_spellings_of_a_domain_are_one(house, first, second):
    commands.add_org_domain(house.system, org_id=house.org, domain=first)
    other = commands.add_org(house.system, name="Other").id
    with pytest.raises(AlreadyExists):
        commands.add_org_domain(house.system, org_id=other, domain=second)
    with pytest.raises(AlreadyExists):
        commands.add_org_domain(house.system, org_id=house.org, domain=second)
    commands.remove_org_domain(house.system, org_id=house.org, domain=second)
    commands.add_org_domain(house.system, org_id=other, domain=second)


@pytest.mark.parametrize(
    "domain", ["a\u200b.de", "ü\u202e.de", "ü .de", "ü_.de", "-ü.de", "ü..de", "😀.de", "א1ü.de", "ü" * 64]
)
def test_what_is_no_domain_is_refused(domain):
    with pytest.raises(InvalidInput):
        checked_domain(domain)


def test_what_cannot_be_read_otherwise_is_itself():
    assert letters_of("xn--a.de") == "xn--a.de" and ascii_of("ü_.de") == "ü_.de"
