"""Makes recorded calls against a fresh server of ours and prints what differs without a decision.

    python -m tests.recorded FOLDER [answers-4.13.0.json]

The folder holds replay.py, accepted.json and the recorded answers; it is not a part of this repository. What is decided to
stay stands in accepted.json and, beside that, in deploy/docs/differences.json. The exit code is 1 when a difference of
rank 1 or 2 (done or refused; status or error code) is not decided. What is not built answers 501 and is counted apart.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.servers import ROOT, new_server

DECIDED = ROOT / "deploy" / "docs" / "differences.json"
WITHOUT_LIMITS = {"ZITADEL_RATELIMITS_ENABLED": "false"}


def merged(given: dict, ours: dict) -> dict:
    """Both lists of decisions; where both speak of a call, either answer holds."""
    calls = dict(given["calls"])
    for name, row in ours["calls"].items():
        before = calls.get(name, {"ours": []})
        calls[name] = {"ours": [*before["ours"], *row["ours"]], "why": row["why"]}
    return {**given, "calls": calls, "members": [*given["members"], *ours["members"]]}


def answers_of_a_fresh_server(folder: Path, out: Path) -> None:
    """Make the calls and keep the answers."""
    server = new_server(folder / "server")
    server.environment |= WITHOUT_LIMITS
    server.start()
    try:
        replay(folder, "run", server.url, str(server.var / "admin.pat"), str(out), check=True)
    finally:
        server.kill()


def replay(folder: Path, *words: str, check: bool = False) -> int:
    """Run the script."""
    return subprocess.run([sys.executable, str(folder / "replay.py"), *words], check=check).returncode


def main(folder: str, recorded: str = "answers-4.13.0.json") -> int:
    """Run and compare."""
    with tempfile.TemporaryDirectory() as made:
        here = Path(made)
        (here / "server").mkdir()
        shutil.copy(Path(folder) / "replay.py", here / "replay.py")
        decided = merged(json.loads((Path(folder) / "accepted.json").read_text()), json.loads(DECIDED.read_text()))
        (here / "accepted.json").write_text(json.dumps(decided))
        answers_of_a_fresh_server(here, here / "ours.json")
        return replay(here, "compare", str(Path(folder) / recorded), str(here / "ours.json"))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
