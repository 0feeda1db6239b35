"""Where configuration comes from, and what is said about what is wrong."""

import pytest
import yaml

from iam.settings.elsewhere import is_known_elsewhere
from iam.settings.keys import master_keys
from iam.settings.sources import BadValue, leaves, read
from iam.vault import wiring
from iam.vault.masterkey import BadMasterKey, parse


def test_flags_win_over_variables_over_files(tmp_path):
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("Port: 1000\nExternalDomain: a.example\nLog:\n  Level: debug\n")
    second.write_text("port: 2000\nlog:\n  level: error\n")
    files = ["--config", str(first), "--config", str(second)]
    config, warnings = read(files, {"ZITADEL_EXTERNALDOMAIN": "b.example"})
    assert (config.Port, config.ExternalDomain, config.Log.Level, warnings) == (2000, "b.example", "error", [])
    assert read([*files, "--port=3000"], {})[0].Port == 3000


def test_an_unknown_key_names_the_nearest(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("Databse:\n  Postgres:\n    Host: x\n")
    _, warnings = read(["--config", str(file)], {"ZITADEL_PROT": "1"})
    assert "Databse.Postgres.Host" in warnings[0] and "did you mean Database.Postgres.Host?" in warnings[0]
    assert "did you mean ZITADEL_PORT?" in warnings[1]


@pytest.mark.parametrize("value", ["abc", "0", "70000", ""])
def test_a_value_that_does_not_parse_names_key_value_and_source(value):
    with pytest.raises(BadValue) as wrong:
        read([], {"ZITADEL_PORT": value})
    for part in ("Port", repr(value), "environment variable ZITADEL_PORT"):
        assert part in str(wrong.value)


def test_trusted_proxies_are_networks():
    assert read([], {"ZITADEL_TRUSTEDPROXIES": "10.0.0.0/8,::1"})[0].TrustedProxies == "10.0.0.0/8,::1"
    with pytest.raises(BadValue, match="TrustedProxies"):
        read([], {"ZITADEL_TRUSTEDPROXIES": "my-proxy"})


def test_durations_are_written_as_in_go():
    config, _ = read([], {"ZITADEL_OIDC_DEFAULTACCESSTOKENLIFETIME": "1h30m"})
    assert config.OIDC.DefaultAccessTokenLifetime.total_seconds() == 5400
    with pytest.raises(BadValue):
        read([], {"ZITADEL_OIDC_DEFAULTACCESSTOKENLIFETIME": "soon"})


def test_tls_modes():
    assert read(["--tlsMode", "external"], {})[0].ExternalSecure is True
    with pytest.raises(BadValue):
        read(["--tlsMode", "nope"], {})


@pytest.mark.parametrize("text", ["", "short", "x" * 31, "0123456789abcdef0123456789abcdef\n", "g" * 64, "a" * 32])
def test_e08_bad_master_keys_are_refused(text):
    with pytest.raises(BadMasterKey):
        parse(text)


def test_the_master_key_is_given_once(tmp_path):
    key = "0123456789abcdef0123456789abcdef"
    assert master_keys([], {"ZITADEL_MASTERKEY": key}, tmp_path, embedded=False) == [key.encode()]
    with pytest.raises(BadMasterKey):
        master_keys(["--masterkey", key, "--masterkeyFromEnv"], {"ZITADEL_MASTERKEY": key}, tmp_path, embedded=False)


def test_the_embedded_key_is_made_once_for_its_owner_only(tmp_path):
    first = master_keys([], {}, tmp_path, embedded=True)
    assert master_keys([], {}, tmp_path, embedded=True) == first
    assert (tmp_path / "masterkey").stat().st_mode & 0o777 == 0o600


def test_row_04_an_empty_flag_falls_back_to_the_variable_or_fails_clearly(tmp_path):
    key = "0123456789abcdef0123456789abcdef"
    assert master_keys(["--masterkey", ""], {"ZITADEL_MASTERKEY": key}, tmp_path, embedded=False) == [key.encode()]
    with pytest.raises(BadMasterKey, match="is empty"):
        master_keys(["--masterkey", ""], {}, tmp_path, embedded=False)


@pytest.mark.parametrize(
    ("values", "beginning"),
    [
        ({"ALGORITHM": "bcrypt", "COST": "14"}, "$2b$14$"),
        ({"ALGORITHM": "argon2id", "TIME": "3", "MEMORY": "32768", "THREADS": "4"}, "$argon2id$v=19$m=32768,t=3,p=4$"),
        ({"ALGORITHM": "argon2i", "TIME": "3", "MEMORY": "32768", "THREADS": "4"}, "$argon2i$v=19$m=32768,t=3,p=4$"),
        ({"ALGORITHM": "scrypt", "COST": "15"}, "$scrypt$ln=15,r=8,p=1$"),
        ({"ALGORITHM": "pbkdf2", "ROUNDS": "290000", "HASH": "sha256"}, "$pbkdf2-sha256$290000$"),
        ({"ALGORITHM": "sha2", "ROUNDS": "5000", "HASH": "sha512"}, "$6$rounds=5000$"),
    ],
)
def test_the_hashers_that_existing_files_of_variables_name_are_taken(values, beginning):
    names = {f"ZITADEL_SYSTEMDEFAULTS_PASSWORDHASHER_HASHER_{name}": value for name, value in values.items()}
    config, _ = read([], names)
    pool = wiring._password_pool(config.SystemDefaults.PasswordHasher)
    assert pool._hashers[0].beginning == beginning


@pytest.mark.parametrize(("name", "value"), [("ALGORITHM", "md5"), ("ALGORITHM", "BCRYPT2"), ("MEMORY", "1")])
def test_a_hasher_that_nobody_should_use_is_named_with_its_variable(name, value):
    with pytest.raises(BadValue, match=f"(?i){name}"):
        read([], {f"ZITADEL_SYSTEMDEFAULTS_PASSWORDHASHER_HASHER_{name}": value})


@pytest.mark.parametrize(
    "key",
    [
        "LogStore.Access.Stdout.Enabled",
        "DefaultInstance.Features.WebKey",
        "OIDC.DefaultLoginURLV2",
        "OIDC.DefaultLogoutURLV2",
        "SAML.DefaultLoginURLV2",
        "FirstInstance.Applications",
        "Projections.RequeueEvery",
        "SystemDefaults.KeyConfig.Size",
    ],
)
def test_a_key_of_the_reference_that_steers_nothing_is_told_so_without_a_hint(tmp_path, key):
    value = "x"
    for name in reversed(key.split(".")):
        value = {name: value}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(value))
    variable = f"ZITADEL_{key.upper().replace('.', '_')}"
    _, warnings = read(["--config", str(tmp_path / "a.yaml")], {variable: "x"})
    assert len(warnings) == 2
    assert all("known, without effect" in one and "did you mean" not in one for one in warnings)
    assert key in warnings[0] and variable in warnings[1]


def test_no_key_that_has_an_effect_is_called_without():
    assert not [leaf.path for leaf in leaves() if is_known_elsewhere(leaf.path)]
