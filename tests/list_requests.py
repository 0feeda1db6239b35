"""Every filter and every sorting column of the three long lists, over the rows that tests/crowded.py makes."""

import itertools
import os
from collections.abc import Iterator
from typing import Any

from tests.crowded import Sizes

LIMIT = 100
USERS = "/zitadel.user.v2.UserService/ListUsers"
ORGS = "/zitadel.org.v2.OrganizationService/ListOrganizations"
AUTHORIZATIONS = "/zitadel.authorization.v2.AuthorizationService/ListAuthorizations"
METHODS = ("equals", "equals*", "starts", "starts*", "contains", "contains*", "ends", "ends*")
"""Text methods by number; the starred ones ignore case."""
ROLES = ("viewer", "editor", "auditor", "billing", "admin")
USER_SORTS = (
    "id",
    "user_name",
    "first_name",
    "last_name",
    "nick_name",
    "display_name",
    "email",
    "state",
    "kind",
    "created",
)
AUTHORIZATION_SORTS = ("none", "created", "changed", "id", "user", "project", "org", "user's org")
Request = tuple[str, str, dict[str, Any]]


def requests(sizes: Sizes) -> Iterator[Request]:
    """Every request: what it is called, where it goes, its body."""
    yield from _users(sizes)
    yield from _organizations()
    yield from _authorizations(sizes)


def user_id(n: int) -> str:
    """The id of the n-th user that is loaded."""
    return f"{300000000000000000 + n * 4096}"


def user_filters(sizes: Sizes) -> dict[str, list[dict[str, Any]]]:
    """Filters of users by name."""
    found: dict[str, list[dict[str, Any]]] = {}
    for field, inner, wanted in USER_TEXTS:
        for method, (label, values) in enumerate(zip(METHODS, wanted, strict=True)):
            for value in values:
                found[f"{inner} {label} {value!r}"] = [{field: {inner: value, "method": method}}]
    for state in ("ACTIVE", "INACTIVE", "DELETED", "LOCKED", "INITIAL"):
        found[f"state {state}"] = [{"stateQuery": {"state": f"USER_STATE_{state}"}}]
    for kind in ("HUMAN", "MACHINE"):
        found[f"type {kind}"] = [{"typeQuery": {"type": f"TYPE_{kind}"}}]
    ids = [user_id(1 + n * 37 % sizes.users) for n in range(1000)]
    anna, kra = ({"firstNameQuery": {"firstName": "Anna"}}, {"lastNameQuery": {"lastName": "kra", "method": 3}})
    active = {"stateQuery": {"state": "USER_STATE_ACTIVE"}}
    inactive = {"stateQuery": {"state": "USER_STATE_INACTIVE"}}
    found |= {
        "1 id": [{"inUserIdsQuery": {"userIds": ids[:1]}}],
        "1000 ids": [{"inUserIdsQuery": {"userIds": ids}}],
        "addresses": [{"inUserEmailsQuery": {"userEmails": ["nobody@example.net", "anna.kraber3@mail3.example.net"]}}],
        "large organization": [{"organizationIdQuery": {"organizationId": "o00000001"}}],
        "small organization": [{"organizationIdQuery": {"organizationId": f"o{sizes.orgs * 9 // 10:08}"}}],
        "metadata key department": [{"metadataKeyFilter": {"key": "department"}}],
        "metadata key vip": [{"metadataKeyFilter": {"key": "vip"}}],
        "metadata key none": [{"metadataKeyFilter": {"key": "none"}}],
        "metadata value": [{"metadataValueFilter": {"value": "ZGVwNw=="}}],
        "metadata value not": [{"metadataValueFilter": {"value": "ZGVwNw==", "method": 1}}],
        "and": [{"andQuery": {"queries": [anna, kra]}}],
        "two filters": [anna, kra],
        "or": [{"orQuery": {"queries": [anna, kra]}}],
        "not active": [{"notQuery": {"query": active}}],
        "not Anna": [{"notQuery": {"query": anna}}],
        "nested": [{"andQuery": {"queries": [active, {"orQuery": {"queries": [anna, {"notQuery": {"query": kra}}]}}]}}],
        "nested few": [{"andQuery": {"queries": [inactive, {"orQuery": {"queries": [anna, kra]}}]}}],
        "or of columns": [
            {"orQuery": {"queries": [
                {"userNameQuery": {"userName": "zimqui", "method": 5}},
                {"emailQuery": {"emailAddress": "zimqui", "method": 5}},
                {"displayNameQuery": {"displayName": "zimqui", "method": 5}},
            ]}}
        ],
    }  # fmt: skip
    for number in range(8):
        found[f"metadata key {METHODS[number]}"] = [{"metadataKeyFilter": {"key": "vip", "method": number}}]
    return found


