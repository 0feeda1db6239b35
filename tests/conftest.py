"""What tests start from: an instance as set-up makes it, its people, and clients of every kind."""

import itertools
import threading
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.test import Client
from django.test.client import ClientHandler, FakePayload

from iam.access.caller import RequestMeta, context_for, system_context
from iam.api import rates
from iam.api.sent_passwords import may_carry_password
from iam.instance.models import InstanceRow
from iam.kernel.change import Unit
from iam.kernel.context import Context
from iam.setup import first_instance
from iam.vault import wiring
from iam.vault.passwords import PasswordPool
from orgs.domain.org import Org
from tests import firsthouse
from tests.house.tenants import watched
from users import commands as users
from users.domain.profile import Profile

HOST = "localhost"
ISSUER = "http://localhost"
KEYS = 12


@dataclass(frozen=True)
class House:
    """A tenant that is ready to use."""

    instance: str
    org: str
    admin: str
    pat: str
    system: Context

    def as_token(self, token: str) -> Context:
        """The Context of a token."""
        return context_for(RequestMeta(host=HOST, headers={"authorization": f"Bearer {token}"}))

    @property
    def owner(self) -> Context:
        """The Context of the service user that owns the instance."""
        return self.as_token(self.pat)

    def machine(self, name: str, org: str = "") -> tuple[str, str]:
        """A new service user without rights: id and token."""
        made = users.add_machine(self.system, org_id=org or self.org, user_name=name, name=name)
        return made.id, users.add_pat(self.system, user_id=made.id).secret

    def person(self, name: str = "gigi", org: str = "", password: str = "Correct-Horse-9") -> str:
        """A new person; answers the id."""
        return users.add_human(
            self.system,
            org_id=org or self.org,
            user_name=name,
            profile=Profile("Gigi", "Giraffe"),
            email=f"{name}@example.com",
            email_verified=True,
            password=password,
        ).id

    def stop_org(self) -> None:
        """Deactivate the organization, which its command refuses as long as the console's application is in there."""
        unit = Unit(self.system)
        unit.change(Org, self.org, Org.deactivate)
        self.system.store.push(unit.writes())


@pytest.fixture(scope="session", autouse=True)
def keys_from_a_pool():
    """RSA pairs are drawn from a few that the run makes: making one takes longer than most tests."""
    make, pool = rsa.generate_private_key, {}
    draws = itertools.count()

    def drawn(public_exponent: int, key_size: int, backend: object = None) -> rsa.RSAPrivateKey:
        kept = pool.setdefault((public_exponent, key_size), [])
        if len(kept) < KEYS:
            kept.append(make(public_exponent, key_size))
            return kept[-1]
        return kept[next(draws) % KEYS]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(rsa, "generate_private_key", drawn)
        yield


@pytest.fixture(scope="session", autouse=True)
def whoever_hashes_has_waited_for_a_turn():
    """Every request of a test that reaches the hasher is one that the front door takes for a request with a password
    (checklist P12). So the doors are those that hash, in all tests, and no list of them is needed."""
    hashed, run, call = threading.local(), PasswordPool._run, ClientHandler.__call__

    def noted(pool, work, longest):
        hashed.now = True
        return run(pool, work, longest)

    def watched_call(handler, environ):
        content = environ["wsgi.input"].read()
        environ["wsgi.input"] = FakePayload(content)
        hashed.now = False
        response = call(handler, environ)
        headers = [(b"content-type", environ.get("CONTENT_TYPE", "").encode())]
        scope = {"method": environ["REQUEST_METHOD"], "path": environ["PATH_INFO"], "headers": headers}
        assert not hashed.now or may_carry_password(scope, content), f"{scope} hashes without a turn"
        return response

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(PasswordPool, "_run", noted)
        patched.setattr(ClientHandler, "__call__", watched_call)
        yield


