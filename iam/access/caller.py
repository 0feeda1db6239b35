"""From a request to its Context: the instance by host, the caller by token, the rights by memberships."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from eventstore.store import Origin
from iam.access.acting import AUTHENTICATED, asked_org, must_be_at_home
from iam.access.hosts import PUBLIC_HOST, origin_of
from iam.access.queries import Held, rights_from, rights_of
from iam.access.tokens import TokenKind, kind_of
from iam.kernel.context import Caller, Context, Deadline, Rights
from iam.kernel.errors import NotFound, Unauthenticated
from iam.vault import wiring

API_AUDIENCE_SCOPE = "urn:zitadel:iam:org:project:id:zitadel:aud"
SYSTEM_ACTOR = "SYSTEM"
OF_SYSTEM = "system."
"""How permissions over the whole system begin."""


@dataclass(frozen=True)
class RequestMeta:
    """What every wire knows of a request. Header names in lower case; of the host only the name counts."""

    host: str
    headers: Mapping[str, str] = field(default_factory=dict)
    remote_addr: str = ""
    public_host: str = ""
    request_id: str = ""
    deadline: Deadline | None = None

    @property
    def base_url(self) -> str:
        """The public origin of the host that the client addressed; issuer and links start with it."""
        return origin_of(self.host)


@dataclass(frozen=True)
class Authenticated:
    """What a token proved. `for_api` says whether its audience includes this API."""

    user_id: str
    org_id: str
    kind: str  # human, machine
    token_id: str = ""
    client_id: str = ""
    session_id: str = ""
    scopes: tuple[str, ...] = ()
    authenticated_at: datetime | None = None
    for_api: bool = True
    memberships: Iterable[Held] = ()


Authenticator = Callable[[str, str, str], Authenticated | None]
"""(instance id, token, base URL) → what it proves, or None. One joined statement each."""

InstanceFinder = Callable[[str], str]
"""host, with a port or without → instance id, or an empty string."""

HostTrust = Callable[[str, str], bool]
"""(instance id, host in lower case) → whether it leads to the instance, or is one of its trusted domains."""

_trusting: list[HostTrust] = []
_authenticators: dict[str, Authenticator] = {}
_instance_finders: list[InstanceFinder] = []

JWT = "jwt"


def authenticates(kind: str) -> Callable[[Authenticator], Authenticator]:
    """Register who checks tokens of a kind (a TokenKind, or JWT). Called by the rooms above, once each."""

    def register(check: Authenticator) -> Authenticator:
        _authenticators[kind] = check
        return check

    return register


def finds_instance(find: InstanceFinder) -> InstanceFinder:
    """Register how the instance of a host is found (iam.instance does)."""
    _instance_finders[:] = [find]
    return find


def trusts_hosts(trusts: HostTrust) -> HostTrust:
    """Register which hosts links may be made with (iam.instance does)."""
    _trusting[:] = [trusts]
    return trusts


def instance_of(host: str) -> str:
    """The instance that a host belongs to; raises NotFound naming the host."""
    for find in _instance_finders:
        if instance := find(host):
            return instance
    raise NotFound("instance.not_found", field="host", reason=host)


def context_for(meta: RequestMeta, needs: str = AUTHENTICATED) -> Context:
    """The Context of a request to the API. Without a token the caller is nobody.

    `needs` is the permission that the method asks for. Raises NotFound for a host of no instance or a foreign
    organization in the header, Unauthenticated for a token that proves nothing here, PermissionDenied.
    """
    token = bearer_token(meta.headers)
    instance = _instance_asked(meta.host, needs)
    if token is None:
        return _context(meta, instance, Caller(), Rights())
    ctx = context_for_token(meta, instance, token)
    ctx = replace(ctx, asked_org=asked_org(meta.headers), public_url=_public_url(meta, instance))
    must_be_at_home(ctx, needs)
    return ctx


def _public_url(meta: RequestMeta, instance: str) -> str:
    """The origin that the caller wants links to start with; raises NotFound unless the instance trusts it (checklist H01)."""
    host = meta.public_host
    if host and not any(trusts(instance, host) for trusts in _trusting):
        raise NotFound("instance.domain_not_found", field=PUBLIC_HOST)
    return origin_of(host) if host else ""


def _instance_asked(host: str, needs: str) -> str:
    """The instance of the host. What operates the system itself may be called by any host: then it is none."""
    try:
        return instance_of(host)
    except NotFound:
        if needs.startswith(OF_SYSTEM):
            return ""
        raise


def context_for_token(meta: RequestMeta, instance: str, token: str) -> Context:
    """The Context of whoever a token proves to be; raises Unauthenticated."""
    proved = authenticate(instance, token, meta.base_url)
    if proved is None:
        raise Unauthenticated("auth.token_invalid")
    if not proved.for_api:
        raise Unauthenticated("auth.audience_missing")
    caller = Caller(
        user_id=proved.user_id,
        org_id=proved.org_id,
        kind=proved.kind,
        token_id=proved.token_id,
        client_id=proved.client_id,
        session_id=proved.session_id,
        scopes=proved.scopes,
        authenticated_at=proved.authenticated_at,
    )
    return _context(meta, instance, caller, rights_from(proved.memberships))


def authenticate(instance: str, token: str, base_url: str) -> Authenticated | None:
    """What a token proves at an instance, or None."""
    kind = kind_of(token) or (JWT if token.count(".") == 2 else "")
    check = _authenticators.get(kind)
    return check(instance, token, base_url) if check else None


def bearer_token(headers: Mapping[str, str]) -> str | None:
    """The token of the Authorization header (RFC 6750 §2.1; the scheme's case does not matter).

    Raises Unauthenticated for another scheme or an empty token.
    """
    header = headers.get("authorization", "")
    if not header:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("auth.header_invalid")
    return token.strip()


def context_of_user(meta: RequestMeta, instance: str, caller: Caller) -> Context:
    """The Context of a person known by other means than a token (the hosted login); rights are read now."""
    return _context(meta, instance, caller, rights_of(instance, caller.user_id))


def context_of_nobody(meta: RequestMeta, instance: str) -> Context:
    """The Context of somebody not signed in yet."""
    return _context(meta, instance, Caller(), Rights())


def system_context(instance: str, *, base_url: str = "", actor: str = SYSTEM_ACTOR) -> Context:
    """The Context of the product itself: set-up, reactions, clean-up. Unlimited within one instance."""
    return Context(
        instance=instance,
        store=wiring.store(),
        ports=wiring.ports(),
        caller=Caller(user_id=actor, kind="system"),
        rights=Rights(unlimited=True),
        base_url=base_url,
    )


def _context(meta: RequestMeta, instance: str, caller: Caller, rights: Rights) -> Context:
    return Context(
        instance=instance,
        store=wiring.store(),
        ports=wiring.ports(),
        caller=caller,
        rights=rights.without_org(instance),  # its id is the instance's alone
        base_url=meta.base_url,
        origin=Origin(meta.remote_addr, meta.headers.get("user-agent", "")[:500], meta.request_id),
        deadline=meta.deadline,
    )


__all__ = ["JWT", "Authenticated", "RequestMeta", "TokenKind", "context_for", "system_context"]
