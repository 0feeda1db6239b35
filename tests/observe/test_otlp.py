"""Row 32: traces, metrics and logs arrive at a collector over OTLP/gRPC; a collector that is away costs nothing."""

import json
import subprocess
import sys
import time
import urllib.request
from concurrent import futures

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from tests.cache.test_processes import Redis
from tests.servers import ROOT, new_server

pytestmark = pytest.mark.artefact
CALLER = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")


class Collector:
    """Keeps what it is sent."""

    def __init__(self):
        self.spans, self.metrics, self.logs, self.resources = [], [], [], []
        self.senders = {}  # process → the newest of each of its metrics
        self.server = grpc.server(futures.ThreadPoolExecutor(4))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(
            _Taker(self.take_spans, trace_service_pb2.ExportTraceServiceResponse), self.server
        )
        metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(
            _Taker(self.take_metrics, metrics_service_pb2.ExportMetricsServiceResponse), self.server
        )
        logs_service_pb2_grpc.add_LogsServiceServicer_to_server(
            _Taker(self.take_logs, logs_service_pb2.ExportLogsServiceResponse), self.server
        )
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def take_spans(self, request):
        for resource in request.resource_spans:
            self.resources.append(resource.resource)
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]

    def take_metrics(self, request):
        for resource in request.resource_metrics:
            found = [one for scope in resource.scope_metrics for one in scope.metrics]
            self.metrics += found
            sender = next(
                one.value.string_value for one in resource.resource.attributes if one.key == "service.instance.id"
            )
            self.senders.setdefault(sender, {}).update({one.name: one for one in found})

    def take_logs(self, request):
        self.logs += [
            one for resource in request.resource_logs for scope in resource.scope_logs for one in scope.log_records
        ]


class _Taker:
    def __init__(self, take, response):
        self._take, self._response = take, response

    def Export(self, request, context):
        self._take(request)
        return self._response()


@pytest.fixture(scope="module")
def collector():
    made = Collector()
    yield made
    made.server.stop(None)


@pytest.fixture(scope="module")
def serving(collector, tmp_path_factory):
    """A server as the handbook configures it, with quicker exports."""
    server = new_server(tmp_path_factory.mktemp("traced"))
    server.environment |= exporting(collector.port)
    server.start()
    yield server
    server.kill()


def exporting(port):
    made = {}
    for signal, own in (("TRACES", "TRACE"), ("METRICS", "METRIC"), ("LOGS", "LOG")):
        made[f"ZITADEL_TELEMETRY_OPENTELEMETRY_{signal}_ENABLED"] = "true"
        made[f"ZITADEL_TELEMETRY_OPENTELEMETRY_{signal}_ENDPOINT"] = f"127.0.0.1:{port}"
        made[f"ZITADEL_TELEMETRY_OPENTELEMETRY_{signal}_INSECURE"] = "true"
        made[f"ZITADEL_INSTRUMENTATION_{own}_EXPORTER_BATCHDURATION"] = "200ms"
    return made


def ask(server, path, body=None, **headers):
    sent = {"authorization": f"Bearer {server.pat}", "content-type": "application/json", **headers}
    request = urllib.request.Request(f"{server.url}{path}", json.dumps(body).encode() if body else None, sent)
    return urllib.request.urlopen(request, timeout=10)


def until(found, seconds=15):
    """What appears in time."""
    for _ in range(seconds * 10):
        if answer := found():
            return answer
        time.sleep(0.1)
    raise AssertionError("it did not arrive")


def told(span):
    return {one.key: one.value.string_value for one in span.attributes}


def test_row32_a_request_is_a_span_with_its_statements_and_pushes_below(serving, collector):
    ask(
        serving,
        "/management/v1/users/machine",
        {"userName": "planted-name", "name": "planted-name"},
        **{"x-request-id": "traced-1"},
    )
    root = until(
        lambda: next((one for one in collector.spans if told(one).get("gatehouse.request_id") == "traced-1"), None)
    )
    assert root.name == "POST /management/v1/users/machine"
    assert told(root)["http.response.status_code"] in ("200", "201")
    assert told(root)["http.route"] == "/management/v1/users/machine"
    assert not root.parent_span_id
    below = until(lambda: [one for one in collector.spans if one.trace_id == root.trace_id and one is not root])
    names = {one.name for one in below}
    assert "push" in names
    assert {"SELECT instance_domains", "INSERT eventstore_events"} <= names
    push = next(one for one in below if one.name == "push")
    assert push.parent_span_id == root.span_id
    assert next(one for one in below if one.name == "INSERT eventstore_events").parent_span_id == push.span_id
    (service,) = {one.value.string_value for one in collector.resources[0].attributes if one.key == "service.name"}
    assert service == "zitadel"
    assert "planted-name" not in str(collector.spans) and serving.pat not in str(collector.spans)


def test_a_strangers_traceparent_is_not_continued(serving, collector):
    ask(serving, "/admin/v1/healthz", **{"x-request-id": "stranger", "traceparent": f"00-{CALLER[0]}-{CALLER[1]}-01"})
    root = until(
        lambda: next((one for one in collector.spans if told(one).get("gatehouse.request_id") == "stranger"), None)
    )
    assert root.trace_id.hex() != CALLER[0] and not root.parent_span_id


