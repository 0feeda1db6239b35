"""Domains that need proof: over https with a real server, over DNS with a real name server, and what is never asked."""

import datetime
import ipaddress
import socket
import ssl
import threading
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import dns.message
import dns.resolver
import dns.rrset
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from eventstore.testing import given
from iam.instance import setting_commands
from iam.kernel.errors import AlreadyExists, FailedPrecondition, InvalidInput, NotFound
from iam.outgoing import ForbiddenError, Outgoing, is_public
from orgs import commands
from orgs.domain.domains import Proof, ProofKind
from orgs.domain.events import (
    OrgAdded,
    OrgDomainAdded,
    OrgDomainRemoved,
    OrgDomainVerificationAdded,
    OrgDomainVerificationFailed,
    OrgDomainVerified,
)
from orgs.domain.org import Org
from orgs.models import OrgDomainRow
from users import commands as users
from users.domain.profile import Profile
from users.queries import find_user_by_login

NAME = "acme.example"
ADDED = (OrgAdded(name="Acme"), OrgDomainAdded(domain=NAME))
ASKED = OrgDomainVerificationAdded(domain=NAME, validation_type=ProofKind.FILE, validation_code="sealed")
PROOF = Proof(ProofKind.FILE, "sealed")


def test_t12_a_domain_that_needs_proof_is_only_named():
    given(Org, OrgAdded(name="Acme")).when(lambda org: org.add_domain("Acme.Example", needs_proof=True)).then(
        OrgDomainAdded(domain=NAME)
    )
    given(Org, *ADDED).when(lambda org: org.set_primary_domain(NAME)).refuses(
        FailedPrecondition, "org.domain_not_verified"
    )


def test_what_is_looked_for_is_said_and_found_or_not():
    given(Org, *ADDED).when(lambda org: org.ask_proof(NAME, kind=1, code="sealed")).then(ASKED)
    asked = given(Org, *ADDED, ASKED)
    asked.when(lambda org: org.prove(NAME, looked_for=PROOF, found=True)).then(OrgDomainVerified(domain=NAME))
    asked.when(lambda org: org.prove(NAME, looked_for=PROOF, found=False)).then(
        OrgDomainVerificationFailed(domain=NAME)
    )


@pytest.mark.parametrize(
    ("facts", "decide", "refusal", "code"),
    [
        (ADDED, lambda org: org.proof_of(NAME), FailedPrecondition, "org.domain_proof_missing"),
        (ADDED, lambda org: org.ask_proof("b.example", kind=1, code=""), NotFound, "org.domain_not_found"),
        (ADDED, lambda org: org.ask_proof(NAME, kind=3, code=""), InvalidInput, "api.enum_unknown"),
        (
            (*ADDED, OrgDomainVerified(domain=NAME)),
            lambda org: org.ask_proof(NAME, kind=1, code=""),
            FailedPrecondition,
            "org.domain_already_verified",
        ),
        (
            (*ADDED, ASKED, replace(ASKED, validation_code="later")),
            lambda org: org.prove(NAME, looked_for=PROOF, found=True),
            FailedPrecondition,
            "org.domain_proof_missing",
        ),
        (
            (*ADDED, ASKED, OrgDomainRemoved(domain=NAME), OrgDomainAdded(domain=NAME)),
            lambda org: org.proof_of(NAME),
            FailedPrecondition,
            "org.domain_proof_missing",
        ),
    ],
)
def test_what_cannot_be_proved(facts, decide, refusal, code):
    given(Org, *facts).when(decide).refuses(refusal, code)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "10.0.0.1", "2130706433", "0177.0.0.1"])
def test_s01_only_names_of_the_public_internet_can_be_proved(name):
    given(Org, OrgAdded(name="Acme"), OrgDomainAdded(domain=name)).when(
        lambda org: org.ask_proof(name, kind=1, code="")
    ).refuses(InvalidInput, "org.domain_not_public")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)
