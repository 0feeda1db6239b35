"""The Dockerfile: linted, and everything that it copies suffices to run every role."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.support import DEPLOY, MASTER, clean_environment, copies
from tests.servers import ROOT

DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
HADOLINT = str(Path(sys.executable).parent / "hadolint")
ROLES = ("init", "setup", "start", "start-from-init", "start-from-setup", "worker", "beat", "ready")


def command(image, *words, **variables):
    """The image's entrypoint with a command, as a process."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = clean_environment(
        GATEHOUSE_HOME=str(image / "app"), PATH=path, PYTHONDONTWRITEBYTECODE="1", **variables
    )
    entrypoint = str(image / "usr/local/bin/gatehouse")
    return subprocess.run([entrypoint, *words], env=environment, capture_output=True, text=True, check=False)


def test_row_04_the_linter_has_nothing_to_say():
    done = subprocess.run(
        [HADOLINT, "--no-color", str(DEPLOY / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_linter_would_notice():
    wrong = "FROM debian\nRUN cd /tmp\n"
    done = subprocess.run([HADOLINT, "-"], input=wrong, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "DL3006" in done.stdout


def test_row_04_the_image_runs_as_nobody_in_particular():
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.M) == ["1000:1000"]
    assert re.findall(r"^EXPOSE (.*)$", DOCKERFILE, re.M) == ["8080"]
    assert not re.search(r"(?i)(password|masterkey|secret)=", DOCKERFILE)
    assert all(re.search(r"slim", line) for line in re.findall(r"^FROM .*$", DOCKERFILE, re.M))


def test_row_54_the_image_has_curl_for_the_check_inside():
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"apt-get install -y --no-install-recommends .*\bcurl\b", last)


def test_everything_that_is_copied_exists():
    for sources, _ in copies():
        for source in sources:
            assert (ROOT / source).exists(), source


def test_nothing_secret_or_needless_gets_into_the_image(image):
    names = {str(one.relative_to(image / "app")) for one in (image / "app").rglob("*") if one.is_file()}
    assert {"manage.py", "iam/api/gen/v1.py", "iam/locale/de/LC_MESSAGES/django.mo"} <= names
    assert any(name.startswith("static/") for name in names)
    unwanted = re.compile(r"(^|/)(\.|tests/|var/|node_modules/|__pycache__/)|masterkey$|\.sqlite3|\.pem$|\.key$")
    assert [name for name in names if unwanted.search(name)] == []


def test_row_04_every_role_is_a_command_of_the_image(image, tmp_path):
    told = command(image, "help", GATEHOUSE_VAR=str(tmp_path)).stdout
    assert [role for role in ROLES if not re.search(rf"^\s+{role}$", told, re.M)] == []
    nothing = command(image)
    assert (nothing.returncode, "name a command" in nothing.stderr) == (1, True)


@pytest.mark.parametrize("key", ["", "short", MASTER + "\n"])
def test_row_03_a_wrong_master_key_is_refused_in_clear_words(image, tmp_path, key):
    done = command(image, "setup", "--masterkey", key, GATEHOUSE_VAR=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("master key: ") and "Traceback" not in done.stderr


def test_row_03_what_openssl_prints_is_a_master_key(image, tmp_path):
    made = subprocess.run(["openssl", "rand", "-hex", "16"], capture_output=True, text=True, check=True).stdout.strip()
    done = command(image, "setup", "--masterkeyFromEnv", GATEHOUSE_VAR=str(tmp_path), ZITADEL_MASTERKEY=made)
    assert done.returncode == 0, done.stderr


def test_row_04_an_empty_flag_leaves_the_key_to_the_variable(image, tmp_path):
    done = command(image, "setup", "--masterkey", "", GATEHOUSE_VAR=str(tmp_path), ZITADEL_MASTERKEY=MASTER)
    assert done.returncode == 0, done.stderr


def test_the_root_file_system_may_be_read_only(image, tmp_path):
    """Nothing is written beside the state folder and the temporary folder."""
    before = set(image.rglob("*"))
    (tmp_path / "tmp").mkdir()
    done = command(
        image, "setup", GATEHOUSE_VAR=str(tmp_path / "var"), TMPDIR=str(tmp_path / "tmp"), ZITADEL_MASTERKEY=MASTER
    )
    assert done.returncode == 0, done.stderr
    assert set(image.rglob("*")) == before
