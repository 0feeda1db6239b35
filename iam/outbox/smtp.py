"""A mail to a mail server: addresses in any script go as the server can take them (RFC 6531, RFC 5891)."""

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import formatdate, make_msgid, parseaddr

import idna

from iam.outbox.post import Letter
from iam.settings.tree import SMTPConfigurationSection

TIMEOUT_SECONDS = 10
NO_SENDER = "webmaster@localhost"
"""Who writes where no sender is configured; `doctor` says that there is none."""


def send(smtp: SMTPConfigurationSection, letter: Letter) -> None:
    """Hand a letter to the mail server; raises OSError, SMTPException. An address whose part before the @ is not ASCII
    needs a server that offers SMTPUTF8, and is refused by name where it does not."""
    host, _, port = smtp.SMTP.Host.rpartition(":")
    with _connected(smtp, host, int(port)) as server:
        sender = _spelled(smtp.From or NO_SENDER)
        server.send_message(message_of(smtp, letter), sender, [_spelled(letter.to)])


def message_of(smtp: SMTPConfigurationSection, letter: Letter) -> EmailMessage:
    """The mail with its headers."""
    to = _spelled(letter.to)
    message = EmailMessage(policy=SMTP if to.isascii() else SMTPUTF8)
    sender = _spelled(smtp.From or NO_SENDER)
    message["From"] = Address(smtp.FromName, addr_spec=sender) if sender.isascii() else sender
    message["To"], message["Subject"] = to, letter.subject
    if smtp.ReplyToAddress:
        message["Reply-To"] = _spelled(smtp.ReplyToAddress)
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain=sender.rpartition("@")[2])
    message.set_content(letter.body, cte="quoted-printable")  # not every server takes eight bits
    return message


@contextmanager
def _connected(smtp: SMTPConfigurationSection, host: str, port: int) -> Iterator[smtplib.SMTP]:
    kind = smtplib.SMTP_SSL if smtp.TLS else smtplib.SMTP
    with kind(host, port, timeout=TIMEOUT_SECONDS) as server:
        if smtp.SMTP.User:
            server.login(smtp.SMTP.User, smtp.SMTP.Password)
        yield server


def _spelled(address: str) -> str:
    """With the domain as every server knows it, where the rest is ASCII; else as it stands."""
    plain = parseaddr(address)[1] or address
    local, _, domain = plain.rpartition("@")
    if not local.isascii() or domain.isascii():
        return plain
    return f"{local}@{idna.encode(domain, uts46=True).decode()}"
