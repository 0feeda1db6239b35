"""What set-up refuses is said with the key and the variable that it comes from."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from iam.api.errors import told
from iam.kernel.errors import Refusal
from iam.settings.sources import leaves

HUMAN, ORG = "FirstInstance.Org.Human.", "FirstInstance.Org."
KEYS: Mapping[str, Mapping[str, str]] = {
    "human": {
        "password": HUMAN + "Password",
        "email": HUMAN + "Email.Address",
        "userName": HUMAN + "UserName",
        "usernames": HUMAN + "UserName",
        "firstName": HUMAN + "FirstName",
        "lastName": HUMAN + "LastName",
        "preferredLanguage": HUMAN + "PreferredLanguage",
    },
    "machine": {
        "userName": ORG + "Machine.Machine.Username",
        "usernames": ORG + "Machine.Machine.Username",
        "name": ORG + "Machine.Machine.Name",
        "expirationDate": ORG + "Machine.Pat.ExpirationDate",
    },
    "login client": {
        "userName": ORG + "LoginClient.Machine.Username",
        "usernames": ORG + "LoginClient.Machine.Username",
        "name": ORG + "LoginClient.Machine.Name",
        "expirationDate": ORG + "LoginClient.Pat.ExpirationDate",
    },
    "instance": {"name": "FirstInstance.InstanceName", "defaultLanguage": "FirstInstance.DefaultLanguage"},
    "organization": {"name": ORG + "Name"},
    "label": {},
}
"""Part of set-up → field of a refusal → key of the configuration."""


class BadSettingError(Exception):
    """What set-up cannot do with the configuration: one line."""


@contextmanager
def naming(part: str) -> Iterator[None]:
    """Around the making of a part: what is refused, or cannot be written, becomes a line with the key and the variable."""
    try:
        yield
    except Refusal as refusal:
        raise BadSettingError(f"{_key(part, refusal.field)}: {told(refusal).text}") from refusal
    except OSError as unwritable:
        raise BadSettingError(f"FirstInstance: {unwritable.filename}: {unwritable.strerror}") from unwritable


def _key(part: str, field: str) -> str:
    key = KEYS.get(part, {}).get(field, "")
    if not key:
        return f"the first instance ({part})"
    variable = next(leaf.variable for leaf in leaves() if leaf.path == key)
    return f"{key} ({variable})"