def test_a_trusted_callers_traceparent_is_continued(collector, tmp_path):
    server = new_server(tmp_path)
    server.environment |= {**exporting(collector.port), "ZITADEL_INSTRUMENTATION_TRACE_TRUSTREMOTESPANS": "true"}
    server.start()
    try:
        ask(
            server,
            "/admin/v1/healthz",
            **{"x-request-id": "trusted-1", "traceparent": f"00-{CALLER[0]}-{CALLER[1]}-01"},
        )
        ask(
            server, "/admin/v1/healthz", **{"x-request-id": "trusted-2", "traceparent": f"00-{'0' * 32}-{CALLER[1]}-01"}
        )
        for id in ("trusted-1", "trusted-2"):
            root = until(
                lambda id=id: next(
                    (one for one in collector.spans if told(one).get("gatehouse.request_id") == id), None
                )
            )
            assert (root.trace_id.hex() == CALLER[0]) is (id == "trusted-1")
            assert (root.parent_span_id.hex() == CALLER[1]) is (id == "trusted-1")
    finally:
        server.kill()


def test_row32_metrics_arrive(serving, collector):
    ask(serving, "/admin/v1/healthz")
    wanted = {
        "gatehouse_request_duration_seconds",
        "gatehouse_push_duration_seconds",
        "gatehouse_projection_lag_facts",
        "gatehouse_database_up",
    }
    until(lambda: wanted <= {one.name for one in collector.metrics})
    timed = [one for one in collector.metrics if one.name == "gatehouse_request_duration_seconds"][-1]
    assert list(timed.histogram.data_points[0].explicit_bounds)[-1] == 10.0


def test_row32_logs_arrive_with_their_trace(serving, collector):
    ask(serving, "/admin/v1/healthz", **{"x-request-id": "logged-1"})
    body = until(
        lambda: next((one.body.string_value for one in collector.logs if "logged-1" in one.body.string_value), None)
    )
    line = json.loads(body)
    assert line["event"] == "request served" and line["route"] == "/admin/v1/healthz"
    root = until(
        lambda: next((one for one in collector.spans if told(one).get("gatehouse.request_id") == "logged-1"), None)
    )
    assert line["trace_id"] == root.trace_id.hex()


def test_row32_a_worker_pushes_what_it_does(collector, tmp_path):
    redis = Redis(tmp_path)
    server = new_server(tmp_path)
    server.environment |= {
        **exporting(collector.port),
        "ZITADEL_CACHES_CONNECTORS_REDIS_ENABLED": "true",
        "ZITADEL_CACHES_CONNECTORS_REDIS_ADDR": f"127.0.0.1:{redis.port}",
    }
    command = [sys.executable, "manage.py", "worker", "--beat"]
    try:
        server.start()
        log = (tmp_path / "worker.log").open("wb")
        worker = subprocess.Popen(command, cwd=ROOT, env=server.environment, stdout=log, stderr=log)
        try:
            task = until(lambda: next((one for one in collector.spans if one.name == "gatehouse.follow"), None), 90)
            assert until(lambda: [one for one in collector.spans if one.parent_span_id == task.span_id])
            fed = until(lambda: facts_of_worker(collector), 90)
            assert fed["hours"] > 10, "every fact of the set-up"
        finally:
            worker.terminate()
            assert worker.wait(30) == 0, (tmp_path / "worker.log").read_text()
    finally:
        server.kill()
        redis.kill()


def facts_of_worker(collector):
    """Projection → facts, as told by a process that follows and is no web process; None until there is one."""
    for told in collector.senders.values():
        if "gatehouse_fed_facts_total" in told and "gatehouse_web_processes" not in told:
            assert points(told["gatehouse_process_resident_bytes"].gauge)
            return {
                one.attributes[0].value.string_value: one.as_int or one.as_double
                for one in points(told["gatehouse_fed_facts_total"].sum)
            }
    return None


def points(kind):
    return list(kind.data_points)


def test_a_collector_that_is_away_has_no_effect_on_requests(tmp_path):
    server = new_server(tmp_path)
    server.environment |= exporting(1)  # nobody listens there
    server.start()
    try:
        for _ in range(20):
            assert ask(server, "/admin/v1/healthz").status == 200
        memory = resident(server)
    finally:
        server.kill()
    assert memory < 350, f"{memory} MB"


def resident(server):
    """Megabytes of the web process."""
    text = urllib.request.urlopen(f"{server.url}/debug/metrics", timeout=10).read().decode()
    return (
        next(
            float(line.split()[1]) for line in text.splitlines() if line.startswith("gatehouse_process_resident_bytes")
        )
        / 1e6
    )


def test_nothing_of_it_is_loaded_while_it_is_off(tmp_path):
    code = (
        "import django; django.setup()\nimport iam.asgi, sys\nfrom iam.observe.start import start\nstart()\n"
        "print([name for name in ('opentelemetry.sdk', 'grpc', 'redis') if name in sys.modules])"
    )
    environment = {**new_server(tmp_path).environment, "DJANGO_SETTINGS_MODULE": "iam.settings.prod"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
