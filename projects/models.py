"""Read tables of projects."""

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Upper

from iam.kernel.levels import Resource
from projections import holders, indexes
from projections.indexes import Beginnings, BesideIds, Ends, Trigrams
from users.models import UserRow

WORDS = {1: "active", 2: "inactive", 3: "removed"}


def _id(**options: Any) -> "models.CharField[str, str]":
    return models.CharField(max_length=200, **options)


class _Row(models.Model):
    """What these tables share."""

    instance_id = _id()
    id = _id()
    state = models.SmallIntegerField(default=1)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    version = models.BigIntegerField()

    class Meta:
        abstract = True

    @property
    def state_word(self) -> str:
        """The state as a word."""
        return WORDS.get(self.state, "unknown")


class ProjectRow(_Row):
    """One project."""

    pk = models.CompositePrimaryKey("instance_id", "id")
    org_id = _id()
    name = _id()
    project_role_assertion = models.BooleanField(default=False)
    project_role_check = models.BooleanField(default=False)
    has_project_check = models.BooleanField(default=False)
    private_labeling_setting = models.SmallIntegerField(default=0)

    class Meta:
        db_table = "projects_projects"
        indexes: ClassVar = [
            models.Index(fields=["instance_id", "org_id", "id"], name="projects_org"),
            models.Index(fields=["instance_id", "name", "id"], name="projects_name"),
            models.Index("instance_id", Upper("name"), name="projects_any_case_name"),
            models.Index(fields=["instance_id", "created_at", "id"], name="projects_created"),
            models.Index(fields=["instance_id", "changed_at", "id"], name="projects_changed"),
        ]

    @property
    def resource(self) -> Resource:
        """At which rights over it are held."""
        return Resource.of_project(self.id)


class RoleRow(models.Model):
    """One role."""

    pk = models.CompositePrimaryKey("instance_id", "project_id", "key")
    instance_id = _id()
    project_id = _id()
    org_id = _id()
    key = _id()
    display_name = _id(default="")
    group = _id(default="")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "projects_roles"
        indexes: ClassVar = [models.Index(fields=["instance_id", "key"], name="projects_role_key")]


class AppRow(_Row):
    """One application, with the settings of its kind (oidc, api)."""

    pk = models.CompositePrimaryKey("instance_id", "id")
    project_id = _id()
    org_id = _id()
    name = _id()
    kind = models.CharField(max_length=10, default="")
    client_id = _id(default="")
    secret_hash = models.CharField(max_length=64, default="")
    previous_secret_hash = models.CharField(max_length=64, default="", db_default="")
    previous_secret_until = models.DateTimeField(null=True)
    redirect_uris: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    response_types: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    grant_types: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    application_type = models.SmallIntegerField(default=0)
    auth_method_type = models.SmallIntegerField(default=0)
    post_logout_redirect_uris: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    dev_mode = models.BooleanField(default=False)
    access_token_type = models.SmallIntegerField(default=0)
    access_token_role_assertion = models.BooleanField(default=False)
    id_token_role_assertion = models.BooleanField(default=False)
    id_token_userinfo_assertion = models.BooleanField(default=False)
    clock_skew = models.DurationField(null=True)
    additional_origins: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    skip_native_app_success_page = models.BooleanField(default=False)
    back_channel_logout_uri = models.TextField(default="")
    login_version = models.SmallIntegerField(default=0, db_default=0)
    login_base_uri = models.TextField(default="", db_default="")

    project = models.ForeignObject(
        ProjectRow,
        on_delete=models.DO_NOTHING,
        from_fields=["instance_id", "project_id"],
        to_fields=["instance_id", "id"],
        related_name="+",
    )

    class Meta:
        db_table = "projects_apps"
        indexes: ClassVar = [
            models.Index(fields=["instance_id", "client_id"], name="projects_app_client"),
            models.Index(fields=["instance_id", "project_id", "id"], name="projects_app_project"),
            models.Index(fields=["instance_id", "name", "id"], name="projects_app_name"),
            models.Index(fields=["instance_id", "created_at", "id"], name="projects_app_created"),
            models.Index(fields=["instance_id", "changed_at", "id"], name="projects_app_changed"),
        ]


