"""Scopes: which are known, and what the reserved ones ask for (reference/oidc.md §5)."""

from collections.abc import Iterable
from dataclasses import dataclass

STANDARD = ("openid", "profile", "email", "phone", "address", "offline_access")
RESERVED = "urn:zitadel:iam:"
ROLE = "urn:zitadel:iam:org:project:role:"
ROLES = "urn:zitadel:iam:org:projects:roles"
ROLES_SINGULAR = "urn:zitadel:iam:org:project:roles"
PROJECT = "urn:zitadel:iam:org:project:id:"
ORG = "urn:zitadel:iam:org:id:"
ORG_DOMAIN = "urn:zitadel:iam:org:domain:primary:"
ROLE_ORG = "urn:zitadel:iam:org:roles:id:"
METADATA = "urn:zitadel:iam:user:metadata"
RESOURCE_OWNER = "urn:zitadel:iam:user:resourceowner"
IDP = "urn:zitadel:iam:org:idp:id:"
OWN_PROJECT = "zitadel"
MAX_SCOPES = 100
MAX_SCOPE = 500

_PREFIXES = (ROLE, ORG, ORG_DOMAIN, ROLE_ORG, IDP)
_WORDS = (*STANDARD, ROLES, ROLES_SINGULAR, METADATA, RESOURCE_OWNER)


@dataclass(frozen=True)
class Scopes:
    """What a list of scopes asks for."""

    granted: tuple[str, ...] = ()

    def __contains__(self, scope: str) -> bool:
        return scope in self.granted

    @property
    def projects(self) -> tuple[str, ...]:
        """Projects to add to the audience; OWN_PROJECT stands for the product's own."""
        suffixed = (scope.removeprefix(PROJECT) for scope in self.granted if scope.startswith(PROJECT))
        return tuple(rest.removesuffix(":aud") for rest in suffixed if rest.endswith(":aud") and rest != ":aud")

    @property
    def roles(self) -> frozenset[str]:
        """Keys of roles of the application's project to assert."""
        return frozenset(self._rests(ROLE))

    @property
    def role_orgs(self) -> frozenset[str]:
        """Granting organizations to which role claims are limited; empty means no limit."""
        return frozenset(self._rests(ROLE_ORG))

    @property
    def org_id(self) -> str:
        """The organization that the user must belong to, or an empty string."""
        return next(iter(self.org_ids), "")

    @property
    def org_ids(self) -> tuple[str, ...]:
        """The organizations that are named by their ids."""
        return self._rests(ORG)

    @property
    def org_domain(self) -> str:
        """The same by primary domain."""
        return next(iter(self.org_domains), "")

    @property
    def org_domains(self) -> tuple[str, ...]:
        """The primary domains by which organizations are named."""
        return self._rests(ORG_DOMAIN)

    @property
    def idp_id(self) -> str:
        """The identity provider to go to at once."""
        return next(iter(self._rests(IDP)), "")

    def _rests(self, prefix: str) -> tuple[str, ...]:
        return tuple(scope.removeprefix(prefix) for scope in self.granted if scope.startswith(prefix))


def known(text: str) -> tuple[str, ...]:
    """The scopes of a space-separated list that mean something here; the others are dropped, repetitions too."""
    words = dict.fromkeys(text.split())
    return tuple(word for word in words if _is_known(word))[:MAX_SCOPES]


def narrowed(asked: str, granted: Iterable[str]) -> tuple[str, ...] | None:
    """The asked scopes when all known ones of them were granted before, else None (RFC 6749 §6)."""
    held = tuple(granted)
    wanted = known(asked)
    return wanted if set(wanted) <= set(held) else None


def _is_known(word: str) -> bool:
    if len(word) > MAX_SCOPE or not word.isprintable():
        return False
    if word.startswith(PROJECT):
        return bool(Scopes((word,)).projects)
    return word in _WORDS or any(word.startswith(prefix) and word != prefix for prefix in _PREFIXES)
