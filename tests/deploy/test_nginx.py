"""nginx, started for real in front of the server, with TLS: the handbook's block and the complete configuration.

The public origin is https://auth.example.com, port 443; clients are told where that is, so every printed name stays.
"""

import json
import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import time
from pathlib import Path

import grpc
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from iam.api.gen import admin_v1, user_v2
from tests.deploy.support import DEPLOY, Authority, curl, handbook
from tests.ports import free_port
from tests.servers import new_server

HOST = "auth.example.com"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
BLOCK = (DEPLOY / "nginx" / "handbook-server.conf").read_text()
MAPS = (DEPLOY / "nginx" / "maps.conf").read_text()
COMPLETE = (DEPLOY / "nginx" / "nginx.conf").read_text()
FRAME = "pid {folder}/nginx.pid;\nevents {{}}\nhttp {{\n{temporary}\naccess_log off;\n{inside}\n}}\n"
PLACES = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
HEALTHZ = "/zitadel.admin.v1.AdminService/Healthz"
GET_USER = "/zitadel.user.v2.UserService/GetUserByID"


class Proxy:
    """A running nginx."""

    def __init__(self, folder, configuration, port, authority):
        self.folder, self.port, self.authority = folder, port, authority
        self.file = folder / "nginx.conf"
        self.file.write_text(configuration)
        self._log = (folder / "nginx.log").open("wb")
        command = [NGINX, "-e", "stderr", "-p", str(folder), "-c", str(self.file), "-g", "daemon off;"]
        self.process = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            assert self.process.poll() is None, (folder / "nginx.log").read_text()
            time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self._log.close()

    def curl(self, *arguments):
        """curl that believes this authority and finds the public host here."""
        to = ["--connect-to", f"{HOST}:443:127.0.0.1:{self.port}", "--cacert", str(self.authority.file)]
        return curl(*to, *arguments)

    def channel(self):
        """A gRPC client over TLS."""
        credentials = grpc.ssl_channel_credentials(self.authority.file.read_bytes())
        options = (("grpc.ssl_target_name_override", HOST), ("grpc.default_authority", HOST))
        return grpc.secure_channel(f"127.0.0.1:{self.port}", credentials, options)


def configured(text, folder, port, server_port, certificate, key):
    """A configuration with this test's ports and files in place of the printed ones."""
    for printed, own in (
        ("listen 443", f"listen 127.0.0.1:{port}"),
        ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
        ("/etc/nginx/tls/tls.crt", str(certificate)),
        ("/etc/nginx/tls/tls.key", str(key)),
        ("zitadel:8080", f"127.0.0.1:{server_port}"),
        ("/tmp/nginx", str(folder / "nginx")),
    ):
        text = text.replace(printed, own)
    return text


def framed(inside, folder):
    """A server block at its place in a whole file."""
    temporary = "\n".join(f"{place}_temp_path {folder}/{place};" for place in PLACES)
    return FRAME.format(folder=folder, temporary=temporary, inside=inside)


