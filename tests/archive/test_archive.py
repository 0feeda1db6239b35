"""Export and import: what left arrives with its ids, secrets open under the target's key, and nothing else is taken in."""

import io
import json
import subprocess

import pytest
from django.db import connection

from eventstore.models import EventRow, PersonKey
from eventstore.verify import verify_log
from iam.archive.arriving import arrive
from iam.archive.file import BadArchive, Manifest, read, write
from iam.archive.leaving import export
from iam.vault import wiring
from orgs import commands as orgs
from orgs.models import OrgRow
from projections.projection import IMMEDIATE, projections
from projections.rebuild import rebuild
from projects import commands as projects
from projects.models import ProjectRow, UserGrantRow
from tests.servers import new_server
from users import commands as users
from users.models import UserRow

KEY = b"0123456789abcdef0123456789abcdef"
OTHER = b"fedcba9876543210fedcba9876543210"


@pytest.fixture
def acme(house) -> str:
    """An organization with a person, an erased one, a project, a role and an authorization; answers its id."""
    org = orgs.add_org(house.system, name="Acme").id
    person = house.person("planted-name", org=org)
    gone = house.person("gone-name", org=org)
    users.erase_user(house.system, user_id=gone)
    project = projects.add_project(house.system, org_id=org, name="Billing").id
    projects.add_role(house.system, project_id=project, key="admin", display_name="Admin")
    projects.add_authorization(house.system, org_id=org, user_id=person, project_id=project, roles=("admin",))
    return org


def exported(id: str, key: bytes = KEY) -> str:
    out = io.StringIO()
    export(id, out, key)
    return out.getvalue()


def taken_in(text: str, key: bytes = KEY, instance: str = "") -> Manifest:
    return arrive(io.StringIO(text), key, instance=instance)


def other_instance(house) -> str:
    """A second tenant on the same server."""
    from iam.access.caller import system_context
    from iam.instance import commands as instance

    ctx = system_context("200000000000000000", base_url="http://other.example.com")
    instance.add_instance(ctx, name="Other", domains=("other.example.com",))
    return ctx.instance


def test_an_organization_goes_into_another_instance_with_its_ids(house, acme):
    target = other_instance(house)
    manifest = taken_in(exported(acme), instance=target)
    assert (manifest.scope, manifest.subject, manifest.name) == ("organization", acme, "Acme")
    for table in (OrgRow, UserRow, ProjectRow, UserGrantRow):
        ours = table.objects.filter(instance_id=house.instance)
        ours = ours.filter(id=acme) if table is OrgRow else ours.filter(org_id=acme)
        theirs = table.objects.filter(instance_id=target)
        assert ours.count() and set(ours.values_list("id", flat=True)) == set(theirs.values_list("id", flat=True))
    person = UserRow.objects.get(instance_id=target, user_name="planted-name")
    assert (person.first_name, person.email) == ("Gigi", "planted-name@example.com")
    assert verify_log().problem == ""
    for one in projections(IMMEDIATE):
        assert rebuild(wiring.store(), one, swap=False).different == ()


def test_e05_an_archive_tells_nothing_without_its_key_and_nothing_of_the_erased_with_it(house, acme):
    text = exported(acme)
    assert "planted-name" not in text and "gone-name" not in text
    _, records = read(io.StringIO(text), KEY)
    opened = json.dumps(list(records))
    assert "planted-name" in opened and "gone-name" not in opened


def test_an_erased_person_stays_erased(house, acme):
    target = other_instance(house)
    taken_in(exported(acme), instance=target)
    assert "gone-name" not in json.dumps(
        list(EventRow.objects.filter(instance_id=target).values_list("payload", flat=True))
    )
    assert PersonKey.objects.filter(instance_id=target, wrapped="").count() == 1


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda lines: [lines[0].replace("Acme", "Acne"), *lines[1:]], "signature"),
        (lambda lines: lines[:-1], "cut off"),
        (lambda lines: [*lines, lines[-1]], "after the last"),
        (lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], "changed, moved"),
        (lambda lines: [*lines[:4], "A" + lines[4][1:], *lines[5:]] if lines[4][0] != "A" else [*lines[:4], "B" + lines[4][1:], *lines[5:]], "changed, moved"),
        (lambda lines: [*lines[:4], "%%%", *lines[5:]], "changed, moved"),
        (lambda lines: lines[:1], "early"),
        (lambda lines: ["x" * 100, *lines[1:]], "signature"),
    ],
)  # fmt: skip
def test_n02_a_file_that_was_tampered_with_is_refused_and_nothing_of_it_stays(house, acme, spoil, why):
    target = other_instance(house)
    before = EventRow.objects.count()
    lines = exported(acme).split("\n")[:-1]
    with pytest.raises(BadArchive, match=why):
        taken_in("\n".join(spoil(lines)) + "\n", instance=target)
    assert EventRow.objects.count() == before
    assert not OrgRow.objects.filter(instance_id=target).exists()


def test_n02_another_key_opens_nothing(house, acme):
    with pytest.raises(BadArchive, match="signature"):
        taken_in(exported(acme), key=OTHER)


