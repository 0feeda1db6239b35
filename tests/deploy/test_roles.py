"""The command lines of the complete compose file, each role a process of its own, from what the image holds."""

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import yaml

from tests.deploy.support import DEPLOY, MASTER, clean_environment, until_it_answers
from tests.ports import free_port

SERVICES = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())["services"]


class House:
    """Containers without containers: hosts and the port of the compose file are this test's own."""

    def __init__(self, image, folder, postgres, redis):
        self.image, self.folder, self.port, self.running = image, folder, free_port(), []
        self.environment = clean_environment(
            GATEHOUSE_HOME=str(image / "app"),
            GATEHOUSE_VAR=str(folder),
            PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            PYTHONDONTWRITEBYTECODE="1",
            ZITADEL_MASTERKEY=MASTER,
            ZITADEL_DATABASE_POSTGRES_HOST="127.0.0.1",
            ZITADEL_DATABASE_POSTGRES_PORT=str(postgres.port),
            ZITADEL_DATABASE_POSTGRES_DATABASE="complete",
            ZITADEL_CACHES_CONNECTORS_REDIS_ENABLED="true",
            ZITADEL_CACHES_CONNECTORS_REDIS_ADDR=redis,
            ZITADEL_PORT=str(self.port),
            ZITADEL_FIRSTINSTANCE_ORG_MACHINE_MACHINE_USERNAME="admin-api",
            ZITADEL_FIRSTINSTANCE_PATPATH=str(folder / "admin.pat"),
        )

    def command(self, service):
        config = str(DEPLOY / "compose" / "config.yaml")
        words = [config if word == "/config/config.yaml" else word for word in SERVICES[service]["command"]]
        return [str(self.image / "usr/local/bin/gatehouse"), *words]

    def finish(self, service):
        """A role that ends by itself; answers what it said."""
        done = subprocess.run(
            self.command(service), env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, service):
        """A role that goes on."""
        log = self.folder / f"{service}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(self.command(service), env=self.environment, stdout=file, stderr=file)
        self.running.append(process)
        return process, log

    def lag(self):
        command = [str(self.image / "usr/local/bin/gatehouse"), "lag"]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True).stdout

    def stop(self):
        for process in self.running:
            process.terminate()
        return [process.wait(30) for process in self.running]


@pytest.fixture
def house(image, tmp_path, postgres, redis):
    made = House(image, tmp_path, postgres, redis)
    yield made
    made.stop()


def test_row_10_init_setup_web_worker_and_beat_work_together(house):
    house.finish("init")
    assert "Password" in house.finish("setup")
    process, log = house.start("zitadel")
    until_it_answers(f"http://localhost:{house.port}/debug/ready", process, log)
    house.start("worker")
    house.start("beat")
    pat = (house.folder / "admin.pat").read_text().strip()
    headers = {"Authorization": f"Bearer {pat}", "Content-Type": "application/json"}
    asked = urllib.request.Request(f"http://localhost:{house.port}/v2/projects", b'{"name":"followed"}', headers)
    urllib.request.urlopen(asked, timeout=10)
    for _ in range(100):
        if "0 facts and 0 s behind" in house.lag():
            break
        time.sleep(0.3)
    assert "0 facts and 0 s behind" in house.lag(), (house.folder / "worker.log").read_text()
    assert house.stop() == [0, 0, 0]