def verdict(text, folder):
    """What `nginx -t` says."""
    (folder / "tried.conf").write_text(text)
    command = [NGINX, "-t", "-e", "stderr", "-p", str(folder), "-c", str(folder / "tried.conf")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ca")
    folder.chmod(0o755)
    return Authority(folder)


@pytest.fixture(scope="module")
def certificate(authority):
    return authority.issue(HOST)


@pytest.fixture(scope="module")
def behind(tmp_path_factory):
    """The server as an operator configures it behind nginx."""
    server = new_server(tmp_path_factory.mktemp("behind"))
    server.environment |= {
        "ZITADEL_EXTERNALDOMAIN": HOST,
        "ZITADEL_EXTERNALPORT": "443",
        "ZITADEL_TRUSTEDPROXIES": "127.0.0.1/32",
        "ZITADEL_EXTERNALSECURE": "true",
    }
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def printed(behind, authority, certificate, tmp_path_factory):
    """The handbook's block with the two maps."""
    folder, port = tmp_path_factory.mktemp("printed"), free_port()
    text = framed(configured(MAPS + BLOCK, folder, port, behind.port, *certificate), folder)
    proxy = Proxy(folder, text, port, authority)
    yield proxy
    proxy.stop()


@pytest.fixture(scope="module")
def complete(behind, authority, certificate, tmp_path_factory):
    """Our complete configuration."""
    folder, port = tmp_path_factory.mktemp("complete"), free_port()
    proxy = Proxy(folder, configured(COMPLETE, folder, port, behind.port, *certificate), port, authority)
    yield proxy
    proxy.stop()


@pytest.fixture(scope="module")
def without_http2(behind, authority, certificate, tmp_path_factory):
    """The complete configuration with `http2` taken out of the listener."""
    folder, port = tmp_path_factory.mktemp("without"), free_port()
    text = configured(
        COMPLETE.replace("listen 443 ssl http2", "listen 443 ssl"), folder, port, behind.port, *certificate
    )
    proxy = Proxy(folder, text, port, authority)
    yield proxy
    proxy.stop()


@pytest.fixture(params=["printed", "complete"])
def proxy(request):
    """Both, one after the other."""
    return request.getfixturevalue(request.param)


def test_row_21_the_kept_block_is_that_of_the_handbook():
    assert BLOCK.strip() in handbook()


def test_row_21_the_printed_block_needs_the_two_maps(tmp_path, certificate):
    block = configured(BLOCK, tmp_path, 1, 8080, *certificate)
    assert 'unknown "grpc_status" variable' in verdict(framed(block, tmp_path), tmp_path)[1]
    assert verdict(framed(MAPS + block, tmp_path), tmp_path)[0] == 0
    code, said = verdict(configured(COMPLETE, tmp_path, 1, 8080, *certificate), tmp_path)
    assert code == 0 and "[warn]" not in said, said


def test_row_21_every_file_parses_in_full(tmp_path):
    done = subprocess.run(
        [str(Path(sys.executable).parent / "crossplane"), "parse", str(DEPLOY / "nginx" / "nginx.conf")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["errors"] == []


@pytest.mark.parametrize(("flag", "version"), [("--http1.1", "1.1"), ("--http2", "2")])
def test_row_21_rest_and_discovery_over_both_versions(proxy, behind, flag, version):
    spoken, status, body = proxy.curl(flag, f"https://{HOST}/.well-known/openid-configuration")
    assert (spoken, status, json.loads(body)["issuer"]) == (version, "200", f"https://{HOST}")
    token = f"Authorization: Bearer {behind.pat}"
    spoken, status, body = proxy.curl(flag, "-H", token, f"https://{HOST}/management/v1/orgs/me")
    assert (spoken, status, json.loads(body)["org"]["name"]) == (version, "200", "ZITADEL")


def test_row_21_grpc_web_and_connect(proxy, behind):
    token = f"Authorization: Bearer {behind.pat}"
    status, body = proxy.curl(
        *("-H", token, "-H", "Content-Type: application/json", "-d", '{"userId":"1"}', f"https://{HOST}{GET_USER}")
    )[1:]
    assert (status, json.loads(body)["code"]) == ("404", "not_found")
    message = user_v2.GetUserByIDRequest(user_id="1").SerializeToString()
    (proxy.folder / "frame").write_bytes(b"\0" + struct.pack(">I", len(message)) + message)
    for flag in ("--http1.1", "--http2"):
        status, body = proxy.curl(
            *(flag, "-H", token, "-H", "Content-Type: application/grpc-web+proto", "-H", "X-Grpc-Web: 1"),
            *("--data-binary", f"@{proxy.folder / 'frame'}", f"https://{HOST}{GET_USER}"),
        )[1:]
        assert status == "200" and re.search(r"grpc-status: ?5", body)


def healthz(proxy):
    with proxy.channel() as channel:
        method = channel.unary_unary(
            HEALTHZ,
            request_serializer=lambda one: one.SerializeToString(),
            response_deserializer=admin_v1.HealthzResponse.FromString,
        )
        return method(admin_v1.HealthzRequest(), timeout=10)


def test_row_46_native_grpc_with_http2(complete, behind):
    healthz(complete)
    with complete.channel() as channel:
        method = channel.unary_unary(
            GET_USER,
            request_serializer=lambda one: one.SerializeToString(),
            response_deserializer=user_v2.GetUserByIDResponse.FromString,
        )
        with pytest.raises(grpc.RpcError) as refused:
            method(
                user_v2.GetUserByIDRequest(user_id="1"),
                metadata=(("authorization", f"Bearer {behind.pat}"),),
                timeout=10,
            )
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


def test_row_46_without_http2_native_grpc_fails_and_the_rest_works(without_http2):
    with pytest.raises(grpc.RpcError) as refused:
        healthz(without_http2)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    spoken, status, _ = without_http2.curl("--http2", f"https://{HOST}/admin/v1/healthz")
    assert (spoken, status) == ("1.1", "200")


def test_row_46_without_grpc_pass_native_grpc_fails(printed):
    with pytest.raises(grpc.RpcError):
        healthz(printed)


def test_row_46_a_server_that_is_away_is_told_in_the_form_of_grpc(authority, certificate, tmp_path):
    port = free_port()
    proxy = Proxy(tmp_path, configured(COMPLETE, tmp_path, port, free_port(), *certificate), port, authority)
    try:
        with pytest.raises(grpc.RpcError) as refused:
            healthz(proxy)
    finally:
        proxy.stop()
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert "the server does not answer" in refused.value.details()


def test_row_21_the_real_address_arrives_and_a_claimed_one_does_not(proxy, behind):
    headers = ["-H", f"Authorization: Bearer {behind.pat}", "-H", "X-Forwarded-For: 203.0.113.7"]
    body = [
        "-H",
        "Content-Type: application/json",
        "-d",
        json.dumps({"name": f"seen-{proxy.port}"}),
        f"https://{HOST}/v2/projects",
    ]
    _, status, told = proxy.curl("--interface", "127.0.0.2", *headers, *body)
    assert status in {"200", "201"}
    code = ADDRESS.format(id=json.loads(told)["id"])
    assert behind.manage("shell", "-v", "0", "-c", code).stdout.strip() == "127.0.0.2"


ADDRESS = """
from eventstore.reading import facts_of
from iam.vault import wiring
print(facts_of(wiring.store(), "{id}")[0].origin.ip)
"""


@pytest.mark.browser
def test_row_21_the_login_and_the_live_console_in_a_browser(complete, behind, tmp_path):
    from playwright.sync_api import sync_playwright

    from tests.browser.support import sign_in

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    flags = [
        *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--ignore-certificate-errors"),
        f"--host-resolver-rules=MAP {HOST}:443 127.0.0.1:{complete.port}",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        page = browser.new_context(ignore_https_errors=True).new_page()
        page.set_default_timeout(15_000)
        page.goto(f"https://{HOST}/ui/console")
        sign_in(page, behind.login, behind.password)
        page.fill("#current", behind.password)
        for field in ("#password", "#again"):
            page.fill(field, "Correct-Horse-9")
        page.click("button[type=submit]")
        page.wait_for_selector("text=Welcome, ZITADEL Admin")
        page.goto(f"https://{HOST}/ui/console/activity")
        page.wait_for_selector("text=Live: new lines appear by themselves.")
        create_project(complete, behind, "seen-live")
        page.wait_for_selector("tbody tr:first-child:has-text('project.added')")
        protocol = page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol")
        cookies = {one["name"]: one["secure"] for one in page.context.cookies()}
        browser.close()
    assert protocol == "h2"
    assert cookies and all(cookies.values())


def create_project(proxy, behind, name):
    token = f"Authorization: Bearer {behind.pat}"
    proxy.curl(
        "-H",
        token,
        "-H",
        "Content-Type: application/json",
        "-d",
        json.dumps({"name": name}),
        f"https://{HOST}/v2/projects",
    )


def refused_socket(proxy):
    """The status with which a WebSocket of nobody is refused."""
    context = ssl.create_default_context(cafile=str(proxy.authority.file))
    raw = socket.create_connection(("127.0.0.1", proxy.port))
    with pytest.raises(InvalidStatus) as refused:
        connect(f"wss://{HOST}/ui/console/live", sock=raw, ssl=context, server_hostname=HOST)
    return refused.value.response.status_code


def test_row_21_websockets_are_upgraded_by_the_complete_configuration_only(complete, printed):
    """Upgraded, the server refuses it as a WebSocket (403); else it sees a plain request for a page that is not there."""
    assert (refused_socket(complete), refused_socket(printed)) == (403, 404)
