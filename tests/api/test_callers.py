"""Every registered method as nobody, without rights, as another organization's owner, as another instance's owner (T01, T02)."""

import re
from contextlib import suppress
from dataclasses import dataclass

import pytest
from django.db import transaction

from iam.access.caller import RequestMeta, system_context
from iam.access.models import MembershipRow
from iam.access.roles import roles_of
from iam.api import rates
from iam.api.limits import check
from iam.api.methods import invoke, method, registered
from iam.instance import commands as instances
from iam.kernel.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidInput,
    NotFound,
    PermissionDenied,
    Refusal,
    Unauthenticated,
    Unimplemented,
)
from iam.kernel.levels import Level
from iam.vault import wiring
from orgs import commands as orgs
from orgs.models import OrgRow
from projects import commands as projects
from projects.models import AppRow, ProjectGrantRow, ProjectRow, UserGrantRow
from tests.conftest import House, made_house
from tests.house.tenants import watched
from users import commands as users
from users.models import CodeRow, MachineKeyRow, PatRow, SessionRow, UserMetadataRow, UserRow

CALLERS = ("no rights", "other org", "other instance")
SAME_IDS = "same ids"
"""Somebody who holds every role over things that do not exist, each with the id of a thing of another level (T05)."""
PROTECTED = sorted(name for name in registered() if not method(name).is_public)


def call(name, request, token="", host="localhost"):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return invoke(name, request, RequestMeta(host=host, headers=headers))


@pytest.mark.parametrize("name", PROTECTED)
def test_t01_nobody_is_refused(house, name):
    with pytest.raises(Unauthenticated):
        call(name, method(name).request())


@dataclass(frozen=True)
class Neighbourhood:
    """The first instance, one of everything in it by the names of fields, and a token with its host for every caller."""

    house: House
    things: dict[str, str]
    tokens: dict[str, tuple[str, str]]


@pytest.fixture(scope="module")
def neighbourhood(django_db_setup, django_db_blocker, tmp_path_factory):
    """Made once, in a transaction that ends with the module; every test gives back what it changes."""
    with django_db_blocker.unblock(), transaction.atomic():
        house = made_house(tmp_path_factory.mktemp("house"))
        things = things_of(house)
        yield Neighbourhood(house, things, _tokens(house, things))
        transaction.set_rollback(True)


@pytest.fixture
def house(neighbourhood, db):
    """The first instance as it was made."""
    with watched() as found:
        yield neighbourhood.house
    wiring.envelope().forget()
    wiring.store().persons._kept.clear()
    rates.forget()
    assert not found, "\n".join(found)


@pytest.fixture
def things(neighbourhood):
    """One of everything, of the first organization."""
    return neighbourhood.things


def _tokens(house, things):
    tokens = {caller: stranger(house, caller) for caller in CALLERS}
    return tokens | {SAME_IDS: namesake(house, things)}


def namesake(house, things):
    """A token of whoever holds all roles of each level over the ids of all others; planted, since no method lets it be made."""
    org = orgs.add_org(house.system, name="Namesake").id
    id, token = house.machine("namesake", org)
    ids = {*things.values(), house.instance}
    own = {
        Level.ORG: {things["organization_id"], things["granted_org_id"]},
        Level.PROJECT: {things["project_id"]},
        Level.GRANT: {things["grant_id"]},
    }
    now = wiring.ports().now()
    MembershipRow.objects.bulk_create(
        MembershipRow(
            instance_id=house.instance, level=level.value, resource_id=resource, user_id=id, owner=org, version=1,
            roles=roles_of(level), created_at=now, changed_at=now,
        )
        for level, mine in own.items()
        for resource in ids - mine
    )  # fmt: skip
    return token, "localhost"


