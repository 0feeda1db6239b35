"""Decisions about targets and executions, without a database."""

from datetime import UTC, datetime, timedelta

import pytest

from eventstore.events import Activity, declared_events
from eventstore.testing import given
from iam.actions.domain.endpoint import Endpoint, endpoint_of
from iam.actions.domain.events import ExecutionRemoved, ExecutionSet, TargetAdded, TargetChanged, TargetRemoved
from iam.actions.domain.execution import ALL, EVENT, GROUP, Condition, Execution, conditions_met
from iam.actions.domain.target import ASYNC, CALL, Target, TargetValues
from iam.kernel.errors import InvalidInput, NotFound, Unimplemented

URL = "https://hooks.example.com/a"
AT = datetime(2026, 1, 1, tzinfo=UTC)
ADDED = TargetAdded(name="crm", endpoint=URL, timeout=timedelta(seconds=5), signing_key="sealed", payload_type=1)


def added(**values):
    return lambda target: target.add(TargetValues(**{"name": "crm", "endpoint": URL, **values}), signing_key="sealed")


def test_a_target_begins_with_its_values_and_a_sealed_key():
    given(Target).when(added(timeout=timedelta(seconds=5), payload_type=0)).then(ADDED)


@pytest.mark.parametrize(
    ("values", "kind", "code"),
    [
        ({"name": " "}, InvalidInput, "target.name_invalid"),
        ({"name": "n" * 1001}, InvalidInput, "target.name_invalid"),
        ({"timeout": timedelta(seconds=271)}, InvalidInput, "target.timeout_invalid"),
        ({"timeout": timedelta(seconds=-1)}, InvalidInput, "target.timeout_invalid"),
        ({"endpoint": "http://hooks.example.com"}, InvalidInput, "target.endpoint_invalid"),
        ({"payload_type": 2}, Unimplemented, "target.payload_unsupported"),
        ({"payload_type": 3}, Unimplemented, "target.payload_unsupported"),
    ],
)
def test_values_out_of_their_bounds_are_refused(values, kind, code):
    given(Target).when(added(**values)).refuses(kind, code)
    given(Target, ADDED).when(lambda target: target.change(values)).refuses(kind, code)


def test_only_what_differs_is_changed():
    given(Target, ADDED).when(lambda one: one.change({"name": "crm", "endpoint": URL})).then()
    changed = TargetChanged(target_type=CALL, interrupt_on_error=True)
    given(Target, ADDED).when(lambda one: one.change({"target_type": CALL, "interrupt_on_error": True})).then(changed)
    state = (
        given(Target, ADDED, changed)
        .when(lambda one: one.change({"target_type": ASYNC}))
        .then(TargetChanged(target_type=ASYNC))
    )
    assert (state.values.target_type, state.values.interrupt_on_error) == (ASYNC, True)


def test_a_new_key_is_a_change_by_itself():
    given(Target, ADDED).when(lambda one: one.change({}, signing_key="other", previous_until=AT)).then(
        TargetChanged(signing_key="other", previous_until=AT)
    )


def test_a_target_that_is_gone_is_neither_changed_nor_removed_and_its_name_is_free():
    state = given(Target, ADDED).when(Target.remove).then(TargetRemoved())
    assert state.claims() == frozenset()
    given(Target, ADDED, TargetRemoved()).when(Target.remove).refuses(NotFound, "target.not_found")
    given(Target, ADDED, TargetRemoved()).when(lambda one: one.change({})).refuses(NotFound, "target.not_found")


