"""Read tables of users and sessions."""

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Upper

from projections import indexes
from projections.indexes import Beginnings, BesideIds, Ends, Trigrams
from projections.projection import UNKNOWN

ID = 200
WORDS = {1: "active", 2: "inactive", 3: "deleted", 4: "locked", 5: "initial"}


def _id(**options: Any) -> "models.CharField[str, str]":
    return models.CharField(max_length=ID, **options)


class UserRow(models.Model):
    """One user. `kind` human or machine; `state` as in the API."""

    pk = models.CompositePrimaryKey("instance_id", "id")
    instance_id = _id()
    id = _id()
    org_id = _id()
    kind = models.CharField(max_length=10)
    state = models.SmallIntegerField(default=1)
    user_name = _id()
    preferred_login_name = models.CharField(max_length=500)
    named_position = models.BigIntegerField(default=UNKNOWN, db_default=UNKNOWN)
    """Where in the log the user got the name. Positions order who has a login name (decision 0008)."""
    bare_position = models.BigIntegerField(default=UNKNOWN, db_default=UNKNOWN, null=True)
    """Since when the name is a login name without a domain; None where it is none."""
    first_name = _id(default="")
    last_name = _id(default="")
    nick_name = _id(default="")
    display_name = models.CharField(max_length=410, default="")
    preferred_language = _id(default="")
    gender = models.SmallIntegerField(default=0)
    email = _id(default="")
    email_verified = models.BooleanField(default=False)
    email_position = models.BigIntegerField(default=UNKNOWN, db_default=UNKNOWN)
    """Where the address was proved."""
    phone = _id(default="")
    phone_verified = models.BooleanField(default=False)
    phone_position = models.BigIntegerField(default=UNKNOWN, db_default=UNKNOWN)
    name = _id(default="")
    description = models.TextField(default="")
    access_token_type = models.SmallIntegerField(default=0)
    password_hash = models.TextField(default="")
    password_change_required = models.BooleanField(default=False)
    password_changed_at = models.DateTimeField(null=True)
    mfa_init_skipped_at = models.DateTimeField(null=True)
    secret_hash = models.CharField(max_length=64, default="")
    previous_secret_hash = models.CharField(max_length=64, default="", db_default="")
    previous_secret_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    version = models.BigIntegerField()

    class Meta:
        db_table = "users_users"
        indexes: ClassVar = [
            models.Index(fields=["instance_id", "user_name", "id"], name="users_name"),
            models.Index(fields=["instance_id", "org_id", "id"], name="users_org"),
            models.Index(fields=["instance_id", "email", "id", "kind"], name="users_email_kind"),
            models.Index(fields=["instance_id", "display_name", "id", "kind", "state"], name="users_display_name_kind"),
            models.Index(fields=["instance_id", "first_name", "id", "kind"], name="users_first_name_kind"),
            models.Index(fields=["instance_id", "last_name", "id", "kind"], name="users_last_name_kind"),
            models.Index(fields=["instance_id", "nick_name", "id", "kind"], name="users_nick_name_kind"),
            models.Index(fields=["instance_id", "created_at", "id"], name="users_created"),
            models.Index(fields=["instance_id", "preferred_login_name", "id"], name="users_login_name"),
            models.Index(fields=["instance_id", "state", "id"], name="users_state"),
            models.Index(fields=["instance_id", "kind", "id"], name="users_kind"),
            models.Index(fields=["instance_id", "phone", "id", "kind"], name="users_phone_kind"),
            models.Index("instance_id", Upper("user_name"), name="users_any_case_name"),
            models.Index("instance_id", Upper("preferred_login_name"), name="users_any_case_login"),
            models.Index("instance_id", Upper("email"), name="users_any_case_email"),
        ]

    @property
    def state_word(self) -> str:
        """The state as a word."""
        return WORDS.get(self.state, "unknown")

    @property
    def shown_name(self) -> str:
        """How lists call the user."""
        return self.display_name or self.name or self.user_name