@pytest.fixture
def house(db, tmp_path):
    """The first instance. Whatever a test does, no statement may reach the rows of every tenant (checklist T13)."""
    with watched() as found:
        yield made_house(tmp_path)
    assert not found, "\n".join(found)


def made_house(tmp_path) -> House:
    """An instance as set-up makes it: the first of a process is set up, every other test gets the same rows again."""
    wiring.envelope().forget()
    wiring.store().persons._kept.clear()
    rates.forget()
    if not _FIRST:
        _FIRST.append(firsthouse.kept(lambda: set_up(tmp_path)))
        _FILES.update({name: (tmp_path / name).read_text() for name in ("admin.pat", "admin-key.json")})
    else:
        _FIRST[0].put_back()
        for name, content in _FILES.items():
            (tmp_path / name).write_text(content)
    row = InstanceRow.objects.get()
    from users.models import UserRow

    admin = UserRow.objects.get(user_name="zitadel-admin")
    pat = _FILES["admin.pat"].strip()
    return House(row.instance_id, row.default_org_id, admin.id, pat, system_context(row.instance_id, base_url=ISSUER))


_FIRST: list[firsthouse.FirstHouse] = []
_FILES: dict[str, str] = {}


def set_up(folder) -> None:
    """The first instance."""
    config = settings.CONFIG.model_copy(deep=True)
    config.ExternalPort = 80
    config.FirstInstance.Org.Human.Password = "Start-Password-1"
    config.FirstInstance.Org.Machine.Machine.Username = "admin-api"
    config.FirstInstance.PatPath = str(folder / "admin.pat")
    config.FirstInstance.MachineKeyPath = str(folder / "admin-key.json")
    first_instance.make(config)


@pytest.fixture
def web(house) -> Client:
    """A browser at the instance's host."""
    return Client(HTTP_HOST=HOST)


@pytest.fixture
def api(house):
    """Calls of the service user that owns the instance: api.post(path, body) → response."""
    return Api(house.pat)


class Api:
    """REST with a token."""

    def __init__(self, token: str) -> None:
        self.client = Client(HTTP_HOST=HOST)
        self.headers = {"authorization": f"Bearer {token}"} if token else {}

    def post(self, path: str, body: object = None):
        """A POST with JSON."""
        return self.client.post(
            path, {} if body is None else body, content_type="application/json", headers=self.headers
        )

    def get(self, path: str):
        """A GET."""
        return self.client.get(path, headers=self.headers)

    def patch(self, path: str, body: object):
        """A PATCH with JSON."""
        return self.client.patch(path, body, content_type="application/json", headers=self.headers)

    def put(self, path: str, body: object = None):
        """A PUT with JSON."""
        return self.client.put(
            path, {} if body is None else body, content_type="application/json", headers=self.headers
        )

    def delete(self, path: str):
        """A DELETE."""
        return self.client.delete(path, headers=self.headers)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The real server on the engine of this run, started once."""
    from tests.engine import variables_of_new_database
    from tests.servers import new_server

    made = new_server(tmp_path_factory.mktemp("server"))
    made.environment |= variables_of_new_database(made.var)
    made.start()
    yield made
    made.kill()


@pytest.fixture(scope="session")
def tls_server(tmp_path_factory):
    """The same with TLS on its port."""
    from tests.servers import new_tls_server

    made = new_tls_server(tmp_path_factory.mktemp("tls"))
    made.start()
    yield made
    made.kill()


@pytest.fixture
def receiver(tmp_path):
    """Takes webhooks over TLS with a certificate of its own."""
    from tests.actions.receiver import Receiver

    made = Receiver(tmp_path)
    yield made
    made.close()


@pytest.fixture
def new_database(tmp_path):
    """Makes fresh databases on the engine of this run, for servers that are processes of their own: () → their variables."""
    from tests import engine

    return lambda: engine.variables_of_new_database(tmp_path)


@pytest.fixture
def own_database(new_database) -> dict[str, str]:
    """Variables of one fresh database."""
    return new_database()