def test_a_name_is_claimed_and_a_new_one_frees_it():
    before = given(Target, ADDED).state
    after = given(Target, ADDED, TargetChanged(name="erp")).state
    assert {one.value for one in before.claims()} == {"crm"} and {one.value for one in after.claims()} == {"erp"}


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://a.example", Endpoint("a.example", 443, "/")),
        ("https://A.example:443/x?y=1&z", Endpoint("a.example", 443, "/x?y=1&z")),
        ("https://a.example:1024/", Endpoint("a.example", 1024, "/")),
        ("https://[2606:2800:220:1::1]:8443/x", Endpoint("2606:2800:220:1::1", 8443, "/x")),
    ],
)
def test_an_endpoint_in_its_parts(url, parts):
    assert endpoint_of(url) == parts


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example",
        "//a.example/x",
        "http://a.example",
        "gopher://a.example",
        "file:///etc/passwd",
        "ftp://a.example",
        "unix:///var/run/docker.sock",
        "https:///x",
        "https://user@a.example",
        "https://user:secret@a.example/",
        "https://a.example@b.example/",
        "https://a.example:80",
        "https://a.example:22/",
        "https://a.example:0/",
        "https://a.example:1023/",
        "https://a.example:65536/",
        "https://a.example:port/",
        "https://a.example/x#y",
        "https://a.example/x y",
        "https://a.example/\r\nX-Header: 1",
        "https://a.example\\@b.example/",
        "https://ä.example/",
        "https://[fe80::1%25eth0]/",
        "https://[::1",
        "https://a.example/" + "x" * 2048,
    ],
)
def test_s04_only_plain_https_addresses_are_endpoints(url):
    with pytest.raises(InvalidInput, match=r"target\.endpoint_invalid"):
        endpoint_of(url)


def told(*targets):
    return ExecutionSet(targets=tuple({"type": 2, "target": one} for one in targets))


def test_an_execution_names_its_targets_in_order_and_each_once():
    given(Execution).when(lambda one: one.set(("a", "b", "a"))).then(told("a", "b"))
    given(Execution, told("a", "b")).when(lambda one: one.set(("a", "b"))).then()
    given(Execution, told("a", "b")).when(lambda one: one.set(("b", "a"))).then(told("b", "a"))
    given(Execution, told("a")).when(lambda one: one.set(())).then(ExecutionRemoved())
    given(Execution).when(lambda one: one.set(())).then()
    given(Execution).when(lambda one: one.set(tuple(map(str, range(21))))).refuses(
        InvalidInput, "execution.targets_too_many"
    )


def test_an_execution_goes_on_without_a_target_that_is_gone_and_ends_with_the_last():
    given(Execution, told("a", "b")).when(lambda one: one.lose("a")).then(told("b"))
    given(Execution, told("a")).when(lambda one: one.lose("a")).then(ExecutionRemoved())
    given(Execution, told("a")).when(lambda one: one.lose("c")).then()


@pytest.mark.parametrize(
    ("condition", "id"),
    [
        (Condition(EVENT, "user.human.added"), "event/user.human.added"),
        (Condition(GROUP, "user.human"), "event/user.human.*"),
        (Condition(ALL), "event"),
    ],
)
def test_an_execution_is_named_by_its_condition(condition, id):
    assert condition.checked().id == id and Condition.of(id) == condition


def test_a_group_may_be_written_with_its_star():
    assert Condition(GROUP, "user.*").checked() == Condition(GROUP, "user")


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        (Condition(EVENT, "user.human.addd"), "execution.event_unknown"),
        (Condition(EVENT, "user.human"), "execution.event_unknown"),
        (Condition(EVENT, "user.human.password.check.succeeded"), "execution.event_unknown"),
        (Condition(GROUP, "use"), "execution.group_unknown"),
        (Condition(GROUP, ""), "execution.group_unknown"),
        (Condition(GROUP, "user.human.added"), "execution.group_unknown"),
    ],
)
def test_a_condition_that_no_fact_can_meet_is_refused(condition, code):
    with pytest.raises(NotFound, match=code):
        condition.checked()


def test_a_fact_meets_its_type_every_group_above_it_and_any():
    assert list(conditions_met("user.human.added")) == [
        "event/user.human.added",
        "event/user.*",
        "event/user.human.*",
        "event",
    ]


def test_the_ids_of_executions_fit_where_they_are_kept():
    assert max(len(Condition(EVENT, name).id) for name, _ in declared_events()) < 200


def test_what_is_only_noted_as_use_is_marked_as_such():
    """`Context.note` takes nothing else; were one missing here, somebody would wait for ever to be told."""
    names = {name for name, kind in declared_events() if issubclass(kind, Activity)}
    assert {"user.human.password.check.succeeded", "oidc_session.access_token.added", "oidc_session.refused"} <= names
