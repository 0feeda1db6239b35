"""What set-up makes of FirstInstance: the token of a login of one's own, and a line with the key for what it refuses."""

import os
import stat

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from iam.access.caller import RequestMeta, context_for
from iam.access.models import MembershipRow
from iam.kernel.errors import PermissionDenied
from iam.settings.sources import BadValue, leaves, read
from iam.setup import first_instance, phases
from iam.setup.naming import KEYS, BadSettingError
from iam.vault import wiring
from tests.setup.test_setup import operator  # noqa: F401 - a fixture
from users.models import UserRow

HUMAN = "FirstInstance.Org.Human"


@pytest.fixture
def config(db, tmp_path):
    """The configuration of a set-up that has not happened."""
    wiring.envelope().forget()
    made = settings.CONFIG.model_copy(deep=True)
    made.ExternalPort = 80
    made.FirstInstance.Org.Human.Password = "Start-Password-1"
    made.FirstInstance.PatPath = str(tmp_path / "admin.pat")
    made.FirstInstance.MachineKeyPath = str(tmp_path / "admin-key.json")
    return made


def changed(config, key, value):
    place = config
    *branches, last = key.split(".")
    for branch in branches:
        place = getattr(place, branch)
    setattr(place, last, value)


@pytest.mark.parametrize(("name", "shown"), [("", "login-client"), ("door", "door")])
def test_the_token_of_a_login_of_ones_own_is_written(config, tmp_path, name, shown):
    file = tmp_path / "login" / "client.pat"
    config.FirstInstance.LoginClientPatPath = str(file)
    config.FirstInstance.Org.LoginClient.Machine.Username = name
    config.FirstInstance.Org.LoginClient.Pat.ExpirationDate = "2099-01-01T00:00:00Z"
    first_instance.make(config)
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    ctx = context_for(RequestMeta("localhost", headers={"authorization": f"Bearer {file.read_text().strip()}"}))
    row = UserRow.objects.get(id=ctx.caller.user_id)
    assert (row.user_name, row.kind) == (shown, "machine")
    held = MembershipRow.objects.filter(user_id=row.id).values_list("level", "roles")
    assert list(held) == [("instance", ["IAM_LOGIN_CLIENT"])]
    ctx.require("session.write", ctx.instance)
    with pytest.raises(PermissionDenied):
        ctx.require("iam.write", ctx.instance)


def test_without_a_file_there_is_no_such_user(config):
    first_instance.make(config)
    assert not MembershipRow.objects.filter(roles__icontains="IAM_LOGIN_CLIENT").exists()


WRONG = {
    f"{HUMAN}.Password": "short",
    f"{HUMAN}.UserName": "a b",
    f"{HUMAN}.Email.Address": "nobody",
    f"{HUMAN}.FirstName": "",
    f"{HUMAN}.LastName": "x" * 201,
    f"{HUMAN}.PreferredLanguage": "!",
    "FirstInstance.Org.Machine.Machine.Username": "a b",
    "FirstInstance.Org.Machine.Machine.Name": "x" * 201,
    "FirstInstance.Org.Machine.Pat.ExpirationDate": "2001-01-01T00:00:00Z",
    "FirstInstance.Org.LoginClient.Machine.Username": "a b",
    "FirstInstance.Org.LoginClient.Pat.ExpirationDate": "2001-01-01T00:00:00Z",
    "FirstInstance.Org.Name": "x" * 201,
    "FirstInstance.InstanceName": "x" * 1001,
    "FirstInstance.DefaultLanguage": "tlh",
}


@pytest.mark.parametrize(("key", "value"), WRONG.items())
def test_what_is_refused_is_one_line_with_key_and_variable(config, tmp_path, key, value):
    config.FirstInstance.Org.Machine.Machine.Username = "admin-api"
    config.FirstInstance.LoginClientPatPath = str(tmp_path / "client.pat")
    changed(config, key, value)
    with pytest.raises(BadSettingError) as refused:
        first_instance.make(config)
    variable = next(leaf.variable for leaf in leaves() if leaf.path == key)
    assert str(refused.value).startswith(f"{key} ({variable}): ") and "\n" not in str(refused.value)


@pytest.mark.parametrize("key", ["PatPath", "MachineKeyPath", "LoginClientPatPath"])
def test_a_file_that_cannot_be_written_is_named(config, tmp_path, key):
    config.FirstInstance.Org.Machine.Machine.Username = "admin-api"
    (tmp_path / "file").write_text("")
    setattr(config.FirstInstance, key, str(tmp_path / "file" / "token"))
    with pytest.raises(BadSettingError, match="file"):
        first_instance.make(config)


def test_every_key_that_is_named_exists():
    known = {leaf.path for leaf in leaves()}
    assert {key for fields in KEYS.values() for key in fields.values()} <= known


def test_the_process_ends_with_one_line(config, monkeypatch, capsys):
    config.FirstInstance.Org.Human.Password = "short"
    monkeypatch.setattr(settings, "CONFIG", config)
    with pytest.raises(SystemExit) as ended:
        phases._make_first_instance()
    told = capsys.readouterr().err
    assert ended.value.code == 1
    assert told.count("\n") == 1 and "ZITADEL_FIRSTINSTANCE_ORG_HUMAN_PASSWORD" in told


@pytest.mark.parametrize("text", ["tomorrow", "2030-01-01T00:00:00", "2030-13-01T00:00:00Z"])
def test_a_time_that_is_none_is_refused_before(text):
    with pytest.raises(BadValue, match=r"FirstInstance\.Org\.Machine\.Pat\.ExpirationDate"):
        read([], {"ZITADEL_FIRSTINSTANCE_ORG_MACHINE_PAT_EXPIRATIONDATE": text})


def test_a_database_with_another_style_of_dates_is_set_up(operator):  # noqa: F811
    if connection.vendor != "postgresql":
        pytest.skip("PostgreSQL's setting")
    with psycopg.connect(operator.environment["ZITADEL_DATABASE_POSTGRES_DSN"], autocommit=True) as connected:
        connected.execute(f"ALTER DATABASE \"{connected.info.dbname}\" SET datestyle = 'SQL, DMY'")
    done = operator.manage("setup")
    assert done.returncode == 0, done.stderr
