"""From an application's row to the protocol's view of it."""

from typing import Any

from pydantic import TypeAdapter

from iam.cache import kept
from oidc.clients import Client
from projects.models import AppRow
from projects.queries import find_app_by_client_id

PLAIN = TypeAdapter(Client)
"""The protocol's view as plain values and back."""

OIDC_METHODS = {0: "basic", 1: "post", 2: "none", 3: "private_key_jwt"}
API_METHODS = {0: "basic", 1: "private_key_jwt"}
TYPES = {0: "web", 1: "user_agent", 2: "native"}
RESPONSES = {0: "code", 1: "id_token", 2: "id_token token"}
GRANTS = {
    0: "authorization_code",
    1: "implicit",
    2: "refresh_token",
    3: "urn:ietf:params:oauth:grant-type:device_code",
    4: "urn:ietf:params:oauth:grant-type:token-exchange",
}


def find_client(instance: str, client_id: str) -> Client | None:
    """The application of a client id while it and everything above it is active. One statement."""
    found = kept.kept(kept.OIDC, instance, ("client", client_id), lambda: _asked(instance, client_id))
    return PLAIN.validate_python(found) if found else None


def _asked(instance: str, client_id: str) -> dict[str, Any] | None:
    row = find_app_by_client_id(instance, client_id)
    return PLAIN.dump_python(client_of(row), mode="json") if row else None


def client_of(row: AppRow) -> Client:
    """A row, joined with its project, in the protocol's words."""
    methods = OIDC_METHODS if row.kind == "oidc" else API_METHODS
    more: dict[str, Any] = {"clock_skew": row.clock_skew} if row.clock_skew else {}
    return Client(
        id=row.client_id,
        app_id=row.id,
        project_id=row.project_id,
        org_id=row.org_id,
        name=row.name,
        kind=row.kind,
        app_type=TYPES.get(row.application_type, "web"),
        auth_method=methods.get(row.auth_method_type, "basic"),
        secret_hash=row.secret_hash,
        previous_secret_hash=row.previous_secret_hash,
        previous_secret_until=row.previous_secret_until,
        redirect_uris=tuple(row.redirect_uris),
        post_logout_redirect_uris=tuple(row.post_logout_redirect_uris),
        additional_origins=tuple(row.additional_origins),
        response_types=frozenset(RESPONSES[one] for one in row.response_types if one in RESPONSES)
        or frozenset({"code"}),
        grant_types=frozenset(GRANTS[one] for one in row.grant_types if one in GRANTS)
        or frozenset({"authorization_code"}),
        dev_mode=row.dev_mode,
        jwt_access_token=row.access_token_type == 1,
        asserts_roles_in_access_token=row.access_token_role_assertion,
        asserts_roles_in_id_token=row.id_token_role_assertion,
        asserts_userinfo_in_id_token=row.id_token_userinfo_assertion,
        asserts_roles=row.project.project_role_assertion,
        checks_role=row.project.project_role_check,
        checks_project=row.project.has_project_check,
        **more,
    )
