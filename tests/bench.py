"""`make bench`: figures beside calibrations of the same run, on a private PostgreSQL. No test; nothing depends on it.

Requests go over one kept HTTP/1.1 connection to a real server process; the bare request is `/debug/healthz` of the same
process. The log is measured inside this process. With USERS and FACTS in the environment the figures are taken
again with that many rows in the tables.
"""

import http.client
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

ROUNDS = 300
PASSWORD_ROUNDS = 40
WRITERS = 8
PASSWORD = "Correct-Horse-9"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SORTS = ("USER_NAME", "FIRST_NAME", "LAST_NAME", "NICK_NAME", "DISPLAY_NAME", "EMAIL", "STATE", "TYPE", "CREATION_DATE")


def main() -> None:
    """Prepare, measure, print."""
    from tests import engine

    os.environ["DJANGO_SETTINGS_MODULE"] = "iam.settings.prod"
    os.environ["GATEHOUSE_VAR"] = tempfile.mkdtemp(prefix="gatehouse-bench-")
    import django

    django.setup()
    try:
        measure()
    finally:
        from django.db import connection

        connection.close_pool()
        engine.pytest_unconfigure(None)


def measure() -> None:
    """Every figure with its ratio, on an almost empty database and then on a full one."""
    from tests.servers import new_server

    server = new_server(Path(os.environ["GATEHOUSE_VAR"]))
    pat = str(server.var / "admin.pat")
    server.environment |= {name: os.environ[name] for name in os.environ if name.startswith("ZITADEL_")}
    server.environment |= {
        "ZITADEL_FIRSTINSTANCE_ORG_MACHINE_MACHINE_USERNAME": "admin-api",
        "ZITADEL_FIRSTINSTANCE_PATPATH": pat,
        "ZITADEL_PORT": str(server.port),
        "ZITADEL_RATELIMITS_ENABLED": "false",
        "ZITADEL_EXTERNALPORT": str(server.port),
    }
    server.start()
    try:
        wire = Wire(server.port, server.pat)
        empty = figures(wire)
        users, facts = int(os.environ.get("USERS", "0")), int(os.environ.get("FACTS", "0"))
        if users:
            load(users, facts)
            wait_for_followers()
            wire.connection.close()  # the server closed it while nothing was asked; the next call opens another
            say(f"\nwith {users} users and {facts} facts more")
            full = figures(wire)
            say("ratio full : empty   " + ", ".join(f"{name} {full[name] / empty[name]:.2f}" for name in empty))
            lists(wire)
    finally:
        server.kill()


class Wire:
    """One connection, and what the measured calls need."""

    def __init__(self, port: int, pat: str) -> None:
        self.connection = http.client.HTTPConnection("localhost", port, timeout=60)
        self.rest = {"Authorization": f"Bearer {pat}", "Content-Type": "application/json"}
        self.number = 0
        self.project = self.call("/v2/projects", {"name": "bench"})["id"]
        made = {"projectId": self.project, "name": "api", "apiConfiguration": {"authMethodType": 0}}
        self.api = self.call("/zitadel.application.v2.ApplicationService/CreateApplication", made)["apiConfiguration"]
        self.robot = self.call("/management/v1/users/machine", {"userName": "robot", "name": "Robot"})["userId"]
        secret = self.call("/zitadel.user.v2.UserService/AddSecret", {"userId": self.robot})["clientSecret"]
        scope = f"openid urn:zitadel:iam:org:project:id:{self.project}:aud"
        self.grant = {"grant_type": "client_credentials", "client_id": "robot", "client_secret": secret, "scope": scope}
        self.token = self.form("/oauth/v2/token", self.grant)["access_token"]
        self.person = self.create_user(password=PASSWORD)

    def send(self, verb: str, path: str, body: str | None, headers: dict[str, str]) -> bytes:
        """The answer's bytes; anything but 200 ends the run."""
        self.connection.request(verb, path, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}: {content[:300]!r}")
        return content

    def call(self, path: str, body: object) -> dict:  # type: ignore[type-arg]
        """JSON in and out."""
        return json.loads(self.send("POST", path, json.dumps(body), self.rest))  # type: ignore[no-any-return]

    def form(self, path: str, body: dict[str, str]) -> dict:  # type: ignore[type-arg]
        """A form in, JSON out."""
        return json.loads(self.send("POST", path, urlencode(body), FORM))  # type: ignore[no-any-return]

    def bare(self) -> None:
        """A Django request that does nothing."""
        self.send("GET", "/debug/healthz", None, {})

    def introspect(self) -> None:
        """RFC 7662."""
        body = {"client_id": self.api["clientId"], "client_secret": self.api["clientSecret"], "token": self.token}
        if not self.form("/oauth/v2/introspect", body)["active"]:
            raise SystemExit("the token is not active")

    def userinfo(self) -> None:
        """The claims of the service user."""
        self.send("GET", "/oidc/v1/userinfo", None, {"Authorization": f"Bearer {self.token}"})

    def create_user(self, password: str = "") -> str:
        """A person; the answer is the id."""
        self.number += 1
        name = f"bench{self.number}"
        human: dict[str, object] = {
            "profile": {"givenName": "A", "familyName": "B"},
            "email": {"email": f"{name}@example.com", "isVerified": True},
        }
        if password:
            human["password"] = {"password": password}
        return self.call("/v2/users/human", {"username": name, **human})["userId"]  # type: ignore[no-any-return]


