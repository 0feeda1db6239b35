"""`ETag`, `If-None-Match` and `If-Match` of single resources over REST (RFC 9110 §8.8.3, §13.1).

A resource is what a GET route of a known kind answers; its tag is the digest of that answer, so it is strong and costs no
statement. A write below the address of such a resource may carry `If-Match`: its stream's version is noted, the resource is
read as GET would, with the caller's rights, and compared; the command may then change the stream only at the noted version.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from google.protobuf.message import Message

from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput, StateChanged
from iam.kernel.expected import Expected

KINDS = {
    "users": "user",
    "users/human": "user",
    "organizations": "org",
    "orgs": "org",
    "projects": "project",
    "sessions": "session",
    "web_keys": "web_key",
}
"""Which stream a resource of the address is in, by the segments before the first id."""
ADDRESS = re.compile(r"^/(?:v2|v2beta|management/v1|admin/v1)/([a-z_]+(?:/human)?)/\{(\w+)\}")
MY_ORG = "/management/v1/orgs/me"
TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')
IF_MATCH, IF_NONE_MATCH = "if-match", "if-none-match"


def stream_of(path: str) -> tuple[str, str] | None:
    """(kind of the stream, variable that holds its id; empty = the organization of the request) of a route, if it has one."""
    if path == MY_ORG:
        return "org", ""
    found = ADDRESS.match(path)
    return (KINDS[found[1]], found[2]) if found and found[1] in KINDS else None


def is_resource(verb: str, path: str) -> bool:
    """Whether a route answers a single resource: it ends with the id of one."""
    return verb == "get" and stream_of(path) is not None and (path.endswith("}") or path == MY_ORG)


def tag_of(message: Message) -> str:
    """The entity tag of an answer."""
    return f'"{hashlib.sha256(message.SerializeToString(deterministic=True)).hexdigest()[:32]}"'


@dataclass(frozen=True)
class Condition:
    """An If-Match: the header, the resource as GET answers it, and where it is stored."""

    header: str
    read: Callable[[Context], Message]
    path: str
    variables: Mapping[str, str]

    def expected(self, ctx: Context) -> Expected:
        """What the command may change. Raises StateChanged when no tag fits, and what reading the resource raises."""
        kind, variable = stream_of(self.path) or ("", "")
        stream = ctx.stream(kind, self.variables[variable] if variable else ctx.org_id)
        version = len(ctx.store.read(stream))  # before the reading: what changes from here on is noticed by the command
        tag = tag_of(self.read(ctx))
        if self.header.strip() != "*" and tag.strip('"') not in _strong(self.header):
            raise StateChanged("api.version_changed")
        return Expected(stream, version)


def _strong(header: str) -> set[str]:
    """The tags of an If-Match; a weak one never matches (RFC 9110 §13.1.1). Raises InvalidInput for a malformed list."""
    if TAG.sub("", header).replace(",", "").strip() or not TAG.search(header):
        raise InvalidInput("api.if_match_invalid")
    return {found[2] for found in TAG.finditer(header) if not found[1]}


def is_known(tag: str, header: str) -> bool:
    """Whether If-None-Match names the tag; the comparison is weak (RFC 9110 §13.1.2)."""
    return header.strip() == "*" or tag.strip('"') in {found[2] for found in TAG.finditer(header)}
