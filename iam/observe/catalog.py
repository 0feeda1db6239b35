"""Every metric of the server with its meaning and its closed label sets (checklist H10). The documentation prints this table."""

from collections.abc import Mapping
from dataclasses import dataclass, field

COUNTER, HISTOGRAM, GAUGE = "counter", "histogram", "gauge"
OTHER = "other"
LIVE, LATEST = "livesum", "livemostrecent"
"""How the processes' gauges make one figure: added, or the one that was set last."""

QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
SLOW = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
WIRES = ("rest", "connect", "grpc", "grpc_web", "oidc", "login", "console", "web")
OUTCOMES = ("ok", "refused", "failed")
CACHES = ("memberships", "organization", "oidc")

FROM_CODE = None
"""The values come from our own code (routes of the table, names of projections), never from a request."""


@dataclass(frozen=True)
class Metric:
    """One metric. A label value outside its set becomes `other`."""

    name: str
    kind: str
    help: str
    labels: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    buckets: tuple[float, ...] = ()
    across: str = LIVE

    def closed(self, given: Mapping[str, str]) -> dict[str, str]:
        """The labels, each of its set."""
        return {
            name: given[name] if known is FROM_CODE or given[name] in known else OTHER
            for name, known in self.labels.items()
        }


_ALL = (
    Metric(
        "gatehouse_request_duration_seconds",
        HISTOGRAM,
        "how long requests took, by wire, method, route template and outcome",
        {"wire": WIRES, "method": METHODS, "route": FROM_CODE, "outcome": OUTCOMES},
        SLOW,
    ),
    Metric("gatehouse_push_duration_seconds", HISTOGRAM, "how long pushes of facts to the log took", {}, QUICK),
    Metric("gatehouse_pushed_facts_total", COUNTER, "facts appended to the log"),
    Metric(
        "gatehouse_projection_lag_facts",
        GAUGE,
        "settled facts that a projection has not been fed, over all instances (counting ends at 100,000)",
        {"projection": FROM_CODE},
        across=LATEST,
    ),
    Metric(
        "gatehouse_projection_lag_seconds",
        GAUGE,
        "age of the oldest fact that a projection has not been fed",
        {"projection": FROM_CODE},
        across=LATEST,
    ),
    Metric(
        "gatehouse_projection_stopped",
        GAUGE,
        "instances in which a fact stops a projection",
        {"projection": FROM_CODE},
        across=LATEST,
    ),
    Metric(
        "gatehouse_fed_facts_total",
        COUNTER,
        "facts that followers handed to a projection, counted where they run (web processes or workers)",
        {"projection": FROM_CODE},
    ),
    Metric(
        "gatehouse_batch_duration_seconds",
        HISTOGRAM,
        "how long a projection took for a batch of facts",
        {"projection": FROM_CODE},
        SLOW,
    ),
    Metric("gatehouse_postgres_connections_in_use", GAUGE, "connections of the pools that a request or follower holds"),
    Metric("gatehouse_postgres_connections_max", GAUGE, "connections that the pools may open"),
    Metric("gatehouse_postgres_server_connections", GAUGE, "connections of everybody to the server", across=LATEST),
    Metric("gatehouse_postgres_server_connections_max", GAUGE, "max_connections of the server", across=LATEST),
    Metric(
        "gatehouse_replica_lists_total",
        COUNTER,
        "lists that may come from the replica: those that did, and those that the primary answered because it lagged or was dead",
        {"went": ("replica", "lagging", "dead")},
    ),
    Metric("gatehouse_database_up", GAUGE, "whether the database answered this scrape", across=LATEST),
    Metric("gatehouse_cache_hits_total", COUNTER, "answers found in a cache", {"cache": CACHES}),
    Metric("gatehouse_cache_misses_total", COUNTER, "answers not found in a cache", {"cache": CACHES}),
    Metric("gatehouse_cache_errors_total", COUNTER, "questions that Redis did not answer in time"),
    Metric("gatehouse_cache_breaker_open", GAUGE, "processes that leave Redis alone for now"),
    Metric(
        "gatehouse_sign_ins_total", COUNTER, "checks of a person's password", {"outcome": ("ok", "failed", "refused")}
    ),
    Metric("gatehouse_hashing_waiting", GAUGE, "password checks that run or wait for a hashing thread"),
    Metric("gatehouse_hashing_room", GAUGE, "password checks that may run or wait before 429 is answered"),
    Metric("gatehouse_hashing_refused_total", COUNTER, "password checks refused because the queue was full"),
    Metric(
        "gatehouse_outbox_messages",
        GAUGE,
        "messages to people by state",
        {"state": ("queued", "failed")},
        across=LATEST,
    ),
    Metric(
        "gatehouse_letters_refused_total",
        COUNTER,
        "letters with codes that were not sent, because so many were asked for",
        {"medium": ("email", "sms")},
    ),
    Metric("gatehouse_messages_tried_total", COUNTER, "tries to send a message", {"outcome": ("ok", "failed")}),
    Metric(
        "gatehouse_webhook_deliveries",
        GAUGE,
        "webhooks that wait, or were given up, by state",
        {"state": ("queued", "failed")},
        across=LATEST,
    ),
    Metric("gatehouse_webhooks_tried_total", COUNTER, "calls of webhooks", {"outcome": ("ok", "failed")}),
    Metric("gatehouse_web_processes", GAUGE, "web processes that count here"),
    Metric("gatehouse_process_resident_bytes", GAUGE, "memory of the processes that count here"),
    Metric("gatehouse_process_threads", GAUGE, "threads of the processes that count here"),
)
METRICS: Mapping[str, Metric] = {one.name: one for one in _ALL}


def markdown() -> str:
    """The table of the documentation."""
    lines = [f"| {one.name} | {one.kind} | {', '.join(one.labels) or '–'} | {one.help} |" for one in _ALL]
    return "\n".join(["| Metric | Kind | Labels | Meaning |", "|---|---|---|---|", *lines])
