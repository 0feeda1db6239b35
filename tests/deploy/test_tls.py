"""TLS of the process itself, and TLS towards PostgreSQL."""

import base64
import json
import os
import re
import subprocess
import sys

import grpc
import psycopg
import pytest
import yaml

from iam.api.gen import admin_v1
from tests.deploy.support import MASTER, Authority, clean_environment, curl, until_it_answers
from tests.ports import free_port
from tests.servers import ROOT

HOST = "auth.example.com"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def certificate(authority):
    return authority.issue(HOST, "localhost")


def as_files(certificate, key):
    return {"TLS": {"CertPath": str(certificate), "KeyPath": str(key)}}


def as_base64(certificate, key):
    return {"TLS": {"Cert": _base64(certificate), "Key": _base64(key)}}


def as_printed_in_the_handbook(certificate, key):
    return {"TLS": {"Key": key.read_text(), "Certificate": certificate.read_text()}}


def _base64(file):
    return base64.b64encode(file.read_bytes()).decode()


class Started:
    """`start-from-setup` with a configuration file and flags."""

    def __init__(self, folder, tree, *flags):
        self.port = free_port()
        (folder / "config.yaml").write_text(yaml.safe_dump(tree | {"Port": self.port}))
        self.log = folder / "log"
        self._file = self.log.open("wb")
        environment = clean_environment(GATEHOUSE_VAR=str(folder), TMPDIR=str(folder), ZITADEL_MASTERKEY=MASTER)
        command = [sys.executable, "manage.py", "start-from-setup", "--config", str(folder / "config.yaml"), *flags]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=self._file, stderr=self._file)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        self._file.close()

    def until_ready(self, scheme):
        until_it_answers(f"{scheme}://localhost:{self.port}/debug/ready", self.process, self.log)


def public(**more):
    return {"ExternalDomain": HOST, "ExternalPort": 443} | more


@pytest.mark.parametrize("spelled", [as_files, as_base64, as_printed_in_the_handbook])
def test_row_13_the_process_serves_tls(spelled, tmp_path, authority, certificate):
    with Started(tmp_path, public(**spelled(*certificate)), "--tlsMode", "enabled") as server:
        server.until_ready("https")
        to = ["--connect-to", f"{HOST}:443:127.0.0.1:{server.port}", "--cacert", str(authority.file)]
        for flag, version in (("--http1.1", "1.1"), ("--http2", "2")):
            spoken, status, body = curl(flag, *to, f"https://{HOST}/.well-known/openid-configuration")
            assert (spoken, status, json.loads(body)["issuer"]) == (version, "200", f"https://{HOST}")
        grpc_over_tls(server.port, authority)
        with pytest.raises(AssertionError):
            curl("--tls-max", "1.1", *to, f"https://{HOST}/debug/healthz")
    assert "Traceback" not in server.log.read_text()
    assert [one for one in tmp_path.glob("gatehouse-*.pem") if one.stat().st_mode & 0o077] == []


def grpc_over_tls(port, authority):
    credentials = grpc.ssl_channel_credentials(authority.file.read_bytes())
    with grpc.secure_channel(f"localhost:{port}", credentials, (("grpc.default_authority", HOST),)) as channel:
        channel.unary_unary(
            "/zitadel.admin.v1.AdminService/Healthz",
            request_serializer=lambda one: one.SerializeToString(),
            response_deserializer=admin_v1.HealthzResponse.FromString,
        )(admin_v1.HealthzRequest(), timeout=10)


@pytest.mark.parametrize(
    ("mode", "tree", "issuer"),
    [
        ("external", public(ExternalPort=8443), f"https://{HOST}:8443"),
        ("disabled", public(ExternalSecure=True, ExternalPort=80, TLS={"Enabled": True}), f"http://{HOST}"),
    ],
)
def test_row_18_the_mode_decides_scheme_and_cookies(mode, tree, issuer, tmp_path):
    with Started(tmp_path, tree, "--tlsMode", mode) as server:
        server.until_ready("http")
        asked = ["-H", f"Host: {issuer.partition('://')[2]}", f"http://127.0.0.1:{server.port}"]
        assert json.loads(curl(*asked[:2], f"{asked[2]}/.well-known/openid-configuration")[2])["issuer"] == issuer
        _, status, answer = curl("-i", *asked[:2], f"{asked[2]}/ui/console/login?next=%2Fui%2Fconsole%2F")
        cookies = re.findall(r"(?im)^set-cookie: (.*)$", answer)
        assert cookies, (status, answer)
        assert all(("Secure" in cookie) == issuer.startswith("https") for cookie in cookies)


def test_row_18_the_variable_makes_the_issuer_secure(tmp_path):
    code = "from iam.setup.first_instance import base_url; from django.conf import settings; print(base_url(settings.CONFIG))"
    environment = clean_environment(
        GATEHOUSE_VAR=str(tmp_path),
        ZITADEL_EXTERNALSECURE="true",
        ZITADEL_EXTERNALDOMAIN=HOST,
        ZITADEL_EXTERNALPORT="443",
    )
    command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"https://{HOST}"


