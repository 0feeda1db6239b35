"""Who calls an endpoint: a public client, a secret in the header or the form, or private_key_jwt (checklist D01, D02).

Many libraries try one place for a secret and then the other, or always send a placeholder. So a secret counts wherever it
stands, and what a public client sends as one says nothing; only a wrong secret of a client that has one is a guess.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote_plus

from django.db import IntegrityError, transaction

from iam.access.tokens import SecretHolder, digest, is_secret_of
from iam.api import rates
from iam.kernel.context import Context
from oidc.clients import Client
from oidc.errors import OAuthError
from oidc.issuers import TOKEN_ENDPOINT, is_audience
from oidc.jose import SKEW, BadTokenError, BoundKey, audience, check_times, public_pem, read, text_of, verify
from oidc.models import UsedAssertion
from oidc.registry import find_client
from projects.models import AppKeyRow

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_ASSERTION = timedelta(hours=1)
NONE_SENT = ("", "None")
"""One client library sends a literal `client_id=None`."""


def credentials(form: Mapping[str, str], authorization: str) -> tuple[str, str, str]:
    """(client id, proof, method none, secret or private_key_jwt) as sent; raises OAuthError for two methods at once."""
    in_form = "" if form.get("client_id", "") in NONE_SENT else form["client_id"]
    in_form_secret, asserted = form.get("client_secret", ""), form.get("client_assertion_type") == ASSERTION
    basic = authorization[:6].lower() == "basic "
    if sum((basic, bool(in_form_secret), asserted)) > 1:
        raise OAuthError("invalid_request", "more than one way of client authentication")
    if basic:
        id, proof = _basic(authorization[6:])
        method = "secret"
    elif asserted:
        id, proof, method = (
            _issuer(form.get("client_assertion", "")),
            form.get("client_assertion", ""),
            "private_key_jwt",
        )
    else:
        id, proof, method = in_form, in_form_secret, "secret" if in_form_secret else "none"
    if in_form not in ("", id):
        raise OAuthError("invalid_request", "two different clients are named")
    return id, proof, method


def _basic(encoded: str) -> tuple[str, str]:
    """RFC 6749 §2.3.1: both parts are form-encoded before they are joined."""
    try:
        id, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeError):
        raise OAuthError("invalid_client", "malformed basic credentials") from None
    id, secret = unquote_plus(id), unquote_plus(secret)
    if "\0" in id:
        raise OAuthError("invalid_client", "malformed basic credentials")
    return id, secret


def _issuer(assertion: str) -> str:
    try:
        return text_of(read(assertion).claims, "iss")
    except BadTokenError:
        raise OAuthError("invalid_client", "malformed assertion") from None


def authenticated_client(ctx: Context, form: Mapping[str, str], authorization: str, *, public: bool = True) -> Client:
    """The application that proved itself as it is registered; raises OAuthError invalid_client.

    A public client is known by its id alone; what it does is proved by PKCE or a device's code.
    """
    id, proof, method = credentials(form, authorization)
    client = find_client(ctx.instance, id)
    if client is None:
        raise OAuthError("invalid_client", "unknown or inactive client")
    if client.is_public and (method == "private_key_jwt" or not public):
        raise OAuthError("invalid_client", "this client has no way to prove itself here")
    if client.auth_method == "private_key_jwt":
        _must_be_asserted(ctx, client, proof if method == "private_key_jwt" else "")
    elif not client.is_public:
        must_know_secret(ctx, client.id, client, proof if method == "secret" else "")
    return client


def must_know_secret(ctx: Context, id: str, holder: SecretHolder | None, secret: str) -> None:
    """Whether a secret is that of a client, or of a service user (None when there is no such one; that looks alike).

    A wrong one is a guess: an address that has guessed too often at a client waits (checklist D03). Right ones cost
    nothing, and strangers' guesses do not keep the client out. Raises OAuthError invalid_client, ResourceExhausted.
    """
    if not secret:
        raise OAuthError("invalid_client", "a client secret is needed")
    rates.may_guess(ctx.instance, id, ctx.origin.ip)
    if holder is None or not is_secret_of(holder, secret, ctx.now()):
        rates.guessed_wrong(ctx.instance, id, ctx.origin.ip)
        raise OAuthError("invalid_client", "wrong credentials")


def _must_be_asserted(ctx: Context, client: Client, assertion: str) -> None:
    if not assertion:
        raise OAuthError("invalid_client", "this client authenticates with private_key_jwt")

    def find(kid: str) -> BoundKey | None:
        row = AppKeyRow.objects.filter(instance_id=ctx.instance, id=kid, app_id=client.app_id).first()
        alive = row is not None and (row.expires_at is None or row.expires_at > ctx.now())
        return public_pem(kid, row.public_key) if row is not None and alive else None

    try:
        claims = verify(assertion, find, types=("jwt",))
        check_assertion_claims(ctx, claims, subject=client.id)
    except BadTokenError as wrong:
        raise OAuthError("invalid_client", str(wrong)) from wrong


def check_assertion_claims(ctx: Context, claims: Mapping[str, Any], *, subject: str) -> None:
    """iss = sub = subject, for us, short-lived, and with a `jti` only once (RFC 7523 §3); raises BadTokenError."""
    if claims.get("iss") != subject or claims.get("sub") != subject:
        raise BadTokenError("issuer and subject must be the client")
    if not is_audience(ctx.instance, ctx.base_url, audience(claims), TOKEN_ENDPOINT):
        raise BadTokenError("wrong audience")
    check_times(claims, ctx.now(), longest=LONGEST_ASSERTION)
    if "jti" in claims:
        _use_once(ctx, f"{subject}/{text_of(claims, 'jti')}", ends=claims["exp"])


def _use_once(ctx: Context, id: str, *, ends: int) -> None:
    """Remember an assertion for as long as it would be accepted."""
    expires_at = datetime.fromtimestamp(ends, UTC) + SKEW
    try:
        with transaction.atomic():
            UsedAssertion.objects.create(instance_id=ctx.instance, digest=digest(id), expires_at=expires_at)
    except IntegrityError:
        raise BadTokenError("assertion was used before") from None
