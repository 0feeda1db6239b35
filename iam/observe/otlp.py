"""Pushes traces, metrics and log records to a collector by OTLP over gRPC. Loaded only where an exporter is configured.

Everything leaves from threads of the SDK, out of bounded queues: a collector that is away or slow costs signals, never requests.
"""

import logging
import os
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from iam.observe import meter, spans
from iam.observe.catalog import COUNTER, GAUGE, HISTOGRAM, METRICS, Metric
from iam.settings.logs import lines
from iam.settings.watching import ExporterSection, InstrumentationSection

LOCAL = "localhost:4317"
WAIT_SECONDS = 5
SCOPE = "gatehouse"
DATABASE_SECONDS = 10.0
_stops: list[Callable[[], Any]] = []


def start(asked: InstrumentationSection) -> None:
    """Push what is asked for until `stop`."""
    resource = Resource.create(
        {"service.name": asked.ServiceName, "service.instance.id": f"{socket.gethostname()}/{os.getpid()}"}
    )
    if asked.Trace.Exporter.Type == "grpc":
        _traces(resource, asked)
    if asked.Metric.Exporter.Type == "grpc":
        _metrics(resource, asked.Metric.Exporter)
    if asked.Log.Exporter.Type == "grpc":
        _logs(resource, asked.Log.Exporter)


def stop() -> None:
    """Send what is left and end."""
    spans.trace_with(None)
    while _stops:
        _stops.pop()()


def _to(exporter: ExporterSection) -> dict[str, Any]:
    return {"endpoint": exporter.Endpoint or LOCAL, "insecure": exporter.Insecure, "timeout": WAIT_SECONDS}


def _milliseconds(exporter: ExporterSection) -> int:
    return max(1, int(exporter.BatchDuration.total_seconds() * 1000))


def _traces(resource: Resource, asked: InstrumentationSection) -> None:
    provider = TracerProvider(resource=resource, sampler=ParentBased(TraceIdRatioBased(asked.Trace.Fraction)))
    exporter = asked.Trace.Exporter
    provider.add_span_processor(
        BatchSpanProcessor(OTLPSpanExporter(**_to(exporter)), schedule_delay_millis=_milliseconds(exporter))
    )
    spans.trace_with(provider.get_tracer(SCOPE))
    _stops.append(provider.shutdown)


class _Instruments:
    """A sink that feeds the SDK."""

    def __init__(self, made: Any) -> None:
        self._made = made
        self._kept = {one.name: self._instrument(one) for one in METRICS.values() if one.kind != GAUGE}
        self._read_at, self._database = -DATABASE_SECONDS, list[meter.Reading]()
        for one in METRICS.values():
            if one.kind == GAUGE:
                made.create_observable_gauge(one.name, callbacks=[self._reader(one.name)], description=one.help)

    def _instrument(self, metric: Metric) -> Any:
        make = self._made.create_counter if metric.kind == COUNTER else self._made.create_histogram
        return make(metric.name, description=metric.help, unit="s" if metric.kind == HISTOGRAM else "1")

    def add(self, metric: Metric, labels: Mapping[str, str], amount: float) -> None:
        """Count or observe."""
        kept = self._kept[metric.name]
        (kept.record if metric.kind == HISTOGRAM else kept.add)(amount, dict(labels))

    def _reader(self, name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def read(_: CallbackOptions) -> Iterable[Observation]:
            every = [*meter.process_readings(), *self._of_database()]
            return [Observation(value, METRICS[name].closed(labels)) for named, labels, value in every if named == name]

        return read

    def _of_database(self) -> list[meter.Reading]:
        """All gauges of one push come from one look at the database."""
        if time.monotonic() - self._read_at > DATABASE_SECONDS:
            from django.db import connection

            self._database, self._read_at = meter.database_readings(), time.monotonic()
            connection.close()  # the thread of the SDK keeps none
        return self._database


def _metrics(resource: Resource, exporter: ExporterSection) -> None:
    reader = PeriodicExportingMetricReader(
        OTLPMetricExporter(**_to(exporter)),
        export_interval_millis=_milliseconds(exporter),
        export_timeout_millis=WAIT_SECONDS * 1000,
    )
    views = [
        View(instrument_name=one.name, aggregation=ExplicitBucketHistogramAggregation(one.buckets))
        for one in METRICS.values()
        if one.kind == HISTOGRAM
    ]
    provider = MeterProvider([reader], resource=resource, views=views)
    meter.listen(_Instruments(provider.get_meter(SCOPE)))
    _stops.append(provider.shutdown)


class _Pushed(logging.Handler):
    """Gives each record to the SDK as the very JSON line that stderr would get: masked, with its request."""

    def __init__(self, provider: LoggerProvider) -> None:
        super().__init__()
        self._logger = provider.get_logger(SCOPE)
        self.setFormatter(lines("json"))

    def emit(self, record: logging.LogRecord) -> None:
        """Hand over; a queue that is full drops it. What the exporter itself says is not pushed: it would feed itself."""
        if record.name.startswith(("opentelemetry", "grpc")):
            return
        self._logger.emit(
            timestamp=int(record.created * 1e9),
            observed_timestamp=int(datetime.now().timestamp() * 1e9),
            severity_text=record.levelname,
            severity_number=_severity(record.levelno),
            body=self.format(record),
            attributes={"logger": record.name},
        )


def _severity(level: int) -> Any:
    from opentelemetry._logs import SeverityNumber

    steps = (
        (50, SeverityNumber.FATAL),
        (40, SeverityNumber.ERROR),
        (30, SeverityNumber.WARN),
        (20, SeverityNumber.INFO),
    )
    return next((number for least, number in steps if level >= least), SeverityNumber.DEBUG)


def _logs(resource: Resource, exporter: ExporterSection) -> None:
    provider = LoggerProvider(resource=resource)
    provider.add_log_record_processor(
        BatchLogRecordProcessor(OTLPLogExporter(**_to(exporter)), schedule_delay_millis=_milliseconds(exporter))
    )
    handler = _Pushed(provider)
    logging.getLogger().addHandler(handler)
    _stops.extend([provider.shutdown, lambda: logging.getLogger().removeHandler(handler)])
