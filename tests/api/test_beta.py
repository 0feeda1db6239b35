"""v2beta is v2 in an older spelling: nothing is lost by accident, and the sisters answer."""

import pytest
from google.protobuf.descriptor import FieldDescriptor

from iam.access.caller import RequestMeta
from iam.api import descriptors
from iam.api.beta.sisters import pairs, sister_of
from iam.api.beta.spellings import TABLE, VALUES_LEFT_OUT, spelling_of
from iam.api.beta.translate import to_beta, to_v2
from iam.api.gen import instance_v2, instance_v2beta, session_v2, session_v2beta, settings_v2, settings_v2beta
from iam.api.methods import invoke, method, registered
from iam.kernel.errors import NotFound, Unimplemented

MESSAGE, ENUM = FieldDescriptor.TYPE_MESSAGE, FieldDescriptor.TYPE_ENUM
SAME_NUMBER = {
    ("GREATER", "AFTER"),
    ("EQUALS", "EQUALS"),
    ("LESS", "BEFORE"),
    ("OTP", "TOTP"),
}
WITHOUT_SISTER = {
    "zitadel.analytics.v2beta.TelemetryService/ReportBaseInformation",
    "zitadel.analytics.v2beta.TelemetryService/ReportResourceCounts",
}


def at(described, path):
    """The field at a path."""
    *way, last = path.split(".")
    for step in way:
        described = described.fields_by_name[step].message_type
    return described.fields_by_name[last]


def compared(beta, sister, forth, seen, problems):
    """Walk two messages together; name every field that would get lost on the way."""
    if beta is sister or (beta, sister, forth) in seen:
        return
    seen.add((beta, sister, forth))
    table = spelling_of(beta.full_name, sister.full_name)
    pairs_here = [
        (beta.fields_by_name[path.split(".")[0]] and at(beta, path), at(sister, to)) for path, to in table.moves.items()
    ]
    moved = {path.split(".")[0] for path in table.moves}
    reached = {to.split(".")[0] for to in table.moves.values()}
    for field in beta.fields:
        if field.name in moved or field.name in table.beta_only or field.name in table.constants:
            continue
        if field.name in sister.fields_by_name:
            pairs_here.append((field, sister.fields_by_name[field.name]))
        else:
            problems.append(f"{beta.full_name}.{field.name} has no place in {sister.full_name}")
    if not forth:
        for field in sister.fields:
            if (
                field.name not in beta.fields_by_name
                and field.name not in reached
                and field.name not in table.sister_only
            ):
                problems.append(f"{sister.full_name}.{field.name} has no place in {beta.full_name}")
        partly(sister, table, problems)
    for one, other in pairs_here:
        kinds(one, other, forth, seen, problems)


def partly(sister, table, problems):
    """A message of which only some fields are moved: the others are declared."""
    moved = {to for to in table.moves.values() if "." in to}
    for head in {to.split(".")[0] for to in moved}:
        for field in sister.fields_by_name[head].message_type.fields:
            path = f"{head}.{field.name}"
            if path not in moved and path not in table.sister_only:
                problems.append(f"{sister.full_name}: {path} has no place")


def kinds(one, other, forth, seen, problems):
    where = f"{one.full_name} and {other.full_name}"
    if (one.type == MESSAGE) != (other.type == MESSAGE) or (one.type == ENUM) != (other.type == ENUM):
        problems.append(f"{where} are of different kinds")
    elif one.type == MESSAGE:
        maps = one.message_type.GetOptions().map_entry
        if maps:
            kinds(
                one.message_type.fields_by_name["value"],
                other.message_type.fields_by_name["value"],
                forth,
                seen,
                problems,
            )
        else:
            compared(one.message_type, other.message_type, forth, seen, problems)
    elif one.type == ENUM:
        values(one.enum_type, other.enum_type, forth, problems)
    elif one.type != other.type:
        problems.append(f"{where} are of different types")


def values(beta, sister, forth, problems):
    source, target = (beta, sister) if forth else (sister, beta)
    left_out = VALUES_LEFT_OUT.get(sister.full_name.removeprefix("zitadel."), ()) if not forth else ()
    for value in source.values:
        there = target.values_by_number.get(value.number)
        if there is None and value.name not in left_out:
            problems.append(f"{value.name} of {source.full_name} has no number in {target.full_name}")
        elif there is not None:
            words = {(a, b) for a, b in ((value.name.split("_")[-1], there.name.split("_")[-1]),)}
            if not any(a == b or (a, b) in SAME_NUMBER or (b, a) in SAME_NUMBER for a, b in words):
                problems.append(
                    f"{value.number} is {value.name} in {source.full_name}, {there.name} in {target.full_name}"
                )


@pytest.mark.parametrize("name", sorted(pairs()))
def test_every_field_has_a_place_or_is_declared(name):
    older, sister = descriptors.method(name), descriptors.method(sister_of(name))
    problems = []
    compared(older.input_type, sister.input_type, True, set(), problems)
    compared(older.output_type, sister.output_type, False, set(), problems)
    assert problems == []


def test_every_entry_of_the_table_is_about_fields_that_exist():
    for (beta, sister), entry in TABLE.items():
        one = described(beta)
        other = described(sister)
        for path, to in entry.moves.items():
            assert at(one, path) and at(other, to)
        for name, (to, _) in entry.constants.items():
            assert at(one, name) and at(other, to)
        assert all(at(one, path) for path in entry.beta_only)
        assert all(at(other, path) for path in entry.sister_only)
        assert {*entry.refused} <= {*entry.beta_only}


def described(name):
    package, _, message = name.rpartition(".")
    return descriptors.message_class(f"zitadel.{package}", message).DESCRIPTOR


