"""A backup of an older state is put back under a new server (checklist E13, E05)."""

import json
import shutil
import sqlite3
import urllib.request

import pytest
from django.core.management import call_command

from iam.outbox.delivery import deliver, try_again
from iam.outbox.models import QUEUED, Message
from oidc.models import AccessToken
from tests.oidc.support import make_flow, make_tv
from tests.servers import new_server
from users.commands import codes
from users.commands.codes import Wish
from users.models import SessionRow, UserRow


@pytest.fixture
def flow(house, web):
    return make_flow(house, web)


def test_e13_devices_that_were_let_in_before_get_no_tokens(house, web):
    tv = make_tv(house, web)
    tv.start()
    tv.approve()
    call_command("restored")
    assert tv.poll().json()["error"] == "invalid_grant"


def test_e13_what_a_backup_brings_back_is_ended(house, flow, settings, tmp_path, capsys):
    settings.VAR = tmp_path
    tokens = flow.tokens()
    assert flow.userinfo(tokens["access_token"]).status_code == 200
    codes.request_password_code(house.system, user_id=flow.person, wish=Wish())
    assert Message.objects.filter(state=QUEUED).count() == 1
    call_command("restored")
    assert flow.userinfo(tokens["access_token"]).status_code == 401
    assert flow.refresh(tokens["refresh_token"]).status_code == 400
    assert not SessionRow.objects.filter(terminated=False).exists()
    assert not AccessToken.objects.filter(revoked_at=None).exists()
    while deliver():
        pass
    assert not list(tmp_path.glob("mail/*.eml")), "it may have been sent before the restore"
    try_again(house.instance, Message.objects.get().id)
    while deliver():
        pass
    assert len(list(tmp_path.glob("mail/*.eml"))) == 1
    assert flow.tokens()["access_token"], "people sign in anew"


def test_e05_e13_people_erased_since_the_backup_are_erased_again(house, tmp_path):
    gigi = house.person("gigi")
    kept = tmp_path / "erased"
    kept.write_text(f"{house.instance} {gigi}\n{house.instance} 999999999999999999\n")
    call_command("restored", erased=str(kept))
    assert not UserRow.objects.filter(id=gigi).exists()
    facts = house.system.store.read(house.system.stream("user", gigi))
    assert "Giraffe" not in str(facts)


def test_e13_no_id_and_no_position_is_given_twice(tmp_path):
    """The embedded database is copied, goes on, and is put back: what is made then has ids of its own."""
    server = new_server(tmp_path)
    server.start()
    live, backup = tmp_path / "gatehouse.sqlite3", tmp_path / "backup.sqlite3"
    try:
        with sqlite3.connect(live) as source, sqlite3.connect(backup) as target:
            source.backup(target)
        lost = {add_project(server, f"lost-{number}") for number in range(20)}
        server.kill()
        for part in tmp_path.glob("gatehouse.sqlite3*"):
            part.unlink()
        shutil.copy(backup, live)
        assert server.manage("restored").returncode == 0
        server.start()
        made = {add_project(server, f"new-{number}") for number in range(20)}
        assert not lost & made
        assert server.manage("verify_log").returncode == 0
        assert server.manage("rebuild", "--verify").returncode == 0
    finally:
        server.kill()


def add_project(server, name):
    request = urllib.request.Request(f"{server.url}/v2/projects", json.dumps({"name": name}).encode())
    request.add_header("Authorization", f"Bearer {server.pat}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["id"]
