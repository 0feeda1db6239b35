"""Every documented query and sorting column of the lists of users and of what belongs to them: who is found, who is not."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from iam.instance import setting_commands
from iam.kernel.errors import AlreadyExists, InvalidInput
from orgs import commands as orgs
from orgs.settings import of_org
from tests.users.support import OLDER, USERS, Rpc
from users import commands as users
from users import queries
from users.domain.profile import Profile

VALUE = base64.b64encode(b"red").decode()
OTHER = base64.b64encode(b"blue").decode()
EARLY, LATE = datetime(2030, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)


@pytest.fixture
def people(house):
    """Ada of the first organization, Bob of another, and a robot; by short name → id."""
    other = orgs.add_org(house.system, name="Other").id

    def person(org, name, first, last, **more):
        profile = Profile(first, last, nick_name=f"{first[0]}nick", display_name=f"{first} the {last}")
        made = users.add_human(
            house.system, org_id=org, user_name=name, profile=profile, email=f"{name}@mail.example", **more
        )
        return made.id

    ada = person(house.org, "ada", "Ada", "Lovelace", phone="+41791234567", metadata={"colour": b"red"})
    bob = person(other, "bob", "Bob", "Babbage", phone="+41797654321", metadata={"size": b"blue"})
    robot = users.add_machine(house.system, org_id=house.org, user_name="robot", name="Robot").id
    users.lock_user(house.system, user_id=bob)
    return {"ada": ada, "bob": bob, "robot": robot, "org": house.org, "other": other}


QUERIES = [
    ({"userNameQuery": {"userName": "ada"}}, "ada"),
    ({"userNameQuery": {"userName": "ADA", "method": "TEXT_QUERY_METHOD_EQUALS_IGNORE_CASE"}}, "ada"),
    ({"userNameQuery": {"userName": "ADA"}}, ""),
    ({"firstNameQuery": {"firstName": "Bo", "method": "TEXT_QUERY_METHOD_STARTS_WITH"}}, "bob"),
    ({"firstNameQuery": {"firstName": "bo", "method": "TEXT_QUERY_METHOD_STARTS_WITH_IGNORE_CASE"}}, "bob"),
    ({"lastNameQuery": {"lastName": "velac", "method": "TEXT_QUERY_METHOD_CONTAINS"}}, "ada"),
    ({"lastNameQuery": {"lastName": "VELAC", "method": "TEXT_QUERY_METHOD_CONTAINS_IGNORE_CASE"}}, "ada"),
    ({"nickNameQuery": {"nickName": "Bnick"}}, "bob"),
    ({"displayNameQuery": {"displayName": "the Lovelace", "method": "TEXT_QUERY_METHOD_ENDS_WITH"}}, "ada"),
    ({"displayNameQuery": {"displayName": "THE lovelace", "method": "TEXT_QUERY_METHOD_ENDS_WITH_IGNORE_CASE"}}, "ada"),
    ({"emailQuery": {"emailAddress": "bob@mail.example"}}, "bob"),
    ({"phoneQuery": {"number": "+41791234567"}}, "ada"),
    ({"phoneQuery": {"number": "4321", "method": "TEXT_QUERY_METHOD_ENDS_WITH"}}, "bob"),
    ({"stateQuery": {"state": "USER_STATE_LOCKED"}}, "bob"),
    ({"stateQuery": {"state": "USER_STATE_ACTIVE"}}, "ada robot"),
    ({"typeQuery": {"type": "TYPE_MACHINE"}}, "robot"),
    ({"typeQuery": {"type": "TYPE_HUMAN"}}, "ada bob"),
    ({"loginNameQuery": {"loginName": "ad", "method": "TEXT_QUERY_METHOD_STARTS_WITH"}}, "ada"),
    ({"loginNameQuery": {"loginName": "ada@zitadel.localhost"}}, "ada"),
    ({"loginNameQuery": {"loginName": "ada@other.localhost"}}, ""),
    ({"loginNameQuery": {"loginName": "ada"}}, "ada"),
    ({"loginNameQuery": {"loginName": "ADA"}}, ""),
    ({"loginNameQuery": {"loginName": "ADA", "method": "TEXT_QUERY_METHOD_EQUALS_IGNORE_CASE"}}, "ada"),
    ({"notQuery": {"query": {"loginNameQuery": {"loginName": "ada"}}}}, "bob robot"),
    ({"inUserIdsQuery": {"userIds": ["{ada}", "{robot}", "1"]}}, "ada robot"),
    ({"inUserEmailsQuery": {"userEmails": ["ada@mail.example", "no@mail.example"]}}, "ada"),
    ({"organizationIdQuery": {"organizationId": "{other}"}}, "bob"),
    ({"metadataKeyFilter": {"key": "colour"}}, "ada"),
    ({"metadataKeyFilter": {"key": "siz", "method": "TEXT_FILTER_METHOD_STARTS_WITH"}}, "bob"),
    ({"metadataValueFilter": {"value": VALUE}}, "ada"),
    ({"metadataValueFilter": {"value": VALUE, "method": "BYTE_FILTER_METHOD_NOT_EQUALS"}}, "bob"),
    (
        {"orQuery": {"queries": [{"metadataKeyFilter": {"key": "size"}}, {"userNameQuery": {"userName": "ada"}}]}},
        "ada bob",
    ),
    ({"andQuery": {"queries": [{"metadataKeyFilter": {"key": "size"}}, {"userNameQuery": {"userName": "ada"}}]}}, ""),
    ({"notQuery": {"query": {"metadataValueFilter": {"value": OTHER}}}}, "ada robot"),
    ({"orQuery": {}}, ""),
]
OF_V2_ONLY = ("organizationIdQuery", "phoneQuery", "metadataKeyFilter", "metadataValueFilter")


def named(value, people):
    """A query with the ids of this test's people."""
    match value:
        case dict():
            return {key: named(one, people) for key, one in value.items()}
        case list():
            return [named(one, people) for one in value]
        case str():
            return value.format(**people)
    return value


