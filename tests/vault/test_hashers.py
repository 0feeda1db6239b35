"""Which hasher new passwords get, how stored ones move to it, and in which form passwords are compared."""

import unicodedata

import pytest
from passlib.hash import md5_crypt, pbkdf2_sha1, pbkdf2_sha256, pbkdf2_sha512, scrypt, sha256_crypt, sha512_crypt
from pydantic import ValidationError

from iam.settings.hashing import HasherLimitsSection, HasherSection
from iam.settings.tree import Config
from iam.vault import hashes, wiring
from iam.vault.hashes import Limits, Wish
from iam.vault.passwords import PasswordPool
from users.commands import change_own_password, set_password
from users.commands.sessions import must_know_password
from users.models import UserRow

GOOD = "Correct-Horse-9"
ACTIVE = {
    "argon2id": (Wish(passes=1, memory=8192), "$argon2id$v=19$m=8192,t=1,p=1$"),
    "argon2i": (Wish("argon2i", passes=1, memory=8192), "$argon2i$v=19$m=8192,t=1,p=1$"),
    "bcrypt": (Wish("bcrypt", cost=10), "$2b$10$"),
    "scrypt": (Wish("scrypt", cost=14), "$scrypt$ln=14,r=8,p=1$"),
    "pbkdf2": (Wish("pbkdf2", rounds=1000), "$pbkdf2-sha256$1000$"),
    "pbkdf2 sha1": (Wish("pbkdf2", rounds=1000, hash="sha1"), "$pbkdf2$1000$"),
    "pbkdf2 sha512": (Wish("pbkdf2", rounds=1000, hash="sha512"), "$pbkdf2-sha512$1000$"),
    "sha2": (Wish("sha2", rounds=1000), "$6$rounds=1000$"),
    "sha2 usual rounds": (Wish("sha2", rounds=5000), "$6$rounds=5000$"),
    "sha2 sha256": (Wish("sha2", rounds=1000, hash="sha256"), "$5$rounds=1000$"),
}
IMPORTED = {
    "argon2id": lambda text: hashes._argon2(Wish(passes=1, memory=9000)).make(text),
    "bcrypt": lambda text: hashes._bcrypt(Wish("bcrypt", cost=4)).make(text),
    "bcrypt of PHP": lambda text: hashes._bcrypt(Wish("bcrypt", cost=4)).make(text).replace("$2b$", "$2y$"),
    "scrypt": scrypt.using(rounds=8).hash,
    "older scrypt": scrypt.using(rounds=8, ident="$7$").hash,
    "md5": md5_crypt.hash,
    "sha256": sha256_crypt.using(rounds=1001).hash,
    "sha512 without rounds": sha512_crypt.using(rounds=5000).hash,
    "pbkdf2 sha1": pbkdf2_sha1.using(rounds=900).hash,
    "pbkdf2 sha256": pbkdf2_sha256.using(rounds=900).hash,
    "pbkdf2 sha512": pbkdf2_sha512.using(rounds=900).hash,
}


def pool_of(wish):
    return PasswordPool(workers=1, most=5, wish=wish, limits=Limits())


@pytest.fixture(params=ACTIVE)
def active(request):
    wish, beginning = ACTIVE[request.param]
    return pool_of(wish), beginning


def test_new_passwords_get_the_active_hasher(active):
    pool, beginning = active
    made = pool.hash(GOOD)
    assert made.startswith(beginning) and pool.accepts(made)
    checked = pool.verify(made, GOOD)
    assert checked.ok and checked.better == ""
    assert not pool.verify(made, "wrong").ok
    assert made != pool.hash(GOOD), "salted"


@pytest.mark.parametrize("name", IMPORTED)
def test_a_stored_hash_of_any_scheme_is_checked_and_moves_to_the_active_one(active, name):
    pool, beginning = active
    stored = IMPORTED[name](GOOD)
    assert pool.accepts(stored) and not pool.verify(stored, "wrong").ok
    checked = pool.verify(stored, GOOD)
    assert checked.ok and checked.better.startswith(beginning)
    assert pool.verify(checked.better, GOOD).better == ""


@pytest.mark.parametrize("one", ACTIVE)
@pytest.mark.parametrize("other", ACTIVE)
def test_another_active_hasher_replaces_what_the_one_before_made(one, other):
    stored = pool_of(ACTIVE[one][0]).hash(GOOD)
    checked = pool_of(ACTIVE[other][0]).verify(stored, GOOD)
    assert checked.ok and bool(checked.better) == (one != other)


def test_p01_a_name_that_nobody_has_costs_what_the_active_hasher_costs(active, monkeypatch):
    pool, beginning = active
    blank = pool._hashers[0].blank
    assert blank.startswith(beginning) and pool.accepts(blank)
    scheme = next(one for one in hashes.SCHEMES if one.parameters(blank))
    assert scheme.parameters(blank) == scheme.parameters(pool.hash(GOOD))
    for text in ("", GOOD):
        assert not pool.verify("", text).ok