class AppKeyRow(models.Model):
    """One public key of an application (PEM)."""

    pk = models.CompositePrimaryKey("instance_id", "id")
    instance_id = _id()
    id = _id()
    app_id = _id()
    project_id = _id()
    org_id = _id()
    client_id = _id()
    public_key = models.TextField()
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "projects_app_keys"
        indexes: ClassVar = [models.Index(fields=["instance_id", "app_id"], name="projects_key_app")]


class ProjectGrantRow(_Row):
    """Roles lent to an organization. `org_id` owns the project."""

    pk = models.CompositePrimaryKey("instance_id", "id")
    project_id = _id()
    org_id = _id()
    granted_org_id = _id()
    roles: "models.JSONField[Any, Any]" = models.JSONField(default=list)

    project = models.ForeignObject(
        ProjectRow,
        on_delete=models.DO_NOTHING,
        from_fields=["instance_id", "project_id"],
        to_fields=["instance_id", "id"],
        related_name="+",
    )

    class Meta:
        db_table = "projects_grants"
        indexes: ClassVar = [
            models.Index(fields=["instance_id", "project_id"], name="projects_grant_project"),
            models.Index(fields=["instance_id", "granted_org_id"], name="projects_grant_org"),
            models.Index(fields=["instance_id", "created_at", "id"], name="projects_grant_created"),
            models.Index(fields=["instance_id", "changed_at", "id"], name="projects_grant_changed"),
        ]


class UserGrantRow(_Row):
    """A user holds roles of a project. `org_id` is the organization that gave them, `user_org_id` the user's own.
    What the user is called is copied by the database (projects/user_names.py), as are the keys of the roles."""

    pk = models.CompositePrimaryKey("instance_id", "id")
    org_id = _id()
    user_id = _id()
    user_org_id = _id(default="", db_default="")
    user_login_name = models.CharField(max_length=500, default="", db_default="")
    user_display_name = models.CharField(max_length=410, default="", db_default="")
    project_id = _id()
    grant_id = _id(default="")
    roles: "models.JSONField[Any, Any]" = models.JSONField(default=list)

    user = models.ForeignObject(
        UserRow,
        on_delete=models.DO_NOTHING,
        from_fields=["instance_id", "user_id"],
        to_fields=["instance_id", "id"],
        related_name="+",
    )

    class Meta:
        db_table = "projects_user_grants"
        indexes: ClassVar = [
            models.Index(fields=["instance_id", column, "id"], name=f"usergrants_{name}")
            for column, name in (
                ("user_id", "user"),
                ("project_id", "project"),
                ("org_id", "org"),
                ("grant_id", "grant"),
                ("state", "state"),
                ("created_at", "created"),
                ("changed_at", "changed"),
            )
        ] + [models.Index(fields=["instance_id", "user_org_id", "user_id", "id"], name="usergrants_user_org")]


indexes.keep(
    Trigrams("usergrants_trigrams", UserGrantRow, ("user_login_name", "user_display_name")),
    BesideIds("usergrants_ids_login_name", UserGrantRow, ("user_login_name",)),
    BesideIds("usergrants_ids_display_name", UserGrantRow, ("user_display_name",)),
    Beginnings("usergrants_begin_login_name", UserGrantRow, "user_login_name"),
    Beginnings("usergrants_begin_display_name", UserGrantRow, "user_display_name"),
    Ends("usergrants_end_login_name", UserGrantRow, "user_login_name"),
)
indexes.retire("usergrants_ends_login_name", "usergrants_ends_any_case_login")


class UserGrantRoleRow(models.Model):
    """An authorization has a role. The database keeps these rows (projects/role_keys.py)."""

    pk = models.CompositePrimaryKey("instance_id", "role_key", "id")
    instance_id = _id()
    role_key = _id()
    id = _id()

    class Meta:
        db_table = "projects_user_grant_roles"


holders.keep(UserGrantRow, "roles", UserGrantRoleRow, "role_key")
