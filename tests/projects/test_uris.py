"""Addresses and flows of applications: what is registered, what is listed, what is answered (checklist R05–R07, R09)."""

import pytest

from eventstore.aggregates import empty, fold
from eventstore.testing import given
from iam.kernel.errors import InvalidInput
from projects.domain import apps
from projects.domain.compliance import problems_of
from projects.domain.events import AppAdded, OidcConfigAdded, ProjectAdded
from projects.domain.project import NONE, OidcConfig, Project
from projects.domain.uris import NATIVE, USER_AGENT, WEB, fits_pattern, problem_of, weakness_of

ADDED = ProjectAdded(name="Billing")


def added(config):
    """What is written when an application is added to a project."""
    return apps.add_oidc(fold(empty(Project, "p"), [ADDED]), id="a", name="a", client_id="c", config=config, secret="")


@pytest.mark.parametrize(
    "uri",
    [
        "https://a.example/cb#x",
        "https://*.example/cb",
        "https://a.example/*",
        "https://good@evil.example/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "java\nscript:x",
        "https:///cb",
        "https://a.example\\@b",
        "/relative",
    ],
)
def test_r05_r07_addresses_that_cannot_be_registered(uri):
    assert problem_of(uri, dev_mode=False)


@pytest.mark.parametrize(
    "uri", ["https://a.example/cb", "http://localhost:3000/cb", "http://127.0.0.1/cb", "https://a.example/cb?x=1"]
)
@pytest.mark.parametrize("app_type", [WEB, USER_AGENT, NATIVE])
def test_r06_addresses_that_can(app_type, uri):
    assert problem_of(uri, dev_mode=False) == weakness_of(uri, app_type=app_type, dev_mode=False) == ""


WEAK = [  # (address, kind of application, in dev mode, whether it is answered there)
    ("http://a.example/cb", WEB, False, False),
    ("http://a.example/cb", WEB, True, True),
    ("HTTP://a.example/cb", WEB, False, False),
    ("http://localhost.evil.example/cb", WEB, False, False),
    ("http://127.0.0.1.evil.example/cb", NATIVE, False, False),
    ("http://10.0.0.1/cb", USER_AGENT, False, False),
    ("http://a.example/cb", USER_AGENT, True, True),
    ("http://a.example/cb", NATIVE, False, False),
    ("com.example.app:/cb", NATIVE, False, True),
    ("com.example.app:/cb", WEB, False, False),
    ("com.example.app:/cb", WEB, True, False),
    ("com.example.app:/cb", USER_AGENT, True, False),
]


@pytest.mark.parametrize(("uri", "app_type", "dev_mode", "answered"), WEAK)
def test_r06_weak_addresses_are_registered_and_listed_and_not_answered(uri, app_type, dev_mode, answered):
    """Terraform and the console create such applications; the sign-in is where it would hurt."""
    config = OidcConfig(redirect_uris=(uri,), application_type=app_type, auth_method_type=NONE, dev_mode=dev_mode)
    assert len(added(config)) == 2
    assert (weakness_of(uri, app_type=app_type, dev_mode=dev_mode) == "") is answered
    assert answered or problems_of(config), "what is not answered is listed"


