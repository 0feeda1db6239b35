"""SystemAPIUsers: variable and file, keys of every kind, and what ends the process before it listens."""

import base64
import json

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from iam.settings.sources import BadValue, read
from tests.servers import certify
from tests.system.support import pair

PUBLIC = pair()[1]


def from_variable(users):
    return read([], {"ZITADEL_SYSTEMAPIUSERS": json.dumps(users)})[0].SystemAPIUsers


def test_without_memberships_a_system_user_owns_the_system():
    found = from_variable({"superuser": {"KeyData": base64.b64encode(PUBLIC.encode()).decode()}})["superuser"]
    assert [(one.MemberType, one.Roles) for one in found.Memberships] == [("System", ("SYSTEM_OWNER",))]
    assert found.public_key == PUBLIC


def test_a_file_names_them_as_a_map_or_a_list(tmp_path):
    (tmp_path / "key.pub").write_text(PUBLIC)
    user = {"Path": str(tmp_path / "key.pub"), "Memberships": [{"MemberType": "System", "Roles": "SYSTEM_OWNER"}]}
    for users in ({"superuser": user}, [{"superuser": user}]):
        (tmp_path / "c.yaml").write_text(yaml.safe_dump({"SystemAPIUsers": users}))
        config, warnings = read(["--config", str(tmp_path / "c.yaml")], {})
        assert (list(config.SystemAPIUsers), warnings) == (["superuser"], [])
        assert config.SystemAPIUsers["superuser"].public_key == PUBLIC


def test_a_certificate_is_taken_for_its_key(tmp_path):
    certify(tmp_path / "cert.pem", tmp_path / "key.pem")
    found = from_variable({"superuser": {"Path": str(tmp_path / "cert.pem")}})["superuser"]
    assert found.public_key.startswith("-----BEGIN PUBLIC KEY-----")


def weak():
    key = rsa.generate_private_key(65537, 1024).public_key()
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def member(**one):
    return {"KeyData": PUBLIC, "Memberships": [one]}


WRONG = {
    "no key": ({}, "exactly one of Path and KeyData"),
    "two keys": ({"KeyData": PUBLIC, "Path": "x"}, "exactly one of Path and KeyData"),
    "no file": ({"Path": "/nowhere/key.pub"}, "cannot read /nowhere/key.pub"),
    "no base64": ({"KeyData": "***"}, "neither PEM nor base64"),
    "no key in it": ({"KeyData": "AAAA"}, "no PEM public key"),
    "a private key": ({"KeyData": pair()[0]}, "no PEM public key"),
    "a weak key": ({"KeyData": weak()}, "2048"),
    "an unknown role": (member(Roles=["SYSTEM_GOD"]), "unknown role SYSTEM_GOD"),
    "no role": (member(Roles=[]), "at least one role"),
    "an unknown level": (member(MemberType="Galaxy", Roles=["IAM_OWNER"]), "pattern"),
    "an instance without id": (member(MemberType="IAM", Roles=["IAM_OWNER"]), "AggregateID is needed"),
    "the system with an id": (member(MemberType="System", AggregateID="1", Roles=["IAM_OWNER"]), "AggregateID"),
    "an unknown key": ({"KeyData": PUBLIC, "Member": []}, "Extra inputs"),
}


@pytest.mark.parametrize(("user", "told"), WRONG.values(), ids=WRONG)
def test_e08_a_wrong_system_user_ends_the_process(user, told):
    with pytest.raises(BadValue, match=told) as wrong:
        from_variable({"superuser": user})
    assert "PRIVATE KEY" not in str(wrong.value)


def test_what_is_no_json_is_refused():
    with pytest.raises(BadValue, match="no JSON"):
        read([], {"ZITADEL_SYSTEMAPIUSERS": "{"})
