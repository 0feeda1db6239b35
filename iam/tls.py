"""TLS of the process itself: key and certificate from files, base64 or inline PEM, looked at before anything listens."""

import base64
import os
import ssl
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from iam.settings.tree import TLSSection


class BadTLS(ValueError):
    """Key or certificate cannot be used; says which configuration key is wrong and why."""


def options_for(tls: TLSSection) -> dict[str, Any]:
    """gunicorn's options for TLS 1.2 and later. Raises BadTLS."""
    key, certificate = pem_files(tls)

    def context(config: Any, default: Any) -> ssl.SSLContext:
        made: ssl.SSLContext = default()
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        return made

    return {"keyfile": key, "certfile": certificate, "ssl_context": context}


def pem_files(tls: TLSSection) -> tuple[str, str]:
    """Paths of private key and certificate chain, which belong together; inline values become files. Raises BadTLS."""
    key_name, key = _given("TLS.KeyPath", tls.KeyPath, "TLS.Key", tls.Key)
    inline = "TLS.Cert" if tls.Cert else "TLS.Certificate"
    certificate_name, certificate = _given("TLS.CertPath", tls.CertPath, inline, tls.Cert or tls.Certificate)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as failure:
        reason = getattr(failure, "reason", None) or failure
        raise BadTLS(
            f"{certificate_name} and {key_name} cannot be used together ({reason}): a PEM certificate chain and its"
            " own unencrypted private key are needed"
        ) from failure
    return key, certificate


def _given(path_name: str, path: str, inline_name: str, inline: str) -> tuple[str, str]:
    """The name of the key that counts, and a file that can be read."""
    if not path and not inline:
        raise BadTLS(f"neither {path_name} nor {inline_name} is set")
    if not path:
        return inline_name, _file(inline, inline_name)
    try:
        Path(path).read_bytes()
    except OSError as unreadable:
        raise BadTLS(f"{path_name} = {path}: {unreadable.strerror}") from unreadable
    return path_name, path


def _no_password() -> str:
    """An encrypted key must not make the process ask a terminal."""
    raise ValueError("the private key is encrypted")


@lru_cache(maxsize=8)
def _file(text: str, name: str) -> str:
    """Inline PEM, raw or in base64, as a file that only this user reads; made once per process."""
    pem = text.encode() if text.lstrip().startswith("-----") else _decoded(text, name)
    descriptor, path = tempfile.mkstemp(prefix="gatehouse-", suffix=".pem")
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    return path


def _decoded(text: str, name: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError as wrong:
        raise BadTLS(f"{name} is neither PEM nor base64 of PEM") from wrong