def _eight(*parts: str) -> tuple[tuple[str, ...], ...]:
    """Values for the eight methods: whole, beginning, middle, end; many rows and few each."""
    whole, start, middle, end = (part.split("|") for part in parts)
    return tuple(tuple(values) for values in (whole, [one.upper() for one in whole], start, [one.upper() for one in start],
        middle, [one.upper() for one in middle], end, [one.upper() for one in end]))  # fmt: skip


USER_TEXTS = (
    ("userNameQuery", "userName", _eight("robot-20|nobody", "an|zimqui|qqq", "a|stime|qqq|7777", "7|99999|qqq")),
    ("firstNameQuery", "firstName", _eight("Anna|Nobody", "A|Jo|Qqq", "a|stila|qqq", "a|stin|qqq")),
    ("lastNameQuery", "lastName", _eight("Kraber|Nobody", "K|Zimqui|Qqq", "e|ichqui|qqq", "n|quiitz|qqq")),
    ("nickNameQuery", "nickName", _eight("anna3|nobody", "a|anna49|qqq", "a|4999|qqq", "9|a4998|qqq")),
    ("displayNameQuery", "displayName", _eight("Anna Kraber|Nobody", "A|Josti|Qqq", "a|la Zimq|qqq", "n|us Richquiitz|qqq")),
    ("emailQuery", "emailAddress", _eight("nobody@example.net", "an|zimqui|qqq", "example|99@mail|qqq", "net|@mail7.example.net|qqq")),
    ("phoneQuery", "number", _eight("+491500000007|+4", "+49|+491507|+7", "15|7777|qqq", "1|77777|qqq")),
    ("loginNameQuery", "loginName", _eight("nobody@org1.example.com", "an|zimqui|qqq", "example|99@org1.|qqq", "com|org77.example.com|qqq")),
)  # fmt: skip


def _users(sizes: Sizes) -> Iterator[Request]:
    body = lambda asc, sort, queries: {"query": {"limit": LIMIT, "asc": asc}, "sortingColumn": sort, "queries": queries}
    for (sort, column), asc in itertools.product(enumerate(USER_SORTS), (True, False)):
        yield f"users by {column} {'asc' if asc else 'desc'}", USERS, body(asc, sort, [])
    for name, queries in user_filters(sizes).items():
        yield f"users, {name}", USERS, body(False, 0, queries)
        yield f"users, {name}, by display_name", USERS, body(True, 5, queries)
        if os.environ.get("PAIRS"):
            for (sort, column), asc in itertools.product(enumerate(USER_SORTS), (True, False)):
                yield f"users, {name}, by {column} {'asc' if asc else 'desc'}", USERS, body(asc, sort, queries)


