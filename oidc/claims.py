"""What tokens and answers say about a person (reference/oidc.md §6). Pure functions of plain values."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from oidc import scopes as scope_names
from oidc.scopes import Scopes

Claims = dict[str, Any]
RolesOfProject = Mapping[str, Mapping[str, str]]
"""role key → organization in which it is held → that organization's primary domain."""

ROLES_CLAIM = "urn:zitadel:iam:org:project:roles"
GENDERS = {1: "female", 2: "male", 3: "diverse", "GENDER_FEMALE": "female", "GENDER_MALE": "male"}


@dataclass(frozen=True)
class Person:
    """A user as claims need one. Machines have only a name and a user name."""

    id: str
    org_id: str = ""
    org_name: str = ""
    org_domain: str = ""
    kind: str = "human"
    login_name: str = ""
    user_name: str = ""
    display_name: str = ""
    first_name: str = ""
    last_name: str = ""
    nick_name: str = ""
    gender: int | str = 0
    language: str = ""
    picture: str = ""
    email: str = ""
    email_verified: bool = False
    phone: str = ""
    phone_verified: bool = False
    changed_at: datetime | None = None
    metadata: Mapping[str, bytes] = field(default_factory=dict)


def standard_claims(person: Person, scopes: Scopes) -> Claims:
    """The claims of profile, email, phone and the reserved user scopes (OpenID Connect Core §5.4). Empty ones are left out."""
    told: Claims = {}
    if "profile" in scopes:
        told |= _profile(person)
    if "email" in scopes and person.email:
        told |= {"email": person.email, "email_verified": person.email_verified}
    if "phone" in scopes and person.phone:
        told |= {"phone_number": person.phone, "phone_number_verified": person.phone_verified}
    return told | requested_claims(person, scopes)


def _profile(person: Person) -> Claims:
    names: Claims = {
        "name": person.display_name,
        "given_name": person.first_name,
        "family_name": person.last_name,
        "nickname": person.nick_name,
        "gender": GENDERS.get(person.gender, ""),
        "locale": person.language,
        "picture": person.picture,
        "preferred_username": person.login_name,
        "updated_at": int(person.changed_at.timestamp()) if person.changed_at else 0,
    }
    return {name: value for name, value in names.items() if value}


def requested_claims(person: Person, scopes: Scopes) -> Claims:
    """Metadata, resource owner and organization domain: told in every place, only when asked for."""
    told: Claims = {}
    if scope_names.METADATA in scopes and person.metadata:
        told[scope_names.METADATA] = {key: _base64url(value) for key, value in sorted(person.metadata.items())}
    if wants_org(scopes):
        owner = {"id": person.org_id, "name": person.org_name, "primary_domain": person.org_domain}
        told |= {f"{scope_names.RESOURCE_OWNER}:{part}": value for part, value in owner.items()}
    if scopes.org_domain and scopes.org_domain.lower() == person.org_domain.lower():
        told[f"{scope_names.ORG_DOMAIN}{scopes.org_domain}"] = scopes.org_domain
    return told


def wants_org(scopes: Scopes) -> bool:
    """Whether the person's organization is to be told."""
    return bool(scope_names.RESOURCE_OWNER in scopes or scopes.org_id or scopes.org_domain)


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@dataclass(frozen=True)
class RoleQuestion:
    """Which roles a token or answer must name: of which projects, and whether the application asserts them unasked.

    Without a project (a service user's own tokens) roles are those of the whole audience.
    """

    project_id: str
    audience: tuple[str, ...]
    scopes: Scopes
    asserted: bool = False

    @property
    def projects(self) -> tuple[str, ...]:
        """Projects whose roles must be looked up; none when roles are neither asked for nor asserted."""
        every = scope_names.ROLES in self.scopes or (not self.project_id and bool(self.scopes.roles))
        own = self.asserted or every or bool(self.scopes.roles) or scope_names.ROLES_SINGULAR in self.scopes
        candidates = ([self.project_id] if own else []) + (list(self.audience) if every else [])
        return tuple(dict.fromkeys(project for project in candidates if project))


def role_claims(question: RoleQuestion, roles: Mapping[str, RolesOfProject]) -> Claims:
    """The role claims; nothing for a project in which the user holds no role."""
    told: Claims = {}
    for project in question.projects:
        held = _held(question, project, roles.get(project, {}))
        if not held:
            continue
        told[f"urn:zitadel:iam:org:project:{project}:roles"] = held
        if project == question.project_id:
            told[ROLES_CLAIM] = held
    return told


def _held(question: RoleQuestion, project: str, roles: RolesOfProject) -> dict[str, dict[str, str]]:
    scopes = question.scopes
    everything = question.asserted or scope_names.ROLES in scopes or scope_names.ROLES_SINGULAR in scopes
    limited = _limited(roles, scopes.role_orgs)
    if everything:
        return limited
    return {key: orgs for key, orgs in limited.items() if key in scopes.roles}


def _limited(roles: RolesOfProject, orgs: Iterable[str]) -> dict[str, dict[str, str]]:
    wanted = frozenset(orgs)
    kept = {
        key: {org: domain for org, domain in holders.items() if not wanted or org in wanted}
        for key, holders in roles.items()
    }
    return {key: holders for key, holders in kept.items() if holders}
