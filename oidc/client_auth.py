"""Who calls an endpoint: none, basic, post or private_key_jwt, exactly as registered (checklist D01, D02)."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import unquote_plus

from django.db import IntegrityError, transaction

from iam.access.tokens import digest, is_secret_of
from iam.api import rates
from iam.kernel.context import Context
from oidc.clients import Client
from oidc.errors import OAuthError
from oidc.issuers import TOKEN_ENDPOINT, is_audience
from oidc.jose import BadTokenError, BoundKey, audience, check_times, public_pem, read, verify
from oidc.models import UsedAssertion
from oidc.registry import find_client
from projects.models import AppKeyRow

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_ASSERTION = timedelta(hours=1)
NONE_SENT = ("", "None")
"""One client library sends a literal `client_id=None`."""


def credentials(form: Mapping[str, str], authorization: str) -> tuple[str, str, str]:
    """(client id, secret, method) as sent; raises OAuthError for two methods at once."""
    in_form = form.get("client_id", ""), form.get("client_secret", "")
    asserted = form.get("client_assertion_type") == ASSERTION
    basic = authorization[:6].lower() == "basic "
    if sum((basic, bool(in_form[1]), asserted)) > 1:
        raise OAuthError("invalid_request", "more than one way of client authentication")
    if basic:
        return *_basic(authorization[6:]), "basic"
    if asserted:
        return _issuer(form.get("client_assertion", "")), form.get("client_assertion", ""), "private_key_jwt"
    id = "" if in_form[0] in NONE_SENT else in_form[0]
    return id, in_form[1], "post" if in_form[1] else "none"


def _basic(encoded: str) -> tuple[str, str]:
    """RFC 6749 §2.3.1: both parts are form-encoded before they are joined."""
    try:
        id, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise OAuthError("invalid_client", "malformed basic credentials") from None
    return unquote_plus(id), unquote_plus(secret)


def _issuer(assertion: str) -> str:
    try:
        return str(read(assertion).claims.get("iss", ""))
    except BadTokenError:
        raise OAuthError("invalid_client", "malformed assertion") from None


def authenticated_client(ctx: Context, form: Mapping[str, str], authorization: str, *, public: bool = True) -> Client:
    """The application that proved itself the way it is registered; raises OAuthError invalid_client."""
    id, proof, method = credentials(form, authorization)
    with counted_guess(ctx, id):
        return _proven(ctx, id, proof, method, public=public)


@contextmanager
def counted_guess(ctx: Context, id: str) -> Iterator[None]:
    """Refuse a proof of an address that has guessed too often at this client, and count a wrong one (checklist D03).

    Raises ResourceExhausted. Right proofs cost nothing, and strangers' guesses do not keep the client out.
    """
    rates.may_guess(ctx.instance, id, ctx.origin.ip)
    try:
        yield
    except OAuthError as refused:
        if refused.error == "invalid_client":
            rates.guessed_wrong(ctx.instance, id, ctx.origin.ip)
        raise


def _proven(ctx: Context, id: str, proof: str, method: str, *, public: bool) -> Client:
    client = find_client(ctx.instance, id)
    if client is None:
        raise OAuthError("invalid_client", "unknown or inactive client")
    if method == "post" and client.auth_method == "basic" and client.kind == "api":
        method = "basic"  # the recipe sends an API application's secret in the form (reference/oidc.md §1)
    if client.auth_method != method or (client.is_public and not public):
        raise OAuthError("invalid_client", "this client authenticates another way")
    if method in ("basic", "post") and not is_secret_of(client, proof, ctx.now()):
        raise OAuthError("invalid_client", "wrong credentials")
    if method == "private_key_jwt":
        _check_assertion(ctx, client, proof)
    return client


def _check_assertion(ctx: Context, client: Client, assertion: str) -> None:
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
    if jti := claims.get("jti"):
        _use_once(ctx, f"{subject}/{jti}")


def _use_once(ctx: Context, id: str) -> None:
    try:
        with transaction.atomic():
            UsedAssertion.objects.create(
                instance_id=ctx.instance, digest=digest(id), expires_at=ctx.now() + LONGEST_ASSERTION
            )
    except IntegrityError:
        raise BadTokenError("assertion was used before") from None
