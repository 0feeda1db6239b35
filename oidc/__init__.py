"""OpenID Connect and OAuth 2: what applications speak with the house (reference/oidc.md)."""