def test_every_v2beta_method_has_a_sister_but_two():
    services = [name for name in descriptors.services() if ".v2beta." in name]
    methods = {f"{name}/{one.name}" for name in services for one in descriptors.service(name).methods}
    assert len(methods) == 143
    assert methods - {*pairs()} == WITHOUT_SISTER


def test_a_method_is_there_as_soon_as_its_sister_is():
    there = registered()
    assert all((older in there) == (sister in there) for older, sister in pairs().items())


ORGS = "zitadel.org.v2beta.OrganizationService/"
PROJECTS = "zitadel.project.v2beta.ProjectService/"
APPS = "zitadel.app.v2beta.AppService/"


@pytest.fixture
def ask(house):
    def call(full_name, /, **fields):
        meta = RequestMeta(host="localhost", headers={"authorization": f"Bearer {house.pat}"})
        return invoke(full_name, method(full_name).request(**fields), meta)

    return call


def test_an_organization_in_the_older_spelling(ask):
    made = ask(ORGS + "CreateOrganization", name="Older")
    assert len(made.id) == 18 and made.creation_date.seconds
    found = ask(ORGS + "ListOrganizations", filter=[{"name_filter": {"name": "Older"}}], pagination={"asc": True})
    assert [(one.id, one.name, one.primary_domain) for one in found.organizations] == [
        (made.id, "Older", "older.localhost")
    ]
    assert found.pagination.total_result == 1
    ask(ORGS + "UpdateOrganization", id=made.id, name="Newer")
    ask(ORGS + "DeactivateOrganization", id=made.id)
    found = ask(ORGS + "ListOrganizations", filter=[{"id_filter": {"id": made.id}}])
    assert [(one.name, one.state) for one in found.organizations] == [("Newer", 2)]
    with pytest.raises(NotFound):
        ask(ORGS + "UpdateOrganization", id="1", name="Nobody")


def test_a_project_and_its_application_in_the_older_spelling(ask, house):
    id = ask(PROJECTS + "CreateProject", organization_id=house.org, name="p", project_role_assertion=True).id
    ask(PROJECTS + "UpdateProject", id=id, project_role_check=True)
    project = ask(PROJECTS + "GetProject", id=id).project
    assert (project.id, project.project_role_assertion, project.authorization_required) == (id, True, True)
    made = ask(
        APPS + "CreateApplication",
        project_id=id,
        name="web",
        oidc_request={"redirect_uris": ["https://a.example/cb"], "response_types": [1], "version": 0},
    )
    assert made.oidc_response.client_id and made.oidc_response.client_secret
    app = ask(APPS + "GetApplication", id=made.app_id).app
    assert (app.id, app.name, [*app.oidc_config.redirect_uris]) == (made.app_id, "web", ["https://a.example/cb"])
    for kind, names in (("oidc_app_only", ["web"]), ("api_app_only", [])):
        listed = ask(APPS + "ListApplications", project_id=id, filters=[{kind: True}])
        assert [one.name for one in listed.applications] == names
    secret = ask(APPS + "RegenerateClientSecret", project_id=id, application_id=made.app_id, is_oidc=True).client_secret
    assert secret and secret != made.oidc_response.client_secret


def test_what_the_sister_cannot_say_is_refused(ask, house):
    with pytest.raises(Unimplemented, match="admins"):
        ask(PROJECTS + "CreateProject", organization_id=house.org, name="p", admins=[{"user_id": house.admin}])


def test_messages_and_maps_in_messages_are_translated():
    asked = session_v2beta.CreateSessionRequest(
        checks={"user": {"user_id": "1"}},
        user_agent={"fingerprint_id": "", "header": {"accept": {"values": ["a", "b"]}}},
        metadata={"k": b"v"},
    )
    told = to_v2(asked, session_v2.CreateSessionRequest())
    assert told.SerializeToString(deterministic=True) == asked.SerializeToString(deterministic=True)
    assert told.user_agent.HasField("fingerprint_id") and [*told.user_agent.header["accept"].values] == ["a", "b"]
    assert to_beta(told, session_v2beta.CreateSessionRequest()) == asked


def test_a_default_that_was_sent_arrives():
    asked = instance_v2beta.DomainSearchQuery(primary_query={})
    told = to_v2(asked, instance_v2.CustomDomainFilter())
    assert told.WhichOneof("filter") == "primary_filter" and told.primary_filter is False


def test_a_value_that_is_too_new_is_left_out():
    settings = settings_v2.LoginSettings(second_factors=[1, 5], allow_register=True)
    told = to_beta(settings, settings_v2beta.LoginSettings())
    assert ([*told.second_factors], told.allow_register) == ([1], True)


def test_a_session_in_the_older_spelling(ask, house):
    service = "zitadel.session.v2beta.SessionService/"
    person = house.person("sessions")
    made = ask(service + "CreateSession", checks={"user": {"user_id": person}})
    session = ask(service + "GetSession", session_id=made.session_id, session_token=made.session_token).session
    assert (session.id, session.factors.user.id) == (made.session_id, person)


def test_rest_has_the_paths_of_the_definitions(api, house):
    made = api.post(
        "/v2beta/users/human",
        {
            "userName": "rest",
            "username": "rest",
            "profile": {"givenName": "R", "familyName": "S"},
            "email": {"email": "r@example.com"},
        },
    )
    assert made.status_code == 201
    user = api.get(f"/v2beta/users/{made.json()['userId']}").json()["user"]
    assert user["human"]["profile"]["familyName"] == "S"
    assert api.get("/v2beta/users/1").status_code == 404
    assert api.post("/v2beta/organizations/search", {}).json()["pagination"]["totalResult"] == "1"
