"""A receiver on this machine, and an instance that is allowed to call it."""

import ipaddress
import ssl
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from eventstore.portable import facts_of_instance
from iam.actions import sending
from iam.actions.models import QUEUED, Delivery
from iam.outgoing import Outgoing
from iam.vault import wiring
from projections.projection import projection

TARGETS, EXECUTIONS = "/v2/actions/targets", "/v2/actions/executions"


@pytest.fixture
def lets_in(receiver, monkeypatch):
    """This process may call the receiver, and believes its certificate."""
    here = [ipaddress.ip_address("127.0.0.1")]
    trust = ssl.create_default_context(cafile=str(receiver.certificate))
    outside = Outgoing(resolve=lambda host: here, allows=lambda one: True, refuses=lambda host: False, trust=trust)
    ports = replace(wiring.ports(), outside=outside)
    monkeypatch.setattr(wiring, "ports", lambda: ports)


@pytest.fixture
def target(api, receiver, lets_in):
    """A target that leads to the receiver, which knows its key."""
    made = api.post(TARGETS, {"name": "crm", "endpoint": receiver.url, "restWebhook": {}, "timeout": "5s"}).json()
    receiver.keys.append(made["signingKey"])
    return made["id"]


@pytest.fixture
def on(api):
    """Tells targets of events: on(condition, target, …) → the answer."""

    def set_execution(condition, *targets):
        return api.put(EXECUTIONS, {"condition": {"event": condition}, "targets": targets})

    return set_execution


class Post:
    """What the followers and senders do, one after the other and in this thread."""

    def __init__(self, instance):
        self.instance = instance

    def note(self):
        """Feed the follower every fact, again if need be: the horizon of PostgreSQL does not move in a test's transaction."""
        projection("webhooks").apply_all(list(facts_of_instance(wiring.store(), self.instance)))

    def send(self):
        """Try what is due."""
        while sending.send_next():
            pass

    def deliver(self):
        self.note()
        self.send()

    def due(self):
        """Let every pause be over."""
        Delivery.objects.filter(state=QUEUED).update(try_at=datetime.now(UTC))

    def states(self):
        rows = Delivery.objects.filter(instance_id=self.instance).order_by("position", "target_id")
        return list(rows.values_list("state", flat=True))


@pytest.fixture
def post(house):
    return Post(house.instance)
