"""`ETag`, `If-None-Match` and `If-Match` of single resources over REST (RFC 9110 §8.8.3, §13.1).

A resource is what a GET route of one thing answers; its tag is the digest of that answer, so it is strong and costs no
statement. A write at or below the address of a resource whose stream is known may carry `If-Match`: the stream's version is
noted, the resource is read as GET would, with the caller's rights, and compared; the command may then change the stream only
at the noted version.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from google.protobuf.message import Message

from eventstore.store import Stream
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput, NotFound, StateChanged
from iam.kernel.expected import Expected

ROOT = r"^/(?:v2|v2beta|management/v1|admin/v1)/"
ID = r"/\{(\w+)\}"
HOMES = tuple(
    (re.compile(address), kind, asked)
    for address, kind, asked in (
        (rf"^/management/v1/users/\{{\w+\}}/grants{ID}", "usergrant", ""),
        (rf"{ROOT}users(?:/human)?{ID}", "user", ""),
        (rf"{ROOT}(?:organizations|orgs){ID}", "org", ""),
        (rf"{ROOT}(?:granted_)?projects{ID}", "project", ""),
        (rf"{ROOT}sessions{ID}", "session", ""),
        (rf"{ROOT}web_keys{ID}", "web_key", ""),
        (rf"{ROOT}actions/targets{ID}", "target", ""),
        (rf"{ROOT}applications{ID}", "project", "application"),
        (rf"{ROOT}application_keys{ID}", "project", "application key"),
        (rf"{ROOT}instances{ID}", "instance", ""),
        (r"^/management/v1/(?:orgs/me$|metadata/|policies/(?!label|default/))", "org", "org_id"),
        (
            r"^/admin/v1/(?:policies/(?!label)|secretgenerators/|settings/oidc$|languages/default$)",
            "instance",
            "instance",
        ),
        (r"^/v2(?:beta)?/features/instance$", "feature", "instance"),
        (r"^/admin/v1/restrictions$", "restrictions", "instance"),
        (r"^/auth/v1/users/me", "user", "actor"),
    )
)
"""Which stream a resource is in, by its address; its id is in the variable, else it is this attribute of the Context, or
found by who registered for that word (`finds`).

Not here: labels, as a change goes to the preview and not to what their address shows.
"""
SECRET = re.compile(rf"{ROOT}actions/targets/")
"""Targets show their signing keys."""
TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')
IF_MATCH, IF_NONE_MATCH = "if-match", "if-none-match"


@dataclass(frozen=True)
class Home:
    """Where a resource is stored: the kind of stream, and its id: in a variable of the address, in the Context, or found."""

    kind: str
    variable: str
    asked: str

    def stream(self, ctx: Context, variables: Mapping[str, str]) -> Stream:
        """The stream of one resource. Raises what finding it raises."""
        id = variables[self.variable] if self.variable else getattr(ctx, self.asked)
        if self.asked in _finders:
            id = _finders[self.asked](ctx, id)
        return replace(ctx.stream(self.kind, id), instance=id) if self.kind == "instance" else ctx.stream(self.kind, id)


Finder = Callable[[Context, str], str]
"""Answers the id of the stream in which the thing with an id is stored, as far as the caller may see it."""
_finders: dict[str, Finder] = {}


def finds(what: str) -> Callable[[Finder], Finder]:
    """Register for things that are stored with others."""

    def register(finder: Finder) -> Finder:
        _finders[what] = finder
        return finder

    return register


def home_of(path: str) -> Home | None:
    """Where the resource at the path of a route is stored, if that is known."""
    for address, kind, asked in HOMES:
        if found := address.match(path):
            return Home(kind, found[1] if found.re.groups else "", asked)
    return None


def is_resource(verb: str, method: str) -> bool:
    """Whether a route answers a single resource."""
    return verb == "get" and method.partition("/")[2].startswith("Get")


def caching(path: str) -> str:
    """What a cache may do with a resource: ask whether it still holds, or for one that shows a secret nothing."""
    return "no-store" if SECRET.match(path) else "private, no-cache"


def tag_of(message: Message) -> str:
    """The entity tag of an answer."""
    return f'"{hashlib.sha256(message.SerializeToString(deterministic=True)).hexdigest()[:32]}"'


@dataclass(frozen=True)
class Condition:
    """An If-Match: the header, the resources at and above the address as GET answers them, and where they are stored."""

    header: str
    reads: Sequence[Callable[[Context], Message]]
    """The nearest first: whoever has seen more than what is changed may say so, too."""
    home: Home
    variables: Mapping[str, str]

    def expected(self, ctx: Context) -> Expected:
        """What the command may change. Raises StateChanged when no tag fits, and what reading the resource raises."""
        stream = self.home.stream(ctx, self.variables)
        version = len(ctx.store.read(stream))  # before the reading: what changes from here on is noticed by the command
        if self.header.strip() == "*":
            self.reads[0](ctx)
        elif not self._is_seen(ctx, _strong(self.header)):
            raise StateChanged("api.version_changed")
        return Expected(stream, version)

    def _is_seen(self, ctx: Context, tags: set[str]) -> bool:
        nearest, *above = self.reads
        try:
            if tag_of(nearest(ctx)).strip('"') in tags:
                return True
        except NotFound:  # perhaps it is to be made, below a resource that was seen
            if not above:
                raise
        return any(tag_of(read(ctx)).strip('"') in tags for read in above)


def _strong(header: str) -> set[str]:
    """The tags of an If-Match; a weak one never matches (RFC 9110 §13.1.1). Raises InvalidInput for a malformed list."""
    if TAG.sub("", header).replace(",", "").strip() or not TAG.search(header):
        raise InvalidInput("api.if_match_invalid")
    return {found[2] for found in TAG.finditer(header) if not found[1]}


def is_known(tag: str, header: str) -> bool:
    """Whether If-None-Match names the tag; the comparison is weak (RFC 9110 §13.1.2)."""
    return header.strip() == "*" or tag.strip('"') in {found[2] for found in TAG.finditer(header)}