def found(answer, people, id="userId"):
    short = {id: name for name, id in people.items()}
    return sorted(short[one[id]] for one in answer.get("result", []) if one[id] in short)


def test_every_query_of_users_finds_whom_it_should_and_nobody_else(house, people):
    rpc = Rpc(USERS, house.pat)
    told = [(query, found(rpc("ListUsers", {"queries": [named(query, people)]}), people)) for query, _ in QUERIES]
    assert told == [(query, sorted(expected.split())) for query, expected in QUERIES]


def test_the_older_list_finds_the_same_within_its_organization(house, people):
    shared = [one for one in QUERIES if next(iter(one[0])) not in OF_V2_ONLY and "metadata" not in str(one[0])]
    assert len(shared) > 15
    for org, there in (("", {"ada", "robot"}), (people["other"], {"bob"})):
        rpc = Rpc(OLDER, house.pat, org)
        told = [
            (query, found(rpc("ListUsers", {"queries": [named(query, people)]}), people, "id")) for query, _ in shared
        ]
        assert told == [(query, sorted(set(expected.split()) & there)) for query, expected in shared]


def test_users_are_sorted_by_every_column_both_ways_and_paged(house, people):
    rpc = Rpc(USERS, house.pat)
    for column in range(1, 10):
        up = [one["userId"] for one in rpc("ListUsers", {"sortingColumn": column, "query": {"asc": True}})["result"]]
        down = [one["userId"] for one in rpc("ListUsers", {"sortingColumn": column})["result"]]
        assert up == down[::-1], column
        pages = [
            rpc("ListUsers", {"sortingColumn": column, "query": {"asc": True, "limit": 2, "offset": at}})["result"]
            for at in range(0, len(up), 2)
        ]
        assert [one["userId"] for page in pages for one in page] == up, column
        if column == 1:
            assert up.index(people["ada"]) < up.index(people["bob"]) < up.index(people["robot"])


def test_an_unknown_sorting_column_or_a_query_without_a_kind_is_refused(house):
    with pytest.raises(InvalidInput):
        Rpc(USERS, house.pat)("ListUsers", {"sortingColumn": 99})
    with pytest.raises(InvalidInput):
        Rpc(USERS, house.pat)("ListUsers", {"queries": [{}]})


