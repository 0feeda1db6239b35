"""Packages the chart and writes the index of a chart repository beside it: `python deploy/package_chart.py FOLDER [URL]`.

FOLDER can then be served by any web server: `helm repo add zitadel URL`. Earlier versions that lie there stay in the index.
Helm's own library (PyPI: helm-python-sdk) does the packaging.
"""

import hashlib
import sys
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import helm_python
import yaml

CHART = Path(__file__).parent / "chart"
CHART_NAME = "zitadel"


def package(folder: Path, url: str = "") -> Path:
    """Write `zitadel-VERSION.tgz` and `index.yaml` into the folder; answers the archive."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Path(helm_python.package(CHART, destination=folder))
    versions = sorted((_entry(archive, url) for archive in folder.glob("*.tgz")), key=_order, reverse=True)
    index = {"apiVersion": "v1", "entries": {CHART_NAME: versions}, "generated": datetime.now(UTC).isoformat()}
    (folder / "index.yaml").write_text(yaml.safe_dump(index, sort_keys=False), encoding="utf-8")
    return made


def _entry(archive: Path, url: str) -> dict[str, Any]:
    """What the index says of one archive: its Chart.yaml, digest and address."""
    with tarfile.open(archive) as content:
        inside = content.extractfile(f"{CHART_NAME}/Chart.yaml")
        assert inside is not None
        chart: dict[str, Any] = yaml.safe_load(inside.read())
    created = datetime.fromtimestamp(archive.stat().st_mtime, UTC).isoformat()
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    address = f"{url.rstrip('/')}/{archive.name}" if url else archive.name
    return {**chart, "created": created, "digest": digest, "urls": [address]}


def _order(entry: dict[str, Any]) -> list[int]:
    return [int(part) for part in entry["version"].partition("-")[0].split(".")]


if __name__ == "__main__":
    package(Path(sys.argv[1]), *sys.argv[2:3])
