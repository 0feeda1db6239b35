"""What can be told from the sources alone: one clock, no calls home, pinned packages, no secrets (E11, E14, E15)."""

import re
import subprocess
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from iam.settings.tree import Config

ROOT = Path(__file__).parent.parent.parent
ROOMS = ("eventstore", "iam", "oidc", "orgs", "projections", "projects", "users")


@cache
def tracked():
    """Every file of the project that is text."""
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    paths = [ROOT / name for name in names if name and (ROOT / name).is_file()]
    return [path for path in paths if path.suffix not in (".mo", ".png", ".ico", ".woff2")]


@cache
def sources():
    """The product's own Python, by name; generated modules left out."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text()
        for path in tracked()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in ROOMS and "gen" not in path.parts
    }


def test_e11_time_comes_from_the_application_alone():
    """A database of another clock would make one node's now another node's past."""
    sql_clock = re.compile(
        r"\bnow\(\)|CURRENT_TIMESTAMP|CURRENT_DATE|clock_timestamp|functions import .*\bNow\b|localtime"
    )
    allowed = re.compile(r"(ctx|ports|self|house\.system|wiring\.ports\(\)|timezone|system_context\(\"\"\))\.now\(\)")
    found = [
        f"{name}: {line.strip()}"
        for name, text in sources().items()
        if not name.startswith("iam/setup/")  # its lock is the database's own, and the doctor compares the clocks
        for line in text.splitlines()
        if sql_clock.search(allowed.sub("", line)) and "def now(" not in line and ".now()" not in line
    ]
    assert found == []


def test_e11_rules_never_look_at_a_clock():
    found = [
        name for name, text in sources().items() if "/domain/" in name and re.search(r"\.now\(|time\.time\(", text)
    ]
    assert found == []


def test_e14_nothing_leaves_that_the_operator_did_not_ask_for():
    """No error report; the usage report has no receiver unless the configuration names one."""
    assert Config().Telemetry.receivers == ()
    names = [line.split("[")[0].split("<")[0].split(">")[0].strip() for line in wanted()]
    assert not {one for one in names if re.search("sentry|posthog|segment|analytics|rollbar|datadog|bugsnag", one)}


def wanted():
    """The packages that are asked for by name."""
    text = (ROOT / "requirements.in").read_text()
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith(("#", "-"))]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_e15_every_package_is_pinned_with_its_hashes(name):
    text = (ROOT / name).read_text()
    assert "://" not in re.sub(r"#.*", "", text), "no index, no address"
    entries = [
        one for one in re.sub(r"\\\n\s*", " ", text).splitlines() if one.strip() and not one.lstrip().startswith("#")
    ]
    for entry in entries:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[^ ]+( ;[^-]*)?( +--hash=sha256:[0-9a-f]{64})+\s*$", entry), (
            entry[:80]
        )
    assert len(entries) > 40


USED_BY_NAME = {
    "httptools": "gunicorn's worker parses HTTP/1 with it",
    "uvloop": "gunicorn's worker runs on it",
    "h2": "gunicorn speaks HTTP/2 with it",
    "websockets": "gunicorn's worker speaks WebSocket with it",
    "wsproto": "gunicorn's worker speaks WebSocket with it",
    "googleapis-common-protos": "generated modules import google.api",
    "django-htmx": "named in INSTALLED_APPS",
    "drf-spectacular": "named in INSTALLED_APPS",
    "whitenoise": "named in MIDDLEWARE",
}


def test_e15_every_package_is_one_that_the_sources_import():
    """A name with a typing error would be a package that nothing imports."""
    imported = set()
    for text in sources().values():
        imported |= {one.split(".")[0] for one in re.findall(r"^\s*(?:import|from)\s+([A-Za-z_][\w.]*)", text, re.M)}
    providers = packages_distributions()
    used = {normal(package) for module in imported for package in providers.get(module, ())}
    asked = {normal(re.split(r"[\[<>=!~ ]", line)[0]) for line in wanted()}
    assert asked - used - {normal(name) for name in USED_BY_NAME} == set()


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


SECRETS = re.compile(
    r"-----BEGIN (?:RSA |EC )?PRIVATE KEY-----\s*\n[A-Za-z0-9+/=]{40}|\bgth[apr s]_[0-9A-Za-z]{49}\b|\bAKIA[0-9A-Z]{16}\b"
    r"|\bghp_[A-Za-z0-9]{36}\b|xox[bp]-[0-9A-Za-z-]{20,}"
)


def test_e15_no_secret_lies_among_the_files():
    found = [path.name for path in tracked() if SECRETS.search(path.read_text(errors="ignore"))]
    assert found == []
    assert SECRETS.search("gtha_" + "a" * 49), "the search finds what it looks for"