def things_of(house):
    project = projects.add_project(house.system, org_id=house.org, name="p").id
    projects.add_role(house.system, project_id=project, key="admin")
    app = projects.add_api_app(house.system, project_id=project, name="a").id
    person = house.person()
    key = projects.add_app_key(
        house.system,
        project_id=project,
        app_id=projects.add_api_app(house.system, project_id=project, name="k", method=1).id,
    ).id
    borrower = orgs.add_org(house.system, name="Borrower").id
    _, grant = projects.add_grant(house.system, project_id=project, granted_org_id=borrower, roles=("admin",))
    _, authorization = projects.add_authorization(
        house.system, org_id=house.org, user_id=person, project_id=project, roles=("admin",)
    )
    return {
        "organization_id": house.org,
        "org_id": house.org,
        "project_id": project,
        "application_id": app,
        "app_id": app,
        "user_id": person,
        "id": authorization,
        "granted_organization_id": borrower,
        "granted_org_id": borrower,
        "grant_id": grant,
        "key_id": key,
    }


def belongings(house):
    """Everything of the first organization with its versions."""
    tables = (OrgRow, UserRow, ProjectRow, AppRow, UserGrantRow, ProjectGrantRow)
    rows = [(row.id, row.version) for table in tables for row in table.objects.filter(instance_id=house.instance)]
    mine = {row.id for row in UserRow.objects.filter(instance_id=house.instance).exclude(org_id=house.org)}
    mine |= {row.id for row in OrgRow.objects.filter(instance_id=house.instance).exclude(id=house.org)}
    mine |= {row.id for row in ProjectRow.objects.filter(instance_id=house.instance).exclude(org_id=house.org)}
    return sorted(row for row in rows if row[0] not in mine) + belongings_of_users(house)


def belongings_of_users(house):
    """What the users of the first organization have: tokens, keys, values, codes, sessions."""
    people = UserRow.objects.filter(instance_id=house.instance, org_id=house.org).values("id")
    tables = (PatRow, MachineKeyRow, UserMetadataRow, CodeRow, SessionRow)
    of_people = [table.objects.filter(instance_id=house.instance, user_id__in=people) for table in tables]
    return [sorted(str(values) for values in rows.values_list()) for rows in of_people]


def filled(name, things):
    """A request about those things, complete enough to pass the limits."""
    request = method(name).request()
    kind = OLDER_IDS.get(name.partition("/")[0])
    if kind:
        things = things | {"id": things[kind]}
    elif is_of("User", name):
        things = things | {"id": things["user_id"]}
    elif is_of("Project", name):
        things = things | {"id": things["project_id"]}
    fill(request, things)
    return request


def is_of(thing, name):
    """Whether a bare `id` in the request names a user or a project: so it is in the older API."""
    return "management.v1" in name and thing in name


OLDER_IDS = {
    "zitadel.org.v2beta.OrganizationService": "organization_id",
    "zitadel.project.v2beta.ProjectService": "project_id",
    "zitadel.app.v2beta.AppService": "application_id",
}
"""Services whose own things are named by a bare `id`."""


TEXTS = {
    "locale": "en",
    "language": "de",
    "custom_domain": "x.example",
    "trusted_domain": "x.example",
    "support_email": "x@example.com",
    "preferred_language": "en",
    "role_key": "admin",
    "email": "x@example.com",
    "phone": "+41791234567",
    "domain": "x.example",
    "endpoint": "https://x.example/",
    "username": "x",
    "user_name": "x",
    "user_code": "BCDF-GHJK",
}


LEFT_OUT = (
    "verification_code",
    "current_password",
    "query",
    "pagination",
    "organization",
    "send_code",
    "return_code",
    "challenges",
    "hashed_password",
)
FACTORS = ("otp_code", "totp_secret", "web_auth_n", "idp_intent", "totp", "otp_sms", "otp_email", "recovery_code")
OWN = ("CreateWebKey", "AddProject", "AddMachineUser", "AddHumanUser", "AddOrganization", "CreateOrganization")
OWN += ("ImportHumanUser", "IsUserUnique")
"""Methods that act in the caller's own organization or instance, whatever the message says."""