def _organizations() -> Iterator[Request]:
    body = lambda asc, sort, queries: {"query": {"limit": LIMIT, "asc": asc}, "sortingColumn": sort, "queries": queries}
    filters: dict[str, list[dict[str, Any]]] = {"all": []}
    for field, inner, wanted in (
        ("nameQuery", "name", _eight("nobody", "Kra|Qqq", "e|Labs 77|qqq", "7|777|qqq")),
        (
            "domainQuery",
            "domain",
            _eight("org77.example.com|nobody", "org|org77|qqq", "example|777|qqq", "com|77.example.com|qqq"),
        ),
    ):
        for method, (label, values) in enumerate(zip(METHODS, wanted, strict=True)):
            filters |= {f"{inner} {label} {value!r}": [{field: {inner: value, "method": method}}] for value in values}
    for state in ("ACTIVE", "INACTIVE", "REMOVED"):
        filters[f"state {state}"] = [{"stateQuery": {"state": f"ORGANIZATION_STATE_{state}"}}]
    filters |= {"id": [{"idQuery": {"id": "o00000007"}}], "default": [{"defaultQuery": {}}]}
    for (name, queries), sort, asc in itertools.product(filters.items(), range(3), (True, False)):
        column = ("id", "name", "created")[sort]
        yield f"organizations, {name}, by {column} {'asc' if asc else 'desc'}", ORGS, body(asc, sort, queries)


def authorization_filters(sizes: Sizes) -> dict[str, list[dict[str, Any]]]:
    """Filters of authorizations by name."""
    ids = [f"{400000000000000000 + (1 + n * 37 % sizes.authorizations) * 4096}" for n in range(1000)]
    users = [user_id(1 + n * 37 % sizes.users) for n in range(1000)]
    found: dict[str, list[dict[str, Any]]] = {
        "1 id": [{"authorizationIds": {"ids": ids[:1]}}],
        "1000 ids": [{"authorizationIds": {"ids": ids}}],
        "1 user": [{"inUserIds": {"ids": users[:1]}}],
        "1000 users": [{"inUserIds": {"ids": users}}],
        "organization": [{"organizationId": {"id": "o00000008"}}],
        "small organization": [{"organizationId": {"id": f"o{sizes.orgs * 9 // 10:08}"}}],
        "active": [{"state": {"state": "STATE_ACTIVE"}}],
        "inactive": [{"state": {"state": "STATE_INACTIVE"}}],
        "user's organization": [{"userOrganizationId": {"id": "o00000001"}}],
        "user's small organization": [{"userOrganizationId": {"id": f"o{sizes.orgs * 9 // 10:08}"}}],
        "large project": [{"projectId": {"id": "p1"}}],
        "project": [{"projectId": {"id": f"p{sizes.projects - 1}"}}],
        "grant": [{"projectGrantId": {"id": "gp1"}}],
        "grant none": [{"projectGrantId": {"id": "none"}}],
        "two filters": [{"state": {"state": "STATE_INACTIVE"}}, {"roleKey": {"key": "admin"}}],
    }
    for field, inner, wanted in (
        ("userPreferredLoginName", "loginName", USER_TEXTS[7][2]),
        ("userDisplayName", "displayName", USER_TEXTS[4][2]),
        ("projectName", "name", _eight("Kraber portal 1|nobody", "K|Zimqui|Qqq", "portal|portal 77|qqq", "7|77|qqq")),
        ("roleKey", "key", _eight("viewer|admin|only-p7|none", "e|only-p7|qqq", "i|ly-p7|qqq", "r|-p7|qqq")),
    ):
        for method, (label, values) in enumerate(zip(METHODS, wanted, strict=True)):
            found |= {f"{inner} {label} {value!r}": [{field: {inner: value, "method": method}}] for value in values}
    return found


def _authorizations(sizes: Sizes) -> Iterator[Request]:
    def body(sort: int, filters: list[dict[str, Any]], *, asc: bool) -> dict[str, Any]:
        return {"pagination": {"limit": LIMIT, "asc": asc}, "sortingColumn": sort, "filters": filters}

    for (sort, column), asc in itertools.product(enumerate(AUTHORIZATION_SORTS), (True, False)):
        yield f"authorizations by {column} {'asc' if asc else 'desc'}", AUTHORIZATIONS, body(sort, [], asc=asc)
    for name, filters in authorization_filters(sizes).items():
        yield f"authorizations, {name}", AUTHORIZATIONS, body(0, filters, asc=False)
        yield f"authorizations, {name}, by user's org", AUTHORIZATIONS, body(7, filters, asc=True)
