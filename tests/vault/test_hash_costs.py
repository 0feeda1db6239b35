"""What a check of a stored hash may cost: each parameter, and those that are too much only together (checklist P11)."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from google.protobuf.descriptor import FieldDescriptor

from iam.access.caller import RequestMeta
from iam.api.methods import invoke, method, registered
from iam.kernel.errors import InvalidInput, WrongCredentials
from iam.vault import hashes, passwords, wiring
from iam.vault.hashes import Limits, Wish
from iam.vault.passwords import PasswordPool
from users.commands.sessions import must_know_password
from users.models import UserRow

SMALL = Limits()
CRYPT64 = hashes.CRYPT64_DIGITS


def argon2(m=8192, t=1, p=1, kind="id"):
    return f"$argon2{kind}$v=19$m={m},t={t},p={p}${'A' * 22}${'A' * 43}"


def argon2_old(m=8192, t=1, p=1):
    return argon2(m, t, p, "i").replace("$v=19", "")


def scrypt(ln=10, r=8, p=1):
    return f"$scrypt$ln={ln},r={r},p={p}${'A' * 22}${'A' * 43}"


def number(value, digits):
    return "".join(CRYPT64[value >> 6 * place & 63] for place in range(digits))


def scrypt_7(ln=10, r=8, p=1):
    return f"$7${number(ln, 1)}{number(r, 5)}{number(p, 5)}saltsalt${'.' * 43}"


def bcrypt(cost=4, kind="2b"):
    return f"${kind}${cost:02d}${'.' * 53}"


def pbkdf2(rounds=1000, kind=""):
    lengths = {"": 27, "-sha1": 27, "-sha256": 43, "-sha512": 86}
    return f"$pbkdf2{kind}${rounds}${'A' * 22}${'A' * lengths[kind]}"


def sha2(rounds=5000, kind=5):
    return f"${kind}$rounds={rounds}$saltsalt${'.' * (43 if kind == 5 else 86)}"


def each(make, kinds):
    return [(f"{make.__name__}{kind}", lambda value, kind=kind: make(value, kind=kind)) for kind in kinds]


CEILINGS = [
    *((f"argon2{kind} memory", lambda v, kind=kind: argon2(m=v, kind=kind), 262144) for kind in ("i", "d", "id")),
    *((f"argon2{kind} passes", lambda v, kind=kind: argon2(t=v, kind=kind), 20) for kind in ("i", "d", "id")),
    *((f"argon2{kind} lanes", lambda v, kind=kind: argon2(p=v, kind=kind), 16) for kind in ("i", "d", "id")),
    ("argon2 of version 16 memory", lambda v: argon2_old(m=v), 262144),
    ("argon2 of version 16 lanes", lambda v: argon2_old(p=v), 16),
    *((f"{make.__name__} cost", lambda v, make=make: make(ln=v), 18) for make in (scrypt, scrypt_7)),
    *((f"{make.__name__} block", lambda v, make=make: make(r=v), 2048) for make in (scrypt, scrypt_7)),
    *((f"{make.__name__} lanes", lambda v, make=make: make(p=v), 512) for make in (scrypt, scrypt_7)),
    ("scrypt lanes of the smallest", lambda v: scrypt(ln=1, p=v), 262144),
    *((name, make, 16) for name, make in each(bcrypt, ("2a", "2b", "2x", "2y"))),
    *((name, make, 2_000_000) for name, make in each(pbkdf2, ("", "-sha1", "-sha256", "-sha512"))),
    *((name, make, 1_000_000) for name, make in each(sha2, (5, 6))),
]
TOO_MUCH_TOGETHER = {
    "argon2 memory and passes": (argon2(m=262144, t=8), argon2(m=262144, t=9)),
    "argon2 memory and lanes": (argon2(m=131072, p=16), argon2(m=131073, p=16)),
    "argon2 passes and lanes": (argon2(t=16, p=16), argon2(t=17, p=16)),
    "scrypt cost and block": (scrypt(ln=17, r=16), scrypt(ln=17, r=17)),
    "scrypt cost and lanes": (scrypt(ln=17, p=4), scrypt(ln=17, p=5)),
    "scrypt block and lanes": (scrypt(r=64, p=64), scrypt(r=64, p=65)),
    "older scrypt cost and block": (scrypt_7(ln=17, r=16), scrypt_7(ln=17, r=17)),
    "older scrypt block and lanes": (scrypt_7(r=64, p=64), scrypt_7(r=64, p=65)),
}
REPORTED = [
    scrypt(ln=4, p=100_000_000),
    scrypt(ln=10, r=8, p=100_000),
    scrypt(ln=20, r=999),
    argon2(p=8192),
    argon2(m=1 << 20, t=20),
]
HIDDEN = {
    "nothing": "",
    "no scheme": "x",
    "unknown scheme": "$9$x",
    "long number": argon2(m="9" * 10_000),
    "signed number": argon2(m="+8192"),
    "number with an underscore": argon2(m="8_192"),
    "number of another script": argon2(m="८१९२"),
    "parameter twice": argon2().replace("m=8192,", "m=8192,m=999999999,"),
    "parameters in another order": argon2().replace("m=8192,t=1", "t=1,m=8192"),
    "parameter missing": argon2().replace(",p=1", ""),
    "zero passes": argon2(t=0),
    "zero lanes": argon2(p=0),
    "line feed behind": argon2() + "\n",
    "rounds as salt": f"$5$rounds=999999999${'.' * 43}",
    "rounds twice": f"$6$rounds=1000$rounds=99999999${'.' * 86}",
    "scrypt without cost": scrypt(ln=0),
    "scrypt with an enormous cost": scrypt(ln=9_999_999_999),
    "bcrypt without cost": bcrypt(0),
    "pbkdf2 without rounds": pbkdf2(0),
    "long salt": argon2().replace("A" * 22, "A" * 100_000),
}
REFUSED = {
    **{f"{name}, above": make(most + 1) for name, make, most in CEILINGS},
    **{f"{name}, far above": make(min(most * 1000, 63) if most < 20 else most * 1000) for name, make, most in CEILINGS},
    **{f"{name}, together": above for name, (_, above) in TOO_MUCH_TOGETHER.items()},
    **{f"reported {number}": encoded for number, encoded in enumerate(REPORTED)},
    **HIDDEN,
}


@pytest.fixture(scope="module")
def pool():
    return PasswordPool(workers=1, most=5, wish=Wish(passes=1, memory=8192))


@pytest.mark.parametrize(("make", "most"), [one[1:] for one in CEILINGS], ids=[one[0] for one in CEILINGS])
def test_p11_what_costs_as_much_as_the_ceiling_is_accepted(pool, make, most):
    assert pool.accepts(make(most))


@pytest.mark.parametrize("name", TOO_MUCH_TOGETHER)
def test_p11_parameters_are_weighed_together(pool, name):
    at, above = TOO_MUCH_TOGETHER[name]
    assert pool.accepts(at) and not pool.accepts(above)


@pytest.fixture
def hashed(monkeypatch):
    """The stored texts that reach a hasher, of a pool that is made in this test; none of them is worked on."""
    seen = []

    def looks(encoded, password):
        seen.append(encoded)
        return False

    monkeypatch.setattr(hashes, "SCHEMES", tuple(replace(one, check=looks) for one in hashes.SCHEMES))
    return seen


@pytest.mark.parametrize("name", REFUSED)
def test_p11_what_costs_more_is_refused_at_import_and_reaches_no_hasher_when_it_is_stored(hashed, name):
    pool = PasswordPool(workers=1, most=5, wish=Wish(passes=1, memory=8192))
    encoded = REFUSED[name]
    assert not pool.accepts(encoded)
    assert not pool.verify(encoded, "Correct-Horse-9").ok
    assert hashed == [pool._hashers[0].blank], "a dummy is checked, as for a name that nobody has"


@pytest.mark.parametrize("name", [one.split(",")[0] for one in REFUSED if one.endswith(", above")])
def test_p11_every_ceiling_is_configured(name):
    make, most = next((make, most) for one, make, most in CEILINGS if one == name)
    widened = {field: value * 4000 for field, value in vars(Limits()).items()} | {"bcrypt_cost": 31}
    assert hashes.scheme_of(make(most + 1), Limits(**widened))
    assert not hashes.scheme_of(make(most), Limits(**dict.fromkeys(widened, 3)))


def test_p11_what_the_server_makes_itself_is_checked_whatever_the_ceilings():
    pool = PasswordPool(workers=1, most=5, wish=Wish(passes=2, memory=8192), limits=Limits(argon2_work=8))
    made = pool.hash("Correct-Horse-9")
    assert pool.accepts(made) and pool.verify(made, "Correct-Horse-9").ok
    assert not pool.accepts(argon2(m=8192, t=1))
    assert not pool.accepts(pool._hashers[0].beginning + "x"), "the beginning alone is no hash"


@pytest.mark.parametrize("failure", [MemoryError(), ValueError("x"), RuntimeError("x"), TypeError(), OverflowError()])
def test_p11_a_hasher_that_fails_has_found_a_wrong_password(monkeypatch, failure):
    def fails(encoded, password):
        raise failure

    monkeypatch.setattr(hashes, "SCHEMES", tuple(replace(one, check=fails) for one in hashes.SCHEMES))
    pool = PasswordPool(workers=1, most=5, wish=Wish(passes=1, memory=8192))
    assert not pool.verify(bcrypt(), "x").ok and not pool.verify("", "x").ok


def test_p11_a_check_that_takes_too_long_is_given_up_and_holds_its_place_until_it_ends(monkeypatch):
    may_end = threading.Event()

    def waits(encoded, password):
        return may_end.wait(10)

    monkeypatch.setattr(hashes, "SCHEMES", tuple(replace(one, check=waits) for one in hashes.SCHEMES))
    pool = PasswordPool(workers=1, most=1, wish=Wish(), longest=timedelta(milliseconds=20))
    assert not pool.verify(bcrypt(), "x").ok, "whatever it would have found"
    assert not pool._room.acquire(blocking=False), "the thread is still at work"
    may_end.set()
    assert pool._room.acquire(timeout=10)


@pytest.mark.parametrize("length", [1025, 5_000, 1_000_000])
def test_p11_no_scheme_works_on_an_endless_password(monkeypatch, hashed, length):
    lengths = []

    def looks(encoded, password):
        lengths.append(len(password))
        return True

    monkeypatch.setattr(hashes, "SCHEMES", tuple(replace(one, check=looks) for one in hashes.SCHEMES))
    pool = PasswordPool(workers=1, most=5, wish=Wish(passes=1, memory=8192))
    for typed in ("x" * length, "\ufdfa" * length):  # which grows eighteen times under NFKC
        assert not pool.verify(sha2(), typed).ok
        assert not pool.verify("", typed).ok
    assert lengths and max(lengths) <= passwords.LONGEST_PASSWORD


def _paths(described, seen=()):
    """The ways of fields that lead to a hashed password in a message."""
    for field in described.fields:
        if field.type != FieldDescriptor.TYPE_MESSAGE or field.message_type in seen:
            continue
        if field.message_type.name == "HashedPassword":
            yield (field,)
        else:
            for path in _paths(field.message_type, (*seen, field.message_type)):
                yield (field, *path)


IMPORTS = sorted(
    (name, number) for name in registered() for number, _ in enumerate(_paths(method(name).request.DESCRIPTOR))
)
TEXTS = {"name": "New", "email": "new@example.com", "user_name": "new", "username": "new"}


def _filled(message, house, person, of_new):
    """What a method needs besides: names, an address, whose it is."""
    for field in message.DESCRIPTOR.fields:
        if field.name in ("profile", "email") and field.message_type and of_new:
            _filled(getattr(message, field.name), house, person, of_new)
            getattr(message, field.name).SetInParent()
        elif field.name in ("given_name", "family_name", "first_name", "last_name"):
            setattr(message, field.name, "Gigi")
        elif field.name == "user_id" and not of_new:
            message.user_id = person
        elif field.name == "organization_id" and message.DESCRIPTOR.name == "CreateUserRequest":
            message.organization_id = house.org
        elif field.name in TEXTS and of_new and field.type == FieldDescriptor.TYPE_STRING:
            setattr(message, field.name, TEXTS[field.name])


def _import(house, person, name, number, encoded):
    request = method(name).request()
    of_new = "Update" not in name and "Set" not in name
    _filled(request, house, person, of_new)
    message = request
    for field in list(_paths(request.DESCRIPTOR))[number]:
        message = getattr(message, field.name)
        message = message.add() if field.is_repeated else message
        if field.name != "hashed_password":
            _filled(message, house, person, of_new)
    setattr(message, message.DESCRIPTOR.fields[0].name, encoded)
    return invoke(name, request, RequestMeta(host="localhost", headers={"authorization": f"Bearer {house.pat}"}))


def test_p11_methods_that_take_hashes_are_those_of_the_descriptors():
    short = {name.rpartition("/")[2] for name, _ in IMPORTS}
    assert {"CreateUser", "AddHumanUser", "UpdateUser", "UpdateHumanUser", "ImportHumanUser"} <= short


@pytest.mark.parametrize(("name", "number"), IMPORTS)
def test_p11_every_method_that_takes_a_hash_refuses_what_costs_too_much(house, name, number):
    person = house.person("old")
    samples = [scrypt(ln=10, p=100_000), scrypt(ln=17, r=17), argon2(p=8192), argon2(m=262144, t=9), bcrypt(17)]
    for encoded in (*samples, pbkdf2(2_000_001), sha2(1_000_001), "$9$x"):
        with pytest.raises(InvalidInput, match=r"password\.hash_not_supported"):
            _import(house, person, name, number, encoded)
    _import(house, person, name, number, argon2(m=262144, t=8))
    assert UserRow.objects.filter(password_hash=argon2(m=262144, t=8)).count() == 1


def test_p11_a_stored_one_is_a_wrong_password_at_the_door(house, monkeypatch, hashed):
    pool = PasswordPool(workers=1, most=5, wish=Wish(passes=1, memory=8192))
    monkeypatch.setattr(wiring, "ports", lambda: replace(house.system.ports, passwords=pool))
    ctx = replace(house.system, ports=replace(house.system.ports, passwords=pool))
    id = house.person()
    monkeypatch.setattr(pool, "accepts", lambda encoded: True)
    from users.commands import set_password

    set_password(ctx, user_id=id, password_hash=scrypt(ln=20, r=999))
    with pytest.raises(WrongCredentials):
        must_know_password(ctx, user_id=id, password="Correct-Horse-9")
    assert hashed == [pool._hashers[0].blank]
