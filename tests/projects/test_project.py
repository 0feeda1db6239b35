"""Rules of projects, applications, grants and authorizations."""

from datetime import UTC, datetime

import pytest

from eventstore.testing import given
from iam.kernel.errors import AlreadyExists, FailedPrecondition, InvalidInput, NotFound
from projects.domain import apps, grants
from projects.domain.events import (
    ApiConfigAdded,
    ApiSecretChanged,
    AppAdded,
    AppChanged,
    AppRemoved,
    GrantAdded,
    GrantCascadeChanged,
    GrantDeactivated,
    OidcConfigAdded,
    OidcConfigChanged,
    OidcSecretChanged,
    ProjectAdded,
    ProjectChanged,
    ProjectDeactivated,
    ProjectRemoved,
    RoleAdded,
    RoleRemoved,
    UserGrantAdded,
    UserGrantCascadeChanged,
)
from projects.domain.grants import UserGrant
from projects.domain.project import OidcConfig, Project

ADDED = ProjectAdded(name="Billing")
ROLE = RoleAdded(key="admin", display_name="Admin")


def test_a_project_needs_a_name():
    given(Project).when(lambda one: one.add(name="", settings={})).refuses(InvalidInput, "project.name_invalid")


def test_only_what_changed_is_told():
    given(Project, ADDED).when(lambda one: one.change(name="Billing", settings={"has_project_check": True})).then(
        ProjectChanged(has_project_check=True)
    )


def test_a_resting_project_takes_no_roles():
    given(Project, ADDED, ProjectDeactivated()).when(
        lambda one: one.add_role(key="admin", display_name="", group="")
    ).refuses(FailedPrecondition, "project.inactive")


def test_a_role_exists_once():
    given(Project, ADDED, ROLE).when(lambda one: one.add_role(key="admin", display_name="", group="")).refuses(
        AlreadyExists, "project.role_already_exists"
    )


def test_t07_removing_a_role_takes_it_from_the_grants():
    grant = GrantAdded(grant_id="g", granted_org_id="other", role_keys=("admin",))
    given(Project, ADDED, ROLE, grant).when(lambda one: one.remove_role("admin")).then(
        RoleRemoved(key="admin"), GrantCascadeChanged(grant_id="g", role_keys=())
    )


def test_t07_a_grantee_gives_only_what_was_lent():
    viewer = RoleAdded(key="viewer")
    grant = GrantAdded(grant_id="g", granted_org_id="other", role_keys=("viewer",))
    project = given(Project, ADDED, ROLE, viewer, grant, owner="org").state
    assert grants.grant_of(project, "org") == ""
    assert grants.grant_of(project, "other") == "g"
    grants.may_give(project, "g", ("viewer",))
    with pytest.raises(InvalidInput):
        grants.may_give(project, "g", ("admin",))
    with pytest.raises(NotFound):
        grants.grant_of(project, "third")
    resting = given(Project, ADDED, ROLE, viewer, grant, GrantDeactivated(grant_id="g"), owner="org").state
    with pytest.raises(NotFound):
        grants.grant_of(resting, "other")


def test_a_project_is_not_granted_to_its_owner():
    given(Project, ADDED, ROLE, owner="org").when(
        lambda one: grants.add_grant(one, id="g", org_id="org", roles=("admin",))
    ).refuses(FailedPrecondition, "grant.own_org")


def test_an_authorization_keeps_only_what_is_still_allowed():
    added = UserGrantAdded(user_id="u", project_id="p", role_keys=("admin", "viewer"))
    given(UserGrant, added).when(lambda one: one.shrink(lambda role: role == "viewer")).then(
        UserGrantCascadeChanged(role_keys=("viewer",))
    )


def test_an_app_of_a_removed_project_is_not_found():
    given(Project, ADDED, ProjectRemoved()).when(lambda one: apps.remove_app(one, "a")).refuses(
        NotFound, "project.not_found"
    )


SHOP, BLOG = AppAdded(app_id="a", name="Shop"), AppAdded(app_id="b", name="Blog")


def test_two_applications_of_a_project_have_two_names():
    oidc = {"id": "c", "client_id": "c", "config": OidcConfig(), "secret": ""}
    for decide in (
        lambda one: apps.add_api(one, id="c", name="Shop", client_id="c", method=0, secret=""),
        lambda one: apps.add_oidc(one, name=" Shop ", **oidc),
        lambda one: apps.rename_app(one, "b", "shop"),
    ):
        given(Project, ADDED, SHOP, BLOG).when(decide).refuses(AlreadyExists, "app.already_exists")
    given(Project, ADDED, SHOP).when(lambda one: apps.rename_app(one, "a", "Shop")).then()
    given(Project, ADDED, SHOP).when(lambda one: apps.rename_app(one, "a", "SHOP")).then(
        AppChanged(app_id="a", name="SHOP")
    )
    given(Project, ADDED, SHOP, AppRemoved(app_id="a")).when(
        lambda one: apps.add_api(one, id="b", name="Shop", client_id="c", method=0, secret="")
    ).then(AppAdded(app_id="b", name="Shop"), ApiConfigAdded(app_id="b", client_id="c"))


def test_the_refusal_names_field_and_address():
    config = OidcConfig(redirect_uris=("https://a.example/cb#x",))
    refusal = (
        given(Project, ADDED)
        .when(lambda one: apps.add_oidc(one, id="a", name="a", client_id="c", config=config, secret=""))
        .refuses(InvalidInput, "app.redirect_uri_invalid")
    )
    assert (refusal.field, "fragment" in refusal.reason) == ("redirectUris", True)


APP = AppAdded(app_id="a", name="api")
WITH_SECRET = ApiConfigAdded(app_id="a", client_id="c", hashed_secret="one")
UNTIL = datetime(2026, 1, 2, tzinfo=UTC)


def test_the_secret_before_is_kept_when_asked_for():
    renewed = lambda until: lambda one: apps.change_secret(one, "a", "two", previous_until=until)
    given(Project, ADDED, APP, WITH_SECRET).when(renewed(UNTIL)).then(
        ApiSecretChanged(app_id="a", hashed_secret="two", previous_until=UNTIL)
    )
    given(Project, ADDED, APP, WITH_SECRET).when(renewed(None)).then(ApiSecretChanged(app_id="a", hashed_secret="two"))


def test_where_there_was_no_secret_none_is_kept():
    config = OidcConfigAdded(app_id="a", client_id="c", auth_method_type=2)
    basic = OidcConfigChanged(app_id="a", auth_method_type=0)
    given(Project, ADDED, APP, config, basic).when(
        lambda one: apps.change_secret(one, "a", "one", previous_until=UNTIL)
    ).then(OidcSecretChanged(app_id="a", hashed_secret="one"))
