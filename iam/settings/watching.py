"""The branches of the tree about caching and about watching the server: caches, log, metrics, traces."""

from datetime import timedelta
from typing import Annotated
from urllib.parse import quote

from pydantic import BeforeValidator, Field

from iam.settings.section import NetworkList, Section


def _as_words(value: object) -> object:
    """A list, or a text with commas."""
    return [one.strip() for one in value.split(",") if one.strip()] if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_as_words)]
CONNECTOR = "^(|memory|redis)$"
EXPORTER = "^(none|grpc)$"
ADDRESS = r"^$|^[^\s:/]+:\d{1,5}$"


class BreakerSection(Section):
    """When Redis is left alone for a while."""

    MaxConsecutiveFailures: int = Field(
        5, ge=1, description="failures in a row after which the cache does not ask Redis"
    )
    Timeout: timedelta = Field(
        timedelta(seconds=60), description="how long it does not ask then; one request tries first"
    )


class RedisSection(Section):
    """Redis: carries the work of the followers to Celery workers, and the caches. Without it web processes follow themselves."""

    Enabled: bool = Field(False, description="followers run in `manage.py worker` processes, not in the web processes")
    URL: str = Field("", description="redis:// or rediss:// URL; wins over the keys below")
    Addr: str = Field("localhost:6379", description="host and port")
    Username: str = Field("", description="name")
    Password: str = Field("", description="password")
    EnableTLS: bool = Field(False, description="TLS towards Redis")
    DBOffset: int = Field(10, ge=0, description="database number")
    DialTimeout: timedelta = Field(timedelta(seconds=1), description="longest wait of a cache for a connection")
    ReadTimeout: timedelta = Field(timedelta(milliseconds=100), description="longest wait of a cache for an answer")
    PoolSize: int = Field(20, ge=1, description="connections of the caches per process")
    CircuitBreaker: BreakerSection = BreakerSection()

    @property
    def broker(self) -> str:
        """Where Celery and the caches find it."""
        if self.URL:
            return self.URL
        user = f"{quote(self.Username, safe='')}:{quote(self.Password, safe='')}@" if self.Password else ""
        return f"redis{'s' if self.EnableTLS else ''}://{user}{self.Addr}/{self.DBOffset}"


class ConnectorsSection(Section):
    """Engines beside the database."""

    Redis: RedisSection = RedisSection()


class CacheClassSection(Section):
    """One class of cached answers."""

    Connector: str = Field("", pattern=CONNECTOR, description="memory (of each process), redis, or empty: off")
    MaxAge: timedelta = Field(timedelta(hours=1), description="longest life of an entry")


class MembershipsCacheSection(CacheClassSection):
    """Roles that people hold: short."""

    MaxAge: timedelta = Field(
        timedelta(minutes=1), description="longest life of an entry: the roles that a user holds in projects"
    )


class OrganizationCacheSection(CacheClassSection):
    """Policies and settings: medium."""

    MaxAge: timedelta = Field(timedelta(minutes=10), description="longest life of an entry: policies and settings")


class OIDCCacheSection(CacheClassSection):
    """Clients and keys: long."""

    MaxAge: timedelta = Field(timedelta(hours=1), description="longest life of an entry: clients and signing keys")


class CachesSection(Section):
    """Caches; an entry is never older than the last change, on any process (iam/decisions/0003)."""

    Connectors: ConnectorsSection = ConnectorsSection()
    Memberships: MembershipsCacheSection = MembershipsCacheSection()
    Organization: OrganizationCacheSection = OrganizationCacheSection()
    OIDC: OIDCCacheSection = OIDCCacheSection()

    def take(self, seed: "SeedCacheSection") -> None:
        """`Cache.Enabled` is Redis for every class that names no connector; the first address is Redis' own."""
        if not seed.Enabled:
            return
        if seed.Config.Connection.Addrs:
            self.Connectors.Redis.Addr = seed.Config.Connection.Addrs[0]
        for one in (self.Memberships, self.Organization, self.OIDC):
            one.Connector = one.Connector or "redis"


class SeedConnectionSection(Section):
    """Where Redis is, as the handbook spells it."""

    Addrs: Words = Field((), description="another spelling of Caches.Connectors.Redis.Addr; the first one counts")


