"""`make bench`: figures beside calibrations of the same run, on a private PostgreSQL. No test; nothing depends on it."""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROUNDS = 200
WRITERS = 8


def main() -> None:
    """Prepare, measure, print."""
    from tests import engine

    os.environ["DJANGO_SETTINGS_MODULE"] = "iam.settings.test"
    import django

    django.setup()
    try:
        measure()
    finally:
        engine.pytest_unconfigure(None)


def measure() -> None:
    """Every figure with its ratio."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    house, web = prepared()
    from tests.oidc.support import make_flow

    flow = make_flow(house, web)
    bare = median("bare Django request", lambda: web.get("/debug/healthz"))
    select = median("point select", point_select)
    token, api, secret = credentials(house, flow)
    introspect = {"client_id": api.client_id, "client_secret": api.secret, "token": token}
    grant = {"grant_type": "client_credentials", "client_id": "robot", "client_secret": secret, "scope": "openid"}
    for name, work in (
        ("introspection", lambda: flow.form("/oauth/v2/introspect", introspect)),
        ("userinfo", lambda: flow.userinfo(token)),
        ("client-credentials token", lambda: flow.form("/oauth/v2/token", grant)),
        ("CreateUser", create_user(house, web)),
    ):
        took = median(name, work)
        say(f"    {bare / took:.2f} of a bare Django request, {took / select:.1f} point selects")
    one = rate(f"push of 2 facts, {WRITERS} connections", push_of(house))
    calibration = rate(f"bare SQL push of the same rows, {WRITERS} connections", bare_push())
    say(f"    {one / calibration:.2f} of the bare SQL push")
    median("password check (argon2id of the tests' cost)", lambda: sign_in(house, flow), rounds=30)


def prepared():  # type: ignore[no-untyped-def]
    """An instance and a browser."""
    from django.conf import settings
    from django.test import Client

    from iam.access.caller import system_context
    from iam.instance.models import InstanceRow
    from iam.setup import first_instance
    from tests.conftest import House

    config = settings.CONFIG.model_copy(deep=True)
    config.ExternalPort = 80
    folder = Path(tempfile.mkdtemp())
    config.FirstInstance.Org.Machine.Machine.Username = "admin-api"
    config.FirstInstance.PatPath = str(folder / "pat")
    first_instance.make(config)
    row = InstanceRow.objects.get()
    system = system_context(row.instance_id, base_url="http://localhost")
    house = House(row.instance_id, row.default_org_id, "", (folder / "pat").read_text().strip(), system)
    return house, Client(HTTP_HOST="localhost")


def credentials(house, flow):  # type: ignore[no-untyped-def]
    """A person's token, an application that checks it, a service user's secret."""
    from projects import commands as projects
    from users import commands as users

    token = flow.tokens()["access_token"]
    api = projects.add_api_app(house.system, project_id=flow.project, name="api")
    robot = users.add_machine(house.system, org_id=house.org, user_name="robot", name="Robot")
    return token, api, users.set_machine_secret(house.system, user_id=robot.id).secret


def create_user(house, web):  # type: ignore[no-untyped-def]
    """A call that creates a person."""
    numbers = iter(range(10**6))

    def call() -> None:
        name = f"bench{next(numbers)}"
        profile, email = {"givenName": "A", "familyName": "B"}, {"email": f"{name}@example.com", "isVerified": True}
        body = {"organizationId": house.org, "username": name, "human": {"profile": profile, "email": email}}
        answer = web.post(
            "/v2/users/new", body, content_type="application/json", headers={"authorization": f"Bearer {house.pat}"}
        )
        assert answer.status_code == 200, answer.content

    return call


def sign_in(house, flow) -> None:  # type: ignore[no-untyped-def]
    """One password check."""
    from users.commands.sessions import must_know_password

    must_know_password(house.system, user_id=flow.person, password="Correct-Horse-9")


def point_select() -> None:
    """One row by its key."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM instance_instances LIMIT 1")
        cursor.fetchone()


def push_of(house) -> Callable[[], None]:  # type: ignore[no-untyped-def]
    """Two facts of a new stream through the store."""
    from eventstore.database import DatabaseStore
    from eventstore.store import Stream, Write
    from iam.vault import wiring
    from users.domain.events import UserLocked, UserUnlocked

    store = DatabaseStore(apply=lambda new: None, keys=wiring.envelope())

    def push() -> None:
        id = house.system.ports.new_id()
        store.push(
            [Write(Stream("bench", "user", id), 0, (UserLocked(), UserUnlocked()), "org", "", house.system.now())]
        )

    return push


def bare_push() -> Callable[[], None]:
    """The same two rows in one INSERT and one transaction, without any of our code."""
    import uuid

    from django.db import connection, transaction

    line = (
        "('bench','user',%s,{n},nextval('eventstore_position_seq'),'user.locked',2,'org','','{{}}','',now(),'{{}}',%s)"
    )
    sql = (
        "INSERT INTO eventstore_events (instance_id, aggregate_type, aggregate_id, version, position, event_type, revision,"
        f" owner, subject, payload, actor, created_at, context, digest) VALUES {line.format(n=1)}, {line.format(n=2)}"
    )

    def push() -> None:
        id = uuid.uuid4().hex
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, [id, b"0" * 32, id, b"0" * 32])

    return push


def median(name: str, work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The median time of one call in seconds, printed in milliseconds."""
    for _ in range(5):
        work()
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    say(f"{name}: {statistics.median(times) * 1000:.2f} ms")
    return statistics.median(times)


def rate(name: str, work: Callable[[], object]) -> float:
    """Calls per second with several connections at once."""
    from django.db import connection

    def many() -> None:
        for _ in range(ROUNDS):
            work()
        connection.close()  # back to the pool

    begun = time.perf_counter()
    with ThreadPoolExecutor(WRITERS) as pool:
        for done in [pool.submit(many) for _ in range(WRITERS)]:
            done.result()
    found = WRITERS * ROUNDS / (time.perf_counter() - begun)
    say(f"{name}: {found:.0f} per second")
    return found


def say(line: str) -> None:
    """Print."""
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
