"""The recipe of the README, run as it is printed, against the real server."""

import json
import re
import subprocess
from pathlib import Path

README = (Path(__file__).parents[2] / "README.md").read_text()


def recipe() -> str:
    """The indented lines below the recipe's heading."""
    (section,) = re.findall(r"^## The recipe with curl\n(.*?)(?=^## )", README, re.MULTILINE | re.DOTALL)
    return "\n".join(line[4:] for line in section.splitlines() if line.startswith("    "))


def test_the_recipe_runs_as_printed(server):
    script = (
        recipe().replace("http://localhost:8080", server.url).replace("var/admin.pat", str(server.var / "admin.pat"))
    )
    shown = 'printf "\\n%s %s %s" "$PROJECT_ID" "$CLIENT_ID" "$USER_ID"'
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{script}\n{shown}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *answers, ids = done.stdout.splitlines()
    project, client, user = ids.split()
    assert project.isdigit() and client.isdigit() and user.isdigit()
    mine = json.loads("{" + answers[-1].rpartition("}{")[2])
    assert mine["user"]["id"] == user and mine["user"]["userName"] == "robot"
    assert '"org"' in done.stdout and '"clientSecret"' in done.stderr
