"""Addresses of the protocol (reference/oidc.md §1)."""

from django.urls import path

from oidc import endpoints
from oidc.authorize import authorize
from oidc.end_session import end_session

urlpatterns = [
    path(".well-known/openid-configuration", endpoints.configuration),
    path(".well-known/oauth-authorization-server", endpoints.configuration),
    path("oauth/v2/authorize", authorize),
    path("oauth/v2/token", endpoints.token),
    path("oauth/v2/device_authorization", endpoints.device_authorization),
    path("oauth/v2/introspect", endpoints.introspect),
    path("oauth/v2/revoke", endpoints.revoke),
    path("oauth/v2/keys", endpoints.keys),
    path("oidc/v1/userinfo", endpoints.userinfo),
    path("oidc/v1/end_session", end_session),
]
