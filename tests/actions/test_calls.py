"""The call itself, against receivers that mean no good (checklist S02, S05, S06)."""

import ipaddress
import socket
import ssl
import threading

import pytest

from iam.addresses import Denied
from iam.outgoing import Outgoing
from tests.servers import certify

HERE = ipaddress.ip_address("127.0.0.1")


@pytest.fixture
def hostile(tmp_path):
    """Starts TLS servers that say something over and over, whatever they are asked: said(head, again) → (port, trust)."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certify(cert, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    over, listeners = threading.Event(), []

    def serve(listener, head, again, pause):
        while not over.is_set():
            try:
                with context.wrap_socket(listener.accept()[0], server_side=True) as talk:
                    heard = b""
                    while not heard.endswith(b"{}"):
                        heard += talk.recv(65536)
                    talk.sendall(head)
                    while again and not over.wait(pause):
                        talk.sendall(again)
            except OSError:
                continue

    def said(head, again=b"", pause=0.0):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        threading.Thread(target=serve, args=(listener, head, again, pause), daemon=True).start()
        return listener.getsockname()[1], ssl.create_default_context(cafile=str(cert))

    yield said
    over.set()
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def called(port, trust, seconds=0.5, **options):
    client = Outgoing(**{"resolve": lambda host: [HERE], "allows": lambda one: True, "trust": trust, **options})
    return client.status_of_post("127.0.0.1", port, "/", b"{}", {}, seconds=seconds)


def test_the_status_is_all_that_is_learned(hostile):
    assert called(*hostile(b"HTTP/1.1 418 I am\r\nContent-Length: 6\r\n\r\nsecret")) == 418


@pytest.mark.parametrize(
    ("head", "again", "pause", "status"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536, 0.0, 200),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n", b"", 0.0, 200),
        (b"HTTP/1.1 200 OK\r\n", b"X-Again: and again\r\n", 0.0, 0),
        (b"HTTP/1.1 200 OK\r\n", b"X-Slow: and slower\r\n", 0.05, 0),
        (b"HTTP/1.1 200 OK\r\nX: ", b"x" * 65536, 0.0, 0),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01, 0),
        (b"220 smtp.example ESMTP\r\n", b"", 0.0, 0),
        (b"", b"", 0.0, 0),
    ],
    ids=[
        "endless body",
        "compressed",
        "endless headers",
        "slow headers",
        "long header",
        "goes on",
        "no http",
        "silent",
    ],
)
def test_s05_s06_neither_endless_nor_slow_nor_other_answers_do_harm(hostile, head, again, pause, status):
    assert called(*hostile(head, again, pause)) == status


def test_s05_a_certificate_that_nobody_vouches_for_ends_the_call(hostile):
    port, _ = hostile(b"HTTP/1.1 200 OK\r\n\r\n")
    assert called(port, ssl.create_default_context()) == 0


def test_s02_a_name_is_asked_once_and_the_address_that_was_checked_is_called(hostile):
    port, trust = hostile(b"HTTP/1.1 200 OK\r\n\r\n")
    answers = [[HERE], [ipaddress.ip_address("10.0.0.1")]]
    assert called(port, trust, resolve=lambda host: answers.pop(0)) == 200
    assert len(answers) == 1


def test_s02_one_inner_address_among_others_is_enough_to_call_none(hostile):
    port, trust = hostile(b"HTTP/1.1 200 OK\r\n\r\n")
    both = [HERE, ipaddress.ip_address("10.0.0.1")]
    denied = Denied.of(["10.0.0.0/8"])
    assert called(port, trust, resolve=lambda host: both, allows=denied.allows) == 0
    assert called(port, trust, resolve=lambda host: both[:1], allows=denied.allows) == 200


def test_another_address_is_tried_when_the_first_takes_no_call(hostile):
    port, trust = hostile(b"HTTP/1.1 200 OK\r\n\r\n")
    assert called(port, trust, resolve=lambda host: [ipaddress.ip_address("127.0.0.2"), HERE]) == 200
