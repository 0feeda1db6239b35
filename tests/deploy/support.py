"""The handbook's printed text, Kubernetes objects, certificates, free ports and processes."""

import json
import os
import re
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.servers import ROOT

DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "chart"
KUBERNETES = ("1.30", "1.34")
MASTER = "0123456789abcdef0123456789abcdef"
HANDBOOK = Path(os.environ.get("GATEHOUSE_HANDBOOK", ROOT.parent / "shared" / "handbook.txt"))


def handbook() -> str:
    """The operations handbook, where it is at hand; its blocks are kept beside what they are for."""
    if not HANDBOOK.exists():
        pytest.skip("the handbook is not at hand")
    return HANDBOOK.read_text()


# --- Kubernetes ------------------------------------------------------------------------------------------------------


def handbook_values(**zitadel: Any) -> dict[str, Any]:
    """The handbook's values.yaml, with what its comments tell to set."""
    values = yaml.safe_load((CHART / "examples" / "handbook-values.yaml").read_text())
    values["zitadel"] |= zitadel
    return values


def rendered(values: Mapping[str, Any], *, name: str = "zitadel", upgrade: bool = False) -> list[dict[str, Any]]:
    """Every object of a release, as Helm's own engine renders it; each is valid in the strict sense."""
    with helm_python.Chart.load(CHART) as chart:
        chart.validate_schema(dict(values))
        files = chart.render(
            dict(values),
            name=name,
            namespace="zitadel",
            is_install=not upgrade,
            is_upgrade=upgrade,
            revision=1 + upgrade,
        )
    texts = [text for path, text in files.items() if path.endswith((".yaml", ".tpl"))]
    objects = [one for text in texts for one in yaml.safe_load_all(text) if one]
    for one in objects:
        valid(one)
    return objects


def valid(one: dict[str, Any]) -> None:
    """Strictly what Kubernetes knows; a ServiceMonitor, which it does not know, by a schema of our own."""
    if one["kind"] == "ServiceMonitor":
        import jsonschema

        jsonschema.validate(one, json.loads((Path(__file__).parent / "servicemonitor.schema.json").read_text()))
        return
    for version in KUBERNETES:
        kubernetes_validate.validate(one, version, strict=True)


def one_of(objects: Sequence[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    """The only object of this kind and name."""
    (found,) = [one for one in objects if one["kind"] == kind and one["metadata"]["name"] == name]
    return found


def names(objects: Sequence[dict[str, Any]]) -> set[str]:
    return {f"{one['kind']}/{one['metadata']['name']}" for one in objects}


def hooks(objects: Sequence[dict[str, Any]], event: str) -> list[str]:
    """Kind and name of an event's hooks in the order in which Helm runs them."""
    found = []
    for one in objects:
        notes = one["metadata"].get("annotations", {})
        if event in notes.get("helm.sh/hook", "").split(","):
            found.append((int(notes.get("helm.sh/hook-weight", "0")), f"{one['kind']}/{one['metadata']['name']}"))
    return [name for _, name in sorted(found)]


def container(one: dict[str, Any]) -> dict[str, Any]:
    """The first container of a workload."""
    return one["spec"]["template"]["spec"]["containers"][0]


# --- processes -------------------------------------------------------------------------------------------------------


def clean_environment(**variables: str) -> dict[str, str]:
    """This environment without what belongs to the test run."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("ZITADEL_", "DJANGO_", "GATEHOUSE_"))
    }
    return kept | variables


def until_it_answers(url: str, process: "subprocess.Popen[bytes]", log: Path, seconds: float = 60) -> None:
    """Wait for 200; a process that ends before fails the test with its output."""
    unchecked = ssl._create_unverified_context()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(url, timeout=2, context=unchecked if url.startswith("https") else None)
            return
        except (urllib.error.URLError, OSError):
            if process.poll() is not None:
                break
            time.sleep(0.2)
    raise AssertionError(log.read_text())


def curl(*arguments: str) -> tuple[str, str, str]:
    """HTTP version, status and body as curl sees them."""
    command = ["curl", "-sS", "--max-time", "20", "-w", "\\n%{http_version} %{http_code}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stderr
    body, _, last = done.stdout.rpartition("\n")
    version, status = last.split()
    return version, status, body


# --- certificates ----------------------------------------------------------------------------------------------------


class Authority:
    """A certificate authority of a test's own."""

    def __init__(self, folder: Path, name: str = "Test CA") -> None:
        self.folder, self.name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.file = folder / f"{re.sub(r'[^a-z]', '-', name.lower())}.crt"
        made = self._builder(self._subject, self._key).add_extension(x509.BasicConstraints(True, None), critical=True)
        self.file.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=2))
        )

    def issue(self, *hosts: str) -> tuple[Path, Path]:
        """Certificate and key for these hosts, as files."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
        alternatives = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        made = self._builder(subject, key).add_extension(alternatives, critical=False).sign(self._key, hashes.SHA256())
        certificate, file = self.folder / f"{hosts[0]}.crt", self.folder / f"{hosts[0]}.key"
        certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        file.write_bytes(private)
        file.chmod(0o600)
        return certificate, file


def image_folder(folder: Path) -> Path:
    """What the image would hold, laid out from Dockerfile and .dockerignore: `folder/app`, `folder/example-…yaml`."""
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    context = [name for name in listed if name and not is_ignored(name, ignored) and (ROOT / name).is_file()]
    for sources, target in copies():
        for name in context:
            for source in sources:
                if source == "." or name == source:
                    place = folder / target.strip("/") / (name if source == "." else Path(name).name)
                    if not target.endswith("/"):
                        place = folder / target.strip("/")
                    place.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(ROOT / name, place)
    return folder


def copies() -> list[tuple[list[str], str]]:
    """Sources and target of each COPY from the build context."""
    found = []
    for line in (DEPLOY / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from=" not in line:
            *sources, target = [word for word in line.split()[1:] if not word.startswith("--")]
            found.append((sources, target))
    return found


def is_ignored(name: str, patterns: Sequence[str]) -> bool:
    """The rules of .dockerignore: the last pattern that matches the file or a folder above it decides."""
    parts = name.split("/")
    ancestors = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
    ignored = False
    for pattern in patterns:
        body = pattern.removeprefix("!")
        expression = "".join(
            _EXPRESSIONS.get(piece, re.escape(piece)) for piece in re.split(r"(\*\*/|\*\*|\*|\[co\])", body)
        )
        if any(re.fullmatch(expression, one) for one in ancestors):
            ignored = not pattern.startswith("!")
    return ignored


_EXPRESSIONS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "[co]": "[co]"}
