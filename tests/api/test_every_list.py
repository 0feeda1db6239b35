"""Every list method: each sorting column that its enum has is taken, and the limit is kept."""

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor

from iam.access.caller import RequestMeta
from iam.api.methods import invoke, method, registered
from iam.kernel.errors import InvalidInput, Refusal

ADMIN = "zitadel.admin.v1.AdminService/"
LISTS = [name for name in registered() if name.partition("/")[2].startswith(("List", "Search"))]
SORTED = [name for name in LISTS if "sorting_column" in method(name).request().DESCRIPTOR.fields_by_name]


@pytest.fixture
def meta(house):
    return RequestMeta("localhost", headers={"authorization": f"Bearer {house.pat}"})


@pytest.fixture
def ids(house, api):
    """What a list may be the list of."""
    project = api.post("/management/v1/projects", {"name": "Shop"}).json()["id"]
    api.post(f"/management/v1/projects/{project}/roles", {"roleKey": "buyer", "displayName": "Buyer"})
    return {
        "project_id": project,
        "organization_id": house.org,
        "user_id": house.admin,
        "instance_id": house.instance,
        "id": house.admin,
    }


def asked(method_name, ids):
    """A request about something that is there."""
    message = method(method_name).request()
    for name, id in ids.items():
        field = message.DESCRIPTOR.fields_by_name.get(name)
        is_text = field is not None and field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated
        if is_text and not (field.containing_oneof and message.WhichOneof(field.containing_oneof.name)):
            setattr(message, name, id)
    return message


@pytest.mark.parametrize("name", SORTED)
def test_every_sorting_column_is_taken(name, ids, meta):
    for value in method(name).request().DESCRIPTOR.fields_by_name["sorting_column"].enum_type.values:
        message = asked(name, ids)
        message.sorting_column = value.number
        try:
            invoke(name, message, meta)
        except Refusal as refused:
            assert refused.code != "api.sorting_unsupported", value.name


@pytest.mark.parametrize("name", LISTS)
def test_no_list_answers_more_than_its_limit(name, ids, meta):
    message = asked(name, ids)
    page = next((one for one in ("query", "pagination") if one in message.DESCRIPTOR.fields_by_name), None)
    if page is None or not hasattr(getattr(message, page), "limit"):
        return
    getattr(message, page).limit = 1
    try:
        answer = invoke(name, message, meta)
    except Refusal:
        return
    assert all(len(value) <= 1 for field, value in answer.ListFields() if field.is_repeated)


def test_administrators_are_sorted_by_the_organization_of_their_users(house, api, meta):
    other = api.post("/v2/organizations", {"name": "Acme"}).json()["organizationId"]
    for name, org in (("anna", other), ("berta", house.org)):
        member = {"userId": house.person(name, org=org), "roles": ["IAM_OWNER_VIEWER"]}
        assert api.post("/admin/v1/members", member).status_code == 200
    for asc in (True, False):
        body = {"query": {"asc": asc}, "sortingColumn": "MEMBER_FIELD_NAME_USER_RESOURCE_OWNER"}
        message = json_format.ParseDict(body, method(ADMIN + "ListIAMMembers").request())
        found = [one.user_resource_owner for one in invoke(ADMIN + "ListIAMMembers", message, meta).result]
        assert len(set(found)) == 2 and found == sorted(found, reverse=not asc)


def test_kinds_of_secrets_are_paged(meta):
    name = ADMIN + "ListSecretGenerators"
    every = invoke(name, method(name).request(), meta)
    page = invoke(name, json_format.ParseDict({"query": {"offset": 2, "limit": 3}}, method(name).request()), meta)
    assert [*page.result] == [*every.result][2:5]
    assert page.details.total_result == len(every.result) and page.details.HasField("view_timestamp")
    with pytest.raises(InvalidInput, match="offset"):
        invoke(name, json_format.ParseDict({"query": {"offset": 200_000}}, method(name).request()), meta)