def test_s01_addresses_that_are_never_asked(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_addresses_of_the_public_internet(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f.1", "127.1"])
def test_s01_a_number_in_any_notation_is_the_address_it_means(host):
    with pytest.raises(ForbiddenError):
        Outgoing().checked_address(host)


def test_s02_one_private_address_among_public_ones_is_enough_to_refuse():
    addresses = [ipaddress.ip_address("93.184.216.34"), ipaddress.ip_address("10.0.0.1")]
    with pytest.raises(ForbiddenError):
        Outgoing(resolve=lambda host: addresses).checked_address("a.example")


def certificate(folder, name):
    """A certificate of its own authority for a name: paths of certificate and key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    return str(folder / "cert.pem"), str(folder / "key.pem")


class Site:
    """An https server for NAME on this machine, and a client that is allowed to reach it."""

    def __init__(self, folder):
        self.files, self.asked, self.status, self.headers = {}, [], 200, {}
        cert, key = certificate(folder, NAME)
        self.trust = ssl.create_default_context(cafile=cert)
        self.server = HTTPServer(("127.0.0.1", 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def _handler(site):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                site.asked.append((self.headers["Host"], self.path))
                content = site.files.get(self.path, b"")
                self.send_response(site.status if content else 404)
                for name, value in {"Content-Length": str(len(content)), **site.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        return Handler

    def client(self, **options):
        port = self.server.server_address[1]
        here = [ipaddress.ip_address("127.0.0.1")]
        options = {"trust": self.trust, "resolve": lambda host: here, "allows": lambda one: True, **options}
        return Outgoing(port=port, **options)


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_file_is_read_with_the_certificate_checked(site):
    site.files["/x"] = b"code\n"
    assert site.client().text_at(NAME, "/x") == "code\n"
    assert site.asked == [(NAME, "/x")]


def test_s05_certificates_for_other_names_or_of_unknown_authorities_are_refused(site):
    site.files["/x"] = b"code"
    assert site.client().text_at("other.example", "/x") == ""
    assert site.client(trust=ssl.create_default_context()).text_at(NAME, "/x") == ""
    assert site.asked == []


def test_s01_a_private_address_is_not_even_connected_to(site):
    site.files["/x"] = b"code"
    assert site.client(allows=is_public).text_at(NAME, "/x") == ""
    assert site.asked == []


def test_s03_redirects_are_not_followed(site):
    site.files |= {"/x": b"moved", "/y": b"code"}
    site.status, site.headers = 302, {"Location": "/y"}
    assert site.client().text_at(NAME, "/x") == ""
    assert site.asked == [(NAME, "/x")]


@pytest.mark.parametrize(
    ("content", "headers"),
    [(b"x" * 100_000, {}), (b"code", {"Content-Encoding": "gzip"}), (b"\xff\xfe", {})],
    ids=["too long", "compressed", "not text"],
)
def test_s05_s06_long_compressed_and_broken_answers_are_nothing(site, content, headers):
    site.files["/x"], site.headers = content, headers
    assert site.client().text_at(NAME, "/x") == ""


def test_s05_an_answer_that_never_ends_is_cut_off(tmp_path):
    """A server that accepts and says nothing: the client gives up when its time is over."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        here = [ipaddress.ip_address("127.0.0.1")]
        port = silent.getsockname()[1]
        client = Outgoing(resolve=lambda host: here, allows=lambda one: True, port=port, seconds=0.2)
        assert client.text_at(NAME, "/x") == ""


@contextmanager
def name_server(records):
    """A DNS server on this machine that answers TXT questions; a resolver that asks it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as open_socket:
        open_socket.bind(("127.0.0.1", 0))

        def serve():
            while True:
                try:
                    data, peer = open_socket.recvfrom(4096)
                except OSError:
                    return
                if data == b"end":
                    return
                query = dns.message.from_wire(data)
                answer = dns.message.make_response(query)
                name = query.question[0].name
                if texts := records.get(name.to_text(omit_final_dot=True)):
                    answer.answer.append(dns.rrset.from_text_list(name, 60, "IN", "TXT", texts))
                open_socket.sendto(answer.to_wire(), peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], open_socket.getsockname()[1]
        yield resolver
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"end", open_socket.getsockname())
        thread.join(2)


@pytest.fixture
def strict(house):
    """The instance, whose policy asks for proof of domains."""
    ask_for_proof(house)
    return house


def ask_for_proof(house):
    """Set the domain policy of the instance."""
    at = setting_commands.of_instance(house.system)
    setting_commands.change_setting(house.system, at, kind="domain", values={"validate_org_domains": True})


def outside(ctx, client):
    return replace(ctx, ports=replace(ctx.ports, outside=client))


def test_t12_a_domain_is_verified_by_a_file(strict, site):
    ctx = outside(strict.owner, site.client())
    commands.add_org_domain(ctx, org_id=strict.org, domain=NAME)
    row = OrgDomainRow.objects.get(domain=NAME)
    assert (row.is_verified, row.validation_type) == (False, 0)
    asked = commands.ask_domain_proof(ctx, org_id=strict.org, domain=NAME, kind=ProofKind.FILE)
    assert asked.where == f"https://{NAME}/.well-known/zitadel-challenge/{asked.code}.txt"
    with pytest.raises(FailedPrecondition, match=r"org\.domain_verification_failed"):
        commands.verify_org_domain(ctx, org_id=strict.org, domain=NAME)
    assert not OrgDomainRow.objects.get(domain=NAME).is_verified
    site.files[asked.where.removeprefix(f"https://{NAME}")] = f"{asked.code}\n".encode()
    commands.verify_org_domain(ctx, org_id=strict.org, domain=NAME)
    row = OrgDomainRow.objects.get(domain=NAME)
    assert (row.is_verified, row.validation_type) == (True, ProofKind.FILE)


def test_t12_a_domain_is_verified_by_a_record(strict):
    records = {}
    with name_server(records) as resolver:
        ctx = outside(strict.owner, Outgoing(names=resolver))
        commands.add_org_domain(ctx, org_id=strict.org, domain=NAME)
        asked = commands.ask_domain_proof(ctx, org_id=strict.org, domain=NAME, kind=ProofKind.RECORD)
        assert asked.where == f"_zitadel-challenge.{NAME}"
        records[asked.where] = ['"v=spf1 -all"', '"of somebody else"']
        with pytest.raises(FailedPrecondition):
            commands.verify_org_domain(ctx, org_id=strict.org, domain=NAME)
        records[asked.where].append(f'"{asked.code}"')
        commands.verify_org_domain(ctx, org_id=strict.org, domain=NAME)
    assert OrgDomainRow.objects.get(domain=NAME).is_verified


def test_t12_the_code_is_not_in_the_log_in_clear(strict):
    commands.add_org_domain(strict.owner, org_id=strict.org, domain=NAME)
    asked = commands.ask_domain_proof(strict.owner, org_id=strict.org, domain=NAME, kind=ProofKind.FILE)
    facts = strict.system.store.read(strict.system.stream("org", strict.org))
    assert all(asked.code not in str(recorded.fact) for recorded in facts)


def test_t12_who_proves_first_has_the_domain_and_an_unverified_claim_holds_nobody_up(strict, site):
    ctx = outside(strict.owner, site.client())
    other = commands.add_org(ctx, name="Other").id
    commands.add_org_domain(ctx, org_id=other, domain=NAME)
    for org in (strict.org, other):
        if org == strict.org:
            commands.add_org_domain(ctx, org_id=org, domain=NAME)
        asked = commands.ask_domain_proof(ctx, org_id=org, domain=NAME, kind=ProofKind.FILE)
        site.files[asked.where.removeprefix(f"https://{NAME}")] = asked.code.encode()
    commands.verify_org_domain(ctx, org_id=strict.org, domain=NAME)
    with pytest.raises(AlreadyExists, match=r"org\.domain_already_exists"):
        commands.verify_org_domain(ctx, org_id=other, domain=NAME)


def test_t12_a_verified_domain_captures_no_existing_user(house):
    """The name of somebody who was there first keeps leading to that person."""
    profile, mail = Profile("Bob", "First"), "bob@mail.example"
    name = f"bob@{NAME}"
    first = users.add_human(house.system, org_id=house.org, user_name=name, profile=profile, email=mail).id
    other = commands.add_org(house.system, name="Other").id
    house.person("bob", org=other)
    commands.add_org_domain(house.system, org_id=other, domain=NAME)
    found = find_user_by_login(house.instance, name)
    assert found is not None
    assert found.id == first
