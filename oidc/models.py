"""Rows of this room. Codes, tokens and requests are short-lived rows with an expiry; signing keys are a read table.

The relations are joins without constraints: they let a token check read the token, its user, organization,
session and application in one statement, and bind no room to another in the database (DESIGN §8).
"""

from typing import Any, ClassVar

from django.db import models

ID = 200


def _id(**options: Any) -> "models.CharField[str, str]":
    return models.CharField(max_length=ID, **options)


def _joins(to: str, column: str, key: str = "id") -> models.ForeignObject:
    """A join on (instance_id, column) = (instance_id, key) without a constraint."""
    return models.ForeignObject(
        to,
        on_delete=models.DO_NOTHING,
        from_fields=["instance_id", column],
        to_fields=["instance_id", key],
        related_name="+",
        null=True,
    )


class _Bearer(models.Model):
    """What codes, access tokens and refresh tokens share: on whose behalf, for whom, how far."""

    instance_id = _id()
    id = _id()
    digest = models.CharField(max_length=64)
    family_id = _id()
    issuer = models.CharField(max_length=300)
    client_id = _id(default="")
    app_id = _id(default="")
    user_id = _id()
    org_id = _id()
    session_id = _id(default="")
    scopes: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    auth_time = models.DateTimeField(null=True)
    amr: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    nonce = models.TextField(default="")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    user = _joins("users.UserRow", "user_id")
    org = _joins("orgs.OrgRow", "org_id")
    session = _joins("users.SessionRow", "session_id")
    app = _joins("projects.AppRow", "app_id")

    class Meta:
        abstract = True


class AuthRequest(models.Model):
    """An authorization request that passed every check and waits for a person (id `V2_` and 18 digits).

    With a `device_id` it is the sign-in of somebody who typed a device's code: it ends at the question whether the
    device may come in, and has no address to go back to. `source` is the network that began it.
    """

    pk = models.CompositePrimaryKey("instance_id", "id")
    instance_id = _id()
    id = _id()
    issuer = models.CharField(max_length=300)
    client_id = _id()
    app_id = _id()
    redirect_uri = models.TextField()
    response_type = models.CharField(max_length=40)
    response_mode = models.CharField(max_length=20)
    scopes: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    state = models.TextField(default="")
    nonce = models.TextField(default="")
    prompt: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    max_age = models.BigIntegerField(null=True)
    login_hint = models.TextField(default="")
    hint_user_id = _id(default="")
    ui_locales: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    code_challenge = models.CharField(max_length=128, default="")
    device_id = _id(default="", db_default="")
    source = models.CharField(max_length=64, default="", db_default="")
    login_client_id = _id(default="", db_default="")
    session_id = _id(default="")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    answer_digest = models.CharField(max_length=64, default="")

    app = _joins("projects.AppRow", "app_id")

    class Meta:
        db_table = "oidc_auth_requests"
        indexes: ClassVar = [
            models.Index(fields=["instance_id", "expires_at"], name="oidc_request_expiry"),
            models.Index(
                fields=["instance_id", "expires_at", "source"],
                condition=models.Q(finished_at=None),
                name="oidc_request_waiting",
            ),
        ]


class Grant(_Bearer):
    """An authorization code, stored as its digest; good once, for a minute."""

    pk = models.CompositePrimaryKey("instance_id", "id")
    redirect_uri = models.TextField()
    code_challenge = models.CharField(max_length=128, default="")
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "oidc_grants"
        constraints: ClassVar = [models.UniqueConstraint(fields=["instance_id", "digest"], name="oidc_grant_digest")]
        indexes: ClassVar = [models.Index(fields=["instance_id", "expires_at"], name="oidc_grant_expiry")]


class DeviceAuthorization(_Bearer):
    """A device that waits for somebody to let it in (RFC 8628); both of its codes are stored as digests.

    `state` as `devices.State` counts, `interval` in seconds, `source` the address that asked (IPv6: the /64). Whose it
    is and how they signed in is known once it is approved.
    """

    pk = models.CompositePrimaryKey("instance_id", "id")
    user_digest = models.CharField(max_length=64)
    state = models.SmallIntegerField()
    interval = models.IntegerField()
    source = models.CharField(max_length=64)
    polled_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "oidc_device_authorizations"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instance_id", "digest"], name="oidc_device_digest"),
            models.UniqueConstraint(fields=["instance_id", "user_digest"], name="oidc_device_user_code"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["instance_id", "expires_at"], name="oidc_device_expiry"),
            models.Index(fields=["instance_id", "client_id", "expires_at"], name="oidc_device_client"),
        ]


class AccessToken(_Bearer):
    """An access token, opaque or JWT, stored as its digest."""

    pk = models.CompositePrimaryKey("instance_id", "id")
    audience: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    for_api = models.BooleanField(default=False)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "oidc_access_tokens"
        constraints: ClassVar = [models.UniqueConstraint(fields=["instance_id", "digest"], name="oidc_access_digest")]
        indexes: ClassVar = [
            models.Index(fields=["instance_id", "family_id"], name="oidc_access_family"),
            models.Index(fields=["instance_id", "expires_at"], name="oidc_access_expiry"),
        ]


class RefreshToken(_Bearer):
    """A refresh token, stored as its digest. `expires_at` is the idle end, `ends_at` the end of the whole family."""

    pk = models.CompositePrimaryKey("instance_id", "id")
    started_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "oidc_refresh_tokens"
        constraints: ClassVar = [models.UniqueConstraint(fields=["instance_id", "digest"], name="oidc_refresh_digest")]
        indexes: ClassVar = [
            models.Index(fields=["instance_id", "family_id"], name="oidc_refresh_family"),
            models.Index(fields=["instance_id", "expires_at"], name="oidc_refresh_expiry"),
            models.Index(fields=["instance_id", "user_id"], name="oidc_refresh_user"),
        ]


class UsedAssertion(models.Model):
    """A JWT assertion that was accepted and names a `jti`: kept until it expires so that it counts once (RFC 7523 §3)."""

    pk = models.CompositePrimaryKey("instance_id", "digest")
    instance_id = _id()
    digest = models.CharField(max_length=64)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "oidc_used_assertions"
        indexes: ClassVar = [models.Index(fields=["instance_id", "expires_at"], name="oidc_assertion_expiry")]


class WebKeyRow(models.Model):
    """A signing key: public part as a JWK, private part sealed."""

    pk = models.CompositePrimaryKey("instance_id", "id")
    instance_id = _id()
    id = _id()
    state = models.SmallIntegerField()
    algorithm = models.CharField(max_length=20)
    config: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    public_key = models.TextField()
    private_key = models.TextField()
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    deactivated_at = models.DateTimeField(null=True)
    version = models.BigIntegerField()

    class Meta:
        db_table = "oidc_web_keys"
