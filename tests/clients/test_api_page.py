"""The examples of deploy/docs/api.md, run as they are printed, against the real server."""

import re
import subprocess
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "deploy" / "docs" / "api.md").read_text()
RESOURCES = (
    "Organizations",
    "Users",
    "Personal access tokens and keys",
    "Metadata",
    "Projects",
    "Roles",
    "Project grants",
    "Applications",
    "Authorizations",
    "Administrators",
    "Sessions",
    "Devices without a browser",
    "Web keys",
)


def test_every_resource_has_an_example():
    sections = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
    for name in RESOURCES:
        assert "```sh" in sections[name] and "curl" in sections[name], name


def test_the_examples_run_as_printed(server):
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    marked = [f"echo 'block {number}' >&2\n{block}" for number, block in enumerate(blocks)]
    script = "set -euo pipefail\n" + "\n".join(marked)
    environment = {"BASE": server.url, "PAT": server.pat, "PATH": "/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-1500:] + done.stdout[-1500:]
    assert f"block {len(blocks) - 1}" in done.stderr
    assert done.stdout.count("{") > 20, "answers were printed"


def test_the_page_tells_the_settings_as_they_are():
    from iam.settings.tree import Config

    limits, rates = Config().Limits, Config().RateLimits
    assert f"| {limits.JSONDepth}, {limits.JSONMembers} |" in PAGE and limits.RequestBytes == 4 * 2**20
    for rate in (rates.Caller, rates.Address, rates.Client):
        assert f"| {rate.PerSecond:g}/s, {rate.Burst} |" in PAGE
