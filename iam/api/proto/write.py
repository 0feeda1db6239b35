"""Writes the `.proto` files from the facts of the API (methods*.tsv, messages*.json).

`python -m iam.api.proto.write <folder of the facts>`. Run when the facts change; the result is committed.
"""

import csv
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
WELL_KNOWN = {"Timestamp": "timestamp", "Duration": "duration", "Struct": "struct"}
RULES = {
    ("string", "min_len"): "min_len",
    ("string", "max_len"): "max_len",
    ("string", "len"): "len",
    ("string", "max_bytes"): "max_bytes",
    ("string", "prefix"): "prefix",
    ("string", "email"): "email",
    ("string", "ignore_empty"): "ignore_empty",
    ("bytes", "min_len"): "min_len",
    ("bytes", "max_len"): "max_len",
    ("repeated", "min_items"): "min_items",
    ("repeated", "max_items"): "max_items",
    ("repeated", "unique"): "unique",
    ("bool", "const"): "only_true",
    ("enum", "defined_only"): "defined_only",
    ("enum", "not_in"): "not_in",
    ("message", "required"): "required",
    ("timestamp", "required"): "required",
    ("duration", "required"): "required",
}

OWN_FIELDS: dict[str, list[dict[str, Any]]] = {
    "zitadel.user.v2.AddPersonalAccessTokenRequest": [
        {"number": 1001, "name": "scopes", "json": "scopes", "label": "repeated", "type": "string"}
    ],
}
"""Fields that the recipes of DESIGN §12 send and the definitions lack; high numbers keep clear of theirs."""


class Facts:
    """Everything known about messages, enums and methods."""

    def __init__(self, folder: Path) -> None:
        self.messages: dict[str, list[dict[str, Any]]] = {}
        self.enums: dict[str, dict[str, int]] = {}
        self.methods: list[dict[str, str]] = []
        for name in ("messages", "messages_v1", "messages_v2beta"):
            content = json.loads((folder / f"{name}.json").read_text())
            self.messages |= content["messages"]
            self.enums |= content["enums"]
        for name in ("methods", "methods_v1", "methods_v2beta"):
            with (folder / f"{name}.tsv").open() as table:
                self.methods += list(csv.DictReader(table, delimiter="\t"))
        for name, fields in OWN_FIELDS.items():
            self.messages[name] = self.messages[name] + fields
        self.names = set(self.messages) | set(self.enums)


def package_of(name: str) -> str:
    """The package of a full name: everything before the first capitalized part."""
    parts = name.split(".")
    return ".".join(parts[: next(at for at, part in enumerate(parts) if part[0].isupper())])


def write_all(facts: Facts) -> None:
    """One file per package."""
    packages: dict[str, list[str]] = defaultdict(list)
    for name in sorted(facts.names):
        packages[package_of(name)].append(name)
    for method in facts.methods:
        packages.setdefault(package_of(method["service"]), [])
    for package, names in packages.items():
        file = HERE / f"{package.replace('.', '/')}.proto"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_file(facts, package, names))


def _file(facts: Facts, package: str, names: list[str]) -> str:
    methods = [method for method in facts.methods if package_of(method["service"]) == package]
    body = "".join(
        _definition(facts, name, 0) for name in names if name.rpartition(".")[0] == package or not _parent(facts, name)
    )
    body += _services(methods)
    used = {package_of(used) for name in names for used in _uses(facts, name)}
    used |= {
        package_of(method[key]) for method in methods for key in ("request", "response") if method[key] in facts.names
    }
    imports = [f"{one.replace('.', '/')}.proto" for one in sorted(used - {package})]
    imports += [
        f"google/protobuf/{file}.proto"
        for file in sorted(set(WELL_KNOWN.values()))
        if f"google.protobuf.{_well(file)}" in body
    ]
    imports += ["gatehouse/options.proto", "google/api/annotations.proto"]
    head = f'syntax = "proto3";\n\npackage {package};\n\n' + "".join(f'import "{one}";\n' for one in imports)
    return head + body


def _well(file: str) -> str:
    return {value: key for key, value in WELL_KNOWN.items()}[file]


def _parent(facts: Facts, name: str) -> str:
    parent = name.rpartition(".")[0]
    return parent if parent.rpartition(".")[2][:1].isupper() else ""


def _uses(facts: Facts, name: str) -> list[str]:
    found = []
    for field in facts.messages.get(name, []):
        parts = field["type"][4:-1].split(",") if field["type"].startswith("map<") else [field["type"]]
        found += [part.strip() for part in parts if part.strip() in facts.names]
    return found


