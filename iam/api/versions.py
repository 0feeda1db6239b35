"""`ETag` and `If-Match` of single resources over REST (RFC 9110 §8.8.3, §13.1).

A tag is `"<version>-<digest>"`: the version of the resource's stream and the first of the digest of the body, so that two
different bodies never share one. `If-Match` looks at the version only: what belongs to another resource (a domain in a
login name) changes the body and is no lost update.
"""

import hashlib
import re
from collections.abc import Mapping

from eventstore.store import Stream
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from iam.kernel.expected import ANY, Expected

KINDS = {
    "users": "user",
    "users/human": "user",
    "organizations": "org",
    "orgs": "org",
    "projects": "project",
    "sessions": "session",
    "web_keys": "web_key",
}
"""Which stream a resource of the address is, by the segments before its id."""
ADDRESS = re.compile(r"^/(?:v2|v2beta|management/v1|admin/v1)/([a-z_]+(?:/human)?)/\{(\w+)\}")
MY_ORG = "/management/v1/orgs/me"
TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')
IF_MATCH, IF_NONE_MATCH = "if-match", "if-none-match"


def kind_of(path: str) -> tuple[str, str]:
    """(kind of the stream, variable that holds its id) of a route; empty for a route that addresses no single resource."""
    if path == MY_ORG or path.startswith(f"{MY_ORG}/"):
        return "org", ""
    found = ADDRESS.match(path)
    return (KINDS[found[1]], found[2]) if found and found[1] in KINDS else ("", "")


def is_resource(path: str) -> bool:
    """Whether the route is the resource itself, not something below it."""
    found = ADDRESS.match(path)
    return path == MY_ORG or bool(kind_of(path)[0] and found and found[0] == path)


def stream_of(ctx: Context, path: str, variables: Mapping[str, str]) -> Stream | None:
    """The stream that a request addresses."""
    kind, variable = kind_of(path)
    return ctx.stream(kind, variables.get(variable, ctx.org_id)) if kind else None


def expected(stream: Stream | None, header: str) -> Expected:
    """What an If-Match wants; raises InvalidInput for a malformed one, or where no resource is addressed."""
    if stream is None:
        raise InvalidInput("api.if_match_unsupported")
    if header.strip() == "*":
        return Expected(stream, frozenset({ANY}))
    strong = [tag for tag, is_weak in _tags(header) if not is_weak]  # RFC 9110 §13.1.1: a weak tag never matches
    return Expected(stream, frozenset(int(tag.partition("-")[0]) for tag in strong if re.match(r"\d{1,15}-", tag)))


def _tags(header: str) -> list[tuple[str, bool]]:
    left = TAG.sub("", header).replace(",", "").strip()
    found = [(tag[2], bool(tag[1])) for tag in TAG.finditer(header)]
    if left or not found:
        raise InvalidInput("api.if_match_invalid")
    return found


def tag_of(version: int, body: bytes) -> str:
    """The entity tag of a body."""
    return f'"{version}-{hashlib.sha256(body).hexdigest()[:16]}"'


def is_known(tag: str, header: str) -> bool:
    """Whether If-None-Match names the tag; the comparison is weak (RFC 9110 §13.1.2)."""
    return header.strip() == "*" or tag.strip('"') in {found[2] for found in TAG.finditer(header)}
