"""Reads the tree: flags over `ZITADEL_*` over the last file over the first file over defaults (operations.md §1)."""

import difflib
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from iam.settings.elsewhere import is_known_elsewhere
from iam.settings.tree import Config

PREFIX = "ZITADEL_"
OWN_VARIABLES = {"ZITADEL_MASTERKEY", "ZITADEL_MASTERKEY_PREVIOUS"}
FLAGS = {"--port": "Port", "--externalDomain": "ExternalDomain", "--externalPort": "ExternalPort"}
TLS_MODES = {"enabled": (True, True), "external": (False, True), "disabled": (False, False)}
HIDDEN = {"SystemAPIUsers"}
"""Keys whose wrong values are not repeated: a private key may stand there by mistake."""
UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}


class BadValue(Exception):
    """A value that does not parse: says key, value and source."""


@dataclass
class Sources:
    """Values by lower-case key path, each with where it came from; and what was not understood."""

    values: dict[str, tuple[Any, str]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Leaf:
    """One knob."""

    path: str
    info: FieldInfo

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return PREFIX + self.path.upper().replace(".", "_")


def leaves(section: type[BaseModel] = Config, prefix: str = "") -> Iterator[Leaf]:
    """Every knob of the tree."""
    for name, info in section.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from leaves(kind, f"{prefix}{name}.")
        else:
            yield Leaf(prefix + name, info)


def read(argv: Sequence[str], environ: Mapping[str, str]) -> tuple[Config, list[str]]:
    """The configuration and the warnings about what is unknown; raises BadValue."""
    known = {leaf.path.lower(): leaf for leaf in leaves()}
    sources = Sources()
    for file in [*_flag_values(argv, "--config"), *_flag_values(argv, "--steps")]:
        _read_file(file, known, sources)
    _read_environment(environ, known, sources)
    _read_flags(argv, sources)
    return _build(known, sources.values), sources.warnings


def _read_file(file: str, known: Mapping[str, Leaf], sources: Sources) -> None:
    try:
        content = yaml.safe_load(Path(file).read_text(encoding="utf-8")) or {}
    except OSError as unreadable:
        sources.warnings.append(f"cannot read {file}: {unreadable.strerror}")
        return
    except yaml.YAMLError as wrong:
        raise BadValue(f"{file} is not YAML: {wrong}") from wrong
    if not isinstance(content, dict):
        raise BadValue(f"{file}: expected keys with values at the top")
    for path, value in _flattened(content, known):
        _take(path, value, file, known, sources)


def _flattened(content: Mapping[str, Any], known: Mapping[str, Leaf], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in content.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict) and path.lower() not in known:
            yield from _flattened(value, known, f"{path}.")
        else:
            yield path, value


def _take(path: str, value: Any, source: str, known: Mapping[str, Leaf], sources: Sources) -> None:
    if path.lower() in known:
        sources.values[path.lower()] = (value, source)
    elif is_known_elsewhere(path):
        sources.warnings.append(f"{path} in {source} is known, without effect here")
    else:
        sources.warnings.append(
            f"unknown key {path} in {source}{_nearest(path, [leaf.path for leaf in known.values()])}"
        )


def _nearest(name: str, names: Sequence[str]) -> str:
    by_lower = {one.lower(): one for one in names}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    return f"; did you mean {by_lower[near[0]]}?" if near else ""


def _read_environment(environ: Mapping[str, str], known: Mapping[str, Leaf], sources: Sources) -> None:
    variables = {leaf.variable: leaf.path for leaf in known.values()}
    for name, value in sorted(environ.items()):
        if name in variables:
            sources.values[variables[name].lower()] = (value, f"environment variable {name}")
        elif name.startswith(PREFIX) and is_known_elsewhere(name.removeprefix(PREFIX).replace("_", ".")):
            sources.warnings.append(f"environment variable {name} is known, without effect here")
        elif name.startswith(PREFIX) and name not in OWN_VARIABLES:
            sources.warnings.append(f"unknown environment variable {name}{_nearest(name, list(variables))}")


def _read_flags(argv: Sequence[str], sources: Sources) -> None:
    for flag, path in FLAGS.items():
        for value in _flag_values(argv, flag):
            sources.values[path.lower()] = (value, f"flag {flag}")
    for mode in _flag_values(argv, "--tlsMode"):
        if mode not in TLS_MODES:
            raise BadValue(f"--tlsMode {mode}: use enabled, external or disabled")
        tls, secure = TLS_MODES[mode]
        sources.values["tls.enabled"] = (tls, "flag --tlsMode")
        sources.values["externalsecure"] = (secure, "flag --tlsMode")


def _flag_values(argv: Sequence[str], flag: str) -> list[str]:
    """`--flag value` and `--flag=value`, as often as given."""
    found = [word.split("=", 1)[1] for word in argv if word.startswith(flag + "=")]
    return found + [argv[at + 1] for at, word in enumerate(argv[:-1]) if word == flag]


def _build(known: Mapping[str, Leaf], values: Mapping[str, tuple[Any, str]]) -> Config:
    tree: dict[str, Any] = {}
    for lower, (value, source) in values.items():
        leaf = known[lower]
        place = tree
        *branches, last = leaf.path.split(".")
        for branch in branches:
            place = place.setdefault(branch, {})
        place[last] = _checked(leaf, value, source)
    return Config.model_validate(tree)


def _checked(leaf: Leaf, value: Any, source: str) -> Any:
    if leaf.info.annotation is timedelta and isinstance(value, str):
        value = _duration(leaf, value, source)
    kind: Any = leaf.info.annotation
    try:
        for constraint in leaf.info.metadata:
            kind = Annotated[kind, constraint]
        return TypeAdapter(kind).validate_python(value if value is not None else "")
    except ValidationError as wrong:
        reason = wrong.errors()[0]["msg"]
        shown = "…" if leaf.path in HIDDEN else repr(value)
        raise BadValue(f"{leaf.path} = {shown} from {source}: {reason}") from wrong


def _duration(leaf: Leaf, text: str, source: str) -> timedelta:
    """Go's spelling of durations: `12h`, `1h30m`, `100ms`, `0`."""
    if text.strip() == "0":
        return timedelta(0)
    parts = re.findall(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        raise BadValue(f"{leaf.path} = {text!r} from {source}: expected a duration such as 30s, 15m or 12h")
    return timedelta(seconds=sum(float(number) * UNITS[unit] for number, unit in parts))


def arguments() -> list[str]:
    """The flags of `manage.py`; those of another program (a test runner) are not ours."""
    return sys.argv[1:] if Path(sys.argv[0]).name == "manage.py" else []


def load() -> Config:
    """The configuration of this process. Warns on stderr; ends the process with code 1 on a value that does not parse."""
    try:
        config, warnings = read(arguments(), os.environ)
    except BadValue as wrong:
        sys.stderr.write(f"configuration: {wrong}\n")
        raise SystemExit(1) from wrong
    for warning in warnings:
        sys.stderr.write(f"warning: {warning}\n")
    return config
