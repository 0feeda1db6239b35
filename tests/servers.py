"""The real server as a process of its own, with a state folder of its own, on a free port."""

import datetime
import ipaddress
import os
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.ports import free_port

ROOT = Path(__file__).parent.parent


@dataclass
class Server:
    """A running server."""

    var: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None
    password: str = ""
    login: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    certificate: Path | None = None
    root: Path = ROOT
    """The code that runs; another one for a program of before."""

    @property
    def url(self) -> str:
        """Its origin."""
        return f"{'https' if self.certificate else 'http'}://localhost:{self.port}"

    @property
    def trust(self) -> ssl.SSLContext | None:
        """What a client needs to believe its certificate."""
        return ssl.create_default_context(cafile=str(self.certificate)) if self.certificate else None

    @property
    def pat(self) -> str:
        """The token of the service user that owns the instance."""
        return (self.var / "admin.pat").read_text().strip()

    def start(self) -> None:
        """Start, and wait for the first answer."""
        log = (self.var / "server.log").open("ab")
        command = [sys.executable, "manage.py", "start-from-setup"]
        self.process = subprocess.Popen(
            command, cwd=self.root, env=self.environment, stdout=log, stderr=log, start_new_session=True
        )
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{self.url}/debug/ready", timeout=1, context=self.trust)
                break
            except (urllib.error.URLError, OSError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.25)
        else:
            raise RuntimeError((self.var / "server.log").read_text())
        self._read_log()

    def _read_log(self) -> None:
        text = (self.var / "server.log").read_text()
        if found := re.search(r"Login\s+(\S+)", text):
            self.login = found[1]
        if found := re.search(r"Password\s+(\S+)", text):
            self.password = found[1]

    def kill(self) -> None:
        """End it the hard way, children included."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def work(self, *flags: str) -> "subprocess.Popen[bytes]":
        """Start a worker beside it, in a process group of its own."""
        log = (self.var / "worker.log").open("ab")
        command = [sys.executable, "manage.py", "worker", *flags]
        return subprocess.Popen(
            command, cwd=self.root, env=self.environment, stdout=log, stderr=log, start_new_session=True
        )

    def manage(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command beside it."""
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=self.root, env=self.environment, capture_output=True, text=True, check=False)


def new_server(folder: Path) -> Server:
    """A server that has not started yet."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ZITADEL_", "DJANGO_"))}
    environment = {**kept, "GATEHOUSE_VAR": str(folder), "ZITADEL_PORT": str(port), "ZITADEL_EXTERNALPORT": str(port)}
    return Server(folder, port, environment=environment)


def new_tls_server(folder: Path) -> Server:
    """A server that has not started yet and will speak TLS with a certificate of its own making."""
    made = new_server(folder)
    made.certificate, key = folder / "cert.pem", folder / "key.pem"
    certify(made.certificate, key)
    made.environment |= {
        "ZITADEL_TLS_ENABLED": "true",
        "ZITADEL_TLS_CERTPATH": str(made.certificate),
        "ZITADEL_TLS_KEYPATH": str(key),
        "ZITADEL_EXTERNALSECURE": "true",
    }
    return made


def certify(certificate: Path, key: Path) -> None:
    """A self-signed certificate for localhost."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    encoded = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key.write_bytes(encoded)