def test_p06_bcrypt_as_the_active_hasher_cuts_nothing():
    pool = pool_of(Wish("bcrypt", cost=10))
    fits, longer = "é" * 36, "é" * 36 + "x"
    assert pool.hash(fits).startswith("$2b$10$")
    made = pool.hash(longer)
    assert made.startswith("$argon2id$")
    assert not pool.verify(made, fits).ok and not pool.verify(made, longer + "y").ok
    checked = pool.verify(made, longer)
    assert checked.ok and checked.better == ""


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"Algorithm": "md5"}, "Algorithm"),
        ({"Algorithm": "bcrypt", "Cost": 9}, "Cost of bcrypt is 10 to 16"),
        ({"Algorithm": "bcrypt", "Cost": 17}, "Cost of bcrypt is 10 to 16"),
        ({"Algorithm": "scrypt", "Cost": 13}, "Cost of scrypt is 14 to 20"),
        ({"Algorithm": "pbkdf2", "Rounds": 999}, "at least 1000"),
        ({"Algorithm": "sha2", "Hash": "sha1"}, "sha256 or sha512"),
        ({"Algorithm": "pbkdf2", "Hash": "md5"}, "Hash"),
    ],
)
def test_a_hasher_that_makes_no_sense_is_refused_at_the_start(values, problem):
    with pytest.raises(ValidationError, match=problem):
        HasherSection(**values)


@pytest.mark.parametrize("algorithm", ["argon2id", "argon2i", "bcrypt", "scrypt", "pbkdf2", "sha2"])
def test_the_configuration_names_the_active_hasher(settings, monkeypatch, algorithm):
    settings.CONFIG = Config(SystemDefaults={"PasswordHasher": {"Hasher": {"Algorithm": algorithm}}})
    pool = wiring._password_pool(settings.CONFIG.SystemDefaults.PasswordHasher)
    marks = {"bcrypt": "$2b$14$", "scrypt": "$scrypt$ln=17", "pbkdf2": "$pbkdf2-sha256$600000$"}
    assert pool._hashers[0].beginning.startswith(marks.get(algorithm, "$argon2" if algorithm != "sha2" else "$6$"))
    assert pool.accepts(pool._hashers[0].blank)


def test_argon2id_is_the_default_and_the_ceilings_of_the_settings_are_those_of_the_pool():
    assert Config().SystemDefaults.PasswordHasher.Hasher.Algorithm == "argon2id"
    pool = wiring._password_pool(Config().SystemDefaults.PasswordHasher)
    assert pool._limits == Limits()
    assert pool._longest == HasherLimitsSection().CheckDuration


FORMS = {
    "composed": "Café-Horse-9",
    "decomposed": "Cafe\u0301-Horse-9",
    "full width": "Ｃafé-Horse-9",
    "ligature and space": "ﬁne\u00a0Horse-9A",
    "hangul": "\u1112\u1161\u11ab-Horse-9a",
}


@pytest.mark.parametrize("typed", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_p06_a_password_is_the_same_in_every_normal_form(typed, form):
    pool = pool_of(Wish(passes=1, memory=8192))
    other = unicodedata.normalize(form, typed)
    checked = pool.verify(pool.hash(typed), other)
    assert checked.ok and checked.better == ""
    assert pool.verify(pool.hash(other), typed).ok
    assert not pool.verify(pool.hash(typed), typed + "x").ok


@pytest.mark.parametrize("name", IMPORTED)
def test_p06_a_hash_of_a_form_that_was_typed_is_still_right_and_is_replaced(name):
    pool, typed = pool_of(Wish(passes=1, memory=8192)), FORMS["decomposed"]
    stored = IMPORTED[name](typed)
    checked = pool.verify(stored, typed)
    assert checked.ok and pool.verify(checked.better, FORMS["composed"]).ok
    mine = hashes._argon2(Wish(passes=1, memory=8192)).make(typed)
    assert pool.verify(mine, typed).better, "the active hasher, but of another form"


def test_p06_no_password_is_checked_more_than_twice_known_or_not(monkeypatch):
    pool, checked = pool_of(Wish(passes=1, memory=8192)), []
    check = lambda encoded, password: checked.append(encoded)
    monkeypatch.setattr(pool, "_check_of", lambda encoded: check if encoded else None)
    object.__setattr__(pool._hashers[0], "check", check)
    for encoded in ("stored", ""):
        for typed, times in ((GOOD, 1), (FORMS["decomposed"], 2)):
            pool.verify(encoded, typed)
            assert len(checked) == times
            checked.clear()


@pytest.mark.parametrize("set_as", ["composed", "decomposed"])
@pytest.mark.parametrize("typed_as", ["composed", "decomposed"])
def test_p06_both_forms_sign_in_and_change_a_password(house, set_as, typed_as):
    id = house.person()
    set_password(house.system, user_id=id, password=FORMS[set_as])
    must_know_password(house.system, user_id=id, password=FORMS[typed_as])
    change_own_password(house.system, user_id=id, current=FORMS[typed_as], password="Other-Horse-1")
    must_know_password(house.system, user_id=id, password="Other-Horse-1")


def test_an_imported_hash_moves_at_the_next_sign_in_and_only_then(house):
    id = house.person()
    set_password(house.system, user_id=id, password_hash=IMPORTED["bcrypt"](GOOD))
    stored = lambda: UserRow.objects.get(id=id).password_hash
    assert stored().startswith("$2b$04$")
    must_know_password(house.system, user_id=id, password=GOOD)
    moved = stored()
    assert moved.startswith("$argon2id$")
    must_know_password(house.system, user_id=id, password=GOOD)
    assert stored() == moved
