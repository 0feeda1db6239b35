"""The provider's metadata (OpenID Connect Discovery §3, RFC 8414)."""

from typing import Any

from iam.kernel.context import Context
from oidc.scopes import STANDARD
from oidc.web_keys import published

METHODS = ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]
ALGORITHMS = ["RS256", "ES256", "ES384", "ES512"]
"""Of the keys that applications may register for their assertions."""
SCOPES = [scope for scope in STANDARD if scope != "address"]
"""Nobody has an address yet: that scope is taken and gives nothing."""
CLAIMS = (
    "sub aud exp iat iss auth_time nonce amr at_hash azp client_id sid name given_name family_name nickname gender"
    " locale updated_at preferred_username email email_verified phone_number phone_number_verified"
)


def document(ctx: Context) -> dict[str, Any]:
    """Everything a client needs to know; the issuer is the origin that it asked."""
    issuer = ctx.base_url
    signing = list(dict.fromkeys(["RS256", *(key["alg"] for key in published(ctx.instance))]))
    authenticated = METHODS[1:]
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/v2/authorize",
        "token_endpoint": f"{issuer}/oauth/v2/token",
        "device_authorization_endpoint": f"{issuer}/oauth/v2/device_authorization",
        "introspection_endpoint": f"{issuer}/oauth/v2/introspect",
        "userinfo_endpoint": f"{issuer}/oidc/v1/userinfo",
        "revocation_endpoint": f"{issuer}/oauth/v2/revoke",
        "end_session_endpoint": f"{issuer}/oidc/v1/end_session",
        "jwks_uri": f"{issuer}/oauth/v2/keys",
        "scopes_supported": SCOPES,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": signing,
        "token_endpoint_auth_methods_supported": METHODS,
        "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "revocation_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "introspection_endpoint_auth_methods_supported": authenticated,
        "introspection_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "claims_supported": CLAIMS.split(),
        "code_challenge_methods_supported": ["S256"],
        "ui_locales_supported": ["en", "de", "es"],
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "authorization_response_iss_parameter_supported": True,
    }
