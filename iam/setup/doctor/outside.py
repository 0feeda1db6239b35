"""What stands around the process: Redis, the mail server, TLS files, the followers."""

import datetime as dt
import smtplib
import ssl
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from django.conf import settings

from iam.setup.doctor.database import skew
from iam.setup.doctor.findings import Finding, ok, problem, warning
from iam.tls import pem_files
from projections.lag import lag_of

TIMEOUT_SECONDS = 5
SOON = dt.timedelta(days=14)
MOST_FACTS_BEHIND = 1000
"""The handbook's threshold for projection lag."""


def redis() -> Iterator[Finding]:
    """Whether it answers, where it is configured."""
    section = settings.CONFIG.Caches.Connectors.Redis
    if not section.Enabled:
        return
    from redis import Redis, RedisError  # only where it is used

    client = Redis.from_url(section.broker, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS)
    try:
        version = client.info("server")["redis_version"]
        seconds, micro = client.time()
    except RedisError as failure:
        yield problem(
            "redis",
            f"does not answer: {failure}",
            cause="wrong address or password, TLS on one side only, or the server is down",
            remedy="check Caches.Connectors.Redis.*; web processes go on without it, but followers fall behind",
        )
        return
    finally:
        client.close()
    yield ok("redis", f"Redis {version}")
    yield skew("Redis", dt.datetime.now(dt.UTC).timestamp() - seconds - micro / 1e6)


def smtp() -> Iterator[Finding]:
    """Whether the mail server takes our sign-in. Nothing is sent."""
    section = settings.CONFIG.DefaultInstance.SMTPConfiguration
    if not section.SMTP.Host:
        yield ok("smtp", "not configured: mails are written to the state folder's mail/")
        return
    host, _, port = section.SMTP.Host.rpartition(":")
    kind = smtplib.SMTP_SSL if section.TLS else smtplib.SMTP
    try:
        with kind(host, int(port), timeout=TIMEOUT_SECONDS) as server:
            server.ehlo()
            if section.SMTP.User:
                server.login(section.SMTP.User, section.SMTP.Password)
    except (OSError, smtplib.SMTPException) as failure:
        yield problem(
            "smtp",
            f"{section.SMTP.Host}: {failure}",
            cause="wrong address, TLS on the wrong port (465 with, 25 and 587 without), or wrong name and password",
            remedy="check DefaultInstance.SMTPConfiguration.*; messages wait in the outbox meanwhile",
        )
        return
    if not section.From:
        yield problem("smtp", "no sender", cause="From is empty", remedy="set DefaultInstance.SMTPConfiguration.From")
        return
    yield ok("smtp", f"{section.SMTP.Host} takes mails")


def tls() -> Iterator[Finding]:
    """Whether key and certificate can be read, belong together, are valid now and name the public host."""
    section = settings.CONFIG.TLS
    if not section.Enabled:
        return
    try:
        key, certificate = pem_files(section)
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
        leaf = x509.load_pem_x509_certificate(Path(certificate).read_bytes())
    except (OSError, ValueError) as failure:
        yield problem(
            "tls",
            f"key and certificate cannot be used: {failure}",
            cause="a missing file, no PEM, an encrypted key, or a key of another certificate",
            remedy="check TLS.KeyPath and TLS.CertPath, or TLS.Key and TLS.Cert",
        )
        return
    yield from _validity(leaf)
    yield from _names(leaf)


def _validity(leaf: x509.Certificate) -> Iterator[Finding]:
    now, end = dt.datetime.now(dt.UTC), leaf.not_valid_after_utc
    if not leaf.not_valid_before_utc <= now < end:
        yield problem(
            "tls",
            f"the certificate is valid from {leaf.not_valid_before_utc:%Y-%m-%d} to {end:%Y-%m-%d}",
            cause="it was not renewed, or the clock is wrong",
            remedy="renew it and restart the processes",
        )
    elif end - now < SOON:
        yield warning("tls", f"the certificate ends on {end:%Y-%m-%d}", cause="renewal is due", remedy="renew it")
    else:
        yield ok("tls", f"certificate valid to {end:%Y-%m-%d}")


def _names(leaf: x509.Certificate) -> Iterator[Finding]:
    host = settings.CONFIG.ExternalDomain
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        held = [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]
    except x509.ExtensionNotFound:
        held = []
    if host not in held and f"*.{host.partition('.')[2]}" not in held:
        yield problem(
            "tls",
            f"the certificate names {', '.join(held) or 'no host'}, not {host}",
            cause="it was made for another host",
            remedy="get one whose subject alternative names hold ExternalDomain",
        )


def followers() -> Iterator[Finding]:
    """Whether somebody follows the log, and what stopped."""
    behind = lag_of()
    for one in behind:
        if one.is_stopped:
            yield problem(
                "followers",
                f"{one.projection} of instance {one.instance} stopped at fact {one.failed_position}: {one.error}",
                cause="a fact could not be handled; nothing is skipped",
                remedy="mend the cause; it is tried again by itself (`manage.py lag`, console: Instance → Followers)",
            )
        elif one.facts > MOST_FACTS_BEHIND:
            yield warning(
                "followers",
                f"{one.projection} of instance {one.instance} is {one.facts} facts behind",
                cause="no worker runs, or it is too slow",
                remedy="start `manage.py worker --beat` (one) and more workers; without Redis, web processes follow",
            )
    if not any(one.is_stopped or one.facts > MOST_FACTS_BEHIND for one in behind):
        most = max((one.facts for one in behind), default=0)
        yield ok("followers", f"{len(behind)} followers, at most {most} facts behind")
