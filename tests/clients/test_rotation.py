"""The master key is changed while the server serves; the command is killed half-way and goes on (checklist E09)."""

import json
import secrets
import subprocess
import sys
import time
import urllib.request

from tests.servers import ROOT, new_server

MANY = 12000
FILL = f"""
import uuid
from iam.vault.envelope import _encrypt, check_value
from iam.vault.models import DataKey
from django.conf import settings
master = settings.MASTER_KEYS()[0]
rows = [DataKey(instance_id="elsewhere", id=str(n), purpose="x", check_value=check_value(master),
        wrapped=_encrypt(master, b"k" * 32, f"elsewhere/{{n}}")) for n in range({MANY})]
DataKey.objects.bulk_create(rows)
"""
COUNT = """
from iam.vault.envelope import check_value
from iam.vault.models import DataKey
from django.conf import settings
print(DataKey.objects.filter(check_value=check_value(settings.MASTER_KEYS()[0])).count())
"""


def works(server):
    """A call that opens sealed personal data, and one that seals some."""
    headers = {"Authorization": f"Bearer {server.pat}", "Content-Type": "application/json"}
    name = f"u{secrets.token_hex(4)}"
    human = {"username": name, "profile": {"givenName": "A", "familyName": "B"}}
    body = json.dumps({**human, "email": {"email": f"{name}@example.com", "isVerified": True}}).encode()
    made = urllib.request.urlopen(urllib.request.Request(f"{server.url}/v2/users/human", body, headers), timeout=20)
    id = json.load(made)["userId"]
    found = urllib.request.urlopen(urllib.request.Request(f"{server.url}/v2/users/{id}", headers=headers), timeout=20)
    return json.load(found)["user"]["human"]["profile"]["givenName"] == "A"


def done(server):
    return int(server.manage("shell", "-v", "0", "-c", COUNT).stdout)


def test_e09_rotation_is_killed_and_goes_on_while_serving(tmp_path, own_database):
    old, new = secrets.token_hex(16), secrets.token_hex(16)
    server = new_server(tmp_path)
    server.environment |= own_database | {"ZITADEL_MASTERKEY": old}
    server.start()
    assert works(server)
    server.kill()
    assert server.manage("shell", "-v", "0", "-c", FILL).returncode == 0
    server.environment |= {"ZITADEL_MASTERKEY": new, "ZITADEL_MASTERKEY_PREVIOUS": old}
    server.start()
    try:
        command = [sys.executable, "manage.py", "rotate_masterkey"]
        rotation = subprocess.Popen(command, cwd=ROOT, env=server.environment)
        while not done(server):
            assert rotation.poll() is None, "it was too quick to be killed"
            time.sleep(0.05)
        rotation.kill()
        rotation.wait()
        half = done(server)
        assert 0 < half < MANY
        assert works(server)
        again = server.manage("rotate_masterkey")
        assert again.returncode == 0, again.stderr
        assert works(server)
    finally:
        server.kill()
    del server.environment["ZITADEL_MASTERKEY_PREVIOUS"]
    server.start()
    try:
        assert works(server)
        assert server.manage("verify_log").returncode == 0
    finally:
        server.kill()
