"""The doctor: a healthy house is called healthy, and each illness is named with cause and remedy."""

import datetime as dt
import json
import socket
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.db import connection
from django.test import Client

from eventstore.store import Write
from iam.settings.tree import Config
from iam.setup.doctor import database, ids, origin, outside
from iam.setup.doctor.examine import examine
from iam.setup.doctor.findings import OK, PROBLEM, WARNING
from iam.setup.seen import HEADER, PATH, signed_now
from iam.vault.models import DataKey
from orgs import commands as orgs
from orgs.domain.events import OrgAdded
from projections import indexes
from projections.models import Checkpoint, Head
from projects import commands as projects
from projects.domain.events import ProjectAdded
from tests.servers import new_server
from users import commands as users
from users.domain.events import MachineAdded


@pytest.fixture
def config(monkeypatch) -> Config:
    """A tree of its own to spoil."""
    made = settings.CONFIG.model_copy(deep=True)
    monkeypatch.setattr(settings, "CONFIG", made)
    return made


def levels(check) -> list[str]:
    """What a check found; nothing bad without cause and remedy."""
    found = list(check())
    assert all(one.cause and one.remedy for one in found if one.level != OK), found
    return [one.level for one in found]


@pytest.mark.django_db
def test_a_healthy_house_has_no_problem(house):
    assert [one for one in examine() if one.level == PROBLEM] == []