def figures(wire: Wire) -> dict[str, float]:
    """Measure all; answers the times, relative to the bare request, and the pushes per second of the bare push."""
    bare = median("bare Django request", wire.bare)
    select = median("prepared point select", point_select())
    found = {}
    for name, work in (
        ("introspection", wire.introspect),
        ("userinfo", wire.userinfo),
        ("client-credentials token", lambda: wire.form("/oauth/v2/token", wire.grant)),
        ("CreateUser", wire.create_user),
    ):
        took = median(name, work)
        say(f"    {bare / took:.2f} of a bare Django request, {took / select:.1f} point selects")
        found[name] = took / bare
    ours = rate(f"push of 2 facts, {WRITERS} connections", push_of())
    plain = rate(f"bare SQL push of the same rows, {WRITERS} connections", bare_push())
    say(f"    {ours / plain:.2f} of the bare SQL push")
    hashing, check = median("argon2id alone", hash_once(), PASSWORD_ROUNDS), password_check(wire)
    say(f"    password check {check * 1000:.2f} ms, {hashing / check:.2f} of it hashing")
    return {**found, "push": plain / ours, "password": check / bare}


def system():  # type: ignore[no-untyped-def]
    """The product's own Context in the bench's instance."""
    from iam.access.caller import system_context
    from iam.instance.models import InstanceRow

    return system_context(InstanceRow.objects.get().instance_id, base_url="http://localhost")


def password_check(wire: Wire) -> float:
    """The command behind every door that takes a password, at the product's cost."""
    from users.commands.sessions import must_know_password

    ctx = system()
    return median(
        "password sign-in check",
        lambda: must_know_password(ctx, user_id=wire.person, password=PASSWORD),
        PASSWORD_ROUNDS,
    )


def hash_once() -> Callable[[], object]:
    """The hash alone, as configured."""
    from iam.vault import wiring

    return lambda: wiring.ports().passwords.hash(PASSWORD)


def point_select() -> Callable[[], None]:
    """One row by its key; the driver prepares it."""
    from django.db import connection

    def select() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT name FROM instance_instances WHERE instance_id = %s", [instance])
            cursor.fetchone()

    instance = system().instance
    return select


def push_of() -> Callable[[], None]:
    """Two facts of a new stream through the store."""
    from eventstore.database import DatabaseStore
    from eventstore.store import Stream, Write
    from iam.vault import wiring
    from users.domain.events import UserLocked, UserUnlocked

    store, ctx = DatabaseStore(apply=lambda new: None, keys=wiring.envelope()), system()

    def push() -> None:
        stream = Stream("bench", "user", ctx.ports.new_id())
        store.push([Write(stream, 0, (UserLocked(), UserUnlocked()), "org", "", ctx.now())])

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


def load(users: int, facts: int) -> None:
    """Rows made by the database itself: the tables get full, the log gets long. Digests are not meant to verify."""
    from django.db import connection

    from users.models import UserRow

    row = UserRow.objects.get(user_name="bench1")
    values = {field.column: f'"{field.column}"' for field in UserRow._meta.concrete_fields if field.column}
    values |= {"id": "'9' || lpad(n::text, 17, '0')"}
    for name in ("user_name", "email", "first_name", "last_name", "nick_name", "display_name", "preferred_login_name"):
        values[name] = f"md5(n::text || '{name}')"
    columns = ", ".join(f'"{name}"' for name in values)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO users_users ({columns}) SELECT {', '.join(values.values())}"
            " FROM users_users, generate_series(1, %s) AS n WHERE id = %s",
            [users, row.id],
        )
        cursor.execute(
            "INSERT INTO eventstore_events (instance_id, aggregate_type, aggregate_id, version, position, event_type,"
            " revision, owner, subject, payload, actor, created_at, context, digest)"
            " SELECT %s, 'user', '9' || lpad((n %% %s)::text, 17, '0'), 1 + n / %s, nextval('eventstore_position_seq'),"
            " 'user.locked', 2, %s, '', '{}', '', now(), '{}', '\\x00' FROM generate_series(0, %s - 1) AS n",
            [row.instance_id, users, users, row.org_id, facts],
        )
        cursor.execute("ANALYZE")


def wait_for_followers() -> None:
    """The followers of the server come to an end first; they use the same processor."""
    from projections.lag import lag_of

    while any(one.facts for one in lag_of()):
        time.sleep(1)


def lists(wire: Wire) -> None:
    """The first page of users by every sort key."""
    for sort in SORTS:
        body = {"sortingColumn": f"USER_FIELD_NAME_{sort}", "query": {"limit": 100}}
        median(f"first page of users by {sort.lower()}", lambda body=body: wire.call("/v2/users", body), 30)  # type: ignore[misc]


def median(name: str, work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The median time of one call in seconds, printed in milliseconds."""
    for _ in range(10):
        work()
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    say(f"{name}: {statistics.median(times) * 1000:.2f} ms")
    return statistics.median(times)


def rate(name: str, work: Callable[[], None]) -> float:
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
    sys.stdout.flush()


if __name__ == "__main__":
    main()