PATTERNS = [
    ("https://*.app.example/cb", "https://a.app.example/cb", True),
    ("https://*.app.example/cb", "https://pr-7.app.example/cb", True),
    ("https://app-*.example/cb", "https://app-7.example/cb", True),
    ("https://a.example/*/cb", "https://a.example/x/cb", True),
    ("https://a.example/cb*", "https://a.example/cb-2", True),
    ("https://*.app.example/cb", "https://app.example/cb", False),
    ("https://*.app.example/cb", "https://a.b.app.example/cb", False),
    ("https://*.app.example/cb", "https://evil.example/.app.example/cb", False),
    ("https://*.app.example/cb", "https://evil.example#.app.example/cb", False),
    ("https://*.app.example/cb", "https://evil.example?.app.example/cb", False),
    ("https://*.app.example/cb", "https://x@evil.example/.app.example/cb", False),
    ("https://*.app.example/cb", "https://evil.example\\.app.example/cb", False),
    ("https://*.app.example/cb", "https://a%2eevil.app.example/cb", False),
    ("https://*.app.example/cb", "https://é.app.example/cb", False),
    ("https://*.app.example/cb", "https://a.app.example/cb?x=1", False),
    ("https://*.app.example/cb", "http://a.app.example/cb", False),
    ("https://*.app.example/cb", "https://a.app.example:8443/cb", False),
    ("https://*.app.example/cb", "https://*.app.example/cb", False),
    ("https://*.app.example/cb", "https://\ta.app.example/cb", False),
    ("https://*.app.example/cb", "https://[a.app.example/cb", False),
    ("https://*.app.example/cb", "https://a.app.example/cb\n", False),
    ("https://a.example/*/cb", "https://a.example/../cb", False),
    ("https://a.example/*/cb", "https://a.example/x/y/cb", False),
    ("https://a.example/*/cb", "https://a.example/%2e%2e/cb", False),
    ("https://a.example/*/cb", "https://a.example.evil/x/cb", False),
]


@pytest.mark.parametrize(("pattern", "uri", "fits"), PATTERNS)
def test_r07_in_dev_mode_a_wildcard_leaves_open_one_label_or_one_step(pattern, uri, fits):
    assert problem_of(pattern, dev_mode=True) == "" and problem_of(pattern, dev_mode=False)
    assert fits_pattern(uri, pattern) is fits


@pytest.mark.parametrize(
    "uri",
    [
        *(
            "https://*/cb",
            "https://*",
            "https://a.*/cb",
            "https://a.*.example/cb",
            "https://*:8443/cb",
            "https://*./cb",
        ),
        *("https://a.example:*/cb", "https://a.example/cb?x=*", "com.example.*:/cb", "*://a.example/cb"),
        "com.example:/*",
    ],
)
def test_r07_wildcards_for_whole_hosts_are_never_registered(uri):
    assert problem_of(uri, dev_mode=True) and problem_of(uri, dev_mode=False)


def test_r07_dev_mode_ends_only_without_wildcards():
    config = OidcConfig(redirect_uris=("https://*.a.example/cb",), dev_mode=True)
    made = added(config)
    given(Project, ADDED, *made).when(lambda one: apps.change_oidc(one, "a", {"dev_mode": False})).refuses(
        InvalidInput, "app.redirect_uri_invalid"
    )


NOT_OFFERED = [
    ("response_types", (1,), "app.response_type_not_offered"),
    ("response_types", (0, 2), "app.response_type_not_offered"),
    ("grant_types", (0, 1), "app.grant_type_not_offered"),
    ("grant_types", (0, 4), "app.grant_type_not_offered"),
    ("grant_types", (0, 9), "app.grant_type_not_offered"),
]


@pytest.mark.parametrize(("name", "values", "code"), NOT_OFFERED)
def test_r09_what_every_sign_in_would_be_refused_for_is_not_registered(name, values, code):
    config = OidcConfig(**{name: values})
    with pytest.raises(InvalidInput, match=code):
        added(config)
    made = added(OidcConfig())
    given(Project, ADDED, *made).when(lambda one: apps.change_oidc(one, "a", {name: values})).refuses(
        InvalidInput, code
    )


def test_r09_an_application_from_before_stays_changeable():
    """What it registered stays, also when a client sends the whole of it again; nothing like it is added."""
    before = OidcConfigAdded(app_id="a", client_id="c", response_types=(0, 1), grant_types=(0, 1))
    past = (ADDED, AppAdded(app_id="a", name="a"), before)
    sent = {"response_types": (1, 0), "grant_types": (0, 1), "dev_mode": True}
    assert apps.change_oidc(fold(empty(Project, "p"), past), "a", sent)
    given(Project, *past).when(lambda one: apps.change_oidc(one, "a", {"response_types": (0, 1, 2)})).refuses(
        InvalidInput, "app.response_type_not_offered"
    )
