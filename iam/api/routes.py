"""The routes of REST: verb and path of every method, as the descriptors and the older spellings say."""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from google.api import annotations_pb2

from iam.api import descriptors, versions
from iam.api.aliases import ALIASES, Alias
from iam.api.methods import registered
from iam.kernel.ids import reserves


@dataclass(frozen=True)
class Route:
    """One verb and path of a method."""

    verb: str
    path: str
    body: str
    method: str
    alias: Alias | None = None

    @property
    def pattern(self) -> str:
        """The path as a regular expression, its variables by their numbers: one path may bear several names of them.

        Literal parts win by order, see `routes`.
        """
        numbers = itertools.count()

        def variable(found: "re.Match[str]") -> str:
            return f"(?P<v{next(numbers)}>{'.+' if found[2] else '[^/]+'})"

        escaped = re.escape(self.path).replace(r"\{", "{").replace(r"\}", "}").replace(r"=\*\*", "=**")
        return "^" + re.sub(r"\{(\w+)(=\*\*)?\}", variable, escaped).lstrip("/") + "$"

    def named(self, values: dict[str, str]) -> dict[str, str]:
        """What the pattern has found, under the names of this route."""
        return {name: values[f"v{number}"] for number, name in enumerate(variables_of(self.path))}


@cache
def routes() -> tuple[Route, ...]:
    """Every REST route of every method, literal paths before variable ones."""
    there = registered()
    found = [route for name in there for route in _routes(name)]
    found += [Route(alias.verb, alias.path, "*", alias.method, alias) for alias in ALIASES if alias.method in there]
    return tuple(sorted(found, key=lambda route: (_rank(route.path), route.path, route.alias is None)))


@cache
def _unbuilt() -> tuple[tuple[str, re.Pattern[str], str], ...]:
    there = registered()
    names = [
        f"{service}/{one.name}" for service in descriptors.services() for one in descriptors.service(service).methods
    ]
    found = [route for name in names if name not in there for route in _routes(name)]
    found.sort(key=lambda route: (_rank(route.path), route.path))
    return tuple((one.verb, re.compile(one.pattern), one.method) for one in found)


def unbuilt(verb: str, path: str) -> str:
    """The method that the definitions have at this address and this server has not; empty for an address of nothing."""
    asked = path.lstrip("/")
    return next((name for one, pattern, name in _unbuilt() if one == verb.lower() and pattern.match(asked)), "")


@reserves
def words() -> set[str]:
    """The literal parts of addresses that stand where another address has an id: that one could not be reached by it."""
    names = [
        f"{service}/{one.name}" for service in descriptors.services() for one in descriptors.service(service).methods
    ]
    paths = [route.path for name in names for route in _routes(name)] + [alias.path for alias in ALIASES]
    parts = [(tuple(parts[:n]), parts[n]) for parts in map(_parts, paths) for n in range(len(parts))]
    with_ids = {before for before, part in parts if part == "{}"}
    return {part for before, part in parts if before in with_ids and part != "{}"}


def _parts(path: str) -> list[str]:
    return ["{}" if "{" in part else part for part in path.strip("/").split("/")]


def _rank(path: str) -> list[int]:
    return [1 if "{" in part else 0 for part in path.split("/")]


def _routes(name: str) -> Iterable[Route]:
    rule = descriptors.method(name).GetOptions().Extensions[annotations_pb2.http]
    for one in (rule, *rule.additional_bindings):
        verb = one.WhichOneof("pattern")
        if verb:
            yield Route(verb, getattr(one, verb), one.body, name)


@cache
def resources_of(path: str) -> tuple[Route, ...]:
    """The resources that a path addresses or lies below, the nearest first, as far as they are stored where that one is."""
    addressed = f"{_address(path)}/"
    found = [
        (one, home)
        for one in sorted(routes(), key=lambda one: -len(one.path))
        if versions.is_resource(one.verb, one.method)
        and addressed.startswith(f"{_address(one.path)}/")
        and (home := versions.home_of(one.path))
    ]
    return tuple(one for one, home in found if home.kind == found[0][1].kind)


def _address(path: str) -> str:
    """A path without the names of its variables; a person is a user under another spelling of the address."""
    return re.sub(r"\{\w+\}", "{}", path.replace("/users/human/{", "/users/{"))


def variables_of(path: str) -> list[str]:
    """The names of the variables of a path, in order."""
    return re.findall(r"\{(\w+)", path)