@pytest.fixture(params=["ListPersonalAccessTokens", "ListKeys"])
def belongings(request, house):
    """Two of a kind with their ends, of two service users in two organizations."""
    other = orgs.add_org(house.system, name="Other").id
    first = users.add_machine(house.system, org_id=house.org, user_name="one", name="one").id
    second = users.add_machine(house.system, org_id=other, user_name="two", name="two").id
    pem = users.credentials.new_key_pair()[1]

    def make(user, ends):
        if request.param == "ListKeys":
            return users.add_machine_key(house.system, user_id=user, public_key=pem, expires_at=ends).id
        return users.add_pat(house.system, user_id=user, expires_at=ends).id

    ids = {"early": make(first, EARLY), "late": make(second, LATE)}
    return request.param, ids | {"first": first, "second": second, "other": other}


def stamp(at):
    return at.isoformat().replace("+00:00", "Z")


MIDDLE = stamp(EARLY + timedelta(days=1))
FILTERS = [
    ({"ID": {"id": "{early}"}}, "early"),
    ({"userIdFilter": {"id": "{second}"}}, "late"),
    ({"organizationIdFilter": {"id": "{other}"}}, "late"),
    ({"expirationDateFilter": {"timestamp": MIDDLE, "method": "TIMESTAMP_FILTER_METHOD_AFTER"}}, "late"),
    ({"expirationDateFilter": {"timestamp": MIDDLE, "method": "TIMESTAMP_FILTER_METHOD_BEFORE"}}, "early"),
    ({"expirationDateFilter": {"timestamp": stamp(LATE), "method": "TIMESTAMP_FILTER_METHOD_AFTER_OR_EQUALS"}}, "late"),
    (
        {"expirationDateFilter": {"timestamp": stamp(EARLY), "method": "TIMESTAMP_FILTER_METHOD_BEFORE_OR_EQUALS"}},
        "early",
    ),
    ({"expirationDateFilter": {"timestamp": stamp(LATE)}}, "late"),
    ({"createdDateFilter": {"timestamp": "2020-01-01T00:00:00Z", "method": "TIMESTAMP_FILTER_METHOD_BEFORE"}}, ""),
    (
        {"createdDateFilter": {"timestamp": "2020-01-01T00:00:00Z", "method": "TIMESTAMP_FILTER_METHOD_AFTER"}},
        "early late",
    ),
]


def test_every_filter_of_tokens_and_keys_finds_what_it_should(house, belongings):
    method, ids = belongings
    name = "keyIdFilter" if method == "ListKeys" else "tokenIdFilter"
    rpc = Rpc(USERS, house.pat)
    for filter, expected in FILTERS:
        asked = {name if key == "ID" else key: value for key, value in named(filter, ids).items()}
        assert found(rpc(method, {"filters": [asked]}), ids, "id") == sorted(expected.split()), asked


def test_tokens_and_keys_are_sorted_by_every_column(house, belongings):
    method, ids = belongings
    mine = {ids["early"], ids["late"]}

    def order(column, asc):
        answer = Rpc(USERS, house.pat)(method, {"sortingColumn": column, "pagination": {"asc": asc}})
        return [one["id"] for one in answer["result"] if one["id"] in mine]

    for column in range(1, 6):
        assert order(column, True) == order(column, False)[::-1], column
    assert order(5, True) == [ids["early"], ids["late"]]


def test_metadata_of_a_user_is_filtered_by_key_and_paged(house):
    user = house.person()
    users.set_user_metadata(house.system, user_id=user, values={"a1": b"1", "a2": b"2", "b": b"3"})
    rpc = Rpc(USERS, house.pat)
    asked = {"userId": user, "pagination": {"asc": True}}
    starts = {"keyFilter": {"key": "a", "method": "TEXT_FILTER_METHOD_STARTS_WITH"}}
    assert [one["key"] for one in rpc("ListUserMetadata", {**asked, "filters": [starts]})["metadata"]] == ["a1", "a2"]
    page = rpc("ListUserMetadata", {"userId": user, "pagination": {"asc": True, "limit": 1, "offset": 2}})
    assert [one["key"] for one in page["metadata"]] == ["b"]
    assert page["pagination"] == {"totalResult": "3", "appliedLimit": "1"}
    with pytest.raises(InvalidInput):
        rpc("ListUserMetadata", {"userId": user, "filters": [{}]})


