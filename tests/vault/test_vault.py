"""Envelope, rotation of the master key, password hashes, erasure."""

import io

import bcrypt
import pytest
from django.conf import settings
from django.core import management
from django.db import connection

from eventstore.models import PersonKey
from iam.kernel.errors import Unavailable
from iam.vault import wiring
from iam.vault.envelope import Envelope, WrongMasterKey, key_id, rewrap_all
from iam.vault.hashes import Wish
from iam.vault.models import DataKey
from iam.vault.passwords import PasswordPool
from iam.vault.renewal import renew, rewrap
from users import commands as users

OLD, NEW, OTHER = b"o" * 31 + b"1", b"n" * 31 + b"2", b"x" * 31 + b"3"


def test_what_is_sealed_opens_for_its_purpose_only(db):
    envelope = Envelope(lambda: [OLD])
    sealed = envelope.seal("tenant", "smtp", b"secret")
    assert envelope.open("tenant", "smtp", sealed) == b"secret"
    with pytest.raises(Unavailable):
        envelope.open("tenant", "totp", sealed)


def test_e09_rotation_resumes_and_the_old_key_is_not_needed_after(db):
    envelope = Envelope(lambda: [OLD])
    sealed = {purpose: envelope.seal("tenant", purpose, b"secret") for purpose in ("a", "b", "c")}
    with pytest.raises(WrongMasterKey):
        rewrap_all(NEW, [OTHER])
    assert rewrap_all(NEW, [OLD]) == (3, 0)
    row = DataKey.objects.first()
    assert row is not None
    assert rewrap_all(NEW, [OLD]) == (0, 3)
    fresh = Envelope(lambda: [NEW])
    assert all(fresh.open("tenant", purpose, text) == b"secret" for purpose, text in sealed.items())
    with pytest.raises(WrongMasterKey):
        Envelope(lambda: [OLD]).open("tenant", "a", sealed["a"])


def test_during_a_rotation_both_keys_open(db):
    sealed = Envelope(lambda: [OLD]).seal("tenant", "a", b"secret")
    assert Envelope(lambda: [NEW, OLD]).open("tenant", "a", sealed) == b"secret"


@pytest.fixture(scope="module")
def pool():
    return PasswordPool(workers=1, most=5, wish=Wish(passes=1, memory=8192))


def test_imported_hashes_verify_and_are_upgraded(pool):
    old = bcrypt.hashpw(b"Correct-Horse-9", bcrypt.gensalt(4)).decode()
    checked = pool.verify(old, "Correct-Horse-9")
    assert checked.ok and checked.better.startswith("$argon2id$")
    assert not pool.verify(old, "wrong").ok
    assert pool.verify(checked.better, "Correct-Horse-9").better == ""


@pytest.mark.parametrize(
    "bad", ["", "x", "$2b$31$" + "a" * 53, "$argon2id$v=19$m=99999999,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g", "$9$x"]
)
def test_p11_absurd_or_unknown_hashes_are_refused(pool, bad):
    assert not pool.accepts(bad)


def test_e05_twenty_planted_strings_are_gone_from_a_dump(house):
    planted = [f"planted{number:02d}" for number in range(20)]
    from users.domain.profile import Profile

    id = users.add_human(
        house.system,
        org_id=house.org,
        user_name=planted[0],
        profile=Profile(planted[1], planted[2], planted[3], planted[4]),
        email=f"{planted[5]}@example.com",
    ).id
    users.change_profile(house.system, user_id=id, profile=Profile(planted[6], planted[7], planted[8], planted[9]))
    users.change_email(house.system, user_id=id, email=f"{planted[10]}@example.com")
    users.rename_user(house.system, user_id=id, user_name=planted[11])
    values = {f"k{number}": planted[number].encode() for number in range(12, 20)}
    users.set_user_metadata(house.system, user_id=id, values=values)
    assert any(one in dump() for one in planted)
    users.erase_user(house.system, user_id=id)
    left = dump()
    assert [one for one in planted if one in left] == []
    management.call_command("verify_log", stdout=io.StringIO())


def dump() -> str:
    """Every value of every table as text."""
    tables = connection.introspection.table_names()
    found = []
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                found += [
                    bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
                    for value in row
                ]
    return "\n".join(found)


def test_e09_new_data_keys_open_what_the_old_ones_sealed_and_the_erased_stay_erased(house):
    person, gone = house.person("stays"), house.person("goes")
    users.erase_user(house.system, user_id=gone)
    before = set(PersonKey.objects.values_list("wrapped", flat=True))
    secret = wiring.envelope().seal(house.instance, "smtp", b"secret")
    made, wrapped = renew(house.instance)
    assert made == len(set(DataKey.objects.values_list("purpose", flat=True)))
    assert wrapped == PersonKey.objects.exclude(wrapped="").count() > 1
    after = set(PersonKey.objects.exclude(wrapped="").values_list("wrapped", flat=True))
    assert not after & before and len({key_id(one) for one in after}) == 1
    assert PersonKey.objects.get(id=gone).wrapped == ""
    assert rewrap(house.instance) == 0
    for envelope in (wiring.envelope(), Envelope(settings.MASTER_KEYS)):
        assert envelope.open(house.instance, "smtp", secret) == b"secret"
        assert key_id(envelope.seal(house.instance, "smtp", b"x")) != key_id(secret)
    wiring.store().persons._kept.clear()
    facts = [one.fact for one in house.system.store.read(house.system.stream("user", person))]
    assert facts[0].first_name == "Gigi"


def test_e09_a_process_that_knows_the_old_data_key_takes_the_new_one_after_a_while(house, monkeypatch):
    other = Envelope(settings.MASTER_KEYS)
    old = other.current(house.instance, "persons")
    renew(house.instance)
    assert other.current(house.instance, "persons") == old
    monkeypatch.setattr("iam.vault.envelope.KEPT_SECONDS", 0)
    assert other.current(house.instance, "persons") == wiring.envelope().current(house.instance, "persons") != old


def test_e09_a_renewal_that_dies_half_way_goes_on_and_everything_opens_meanwhile(house, monkeypatch):
    ids = [house.person(f"p{number}") for number in range(6)]
    envelope, wraps = wiring.envelope(), []

    def dying(instance, plain):
        wraps.append(plain)
        if len(wraps) == 4:
            raise KeyboardInterrupt
        return Envelope.wrap(envelope, instance, plain)

    with monkeypatch.context() as patched:
        patched.setattr(envelope, "wrap", dying)
        with pytest.raises(KeyboardInterrupt):
            renew(house.instance)
    keys = {key_id(one) for one in PersonKey.objects.values_list("wrapped", flat=True)}
    assert len(keys) == 2
    wiring.store().persons._kept.clear()
    for id in ids:
        assert house.system.store.read(house.system.stream("user", id))[0].fact.first_name == "Gigi"
    assert rewrap(house.instance) == PersonKey.objects.count() - 3
    assert {key_id(one) for one in PersonKey.objects.values_list("wrapped", flat=True)} == {
        envelope.current(house.instance, "persons")
    }
