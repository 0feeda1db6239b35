"""The examples of deploy/docs/api.md, run as they are printed, against the real server."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from iam.api.gen import admin_v1, policy_v1, settings_v2
from tests.servers import new_server
from tests.system.support import pair

KINDS = (
    settings_v2.LoginSettings,
    settings_v2.LockoutSettings,
    settings_v2.DomainSettings,
    settings_v2.SecuritySettings,
    policy_v1.LoginPolicy,
    policy_v1.LabelPolicy,
    policy_v1.DomainPolicy,
    admin_v1.SetRestrictionsRequest,
)

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
    "Webhooks",
    "Settings",
    "Features",
    "Instance",
    "System",
)


def test_every_resource_has_an_example():
    sections = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
    for name in RESOURCES:
        assert "```sh" in sections[name] and "curl" in sections[name], name


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of its own, operated by `superuser`."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "superuser.pem").write_text(pair()[0])
    made = new_server(folder)
    made.environment["ZITADEL_SYSTEMAPIUSERS"] = json.dumps({"superuser": {"KeyData": pair()[1]}})
    made.start()
    yield made
    made.kill()


def test_the_examples_run_as_printed(server):
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    marked = [f"echo 'block {number}' >&2\n{block}" for number, block in enumerate(blocks)]
    script = "set -euo pipefail\n" + "\n".join(marked)
    environment = {
        "BASE": server.url,
        "PAT": server.pat,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "SYSTEM_KEY": str(server.var / "superuser.pem"),
        "SYSTEM_AUDIENCE": server.url,
    }
    done = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-1500:] + done.stdout[-1500:]
    assert f"block {len(blocks) - 1}" in done.stderr
    assert done.stdout.count("{") > 20, "answers were printed"
    assert '"name": "Second"' in done.stdout, "an operator made an instance"


def test_what_changes_nothing_yet_is_told_by_names_that_exist():
    """A setting that is renamed is renamed there, too."""
    rows = re.findall(r"^\| (?:login|lockout|domain|branding|security)\S*: (.*?) \|", PAGE, re.MULTILINE)
    names = re.findall(r"`(\w+)`", " ".join(rows))
    known = {field.json_name for kind in KINDS for field in kind.DESCRIPTOR.fields}
    assert names and [one for one in names if one not in known] == []


def test_the_page_tells_the_settings_as_they_are():
    from iam.settings.tree import Config

    limits, rates = Config().Limits, Config().RateLimits
    assert f"| {limits.JSONDepth}, {limits.JSONMembers} |" in PAGE and limits.RequestBytes == 4 * 2**20
    for rate in (rates.Caller, rates.Address, rates.Client):
        assert f"| {rate.PerSecond:g}/s, {rate.Burst} |" in PAGE