def test_a_bare_user_name_finds_nobody_where_the_organization_asks_for_its_domain(house, people):
    asked = {"queries": [{"loginNameQuery": {"loginName": "ada"}}]}
    assert [one["userId"] for one in Rpc(USERS, house.pat)("ListUsers", asked)["result"]] == [people["ada"]]
    values = {"user_login_must_be_domain": True}
    setting_commands.add_setting(house.system, of_org(house.org, "domain"), kind="domain", values=values)
    assert "result" not in Rpc(USERS, house.pat)("ListUsers", asked)


def test_t02_a_stranger_finds_nobody_by_a_bare_user_name(house, people):
    _, token = house.machine("stranger", people["other"])
    assert "result" not in Rpc(USERS, token)("ListUsers", {"queries": [{"loginNameQuery": {"loginName": "ada"}}]})


def test_metadata_stands_in_the_order_in_which_it_was_kept(house):
    user, rpc = house.person(), Rpc(USERS, house.pat)
    for key in ("b", "a", "c"):
        rpc("SetUserMetadata", {"userId": user, "metadata": [{"key": key, "value": VALUE}]})
    for asc in (True, False):
        listed = rpc("ListUserMetadata", {"userId": user, "pagination": {"asc": asc}})["metadata"]
        assert [one["key"] for one in listed] == ["b", "a", "c"][:: 1 if asc else -1]


def test_metadata_is_neither_set_nor_deleted_without_naming_any(house):
    user, rpc = house.person(), Rpc(USERS, house.pat)
    for method, field in (("SetUserMetadata", "metadata"), ("DeleteUserMetadata", "keys")):
        with pytest.raises(InvalidInput, match=rf"api\.field_missing: {field}"):
            rpc(method, {"userId": user})


def test_t02_strangers_find_nobody_by_what_is_kept_of_them(house, people):
    _, token = house.machine("stranger", people["other"])
    for query in ({"metadataKeyFilter": {"key": "colour"}}, {"metadataValueFilter": {"value": VALUE}}):
        assert "result" not in Rpc(USERS, token)("ListUsers", {"queries": [query]})


@pytest.mark.parametrize("most", [50, 1])
def test_metadata_keys_are_found_by_every_method_however_many_there_are(house, people, monkeypatch, most):
    monkeypatch.setattr("users.queries.MOST_KEYS", most)
    asked = [("colour", "SIZE"), ("COLOUR", "Size"), ("col", "si"), ("COL", "SI"), ("olou", "iz"), ("OLOU", "IZ"), ("our", "ze"), ("OUR", "ZE")]  # fmt: skip
    for method, (of_ada, of_bob) in enumerate(asked):
        for key, name in ((of_ada, "ada"), (of_bob, "bob")):
            query = {"metadataKeyFilter": {"key": key, "method": method}}
            answer = Rpc(USERS, house.pat)("ListUsers", {"queries": [query]})
            meets = key.islower() or method % 2
            assert found(answer, people) == ([name] if meets else []), (key, method)


def test_a_name_is_one_name_however_its_letters_are_written(house):
    """On both engines, letters beyond ASCII too: for the sign-in, for the question whether it is free, and when it is taken."""

    def add(name, address):
        return users.add_human(
            house.system, org_id=house.org, user_name=name, profile=Profile("Ä", "Ö"), email=address
        ).id

    anne = add("Änne", "a@mail.example")
    assert queries.find_user_by_login(house.instance, "äNNE").id == anne
    assert not queries.is_user_unique(house.system, user_name="äNNE", email="")
    assert queries.is_user_unique(house.system, user_name="änna", email="")
    with pytest.raises(AlreadyExists):
        add("äNNE", "b@mail.example")