def test_e12_what_a_newer_program_wrote_is_refused_by_name(house):
    manifest = Manifest("1", "organization", "2", "Late", "3", "2026-01-01T00:00:00+00:00", 2, 1)
    record = {
        "kind": "org",
        "id": "2",
        "version": 1,
        "type": "org.teleported",
        "owner": "2",
        "actor": "",
        "payload": {},
    }
    out = io.StringIO()
    write(
        out, manifest, [{"erased": []}, {**record, "at": "2026-01-01T00:00:00+00:00", "origin": ["", "", "", ""]}], KEY
    )
    with pytest.raises(BadArchive, match=r"org\.teleported"):
        taken_in(out.getvalue())


def test_what_is_here_already_and_what_is_nowhere_is_refused(house, acme):
    text = exported(acme)
    with pytest.raises(BadArchive, match="here already"):
        taken_in(text)
    with pytest.raises(BadArchive, match="no instance"):
        taken_in(text, instance="404")
    with pytest.raises(BadArchive, match="no instance and no organization"):
        exported("404")
    with pytest.raises(BadArchive, match=r"instance \d+ is here already"):
        taken_in(exported(house.instance))


def test_t14_a_unique_value_that_is_taken_there_refuses_the_whole_archive(house, acme):
    target = other_instance(house)
    from iam.access.caller import system_context

    there = system_context(target, base_url="http://other.example.com")
    orgs.add_org(there, name="Acme")
    before = EventRow.objects.count()
    with pytest.raises(BadArchive, match=r"org_name 'Acme' is taken"):
        taken_in(exported(acme), instance=target)
    assert EventRow.objects.count() == before


def test_a_removed_organization_takes_no_unique_value_along(house, acme):
    orgs.remove_org(house.system, org_id=acme)
    person = house.person("planted-name")
    text = exported(house.instance)
    facts = sum(1 for _ in read(io.StringIO(text), KEY)[1]) - 1
    assert facts == EventRow.objects.filter(instance_id=house.instance).count()
    assert UserRow.objects.filter(id=person).exists()


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_row_41_row_42_an_instance_moves_to_another_server_under_another_master_key(tmp_path, new_database, engine):
    """From SQLite or PostgreSQL to the engine of this run: people sign in there, tokens are signed there, the log is whole."""
    if engine == "postgresql" != connection.vendor:
        pytest.skip("this run has no PostgreSQL")
    first, second = new_server(tmp_path / "one"), new_server(tmp_path / "two")
    for server in (first, second):
        server.var.mkdir()
    if engine == "postgresql":
        first.environment |= new_database() | {
            "ZITADEL_FIRSTINSTANCE_PATPATH": str(first.var / "admin.pat"),
            "ZITADEL_FIRSTINSTANCE_MACHINEKEYPATH": str(first.var / "admin-key.json"),
        }
    second.environment |= new_database() | {
        "ZITADEL_FIRSTINSTANCE_SKIP": "true",
        "ZITADEL_EXTERNALPORT": str(first.port),
        "ZITADEL_PORT": str(first.port),
    }
    assert first.manage("setup").returncode == 0
    (tmp_path / "key").write_text(KEY.decode())
    listed = first.manage(
        "shell", "-v", "0", "-c", "from iam.instance.models import InstanceRow as R; print(R.objects.get().pk)"
    )
    flags = ["--archiveKeyFile", str(tmp_path / "key")]
    done = first.manage("export", listed.stdout.strip(), str(tmp_path / "archive"), *flags)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "archive").stat().st_mode & 0o777 == 0o600
    assert first.manage("export", listed.stdout.strip(), str(tmp_path / "archive"), *flags).returncode == 1
    assert second.manage("setup").returncode == 0
    done = second.manage("import", str(tmp_path / "archive"), *flags)
    assert done.returncode == 0, done.stderr
    assert second.manage("import", str(tmp_path / "archive"), *flags).returncode == 1
    pat = first.pat
    second.port = first.port
    second.start()
    try:
        assert second.manage("verify_log").returncode == 0
        assert second.manage("rebuild", "--verify").returncode == 0
        key_file = json.loads((first.var / "admin-key.json").read_text())
        assert token_of(second.url, key_file)["token_type"] == "Bearer"
        asked = subprocess.run(
            ["curl", "-s", f"{second.url}/management/v1/orgs/me", "-H", f"Authorization: Bearer {pat}"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert json.loads(asked.stdout)["org"]["name"] == "ZITADEL"
    finally:
        second.kill()


def token_of(url: str, key_file: dict) -> dict:
    """An access token by JWT profile: signed by the service user, answered under the instance's own signing key."""
    import time
    import urllib.parse
    import urllib.request

    from joserfc import jwt
    from joserfc.jwk import RSAKey

    now = int(time.time())
    claims = {"iss": key_file["userId"], "sub": key_file["userId"], "aud": url, "iat": now, "exp": now + 600}
    assertion = jwt.encode({"alg": "RS256", "kid": key_file["keyId"]}, claims, RSAKey.import_key(key_file["key"]))
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion, "scope": "openid"}
    with urllib.request.urlopen(
        f"{url}/oauth/v2/token", data=urllib.parse.urlencode(form).encode(), timeout=10
    ) as answer:
        return json.load(answer)
