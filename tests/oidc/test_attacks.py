"""Attacks of the security checklist on the protocol's endpoints, one test per row."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from joserfc import jws
from joserfc.jwk import RSAKey

from iam.access.caller import system_context
from iam.instance import commands as instance
from iam.kernel.errors import InvalidInput
from oidc.models import AccessToken, AuthRequest
from projects import commands as projects
from projects.domain.project import OidcConfig
from projects.models import AppRow
from tests.oidc.support import REDIRECT, make_flow
from users import commands as users
from users.commands import sessions


@pytest.fixture
def flow(house, web):
    return make_flow(house, web)


ELSEWHERE = [
    *(
        "https://app.example/cb/more",
        "https://app.example/cb/..",
        "https://app.example/cb/%2e%2e/",
        "https://app.example//cb",
    ),
    *("https://app.example/cb/", "https://app.example/CB", "https://app.example/cb?x=1", "https://app.example/cb#f"),
    *(
        "https://app.example@evil.example/cb",
        "https://evil.example#@app.example/cb",
        "https://app.example.evil.example/cb",
    ),
    *("https://app.example%00.evil.example/cb", "https:\\\\app.example\\cb", "https://u:p@app.example/cb"),
    *("ht\ttps://app.example/cb", "http://app.example/cb", "//app.example/cb", "javascript:alert(1)"),
]


@pytest.mark.parametrize("address", ELSEWHERE)
def test_r02_r03_r04_only_the_registered_address_is_answered(flow, address):
    page = flow.authorize(redirect_uri=address)
    assert (page.status_code, "Location" in page) == (400, False)


@pytest.mark.parametrize(
    "address", ["https://*.example/cb", "https://app.example/*", "https://app.example/cb#f", "/cb", ""]
)
def test_r07_such_addresses_cannot_be_registered(house, address):
    project = projects.add_project(house.system, org_id=house.org, name="p").id
    with pytest.raises(InvalidInput):
        config = OidcConfig(redirect_uris=(address,), auth_method_type=2)
        projects.add_oidc_app(house.system, project_id=project, name="web", config=config)


def test_r11_error_answers_carry_state_and_issuer_and_nothing_of_the_senders(flow):
    told = parse_qs(urlsplit(flow.authorize(scope="openid", response_type="token<script>")["Location"]).query)
    assert (told["state"], told["iss"]) == (["st"], ["http://localhost"])
    assert "<" not in str(told)


def test_r12_a_code_of_one_issuer_is_refused_at_another(house, flow):
    instance.add_domain(house.system, domain="second.example")
    code = flow.code()
    flow.web.defaults["HTTP_HOST"] = "second.example"
    assert flow.redeem(code).json()["error"] == "invalid_grant"


def test_r16_every_redirect_after_a_post_is_a_303(house, flow):
    page = flow.authorize()["Location"]
    id = parse_qs(urlsplit(page).query)["authRequest"][0]
    posted = flow.web.post("/ui/v2/login/loginname", {"authRequest": id, "login_name": "gigi"})
    assert posted.status_code == 303
    assert flow.web.post("/ui/v2/login/password", {"authRequest": id, "password": "Correct-Horse-9"}).status_code == 303


@pytest.mark.parametrize("state", ["a\r\nSet-Cookie: x=1", "\"'><b>", "a\0b", "s" * 2000])
def test_r19_state_comes_back_encoded_or_is_refused(flow, state):
    answer = flow.authorize(state=state, prompt="none")
    assert "Set-Cookie: x" not in str(answer.headers)
    if "Location" in answer:
        assert "\r" not in answer["Location"] and "\n" not in answer["Location"]
        assert parse_qs(urlsplit(answer["Location"]).query)["state"] == [state]
    else:
        assert answer.status_code == 400


@pytest.mark.parametrize(
    ("name", "value"), [("max_age", "-1"), ("max_age", "x"), ("prompt", "none login"), ("prompt", "login none")]
)
def test_r20_senseless_wishes_are_errors(flow, name, value):
    told = parse_qs(urlsplit(flow.authorize(**{name: value})["Location"]).query)
    assert told["error"] == ["invalid_request"]


def test_r20_max_age_zero_asks_for_the_password_again(house, flow):
    request = parse_qs(urlsplit(flow.authorize(max_age="0")["Location"]).query)["authRequest"][0]
    row = AuthRequest.objects.get(id=request)
    assert row.max_age == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge": "short"},
        {"code_challenge": "!" * 43},
    ],
)
def test_c03_proof_of_possession_is_s256_or_nothing(flow, changed):
    told = parse_qs(urlsplit(flow.authorize(**changed)["Location"]).query)
    assert told["error"] == ["invalid_request"]


@pytest.mark.parametrize("verifier", [None, "", "v" * 42, "w" * 43, "v" * 129, "é" * 43])
def test_c04_a_code_without_its_verifier_is_refused(flow, verifier):
    assert flow.redeem(flow.code(), code_verifier=verifier).json()["error"] in ("invalid_grant", "invalid_request")


def test_c18_a_public_client_gets_no_token_for_itself(flow):
    refused = flow.form("/oauth/v2/token", {"grant_type": "client_credentials", "client_id": flow.client_id})
    assert refused.json()["error"] in ("invalid_client", "unauthorized_client")


def id_token(flow):
    return flow.tokens(scope="openid")["id_token"]


def signed(payload, header, key):
    registry = jws.JWSRegistry(algorithms=["HS256", "RS256", "PS256"])
    return jws.serialize_compact(header, json.dumps(payload).encode(), key, registry=registry)


def with_hmac(header, payload, key):
    told = f"{encoded(header)}.{encoded(payload)}"
    proof = hmac.new(key, told.encode(), hashlib.sha256).digest()
    return f"{told}.{base64.urlsafe_b64encode(proof).rstrip(b'=').decode()}"


def parts_of(token):
    head, body, _ = token.split(".")
    return [json.loads(base64.urlsafe_b64decode(part + "==")) for part in (head, body)]


def hint_error(flow, token):
    return parse_qs(urlsplit(flow.authorize(id_token_hint=token)["Location"]).query).get("error")


def test_j02_j03_j04_j06_forged_hints_are_refused(flow):
    token = id_token(flow)
    head, body = parts_of(token)
    assert hint_error(flow, token) is None
    keys = flow.web.get("/oauth/v2/keys").json()["keys"]
    public = next(one for one in keys if one["kid"] == head["kid"])
    pem = RSAKey.import_key(public).as_pem(private=False)
    own = RSAKey.generate_key(2048)
    forged = {
        "HMAC with the public key": with_hmac({**head, "alg": "HS256"}, body, pem),
        "own key under our kid": signed(body, head, own),
        "embedded key": signed(body, {**head, "jwk": own.as_dict(private=False)}, own),
        "key from elsewhere": signed(body, {**head, "jku": "http://127.0.0.1:1/keys", "kid": "other"}, own),
        "another algorithm of the key": signed(body, {**head, "alg": "PS256"}, own),
        "critical header": token.replace(token.split(".")[0], encoded({**head, "crit": ["x"], "x": 1})),
        "no signature": f"{encoded({**head, 'alg': 'none'})}.{token.split('.')[1]}.",
        "another type": signed(body, {**head, "typ": "logout+jwt"}, own),
    }
    for name, one in forged.items():
        assert hint_error(flow, one) == ["invalid_request"], name


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


KIDS = [
    "../../etc/passwd",
    "' OR 1=1 --",
    "k" * 10_000,
    "a\0b",
    ["x"],
    7,
    "",
    None,
    {},
    True,
    1e308,
    "\u202e",
    "9" * 5000,
]


@pytest.mark.parametrize("kid", KIDS)
def test_j05_strange_key_ids_are_unknown_keys(flow, kid, django_assert_max_num_queries):
    """One answer, and at most one look for a key, whatever the id is."""
    head, body = parts_of(id_token(flow))
    unknown, strange = (f"{encoded({**head, 'kid': one})}.{encoded(body)}.c2ln" for one in ("1", kid))
    with CaptureQueriesContext(connection) as asked:
        expected = flow.authorize(id_token_hint=unknown)
    with django_assert_max_num_queries(len(asked)):
        answer = flow.authorize(id_token_hint=strange)
    assert (answer.status_code, answer["Location"]) == (303, expected["Location"])
    assert "error=invalid_request" in answer["Location"]


@pytest.mark.parametrize(
    "garbage", ["a.b", "a.b.c.d", "....", "\ufeffe30.e30.", "e30=.e30=.x", "e30. e30.x", "x" * 5000]
)
def test_j09_what_is_no_token_is_refused(flow, garbage):
    assert hint_error(flow, garbage) == ["invalid_request"]


def assertion(house, flow, key, key_id, user_id, **changed):
    now = int(house.system.now().timestamp())
    claims = {"iss": user_id, "sub": user_id, "aud": "http://localhost", "iat": now, "exp": now + 60, **changed}
    claims = {name: value for name, value in claims.items() if value is not None}
    token = signed(claims, {"alg": "RS256", "kid": key_id}, RSAKey.import_key(key))
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": token, "scope": "openid"}
    return flow.form("/oauth/v2/token", form)


def test_j07_j08_times_and_audiences_of_assertions_are_exact(house, flow):
    id, _ = house.machine("robot")
    made = users.add_machine_key(house.system, user_id=id)
    now = int(house.system.now().timestamp())
    ask = lambda **changed: assertion(house, flow, made.secret, made.id, id, **changed)
    assert ask().status_code == 200
    for changed in (
        {"exp": None},
        {"exp": str(now + 60)},
        {"exp": -1},
        {"exp": 1e308},
        {"exp": now - 3600},
        {"exp": now + 10**9},
        {"iat": now + 3600},
        {"aud": "http://localhost/"},
        {"aud": "http://other.example"},
        {"aud": None},
        {"iss": "other"},
        {"sub": "other"},
    ):
        assert ask(**changed).status_code in (400, 401), changed


def test_d09_l10_a_token_dies_with_lock_session_password_and_organization(house, flow):
    def living():
        return flow.userinfo(token).status_code == 200

    for stop in (
        lambda: users.lock_user(house.system, user_id=flow.person),
        lambda: users.set_password(house.system, user_id=flow.person, password="Correct-Horse-9"),
        house.stop_org,
    ):
        got = flow.tokens()
        token = got["access_token"]
        assert living()
        stop()
        assert not living()
        assert flow.refresh(got["refresh_token"]).status_code in (400, 401)
        if stop.__code__.co_names[0] == "users" and "lock_user" in stop.__code__.co_names:
            users.unlock_user(house.system, user_id=flow.person)
            assert not living(), "the session does not come back with the user"


def test_l09_a_token_ends_with_its_time_and_its_session(house, flow):
    token = flow.tokens()["access_token"]
    AccessToken.objects.update(expires_at=house.system.now() - timedelta(seconds=1))
    assert flow.userinfo(token).status_code == 401
    session = flow.session()
    token = flow.redeem(flow.code(session)).json()["access_token"]
    sessions.terminate_session(house.system, session_id=session)
    assert flow.userinfo(token).status_code == 401


def test_t03_a_token_means_nothing_at_another_instance(house, flow):
    token = flow.tokens()["access_token"]
    foreign = system_context("999999999999999998", base_url="http://other.example")
    instance.add_instance(foreign, name="Other", domains=("other.example",))
    flow.web.defaults["HTTP_HOST"] = "other.example"
    assert flow.userinfo(token).status_code == 401


def test_t08_nothing_of_an_inactive_project_or_application_works(house, flow):
    token = flow.tokens()["access_token"]
    for stop, go in (
        (projects.deactivate_project, projects.reactivate_project),
        (
            lambda ctx, project_id: projects.deactivate_app(ctx, project_id=project_id, app_id=flow.app),
            lambda ctx, project_id: projects.reactivate_app(ctx, project_id=project_id, app_id=flow.app),
        ),
    ):
        code = flow.code()
        stop(house.system, project_id=flow.project)
        assert flow.userinfo(token).status_code == 401
        assert flow.authorize().status_code == 400
        assert flow.redeem(code).status_code in (400, 401)
        go(house.system, project_id=flow.project)
        assert flow.userinfo(token).status_code == 200


def test_h02_h05_headers_from_outside_do_not_change_the_issuer(flow):
    for name in ("X-Forwarded-Host", "Forwarded", "X-Original-URL", "X-Zitadel-Public-Host", "X-Forwarded-Proto"):
        told = flow.web.get("/.well-known/openid-configuration", headers={name: "evil.example"}).json()
        assert told["issuer"] == "http://localhost", name


def test_h03_h09_pages_with_people_are_not_kept_and_have_their_headers(flow):
    page = flow.web.get(flow.authorize()["Location"])
    page = flow.web.get(page["Location"]) if "Location" in page else page
    for answer in (
        page,
        flow.web.get("/nothing/here"),
        flow.userinfo("x"),
        flow.authorize(redirect_uri="https://evil.example/"),
    ):
        for name in (
            "Content-Security-Policy",
            "X-Content-Type-Options",
            "Referrer-Policy",
            "Cross-Origin-Opener-Policy",
        ):
            assert name in answer, (answer.status_code, name)
    assert "no-store" in page["Cache-Control"]


def test_n08_unfinished_requests_are_removed_with_their_time(house, flow):
    flow.authorize()
    AuthRequest.objects.update(expires_at=house.system.now() - timedelta(days=2))
    flow.authorize()
    assert AuthRequest.objects.count() == 1


def test_the_challenge_of_the_tests_is_the_verifiers():
    from tests.oidc.support import CHALLENGE, VERIFIER

    assert base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode() == CHALLENGE
    assert REDIRECT.startswith("https://")


@pytest.mark.parametrize("mode", [None, "query", "web_message", "nonsense", "QUERY", ""])
def test_r10_an_unknown_response_mode_is_passed_over(flow, mode):
    """What discovery names is what answers come in; words that nobody knows change nothing."""
    assert flow.web.get("/.well-known/openid-configuration").json()["response_modes_supported"] == ["query"]
    answer = flow.authorize(response_mode=mode, prompt="none")
    assert urlsplit(answer["Location"]).fragment == "" and "error=login_required" in answer["Location"]


@pytest.mark.parametrize("mode", [None, "query", "fragment", "form_post", "nonsense"])
@pytest.mark.parametrize(
    "kind", ["token", "id_token", "id_token token", "code id_token", "code token", "code id_token token", "none"]
)
def test_r10_no_answer_that_bears_tokens_is_given_whatever_mode_is_asked(flow, mode, kind):
    """Also where the browser is signed in, and where the application registered the type before it was refused."""
    AppRow.objects.filter(client_id=flow.client_id).update(response_types=[0, 1, 2], grant_types=[0, 1, 2])
    flow.code()
    answer = flow.authorize(response_mode=mode, response_type=kind, prompt="none")
    told = parse_qs(urlsplit(answer["Location"]).query)
    assert told["error"] == ["unsupported_response_type"]
    assert not {"code", "id_token", "access_token"} & {*told, *parse_qs(urlsplit(answer["Location"]).fragment)}


def test_r17_r18_request_objects_are_refused_and_never_fetched(flow):
    import http.server
    import threading

    asked = []

    class Watch(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            pass

    watch = http.server.HTTPServer(("127.0.0.1", 0), Watch)
    threading.Thread(target=watch.serve_forever, daemon=True).start()
    unsigned = f"{encoded({'alg': 'none'})}.{encoded({'redirect_uri': 'https://evil.example/'})}."
    try:
        for sent, error in (
            ({"request": unsigned}, "request_not_supported"),
            ({"request_uri": f"http://127.0.0.1:{watch.server_port}/x"}, "request_uri_not_supported"),
            ({"request_uri": "file:///etc/passwd"}, "request_uri_not_supported"),
        ):
            told = flow.authorize(**sent)["Location"]
            assert told.startswith(REDIRECT) and parse_qs(urlsplit(told).query)["error"] == [error]
    finally:
        watch.shutdown()
    assert asked == []


def test_j10_encrypted_tokens_are_refused_without_opening_them(flow):
    bomb = ".".join([encoded({"alg": "dir", "enc": "A256GCM", "zip": "DEF"}), "", "aaaa", "x" * 100_000, "aaaa"])
    assert hint_error(flow, bomb) == ["invalid_request"]
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": bomb, "scope": "openid"}
    assert flow.form("/oauth/v2/token", form).json()["error"] == "invalid_grant"
    assert flow.userinfo(bomb).status_code == 401


def test_j11_weak_and_malformed_keys_are_refused_at_registration(house):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    id, _ = house.machine("robot")
    project = projects.add_project(house.system, org_id=house.org, name="p").id
    app = projects.add_api_app(house.system, project_id=project, name="a").id

    def pem(key):
        form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        return key.public_key().public_bytes(*form)

    good = rsa.generate_private_key(65537, 2048)
    for weak in (
        pem(rsa.generate_private_key(65537, 1024)),
        pem(rsa.generate_private_key(3, 2048)),
        pem(ec.generate_private_key(ec.SECP192R1())),
        pem(ed25519.Ed25519PrivateKey.generate()),
        pem(good)[:-60] + b"-----END PUBLIC KEY-----\n",
        b"garbage",
        b"-----BEGIN PUBLIC KEY-----\n" + b"A" * 1_000_000 + b"\n-----END PUBLIC KEY-----\n",
    ):
        with pytest.raises(InvalidInput):
            users.add_machine_key(house.system, user_id=id, public_key=weak)
        with pytest.raises(InvalidInput):
            projects.add_app_key(house.system, project_id=project, app_id=app, public_key=weak)
    users.add_machine_key(house.system, user_id=id, public_key=pem(good))


def test_d05_d06_nobody_registers_clients_from_outside(flow):
    """No registration endpoint is published or answered, and a client id that is an address is unknown, not fetched."""
    told = flow.web.get("/.well-known/openid-configuration").json()
    assert "registration_endpoint" not in told
    for path in ("/oauth/v2/register", "/connect/register", "/oidc/v1/register", "/register"):
        assert flow.web.post(path, {}, content_type="application/json").status_code == 404
    assert flow.authorize(client_id="https://127.0.0.1:1/client.json").status_code == 400
