"""The compose files: valid by the specification, and the handbook's command line run as it is printed."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import psycopg
import pytest
import yaml

from tests.deploy.support import DEPLOY, MASTER, clean_environment, handbook, until_it_answers
from tests.ports import free_port

COMPOSE = DEPLOY / "compose"
PRINTED = yaml.safe_load((COMPOSE / "handbook.yaml").read_text())
COMPLETE = yaml.safe_load((COMPOSE / "compose.yaml").read_text())
SECRETS = {"ZITADEL_MASTERKEY": MASTER, "POSTGRES_ADMIN_PASSWORD": "a", "POSTGRES_USER_PASSWORD": "b"}
README = (DEPLOY / "README.md").read_text()
OURS = ("init", "setup", "zitadel", "worker", "beat")


def test_row_01_the_kept_file_is_that_of_the_handbook():
    assert (COMPOSE / "handbook.yaml").read_text().strip() in handbook()


@pytest.mark.parametrize("file", ["handbook.yaml", "our-image.yaml", "compose.yaml"])
def test_row_01_the_files_follow_the_compose_specification(file):
    check = [str(Path(sys.executable).parent / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*check, str(COMPOSE / file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def composed(*arguments, **variables):
    """What docker-compose makes of files."""
    command = [shutil.which("docker-compose"), *arguments, "config"]
    environment = clean_environment(**variables)
    done = subprocess.run(command, cwd=COMPOSE, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return yaml.safe_load(done.stdout)["services"]


def test_row_01_docker_compose_takes_the_handbooks_file_with_our_image():
    services = composed("-f", "handbook.yaml", "-f", "our-image.yaml", ZITADEL_MASTERKEY=MASTER)
    assert set(services) == {"zitadel", "db"}
    assert services["zitadel"]["image"] == "gatehouse:latest"
    assert services["zitadel"]["depends_on"]["db"]["condition"] == "service_healthy"
    assert services["zitadel"]["environment"] == {"ZITADEL_MASTERKEY": MASTER}
    command = services["zitadel"]["command"]  # text or words, by the version of docker-compose
    assert MASTER in (shlex.split(command) if isinstance(command, str) else command)


def test_docker_compose_takes_the_complete_file_with_every_profile():
    profiles = [word for name in ("workers", "observability", "tls") for word in ("--profile", name)]
    services = composed("-f", "compose.yaml", *profiles, **SECRETS)
    assert set(services) == {"db", "redis", "otel-collector", "nginx", *OURS}
    assert set(composed("-f", "compose.yaml", **SECRETS)) >= {"db", "init", "setup", "zitadel"}
    assert services["setup"]["depends_on"]["init"]["condition"] == "service_completed_successfully"
    assert services["zitadel"]["depends_on"]["setup"]["condition"] == "service_completed_successfully"


def test_the_complete_file_gives_our_containers_no_rights():
    for name in OURS:
        service = COMPLETE["services"][name]
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert service["command"][0] == ("start" if name == "zitadel" else name)


def test_files_that_are_mounted_exist():
    for service in COMPLETE["services"].values():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert not source.startswith(".") or (COMPOSE / source).exists(), source


def test_the_complete_file_passes_a_configuration_without_warnings(tmp_path):
    from iam.settings.sources import read

    environment = composed("-f", "compose.yaml", **SECRETS)["init"]["environment"]
    config, warnings = read(["--config", str(COMPOSE / "config.yaml")], environment)
    assert warnings == []
    assert (config.Database.Postgres.Host, config.Database.Postgres.Admin.Password) == ("db", "a")
    assert config.Caches.Connectors.Redis.broker == "redis://redis:6379/10"


def test_row_32_the_documented_keys_reach_the_collector(tmp_path):
    from iam.settings.sources import read

    (words,) = re.findall(r"`Telemetry\.OpenTelemetry\.\{(.+?)\}` with `(.+?)`, `(.+?)`, `(.+?)`", README)
    signals, asked = words[0].split(","), dict(yaml.safe_load(one).popitem() for one in words[1:])
    own = tmp_path / "config.yaml"
    own.write_text(yaml.safe_dump({"Telemetry": {"OpenTelemetry": dict.fromkeys(signals, asked)}}))
    config, warnings = read(["--config", str(COMPOSE / "config.yaml"), "--config", str(own)], {})
    assert warnings == []
    watched = config.Instrumentation
    exporters = [one.Exporter for one in (watched.Trace, watched.Metric, watched.Log)]
    assert [(one.Type, one.Insecure) for one in exporters] == [("grpc", True)] * 3
    (host,) = {one.Endpoint.partition(":")[0] for one in exporters}
    (port,) = {one.Endpoint.partition(":")[2] for one in exporters}
    collector = yaml.safe_load((COMPOSE / "otel-collector.yaml").read_text())
    assert host in COMPLETE["services"]
    assert collector["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"].endswith(f":{port}")


def test_row_02_the_examples_in_the_image_are_what_the_handbooks_database_expects(image):
    from iam.settings.sources import read

    files = [
        word
        for one in ("config", "secrets", "init-steps")
        for word in ("--config", f"{image}/example-zitadel-{one}.yaml")
    ]
    config, warnings = read(files, {})
    assert warnings == []
    variables = PRINTED["services"]["db"]["environment"]
    postgres = config.Database.Postgres
    assert (postgres.Host, postgres.Database) == ("db", variables["POSTGRES_DB"])
    for user in (postgres.User, postgres.Admin):
        assert (user.Username, user.Password) == (variables["POSTGRES_USER"], variables["POSTGRES_PASSWORD"])


@pytest.fixture(scope="module")
def printed_command(image, postgres, tmp_path_factory):
    """Runs the handbook's command line; the host `db` and the port 8080 of its containers are this test's own."""
    folder, port = tmp_path_factory.mktemp("printed"), free_port()
    words = shlex.split(PRINTED["services"]["zitadel"]["command"].replace("${ZITADEL_MASTERKEY}", MASTER))
    words = [f"{image}{word}" if word.startswith("/example-") else word for word in words]
    environment = clean_environment(
        GATEHOUSE_HOME=str(image / "app"),
        GATEHOUSE_VAR=str(folder),
        PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        PYTHONDONTWRITEBYTECODE="1",
        ZITADEL_MASTERKEY=MASTER,
        ZITADEL_DATABASE_POSTGRES_HOST="127.0.0.1",
        ZITADEL_DATABASE_POSTGRES_PORT=str(postgres.port),
        ZITADEL_PORT=str(port),
    )

    def run(name):
        log = folder / f"{name}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [str(image / "usr/local/bin/gatehouse"), *words], env=environment, stdout=file, stderr=file
            )
        try:
            until_it_answers(f"http://localhost:{port}/debug/ready", process, log)
            url = f"http://localhost:{port}/.well-known/openid-configuration"
            asked = urllib.request.Request(url, headers={"Host": "localhost:8080"})  # the port that compose publishes
            with urllib.request.urlopen(asked, timeout=10) as answer:
                issuer = json.load(answer)["issuer"]
        finally:
            process.terminate()
            ended = process.wait(30)
        return issuer, log.read_text(), ended

    first, facts = run("first"), log_of(postgres)
    return first, facts, run("second"), log_of(postgres)


def log_of(postgres):
    """Every fact of the log."""
    with psycopg.connect(postgres.dsn.replace("dbname=postgres", "dbname=zitadel")) as connection:
        return connection.execute(
            "SELECT position, event_type, digest FROM eventstore_events ORDER BY position"
        ).fetchall()


def test_row_02_the_handbooks_command_line_serves(printed_command):
    issuer, log, ended = printed_command[0]
    assert issuer == "http://localhost:8080"
    assert re.search(r"Login\s+zitadel-admin\b", log) and re.search(r"Password\s+\S{12,}", log)
    assert ended == 0
    assert "unknown" not in log


def test_row_02_a_second_run_changes_nothing(printed_command):
    _, before, (issuer, log, _), after = printed_command
    assert len(before) > 10 and before == after
    assert issuer == "http://localhost:8080"
    assert "Password" not in log
