"""Begins to watch a process, after it was made: `start` in every web process, `push` in those of the Celery workers."""

import sys

from django.conf import settings
from django.core.signals import request_finished

from iam.observe import exposition, figures, meter, spans
from iam.observe.statements import wrap_statements


def start() -> None:
    """Count, and push to a collector, as far as it is configured. What is off is not loaded."""
    meter.measures_process(figures.web_process)
    if settings.CONFIG.Metrics.Type != "none":
        exposition.start()
        request_finished.connect(exposition.refresh, dispatch_uid="metrics")
    push()


def push() -> None:
    """Push to a collector, as far as it is configured: workers have no page that could be scraped."""
    exporters = settings.CONFIG.Instrumentation
    if "grpc" in (exporters.Trace.Exporter.Type, exporters.Metric.Exporter.Type, exporters.Log.Exporter.Type):
        from iam.observe import otlp  # loads OpenTelemetry and gRPC

        otlp.start(exporters)
        wrap_statements(spans.statement)


def end() -> None:
    """Send to the collector what is left, at the end of a process."""
    if otlp := sys.modules.get("iam.observe.otlp"):
        otlp.stop()