OWN_ORG = tuple(
    f"management.v1.ManagementService/{name}"
    for name in (
        "UpdateOrg",
        "DeactivateOrg",
        "ReactivateOrg",
        "RemoveOrg",
        "AddOrg",
        "AddOrgDomain",
        "RemoveOrgDomain",
        "SetPrimaryOrgDomain",
        "GenerateOrgDomainValidation",
        "ValidateOrgDomain",
        "SetOrgMetadata",
        "BulkSetOrgMetadata",
        "GetOrgMetadata",
        "RemoveOrgMetadata",
        "BulkRemoveOrgMetadata",
        "AddOrgMember",
        "UpdateOrgMember",
        "RemoveOrgMember",
    )
)
OWN_INSTANCE = tuple(f"admin.v1.AdminService/{name}" for name in ("GetDefaultOrg", "IsOrgUnique", "SetUpOrg"))
"""Methods whose request names nothing: they act in the caller's organization or instance."""
AT_HOME = (
    "zitadel.admin.v1.AdminService/",
    "zitadel.settings.v2.SettingsService/",
    "zitadel.instance.v2.InstanceService/",
    "zitadel.feature.v2.FeatureService/",
    "zitadel.action.v2.ActionService/",
    "zitadel.action.v2beta.ActionService/",
    "zitadel.settings.v2beta.SettingsService/",
    "zitadel.instance.v2beta.InstanceService/",
    "zitadel.feature.v2beta.FeatureService/",
)
POLICY = re.compile(r"zitadel\.management\.v1\.ManagementService/\w*(Policy|PolicyToDefault|Languages|LabelPolicy\w+)$")
"""Methods that act on the caller's own instance or organization when the message names no other."""
OPEN = re.compile(
    r"(GetSupportedLanguages|GetAllowedLanguages|Get(System|Instance)Features|/Get(Domain|OrgIAM)Policy)$"
)
"""Methods that anybody with a token may call: they tell nothing of anybody."""


def acts_at_home(name, caller):
    if name.endswith(OWN) or name.startswith(AT_HOME) or POLICY.search(name):
        return caller not in ("no rights", SAME_IDS) or bool(OPEN.search(name))
    return False


BY_CODE = ("VerifyEmail", "VerifyPhone", "VerifyInviteCode")
"""Methods that whoever holds the code may call: it proves, not the token."""


def fill(message, things):
    for field in message.DESCRIPTOR.fields:
        if field.name in FACTORS or (field.message_type and field.message_type.GetOptions().map_entry):
            continue
        if field.name in LEFT_OUT and (field.name != "verification_code" or field.containing_oneof):
            continue
        if field.containing_oneof and message.WhichOneof(field.containing_oneof.name):
            continue
        if field.type == field.TYPE_STRING and not field.is_repeated:
            setattr(message, field.name, things.get(field.name, TEXTS.get(field.name, "Passw0rd!x")))
        elif field.name in ("is_api", "bool"):
            setattr(message, field.name, True)
        elif field.name == "value" and field.type == field.TYPE_BYTES:
            message.value = b"v"
        elif field.name == "grant_id" and field.is_repeated:
            message.grant_id.append(things["id"])
        elif (
            field.name in ("bits", "hasher", "curve", "type", "generator_type", "ownerType", "feature_id")
            and not field.is_repeated
            and field.enum_type
        ):
            setattr(message, field.name, 1)
        elif field.name in ("role_keys", "keys") and field.is_repeated:
            getattr(message, field.name).append("admin")
        elif field.name == "roles" and field.type == field.TYPE_STRING:
            message.roles.append("ORG_OWNER")
        elif field.name == "roles":
            message.roles.add(key="k", display_name="K")
        elif field.type == field.TYPE_MESSAGE and field.message_type.full_name == "google.protobuf.Timestamp":
            getattr(message, field.name).seconds = 2_500_000_000
        elif field.name == "metadata":
            message.metadata.add(key="k", value=b"v")
        elif (
            field.type == field.TYPE_MESSAGE
            and not field.is_repeated
            and field.message_type.full_name.startswith("zitadel")
        ):
            fill(getattr(message, field.name), things)
            getattr(message, field.name).SetInParent()


SELF_SERVICE = [one for one in PROTECTED if one.startswith("zitadel.auth.v1.")]
OF_THINGS = [
    one for one in PROTECTED if "/List" not in one and one not in SELF_SERVICE and not one.endswith("GetMyOrg")
]


