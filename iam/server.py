"""Serving: gunicorn with its ASGI worker; HTTP/1.1, cleartext HTTP/2 and TLS on one port (DESIGN §10)."""

import logging
import sys
from typing import Any

from django.conf import settings
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.workers.gasgi import ASGIWorker

from iam.api import admission
from iam.connection import Connection
from iam.observe import exposition
from iam.settings.state import OTHERS, write_privately
from iam.settings.tree import Config
from iam.tls import options_for

GRACE_SECONDS = 5
BESIDE_HTTP2 = 4096
"""HTTP/2 counts 32 bytes more for each of at most a hundred headers (RFC 9113 §6.5.2)."""


class ServerLog(Logger):  # type: ignore[misc] - gunicorn has no types
    """gunicorn's own log, through Django's LOGGING; requests are logged by `iam.observe.requests`."""

    def setup(self, cfg: Any) -> None:
        """No handlers of its own."""
        self.error_log.handlers = []
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)


class Worker(ASGIWorker):  # type: ignore[misc] - gunicorn has no types
    """gunicorn's ASGI worker with connections of our own.

    Its event loop would shorten the queue of new connections to 100 when it begins to listen.
    """

    def _setup_event_loop(self) -> None:
        super()._setup_event_loop()
        listen = self.loop.create_server

        def create_server(_: Any, **options: Any) -> Any:
            if options.get("ssl"):
                options["ssl_handshake_timeout"] = settings.CONFIG.Limits.HeaderSeconds
            return listen(lambda: Connection(self), backlog=self.cfg.backlog, **options)

        self.loop.create_server = create_server


class Server(BaseApplication):  # type: ignore[misc] - gunicorn has no types
    """gunicorn with settings from the tree."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        """Take the options."""
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The application, imported in the worker."""
        from iam.asgi import application

        return application


def serve(config: Config) -> None:
    """Serve until a signal ends it."""
    scheme = "https" if config.TLS.Enabled else "http"
    sys.stdout.write(
        f"Gatehouse listens on {scheme}://0.0.0.0:{config.Port}  (console: /ui/console, health: /debug/healthz)\n"
    )
    if not config.TLS.Enabled and not config.ExternalSecure:
        sys.stdout.write("Plain HTTP: for trying it out only.\n")
    sys.stdout.flush()
    if config.Workers > 1 and config.Metrics.Type != "none":
        exposition.share_between_processes()
    write_privately()
    admission.share(config)
    Server(options_of(config)).run()


def options_of(config: Config) -> dict[str, Any]:
    """gunicorn's options.

    Every peer may speak cleartext HTTP/2, and none may change scheme or host by a header: the public origin is
    configured (checklist H01, P04).
    """
    options: dict[str, Any] = {
        "bind": f"0.0.0.0:{config.Port}",
        "umask": OTHERS,
        "worker_class": Worker,
        "workers": config.Workers,
        "worker_connections": 1000,
        "backlog": config.Backlog,
        "http_protocols": "h2,h1",
        "http2_cleartext": "both",
        "forwarded_allow_ips": "*",
        "secure_scheme_headers": {},
        "limit_request_line": config.Limits.HeaderBytes,
        "limit_request_field_size": config.Limits.HeaderBytes,
        "http2_max_header_list_size": config.Limits.HeaderBytes + BESIDE_HTTP2,
        "graceful_timeout": GRACE_SECONDS,
        "timeout": 60,
        "keepalive": 30,
        "accesslog": None,
        "loglevel": "warning",
        "proc_name": "gatehouse",
        "control_socket_disable": True,
        "post_worker_init": _follow,
        "child_exit": _ended,
        "on_exit": _over,
        "logger_class": ServerLog,
    }
    if config.TLS.Enabled:
        options |= options_for(config.TLS)
    return options


def _follow(worker: object) -> None:
    """Each web process follows the log, or wakes those who do."""
    from iam import followers, precedence  # the apps are ready in the worker only
    from iam.observe import start as observe

    observe.start()
    precedence.start()
    logging.getLogger("gunicorn.error").addFilter(_in_one_line)
    followers.start()


def _ended(server: object, worker: Any) -> None:
    exposition.process_ended(worker.pid)
    admission.process_ended(worker.pid)


def _over(server: object) -> None:
    exposition.end_sharing()


def _in_one_line(record: logging.LogRecord) -> bool:
    """A peer that leaves in the middle of HTTP/2 is no error of the program: no stack trace for it."""
    if str(record.msg).startswith("HTTP/2 connection error"):
        record.exc_info, record.exc_text, record.levelno, record.levelname = None, None, logging.INFO, "INFO"
    return True