def test_a_running_server_is_seen_through_its_public_origin(server):
    done = server.manage("doctor", "--json")
    found = {one["check"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 0, done.stdout
    assert found["origin"]["level"] == OK
    assert f"localhost:{server.port} leads to this server" in found["origin"]["told"]


def test_a_database_that_cannot_be_reached_is_named_and_the_rest_is_still_looked_at(tmp_path):
    server = new_server(tmp_path)
    server.environment |= {
        "ZITADEL_MASTERKEY": "0123456789abcdef0123456789abcdef",
        "ZITADEL_DATABASE_POSTGRES_HOST": "127.0.0.1",
        "ZITADEL_DATABASE_POSTGRES_PORT": "1",
    }
    done = server.manage("doctor")
    assert done.returncode == 1
    assert "✗ database     127.0.0.1:1/zitadel cannot be reached" in done.stdout
    assert "smtp" in done.stdout and "Traceback" not in done.stdout + done.stderr


@pytest.mark.django_db
def test_another_master_key_is_a_problem_and_an_unfinished_rotation_a_warning(house, monkeypatch):
    right = settings.MASTER_KEYS()
    monkeypatch.setattr(settings, "MASTER_KEYS", lambda: [b"x" * 31 + b"y"])
    assert levels(database.master_key) == [PROBLEM]
    monkeypatch.setattr(settings, "MASTER_KEYS", lambda: [b"x" * 31 + b"y", *right])
    assert levels(database.master_key) == [WARNING]
    DataKey.objects.all().delete()
    assert levels(database.master_key) == [OK]


@pytest.mark.django_db
def test_a_pool_that_takes_more_than_the_database_gives_is_a_warning(config):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no limit of connections")
    assert levels(database.connections) == [OK]
    config.Workers = 30
    assert levels(database.connections) == [WARNING]


@pytest.mark.django_db
def test_a_log_without_its_guard_is_a_problem():
    if connection.vendor != "postgresql":
        pytest.skip("a restore without triggers is PostgreSQL's")
    assert levels(database.schema) == [OK]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE eventstore_events DISABLE TRIGGER USER")
    assert levels(database.schema) == [PROBLEM]


def test_clocks_are_compared():
    assert [database.skew("it", seconds).level for seconds in (0.5, -1.9, 3, -29, 31, -600)] == [
        OK, OK, WARNING, WARNING, PROBLEM, PROBLEM,
    ]  # fmt: skip


@pytest.mark.django_db
def test_row_45_a_public_host_of_no_instance_is_a_problem(house, config):
    assert levels(origin.hosts) == [OK]
    config.ExternalDomain = "id.example.com"
    assert levels(origin.hosts) == [PROBLEM]


def test_h02_only_the_doctor_learns_what_the_server_sees(web):
    assert web.get(PATH).status_code == 404
    for text in ("1.abc", f"{signed_now()}0", "9" * 400, ".", signed_now().replace(".", ",")):
        assert web.get(PATH, headers={HEADER: text}).status_code == 404
    answer = Client(HTTP_HOST="id.example.com").get(PATH, headers={HEADER: signed_now(), "X-Forwarded-For": "1.2.3.4"})
    assert answer.json() == {
        "host": "id.example.com",
        "peer": "127.0.0.1",
        "client": "127.0.0.1",
        "is_trusted": False,
        "forwarded_for": "1.2.3.4",
        "forwarded_proto": "",
    }


def test_what_the_server_sees_is_compared_with_what_people_type(config):
    config.ExternalDomain, config.ExternalPort, config.ExternalSecure = "id.example.com", 443, True
    seen = {"peer": "10.0.0.1", "client": "5.6.7.8", "is_trusted": True, "forwarded_for": "5.6.7.8"}
    good = {**seen, "host": "id.example.com", "forwarded_proto": "https"}

    def told(**changed):
        return [one.level for one in origin._compared("https://id.example.com", {**good, **changed})]

    assert told() == [OK]
    assert told(host="gatehouse:8080") == [PROBLEM]
    assert told(is_trusted=False) == [WARNING, OK]
    assert told(forwarded_proto="http") == [PROBLEM, OK]
    config.ExternalSecure = False
    assert told() == [PROBLEM, OK]


def certificate(folder, *, host="localhost", days=90, key=None):
    """Files of a self-signed certificate: (key, certificate)."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=100))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(pem, *plain))
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    return str(folder / "key.pem"), str(folder / "cert.pem")


@pytest.mark.parametrize(
    ("host", "days", "wanted"),
    [
        ("localhost", 90, [OK]),
        ("localhost", 5, [WARNING]),
        ("localhost", -1, [PROBLEM]),
        ("id.example.com", 90, [OK, PROBLEM]),
        ("*.example.com", 90, [OK, PROBLEM]),
    ],
)
def test_tls_files_are_read(config, tmp_path, host, days, wanted):
    config.TLS.Enabled = True
    config.TLS.KeyPath, config.TLS.CertPath = certificate(tmp_path, host=host, days=days)
    assert levels(outside.tls) == wanted


def test_a_key_of_another_certificate_and_a_missing_file_are_problems(config, tmp_path):
    config.TLS.Enabled = True
    config.TLS.KeyPath, config.TLS.CertPath = certificate(tmp_path)
    (tmp_path / "other").mkdir()
    config.TLS.KeyPath = certificate(tmp_path / "other")[0]
    assert levels(outside.tls) == [PROBLEM]
    config.TLS.KeyPath = str(tmp_path / "missing.pem")
    assert levels(outside.tls) == [PROBLEM]


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_redis_and_mail_servers_that_do_not_answer_are_problems(config):
    assert levels(outside.redis) == []
    config.Caches.Connectors.Redis.Enabled = True
    config.Caches.Connectors.Redis.Addr = f"127.0.0.1:{closed_port()}"
    assert levels(outside.redis) == [PROBLEM]
    assert levels(outside.smtp) == [OK]
    config.DefaultInstance.SMTPConfiguration.SMTP.Host = f"127.0.0.1:{closed_port()}"
    assert levels(outside.smtp) == [PROBLEM]


def test_a_mail_server_is_greeted_and_nothing_is_sent(config):
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_mail_server, args=(listener, heard), daemon=True).start()
        smtp = config.DefaultInstance.SMTPConfiguration
        smtp.SMTP.Host, smtp.From = f"127.0.0.1:{listener.getsockname()[1]}", "id@example.com"
        assert levels(outside.smtp) == [OK]
        smtp.From = ""
        assert levels(outside.smtp) == [PROBLEM]
    assert {line.split()[0].lower() for line in heard} == {b"ehlo", b"quit"}


def _mail_server(listener: socket.socket, heard: list[bytes]) -> None:
    for _ in range(2):
        peer, _address = listener.accept()
        with peer, peer.makefile("rb") as lines:
            peer.sendall(b"220 here\r\n")
            for line in lines:
                heard.append(line)
                peer.sendall(b"221 bye\r\n" if line.lower().startswith(b"quit") else b"250 fine\r\n")
                if line.lower().startswith(b"quit"):
                    break


@pytest.mark.django_db
def test_row_47_a_stopped_follower_is_a_problem_and_a_slow_one_a_warning(house):
    assert levels(outside.followers) == [OK]
    Head.objects.get_or_create(instance_id=house.instance, defaults={"position": 1})
    name = outside.lag_of()[0].projection
    stopped = {"position": 0, "error": "it broke", "failed_position": 3, "changed_at": dt.datetime.now(dt.UTC)}
    Checkpoint.objects.update_or_create(projection=name, instance_id=house.instance, defaults=stopped)
    assert PROBLEM in levels(outside.followers)


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no trigrams")
def test_without_the_extension_set_up_goes_on_and_the_doctor_says_what_is_slow(house):
    with connection.cursor() as cursor:
        cursor.execute("DROP EXTENSION pg_trgm CASCADE")
        cursor.execute("CREATE ROLE without_rights")
        cursor.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO without_rights")
        cursor.execute("SET ROLE without_rights")
        indexes.put()
        cursor.execute("RESET ROLE")
    (found,) = database.search()
    assert (found.level, "users_trigrams" in found.told, "CREATE EXTENSION pg_trgm" in found.remedy) == (
        WARNING,
        True,
        True,
    )
    indexes.put()
    assert levels(database.search) == [OK]


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no trigrams")
def test_an_index_that_was_not_finished_is_named_and_made_again(house):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_trigrams'::regclass")
    assert levels(database.search) == [WARNING]
    indexes.put()
    assert levels(database.search) == [OK]


def planted(house, kind, id, owner, fact):
    """Something with an id that is taken or forbidden, as an earlier release let it be made."""
    ctx = house.system
    ctx.store.push([Write(ctx.stream(kind, id), 0, (fact,), owner, "", ctx.now())])


def some_things(house) -> dict[str, str]:
    """One thing of each kind whose id a caller could have taken."""
    system = house.system
    project = projects.add_project(system, org_id=house.org, name="p").id
    projects.add_role(system, project_id=project, key="admin")
    other = orgs.add_org(system, name="Other").id
    _, grant = projects.add_grant(system, project_id=project, granted_org_id=other, roles=("admin",))
    machine, _ = house.machine("m")
    app = projects.add_api_app(system, project_id=project, name="a")
    given = projects.add_authorization(system, org_id=house.org, user_id=machine, project_id=project, roles=("admin",))
    return {
        "instance": house.instance, "organization": other, "project": project, "project grant": grant, "user": machine,
        "application": app.id, "client": app.client_id, "authorization": given[1],
        "personal access token": users.add_pat(system, user_id=machine).id,
        "key of a service user": users.add_machine_key(system, user_id=machine).id,
    }  # fmt: skip


TAKEN = ("instance", "organization", "project", "project grant", "user", "application", "client", "authorization",
         "personal access token", "key of a service user")  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("taken", TAKEN)
def test_t05_two_things_with_one_id_are_a_problem(house, taken):
    things = some_things(house)
    assert levels(ids.ids) == [OK]
    id = things[taken]
    if taken == "project":
        planted(house, "org", id, id, OrgAdded(name="Twin"))
    else:
        planted(house, "project", id, house.org, ProjectAdded(name="Twin"))
    (found,) = ids.ids()
    assert found.level == PROBLEM and id in found.told and taken in found.told
    assert found.cause and "facts" in found.remedy


@pytest.mark.django_db
def test_t05_what_was_removed_is_no_harm_any_more(house):
    id = some_things(house)["project grant"]
    planted(house, "project", id, house.org, ProjectAdded(name="Twin"))
    assert levels(ids.ids) == [PROBLEM]
    projects.remove_project(house.system, project_id=id)
    assert levels(ids.ids) == [OK]


@pytest.mark.django_db
@pytest.mark.parametrize("id", ["SYSTEM", "nobody", "*", "../x", "a/b", " ", "zitadel", "new", "ä"])
def test_u04_an_id_that_nothing_may_have_is_a_problem(house, id):
    planted(house, "user", id, house.org, MachineAdded(user_name="odd", name="odd"))
    (found,) = ids.ids()
    assert found.level == PROBLEM and repr(id) in found.told and found.cause and found.remedy


@pytest.mark.django_db
def test_c18_a_user_named_like_another_ones_id_is_a_warning(house):
    victim, _ = house.machine("victim")
    planted(house, "user", "0", house.org, MachineAdded(user_name=victim, name="odd"))
    (found,) = ids.ids()
    assert found.level == WARNING and victim in found.told and found.cause and found.remedy