class NameRuleRow(models.Model):
    """What an instance, or an organization that differs from it, says of login names: whether they must have a domain."""

    pk = models.CompositePrimaryKey("instance_id", "owner")
    instance_id = _id()
    owner = _id()
    with_domain = models.BooleanField()

    class Meta:
        db_table = "users_name_rules"


class UserMetadataRow(models.Model):
    """One value under a key; the digest of the value (SHA-256, hex) finds users by it."""

    pk = models.CompositePrimaryKey("instance_id", "user_id", "key")
    instance_id = _id()
    user_id = _id()
    key = _id()
    value = models.BinaryField()
    value_digest = models.CharField(max_length=64, default="", db_default="")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    version = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "users_metadata"
        indexes: ClassVar = [
            models.Index(fields=["instance_id", "key"], name="users_metadata_key"),
            models.Index(fields=["instance_id", "value_digest"], name="users_metadata_value"),
        ]


class PatRow(models.Model):
    """One personal access token, by the digest of its text."""

    pk = models.CompositePrimaryKey("instance_id", "id")
    instance_id = _id()
    id = _id()
    user_id = _id()
    org_id = _id()
    digest = models.CharField(max_length=64)
    scopes: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    version = models.BigIntegerField(default=0, db_default=0)

    user = models.ForeignObject(
        UserRow,
        on_delete=models.DO_NOTHING,
        from_fields=["instance_id", "user_id"],
        to_fields=["instance_id", "id"],
        related_name="+",
    )

    class Meta:
        db_table = "users_pats"
        constraints: ClassVar = [models.UniqueConstraint(fields=["instance_id", "digest"], name="users_pat_digest")]
        indexes: ClassVar = [models.Index(fields=["instance_id", "user_id"], name="users_pat_user")]


class MachineKeyRow(models.Model):
    """One public key of a service user (PEM)."""

    pk = models.CompositePrimaryKey("instance_id", "id")
    instance_id = _id()
    id = _id()
    user_id = _id()
    org_id = _id()
    public_key = models.TextField()
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    version = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "users_machine_keys"
        indexes: ClassVar = [models.Index(fields=["instance_id", "user_id"], name="users_key_user")]


class SessionRow(models.Model):
    """One session. `metadata` holds base64 under keys, `header` lists of values under names."""

    pk = models.CompositePrimaryKey("instance_id", "id")
    instance_id = _id()
    id = _id()
    user_id = _id(default="")
    org_id = _id(default="")
    token_digest = models.CharField(max_length=64, default="")
    user_checked_at = models.DateTimeField(null=True)
    password_checked_at = models.DateTimeField(null=True)
    terminated = models.BooleanField(default=False)
    expires_at = models.DateTimeField(null=True)
    user_agent = models.CharField(max_length=500, default="")
    ip = models.CharField(max_length=60, default="")
    fingerprint_id = _id(default="")
    header: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict, db_default=models.Value({}, models.JSONField())
    )
    metadata: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict, db_default=models.Value({}, models.JSONField())
    )
    creator_id = _id(default="", db_default="")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    version = models.BigIntegerField()

    class Meta:
        db_table = "users_sessions"
        indexes: ClassVar = [
            models.Index(fields=["instance_id", "user_id"], name="users_session_user"),
            models.Index(fields=["instance_id", "creator_id"], name="users_session_creator"),
            models.Index(fields=["instance_id", "created_at", "id"], name="users_session_created"),
        ]


class CodeRow(models.Model):
    """A code that proves an address or lets a password be set: one per user and purpose, with an end.

    How it reached the person is kept, so that an invitation can be sent once more: `returned` to who asked for it, or
    in a letter that led to a page of `url_template` in the name of an `application`. `device` is the digest of the
    browser that asked for it; `tries_from` counts wrong tries by network and of that browser, `tries` every change of it.
    """

    pk = models.CompositePrimaryKey("instance_id", "user_id", "purpose")
    instance_id = _id()
    user_id = _id()
    purpose = models.CharField(max_length=20)
    digest = models.CharField(max_length=64)
    medium = models.CharField(max_length=10, default="email", db_default="email")
    tries = models.IntegerField(default=0)
    tries_from: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict, db_default=models.Value({}, models.JSONField())
    )
    device = models.CharField(max_length=64, default="", db_default="")
    returned = models.BooleanField(default=False, db_default=False)
    url_template = models.TextField(default="", db_default="")
    application = models.TextField(default="", db_default="")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "users_codes"
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="users_code_expiry")]