@pytest.mark.parametrize(
    ("tls", "says"),
    [
        ({}, "TLS.KeyPath"),
        ({"KeyPath": "/nowhere/tls.key", "CertPath": "/nowhere/tls.crt"}, "/nowhere/tls.key"),
        ({"Key": "no key", "Cert": "no certificate"}, "TLS.Key is neither PEM"),
        ("other key", "TLS.KeyPath"),
    ],
)
def test_row_13_what_cannot_serve_tls_is_named_before_anything_starts(tls, says, tmp_path, authority, certificate):
    if tls == "other key":
        tls = {"CertPath": str(certificate[0]), "KeyPath": str(authority.issue("other.example.com")[1])}
    with Started(tmp_path, public(TLS=tls), "--tlsMode", "enabled") as server:
        assert server.process.wait(30) == 1
        told = server.log.read_text()
    assert says in told and "Traceback" not in told
    assert "migrations" not in told


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def secured(postgres, authority):
    """PostgreSQL that speaks TLS with a certificate for `localhost`, and refuses `zitadel` over plain connections."""
    certificate, key = authority.issue("localhost")
    data = postgres.folder / "data"
    for file, name in ((certificate, "server.crt"), (key, "server.key")):
        place = data / name
        place.write_bytes(file.read_bytes())
        place.chmod(0o600)
        owner = data.stat()
        os.chown(place, owner.st_uid, owner.st_gid)
    rules = (data / "pg_hba.conf").read_text()
    (data / "pg_hba.conf").write_text("hostnossl secured all all reject\n" + rules)
    with psycopg.connect(postgres.dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE secured OWNER zitadel")
        connection.execute("ALTER SYSTEM SET ssl = on")
        connection.execute("SELECT pg_reload_conf()")
    return postgres


def phase(name, folder, secured, host="localhost", **variables):
    """A phase as a process, with verify-full."""
    environment = clean_environment(
        **{
            "GATEHOUSE_VAR": str(folder),
            "ZITADEL_MASTERKEY": MASTER,
            "ZITADEL_DATABASE_POSTGRES_HOST": host,
            "ZITADEL_DATABASE_POSTGRES_PORT": str(secured.port),
            "ZITADEL_DATABASE_POSTGRES_DATABASE": "secured",
            "ZITADEL_DATABASE_POSTGRES_USER_PASSWORD": "zitadel",
            "ZITADEL_DATABASE_POSTGRES_USER_SSL_MODE": "verify-full",
            "ZITADEL_DATABASE_POSTGRES_ADMIN_USERNAME": "zitadel",
            "ZITADEL_DATABASE_POSTGRES_ADMIN_PASSWORD": "zitadel",
            "ZITADEL_DATABASE_POSTGRES_ADMIN_SSL_MODE": "verify-full",
        }
        | variables
    )
    command = [sys.executable, "manage.py", name]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


def trusting(file):
    """Both users trust this authority."""
    return {f"ZITADEL_DATABASE_POSTGRES_{user}_SSL_ROOTCERT": str(file) for user in ("USER", "ADMIN")}


def test_row_14_verify_full_works_with_the_right_authority(secured, authority, tmp_path):
    for name in ("init", "setup"):
        done = phase(name, tmp_path, secured, **trusting(authority.file))
        assert done.returncode == 0, done.stderr
    assert re.search(r"Login\s+zitadel-admin", done.stdout)


def test_row_14_without_a_file_the_authorities_of_the_system_count(secured, authority, tmp_path):
    done = phase("init", tmp_path, secured, SSL_CERT_FILE=str(authority.file))
    assert done.returncode == 0, done.stderr
    for name in ("init", "setup"):
        refused = phase(name, tmp_path, secured)
        assert (refused.returncode, "the authorities of this system" in refused.stderr) == (1, True), refused.stderr


@pytest.mark.parametrize("name", ["init", "setup", "start"])
def test_row_14_a_wrong_authority_is_refused_and_named(name, secured, tmp_path):
    wrong = Authority(tmp_path, "Another CA").file
    done = phase(name, tmp_path, secured, **trusting(wrong))
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    for part in (f"localhost:{secured.port}", "certificate verify failed", "SSL.RootCert", str(wrong)):
        assert part in done.stderr, done.stderr


@pytest.mark.parametrize("name", ["init", "setup", "start"])
def test_row_14_a_wrong_host_name_is_refused_and_named(name, secured, authority, tmp_path):
    done = phase(name, tmp_path, secured, host="127.0.0.1", **trusting(authority.file))
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    for part in (f"127.0.0.1:{secured.port}", "does not match host name", "Database.Postgres.Host"):
        assert part in done.stderr, done.stderr


def test_row_14_a_missing_file_is_named(secured, tmp_path):
    done = phase("setup", tmp_path, secured, **trusting(tmp_path / "none.crt"))
    assert done.returncode == 1
    assert str(tmp_path / "none.crt") in done.stderr and "Traceback" not in done.stderr


def test_row_14_verification_cannot_be_left_out_by_the_server(secured, tmp_path):
    done = phase("setup", tmp_path, secured, ZITADEL_DATABASE_POSTGRES_USER_SSL_MODE="disable")
    assert done.returncode == 1
    assert "SSL.Mode" in done.stderr and "Traceback" not in done.stderr