def _definition(facts: Facts, name: str, depth: int) -> str:
    pad, short = "  " * depth, name.rpartition(".")[2]
    if name in facts.enums:
        values = sorted(facts.enums[name].items(), key=lambda item: (item[1] != 0, item[1]))
        alias = f"{pad}  option allow_alias = true;\n" if len({number for _, number in values}) < len(values) else ""
        lines = "".join(f"{pad}  {value} = {number};\n" for value, number in values)
        return f"\n{pad}enum {short} {{\n{alias}{lines}{pad}}}\n"
    children = sorted(one for one in facts.names if _parent(facts, one) == name)
    inner = "".join(_definition(facts, child, depth + 1) for child in children)
    return f"\n{pad}message {short} {{\n{_fields(facts.messages.get(name, []), depth + 1)}{inner}{pad}}}\n"


def _fields(fields: list[dict[str, Any]], depth: int) -> str:
    pad, lines, groups = "  " * depth, "", defaultdict(list)
    for field in sorted(fields, key=lambda one: one["number"]):
        if field.get("oneof") and field["label"] != "optional":
            groups[field["oneof"]].append(field)
        else:
            lines += f"{pad}{_field(field)}\n"
    for name, members in groups.items():
        needed = (
            f"{pad}  option (gatehouse.oneof_required) = true;\n"
            if any(m.get("oneof_required") for m in members)
            else ""
        )
        inner = "".join(f"{pad}  {_field(member, bare=True)}\n" for member in members)
        lines += f"{pad}oneof {name} {{\n{needed}{inner}{pad}}}\n"
    return lines


def _field(field: dict[str, Any], *, bare: bool = False) -> str:
    label = {"repeated": "repeated ", "optional": "optional "}.get(field["label"], "")
    options = [f'json_name = "{field["json"]}"', *_rules(field)]
    kind = field["type"] if field["type"][0].islower() and "." not in field["type"] else f".{field['type']}"
    if field["type"].startswith("map<"):
        key, value = (part.strip() for part in field["type"][4:-1].split(","))
        kind = f"map<{key}, {value if '.' not in value else '.' + value}>"
    return f"{'' if bare else label}{kind} {field['name']} = {field['number']} [{', '.join(options)}];"


def _rules(field: dict[str, Any]) -> list[str]:
    limits = field.get("rules") or {}
    rules = ({"required": True} if field.get("required") else {}) | _limits(limits)
    if items := _limits(limits.get("repeated", {}).get("items") or {}):
        rules["items"] = items
    return [f"(gatehouse.rules) = {_literal(rules)}"] if rules else []


def _limits(limits: dict[str, Any]) -> dict[str, Any]:
    """Those that we enforce, under our names. Bounds of times belong to the commands, which say what they are for."""
    found = {
        RULES[kind, limit]: value
        for kind, one in limits.items()
        for limit, value in (one.items() if isinstance(one, dict) else ())
        if (kind, limit) in RULES
    }
    return {name: value for name, value in found.items() if value is not False}


def _literal(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_literal(one)}" for name, one in sorted(value.items())) + "}"
    return json.dumps(value)


def _services(methods: list[dict[str, str]]) -> str:
    services: dict[str, list[dict[str, str]]] = defaultdict(list)
    for method in methods:
        services[method["service"].rpartition(".")[2]].append(method)
    return "".join(f"\nservice {name} {{\n{''.join(map(_method, found))}}}\n" for name, found in services.items())


def _method(method: dict[str, str]) -> str:
    options = [f"    option (gatehouse.permission) = {json.dumps(method['permission'])};\n"]
    if method["org_field"]:
        options.append(f"    option (gatehouse.org_field) = {json.dumps(method['org_field'])};\n")
    if method["http_success"] not in ("", "200"):
        options.append(f"    option (gatehouse.http_success) = {method['http_success']};\n")
    if method["http_path"]:
        body = f' body: "{method["body"]}"' if method["body"] else ""
        verb = method["http_verb"].lower()
        extra = "".join(_extra(one) for one in filter(None, (method.get("extra_http") or "").split(";")))
        options.append(f'    option (google.api.http) = {{{verb}: "{method["http_path"]}"{body}{extra}}};\n')
    return (
        f"  rpc {method['method']}(.{method['request']}) returns (.{method['response']}) {{\n{''.join(options)}  }}\n"
    )


def _extra(text: str) -> str:
    verb, path, *body = text.split()
    return f' additional_bindings {{{verb.lower()}: "{path}" body: "{body[0] if body else "*"}"}}'


if __name__ == "__main__":
    write_all(Facts(Path(sys.argv[1])))