class ResetRequest(models.Model):
    """Somebody asked for a new password under a name, which may be nobody's. Followers look whose it is.

    The name is sealed. `device` is the digest of the browser that asked, `people` whoever signed in there before.
    """

    pk = models.CompositePrimaryKey("instance_id", "id")
    instance_id = _id()
    id = _id()
    login_name = models.TextField()
    network = models.CharField(max_length=64)
    device = models.CharField(max_length=64)
    people: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    links_url = models.CharField(max_length=300)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "users_reset_requests"
        indexes: ClassVar = [models.Index(fields=["created_at"], name="users_reset_age")]


class AttemptRow(models.Model):
    """Failed sign-ins of one account from one network, and until when the next one has to wait."""

    pk = models.CompositePrimaryKey("instance_id", "subject", "network")
    instance_id = _id()
    subject = _id()
    network = models.CharField(max_length=64)
    failures = models.IntegerField(default=0)
    wait_until = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "users_attempts"
        indexes: ClassVar = [models.Index(fields=["changed_at"], name="users_attempt_age")]


class FailedCheckRow(models.Model):
    """Wrong passwords of a person since the last right one, where a lockout policy counts them.

    `since` is how often the count had begun anew by a fact (another password, unlocked, reactivated) when it began.
    """

    pk = models.CompositePrimaryKey("instance_id", "user_id")
    instance_id = _id()
    user_id = _id()
    since = models.IntegerField(default=0)
    failures = models.IntegerField(default=0)
    locks = models.BooleanField(default=False)
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "users_failed_checks"


_TEXTS = (
    "user_name",
    "preferred_login_name",
    "first_name",
    "last_name",
    "nick_name",
    "display_name",
    "email",
    "phone",
    "name",
)
indexes.keep(
    Trigrams("users_trigrams", UserRow, _TEXTS),
    BesideIds("users_ids_user_name", UserRow, ("kind", "user_name", "nick_name")),
    BesideIds("users_ids_login_name", UserRow, ("preferred_login_name",)),
    BesideIds("users_ids_names", UserRow, ("kind", "first_name", "last_name")),
    BesideIds("users_ids_display_name", UserRow, ("kind", "display_name")),
    BesideIds("users_ids_email", UserRow, ("kind", "email")),
    BesideIds("users_ids_phone", UserRow, ("kind", "state", "phone")),
    Beginnings("users_begin_user_name", UserRow, "user_name"),
    Beginnings("users_begin_login_name", UserRow, "preferred_login_name"),
    Beginnings("users_begin_first_name", UserRow, "first_name", ("kind",)),
    Beginnings("users_begin_last_name", UserRow, "last_name", ("kind",)),
    Beginnings("users_begin_nick_name", UserRow, "nick_name", ("kind",)),
    Beginnings("users_begin_display_name", UserRow, "display_name", ("kind",)),
    Beginnings("users_begin_email", UserRow, "email", ("kind",)),
    Ends("users_end_user_name", UserRow, "user_name"),
    Ends("users_end_login_name", UserRow, "preferred_login_name"),
    Ends("users_end_nick_name", UserRow, "nick_name", ("kind",)),
    Ends("users_end_email", UserRow, "email", ("kind",)),
    Ends("users_end_phone", UserRow, "phone", ("kind",)),
)
indexes.retire(
    "users_ends_login_name",
    "users_ends_any_case_login",
    "users_ends_email",
    "users_ends_any_case_email",
    "users_ends_phone",
)
