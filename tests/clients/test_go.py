"""The Go SDK (github.com/zitadel/zitadel-go/v3) against the real server, where a Go toolchain is at hand."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

MODULE = Path(__file__).parent / "go"


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    """The built program. The first build compiles the SDK's generated code and takes minutes; Go keeps the result."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("no Go toolchain here: the SDK cannot be built; its calls are replayed with grpcio elsewhere")
    target = tmp_path_factory.mktemp("go") / "client"
    built = subprocess.run(
        [go, "build", "-o", str(target), "."], cwd=MODULE, capture_output=True, text=True, timeout=900, check=False
    )
    assert built.returncode == 0, built.stderr
    return target


def test_the_go_sdk_signs_in_with_a_key_and_calls_v1_and_v2(server, program):
    command = [str(program), str(server.port), str(server.var / "admin-key.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told.pop("users") >= 2
    assert told == {
        "per_service": "ZITADEL",
        "all_services": "ZITADEL",
        "project": "renamed by Go",
        "listed": 1,
        "gone": "NotFound",
    }
