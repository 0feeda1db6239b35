"""System users of the configuration."""

import json

import pytest
from django.conf import settings

from iam.settings.sources import read
from tests.system.support import RSA, pair, token
from tests.users.support import Rpc


@pytest.fixture
def system_users(monkeypatch):
    """Configure system users: name → memberships (none: SYSTEM_OWNER)."""

    def configure(kind=RSA, **users):
        named = {name: {"KeyData": pair(kind)[1], "Memberships": memberships} for name, memberships in users.items()}
        made = settings.CONFIG.model_copy(deep=True)
        made.SystemAPIUsers = read([], {"ZITADEL_SYSTEMAPIUSERS": json.dumps(named)})[0].SystemAPIUsers
        monkeypatch.setattr(settings, "CONFIG", made)

    return configure


def origin():
    """Where the system lives for its operators."""
    return settings.CONFIG.origin(settings.CONFIG.ExternalDomain)


@pytest.fixture
def operator(house, system_users):
    """Calls of an operator: `operator(service)(name, body)`."""
    system_users(superuser=[])
    signed = token("superuser", origin(), pair()[0])
    return lambda service: Rpc(service, signed)