class SeedConfigSection(Section):
    """As the handbook spells it."""

    Connection: SeedConnectionSection = SeedConnectionSection()


class SeedCacheSection(Section):
    """As the handbook spells it."""

    Enabled: bool = Field(False, description="another spelling: redis as the connector of every class of Caches")
    Config: Annotated[
        SeedConfigSection, Field(default_factory=SeedConfigSection)
    ]  # assigned, pydantic takes it for its own


class FormatterSection(Section):
    """Log format."""

    Format: str = Field("text", pattern="^(text|json)$", description="text or json")


class LogSection(Section):
    """Logging to stderr."""

    Level: str = Field(
        "info", pattern="^(?i:debug|info|warning|warn|error|critical)$", description="least level logged"
    )
    Formatter: FormatterSection = FormatterSection()


class MetricsSection(Section):
    """Prometheus' text at /debug/metrics."""

    Type: str = Field(
        "otel", pattern="^(otel|none)$", description="otel: /debug/metrics answers; none: it is not there"
    )
    Token: str = Field(
        "",
        description="bearer token that /debug/metrics asks everybody for; empty = the loopback, TrustedProxies and Networks",
    )
    Networks: NetworkList = Field(
        "",
        description="networks that may read /debug/metrics without a token, with commas, when they connect directly;"
        " 0.0.0.0/0,::/0 = everybody, through proxies, too",
    )


class ExporterSection(Section):
    """Where one kind of signal is pushed to."""

    Type: str = Field("none", pattern=EXPORTER, description="none, or grpc: OTLP over gRPC")
    Endpoint: str = Field("", pattern=ADDRESS, description="host:port of the collector; empty = localhost:4317")
    Insecure: bool = Field(False, description="without TLS towards the collector")
    BatchDuration: timedelta = Field(
        timedelta(seconds=1), description="how long signals are gathered before they leave"
    )


class MetricExporterSection(ExporterSection):
    """Metrics leave less often."""

    BatchDuration: timedelta = Field(timedelta(minutes=1), description="time between two pushes of all metrics")


class TraceSection(Section):
    """Traces."""

    Fraction: float = Field(1.0, ge=0, le=1, description="part of the requests that is traced")
    TrustRemoteSpans: bool = Field(False, description="a request's traceparent header continues its caller's trace")
    Exporter: ExporterSection = ExporterSection()


class MetricSection(Section):
    """Metrics."""

    Exporter: MetricExporterSection = MetricExporterSection()


class LogExportSection(Section):
    """Log records."""

    Exporter: ExporterSection = ExporterSection()


class InstrumentationSection(Section):
    """Signals pushed to a collector."""

    ServiceName: str = Field("zitadel", description="service.name of all signals")
    Trace: TraceSection = TraceSection()
    Metric: MetricSection = MetricSection()
    Log: LogExportSection = LogExportSection()

    def take(self, seed: "SeedTelemetrySection") -> None:
        """`Telemetry.OpenTelemetry.*.Enabled` is the exporter grpc, unless the exporter is set itself."""
        pairs = ((self.Trace, seed.Traces), (self.Metric, seed.Metrics), (self.Log, seed.Logs))
        for own, asked in pairs:
            if asked.Enabled and own.Exporter.Type == "none":
                own.Exporter.Type = "grpc"
                own.Exporter.Endpoint = asked.Endpoint or own.Exporter.Endpoint
                own.Exporter.Insecure = asked.Insecure or own.Exporter.Insecure


class SeedSignalSection(Section):
    """One kind of signal, as the handbook spells it."""

    Enabled: bool = Field(False, description="another spelling: Instrumentation's exporter of this signal is grpc")
    Endpoint: str = Field("", pattern=ADDRESS, description="another spelling of the exporter's Endpoint")
    Insecure: bool = Field(False, description="another spelling of the exporter's Insecure")


class SeedTelemetrySection(Section):
    """As the handbook spells it."""

    Traces: SeedSignalSection = SeedSignalSection()
    Metrics: SeedSignalSection = SeedSignalSection()
    Logs: SeedSignalSection = SeedSignalSection()