@pytest.mark.parametrize("name", SELF_SERVICE)
@pytest.mark.parametrize("caller", CALLERS)
def test_t02_self_service_tells_and_changes_only_what_is_the_callers(neighbourhood, house, things, name, caller):
    request = filled(name, things)
    token, host = neighbourhood.tokens[caller]
    before = belongings(house)
    answer = ""
    with suppress(Refusal):
        answer = str(call(name, request, token, host))
    assert not any(id in answer for id in things.values() if id != house.org or caller != "no rights")
    assert belongings(house) == before or caller == "no rights"  # whose caller is of the same organization
    assert UserRow.objects.filter(id=things["user_id"]).exists()


@pytest.mark.parametrize("name", OF_THINGS)
@pytest.mark.parametrize("caller", (*CALLERS, SAME_IDS))
def test_t01_t02_t05_strangers_reach_nothing(neighbourhood, house, things, name, caller):
    request = filled(name, things)
    token, host = neighbourhood.tokens[caller]
    before = belongings(house)
    if name.endswith((*OWN_ORG, *OWN_INSTANCE)) and caller != "no rights":
        answer = ""
        with suppress(Refusal):
            answer = str(call(name, request, token, host))
        assert not any(id in answer for id in things.values())
    elif acts_at_home(name, caller):
        with suppress(PermissionDenied, NotFound, AlreadyExists, FailedPrecondition, InvalidInput, Unimplemented):
            call(name, request, token, host)
            call(name, request, token, host)
    elif name.endswith("CreateSession") and caller == "other instance":  # unknown users look like wrong passwords
        with pytest.raises((NotFound, InvalidInput)):
            call(name, request, token, host)
    elif name.endswith(BY_CODE):
        with pytest.raises(InvalidInput, match=r"user\.code_invalid"):
            call(name, request, token, host)
    else:
        with pytest.raises((PermissionDenied, NotFound)):
            call(name, request, token, host)
    assert belongings(house) == before


@pytest.mark.parametrize("name", [one for one in PROTECTED if "/List" in one])
def test_t04_lists_of_strangers_are_empty_of_foreign_things(neighbourhood, house, things, name):
    token, host = neighbourhood.tokens["other org"]
    request = method(name).request()
    named = things | {"instance_id": house.instance}
    for field in ("project_id", "organization_id", "user_id", "app_id", "grant_id", "instance_id"):
        if field in request.DESCRIPTOR.fields_by_name:
            setattr(request, field, named[field])
    if is_of("User", name) and "id" in request.DESCRIPTOR.fields_by_name:
        request.id = things["user_id"]
    try:
        answer = call(name, request, token, host)
    except (PermissionDenied, NotFound):
        return
    assert not any(id in str(answer) for id in things.values())


def stranger(house, caller):
    """A token, and the host to use it at."""
    if caller == "other instance":
        foreign = system_context("999999999999999999", base_url="http://other.example")
        instances.add_instance(foreign, name="Other", domains=("other.example",))
        org = orgs.add_org(foreign, name="Other org").id
        made = users.add_machine(foreign, org_id=org, user_name="stranger", name="s")
        instances.add_member(foreign, user_id=made.id, roles=("IAM_OWNER",))
        return users.add_pat(foreign, user_id=made.id).secret, "other.example"
    org = orgs.add_org(house.system, name=f"Of {caller}").id
    id, token = house.machine(f"stranger-{caller.replace(' ', '-')}", org)
    if caller == "other org":
        orgs.add_org_member(house.system, org_id=org, user_id=id, roles=("ORG_OWNER",))
    return token, "localhost"


def test_a_token_of_one_instance_means_nothing_at_another(neighbourhood, house):
    token, _ = neighbourhood.tokens["other instance"]
    with pytest.raises(Unauthenticated):
        call("zitadel.user.v2.UserService/ListUsers", method("zitadel.user.v2.UserService/ListUsers").request(), token)


def test_every_request_of_the_table_passes_the_limits(house, things):
    for name in PROTECTED:
        if "/List" not in name:
            check(filled(name, things))
