"""Every knob, with type, default and effect. The README's table is printed from here (`manage.py config --markdown`)."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from iam.kernel.hosts import host_name
from iam.settings.calling import ExecutionsSection, HTTPClientSection
from iam.settings.hashing import PasswordHasherSection
from iam.settings.section import NetworkList, Section
from iam.settings.system_users import SystemUsers
from iam.settings.watching import (
    CachesSection,
    InstrumentationSection,
    LogSection,
    MetricsSection,
    SeedCacheSection,
    SeedTelemetrySection,
)

Host = Annotated[str, AfterValidator(host_name)]


class TLSSection(Section):
    """TLS of the process itself."""

    Enabled: bool = Field(False, description="serve TLS on Port")
    KeyPath: str = Field("", description="PEM file of the private key; wins over Key")
    CertPath: str = Field("", description="PEM file of the certificate chain; wins over Cert")
    Key: str = Field("", description="private key: base64 of PEM, or PEM")
    Cert: str = Field("", description="certificate chain: base64 of PEM, or PEM")
    Certificate: str = Field("", description="another spelling of Cert")


class SSLSection(Section):
    """TLS towards PostgreSQL."""

    Mode: str = Field("disable", description="disable, require, verify-ca or verify-full")
    RootCert: str = Field(
        "", description="file of the CA certificate; empty with verify-full = the authorities that the system trusts"
    )
    Cert: str = Field("", description="file of the client certificate")
    Key: str = Field("", description="file of the client key")


class DatabaseUserSection(Section):
    """The service user."""

    Username: str = Field("zitadel", description="name")
    Password: str = Field("", description="password")
    SSL: SSLSection = SSLSection()


class DatabaseAdminSection(DatabaseUserSection):
    """The administrator that `init` uses."""

    Username: str = Field("postgres", description="name, used by init only")
    Password: str = Field("", description="password, used by init only")
    ExistingDatabase: str = Field("postgres", description="maintenance database to connect to")


class PostgresSection(Section):
    """PostgreSQL. Without Host and DSN the embedded mode with SQLite is used."""

    DSN: str = Field("", description="URL or keyword string; replaces Host … User")
    Host: str = Field("", description="host; empty = embedded mode with SQLite")
    Port: int = Field(5432, ge=1, le=65535, description="port")
    Database: str = Field("zitadel", description="database name")
    Options: str = Field("", description="appended libpq options")
    MaxOpenConns: int = Field(10, ge=1, description="connections per process")
    MaxIdleConns: int = Field(5, ge=0, description="connections kept open per process")
    MaxConnLifetime: timedelta = Field(timedelta(minutes=30), description="a connection is replaced after")
    MaxConnIdleTime: timedelta = Field(timedelta(minutes=5), description="an idle connection is closed after")
    AwaitInitialConn: timedelta = Field(timedelta(0), description="retry the first connection this long")
    ReplicaDSN: str = Field(
        "", description="URL or keyword string of a streaming replica for lists; only read when it lags behind nothing"
    )
    User: DatabaseUserSection = DatabaseUserSection()
    Admin: DatabaseAdminSection = DatabaseAdminSection()


class SQLiteSection(Section):
    """The embedded database."""

    Path: str = Field("", description="file; empty = gatehouse.sqlite3 in the state folder")


class DatabaseSection(Section):
    """Where facts and tables are kept."""

    Postgres: PostgresSection = PostgresSection()
    SQLite: SQLiteSection = SQLiteSection()


class EmailSection(Section):
    """E-mail of the first administrator."""

    Address: str = Field("", description="address; empty = the login name")
    Verified: bool = Field(True, description="whether it counts as verified")


class FirstHumanSection(Section):
    """The first administrator."""

    UserName: str = Field("zitadel-admin", description="user name")
    FirstName: str = Field("ZITADEL", description="given name")
    LastName: str = Field("Admin", description="family name")
    Email: EmailSection = EmailSection()
    PreferredLanguage: str = Field("en", description="language")
    Password: str = Field("", description="password; empty = generated and printed once")
    PasswordChangeRequired: bool = Field(True, description="must be changed at first sign-in")


class MachineSection(Section):
    """A service user."""

    Username: str = Field("", description="user name")
    Name: str = Field("", description="display name")


def _is_time(text: str) -> str:
    if text and datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("expected a time with its zone, as in 2030-01-01T00:00:00Z")
    return text


class ExpiringSection(Section):
    """A key or token of a service user."""

    ExpirationDate: Annotated[str, AfterValidator(_is_time)] = Field("", description="RFC 3339 time; empty = never")
    Type: int = Field(1, description="1 = JSON")


class FirstMachineSection(Section):
    """A service user made by set-up, with IAM_OWNER."""

    Machine: MachineSection = MachineSection()
    MachineKey: ExpiringSection = ExpiringSection()
    Pat: ExpiringSection = ExpiringSection()


class LoginClientSection(Section):
    """The service user of a login of one's own, with IAM_LOGIN_CLIENT; made where LoginClientPatPath is set."""

    Machine: MachineSection = MachineSection()
    Pat: ExpiringSection = ExpiringSection()


class FirstOrgSection(Section):
    """The first organization and who administers the instance."""

    Name: str = Field("", description="name of the first organization; empty = DefaultInstance.Org.Name")
    Human: FirstHumanSection = FirstHumanSection()
    Machine: FirstMachineSection = FirstMachineSection()
    LoginClient: LoginClientSection = LoginClientSection()


class FirstInstanceSection(Section):
    """What set-up creates, once."""

    Skip: bool = Field(False, description="set up without an instance")
    InstanceName: str = Field("", description="name of the instance; empty = DefaultInstance.InstanceName")
    DefaultLanguage: str = Field("", description="language; empty = DefaultInstance.DefaultLanguage")
    PatPath: str = Field("", description="file for the service user's token; embedded: var/admin.pat")
    MachineKeyPath: str = Field("", description="file for the service user's key; embedded: var/admin-key.json")
    LoginClientPatPath: str = Field(
        "", description="file for the token of a service user with IAM_LOGIN_CLIENT, for a login of one's own"
    )
    Org: FirstOrgSection = FirstOrgSection()


class OrgDefaultsSection(Section):
    """The first organization of an instance."""

    Name: str = Field("ZITADEL", description="name of an instance's first organization")


class ComplexitySection(Section):
    """What a password must contain."""

    MinLength: int = Field(8, ge=1, le=72, description="least number of characters")
    HasLowercase: bool = Field(True, description="a lower-case letter is required")
    HasUppercase: bool = Field(True, description="an upper-case letter is required")
    HasNumber: bool = Field(True, description="a digit is required")
    HasSymbol: bool = Field(True, description="another character is required")


class LockoutSection(Section):
    """When a user is locked."""

    MaxPasswordAttempts: int = Field(0, ge=0, description="wrong passwords until a user is locked; 0 = never")
    MaxOTPAttempts: int = Field(0, ge=0, description="wrong one-time codes until a user is locked; 0 = never")
    ShouldShowLockoutFailure: bool = Field(True, description="whether the login says that a user is locked")


class AgeSection(Section):
    """When a password must be changed."""

    ExpireWarnDays: int = Field(0, ge=0, description="days before the end from which on the person is told")
    MaxAgeDays: int = Field(0, ge=0, description="days until a password must be changed; 0 = never")


class DomainPolicySection(Section):
    """What domains of organizations are for."""

    UserLoginMustBeDomain: bool = Field(False, description="login names always end with a domain")
    ValidateOrgDomains: bool = Field(False, description="a domain counts only after a proof by DNS or HTTP")
    SMTPSenderAddressMatchesInstanceDomain: bool = Field(False, description="mails come from a domain of the instance")


class LoginPolicySection(Section):
    """Who may sign in, and how."""

    AllowUsernamePassword: bool = Field(True, description="passwords are accepted")
    AllowRegister: bool = Field(True, description="people may register themselves")
    AllowExternalIDP: bool = Field(True, description="identity providers are accepted")
    ForceMFA: bool = Field(False, description="a second factor is required")
    ForceMFALocalOnly: bool = Field(False, description="the same, only where no identity provider was used")
    HidePasswordReset: bool = Field(False, description="no way to ask for a new password")
    IgnoreUnknownUsernames: bool = Field(False, description="an unknown name goes on to the password page")
    AllowDomainDiscovery: bool = Field(True, description="the domain of a name finds its organization")
    DisableLoginWithEmail: bool = Field(False, description="an e-mail address is no login name")
    DisableLoginWithPhone: bool = Field(False, description="a phone number is no login name")
    PasswordlessType: int = Field(1, ge=0, le=1, description="passkeys: 1 = allowed")
    DefaultRedirectURI: str = Field("", description="where a sign-in without application ends")
    PasswordCheckLifetime: timedelta = Field(timedelta(hours=240), description="how long a password check counts")
    ExternalLoginCheckLifetime: timedelta = Field(timedelta(hours=240), description="how long a provider's word counts")
    MfaInitSkipLifetime: timedelta = Field(timedelta(hours=720), description="how long setting up a factor is skipped")
    SecondFactorCheckLifetime: timedelta = Field(timedelta(hours=18), description="how long a second factor counts")
    MultiFactorCheckLifetime: timedelta = Field(timedelta(hours=12), description="how long a passkey counts")


class NotificationPolicySection(Section):
    """What people are told by mail."""

    PasswordChange: bool = Field(True, description="a changed password")


class PrivacyPolicySection(Section):
    """Links of the login pages."""

    TOSLink: str = Field("", description="terms of service")
    PrivacyLink: str = Field("", description="privacy policy")
    HelpLink: str = Field("", description="help")
    SupportEmail: str = Field("", description="address of the support")
    DocsLink: str = Field("", description="documentation")
    CustomLink: str = Field("", description="a link of one's own")
    CustomLinkText: str = Field("", description="its text")


class LabelPolicySection(Section):
    """The look of the login pages."""

    PrimaryColor: str = Field("#5469d4", description="buttons and links")
    BackgroundColor: str = Field("#fafafa", description="background")
    WarnColor: str = Field("#cd3d56", description="problems")
    FontColor: str = Field("#000000", description="text")
    PrimaryColorDark: str = Field("#2073c4", description="the same in the dark")
    BackgroundColorDark: str = Field("#111827", description="the same in the dark")
    WarnColorDark: str = Field("#ff3b5b", description="the same in the dark")
    FontColorDark: str = Field("#ffffff", description="the same in the dark")
    HideLoginNameSuffix: bool = Field(False, description="login names are shown without domain")
    DisableWatermark: bool = Field(False, description="the product is not named")
    ThemeMode: int = Field(0, ge=0, le=2, description="0 as the device, 1 light, 2 dark")


class SMTPSection(Section):
    """The mail server."""

    Host: str = Field(
        "", pattern=r"^$|^[^\s:]+:\d{1,5}$", description="host:port; empty = mails are written to var/mail"
    )
    User: str = Field("", description="name")
    Password: str = Field("", description="password")


class SMTPConfigurationSection(Section):
    """How mails leave."""

    SMTP: SMTPSection = SMTPSection()
    TLS: bool = Field(False, description="TLS from the first byte")
    From: str = Field("", description="sender's address")
    FromName: str = Field("", description="sender's name")
    ReplyToAddress: str = Field("", description="where answers go")


class DefaultInstanceSection(Section):
    """Defaults of every new instance."""

    InstanceName: str = Field("ZITADEL", description="name")
    DefaultLanguage: str = Field("en", description="language")
    Org: OrgDefaultsSection = OrgDefaultsSection()
    PasswordComplexityPolicy: ComplexitySection = ComplexitySection()
    LockoutPolicy: LockoutSection = LockoutSection()
    PasswordAgePolicy: AgeSection = AgeSection()
    DomainPolicy: DomainPolicySection = DomainPolicySection()
    LoginPolicy: LoginPolicySection = LoginPolicySection()
    NotificationPolicy: NotificationPolicySection = NotificationPolicySection()
    PrivacyPolicy: PrivacyPolicySection = PrivacyPolicySection()
    LabelPolicy: LabelPolicySection = LabelPolicySection()
    SMTPConfiguration: SMTPConfigurationSection = SMTPConfigurationSection()

    def policies(self) -> dict[str, Section]:
        """The sections by the kind of settings that they give."""
        return {
            "password_complexity": self.PasswordComplexityPolicy,
            "lockout": self.LockoutPolicy,
            "password_age": self.PasswordAgePolicy,
            "domain": self.DomainPolicy,
            "login": self.LoginPolicy,
            "notification": self.NotificationPolicy,
            "privacy": self.PrivacyPolicy,
            "label": self.LabelPolicy,
        }


def _are_addresses(text: str) -> str:
    for one in text.split(","):
        if one.strip() and not one.strip().startswith(("https://", "http://")):
            raise ValueError("expected http(s) addresses, with commas")
    return text


class TelemetrySection(Section):
    """The usage report: numbers only (how many organizations, users, projects …), to whom the operator names."""

    Enabled: bool = Field(True, description="whether a usage report is sent at all")
    Endpoints: Annotated[str, AfterValidator(_are_addresses)] = Field(
        "", description="receivers of the report, with commas; empty = nothing is sent anywhere"
    )
    Interval: timedelta = Field(timedelta(hours=24), description="time between two reports")

    @property
    def receivers(self) -> tuple[str, ...]:
        """The addresses."""
        return tuple(one.strip() for one in self.Endpoints.split(",") if one.strip())

    OpenTelemetry: SeedTelemetrySection = SeedTelemetrySection()


class ActivitySection(Section):
    """The record of use: sign-ins, tokens issued and refused. Facts are kept for ever."""

    KeepFor: timedelta = Field(
        timedelta(0),
        ge=timedelta(0),
        description="older use is removed (PostgreSQL: by whole months); 0 = kept for ever",
    )


class UserCodeSection(Section):
    """The code that a person types to let a device in (RFC 8628 §6.1)."""

    CharSet: str = Field(
        "BCDFGHJKLMNPQRSTVWXZ",
        pattern=r"^[A-Za-z0-9]{10,62}$",
        description="letters and digits that it is drawn from; of one case only, any case may be typed",
    )
    CharAmount: int = Field(8, ge=6, le=40, description="how many of them; the API looks up 8 with one dash only")
    DashInterval: int = Field(4, ge=0, le=40, description="a dash after so many; 0 = none")


class DeviceAuthSection(Section):
    """Signing in on a device that has no browser (RFC 8628)."""

    Lifetime: timedelta = Field(
        timedelta(minutes=5), ge=timedelta(seconds=30), le=timedelta(hours=1), description="how long a device waits"
    )
    PollInterval: timedelta = Field(
        timedelta(seconds=5),
        ge=timedelta(seconds=1),
        le=timedelta(minutes=5),
        description="least time between two questions of a device, whole seconds",
    )
    UserCode: UserCodeSection = UserCodeSection()


class OIDCSection(Section):
    """Lifetimes of tokens, unless an instance sets its own; and how devices without a browser sign in."""

    DefaultAccessTokenLifetime: timedelta = Field(timedelta(hours=12), description="access token")
    DefaultIdTokenLifetime: timedelta = Field(timedelta(hours=12), description="id token")
    DefaultRefreshTokenIdleExpiration: timedelta = Field(timedelta(hours=720), description="unused refresh token")
    DefaultRefreshTokenExpiration: timedelta = Field(timedelta(hours=2160), description="refresh token, used or not")
    DeviceAuth: DeviceAuthSection = DeviceAuthSection()


class SystemDefaultsSection(Section):
    """Defaults of the system."""

    PasswordHasher: PasswordHasherSection = PasswordHasherSection()
    PasswordStrength: int = Field(
        0,
        ge=0,
        le=4,
        description="least zxcvbn score of a new password: refuses common and breached ones, and names of the person,"
        " the organization and the instance; 2 is sensible; 0 = off",
    )
    ClientSecretOverlap: timedelta = Field(
        timedelta(0),
        ge=timedelta(0),
        le=timedelta(days=90),
        description="how long the client secret of an application or service user still works after a new one was made"
        " over the API; the console asks each time; 0 = not at all",
    )


class LimitsSection(Section):
    """How large a request may be."""

    RequestBytes: int = Field(
        4 * 1024 * 1024,
        ge=1024,
        le=64 * 1024 * 1024,
        description="largest body of a request, counted before it is kept",
    )
    JSONDepth: int = Field(60, ge=10, le=100, description="how deep objects and lists of a JSON body may nest")
    JSONMembers: int = Field(20_000, ge=100, description="members of all objects of a JSON body together")
    BodySeconds: int = Field(30, ge=1, le=600, description="a body that takes longer to arrive is given up (408)")
    HeaderBytes: int = Field(
        65536,
        ge=8192,
        le=1024 * 1024,
        description="largest request line and headers together (414, 431); a proxy in front needs as much room",
    )
    HeaderSeconds: int = Field(
        15, ge=1, le=600, description="a request line and headers that take longer to arrive are given up (408)"
    )


class RateSection(Section):
    """A bucket: holds Burst requests and is refilled with PerSecond."""

    PerSecond: float = Field(200, gt=0, description="requests per second in the long run")
    Burst: int = Field(2000, ge=1, description="requests at once after a pause")


class CallerRateSection(RateSection):
    """Requests of one caller (user of an instance)."""


class AddressRateSection(RateSection):
    """Requests without credentials, or with credentials that are refused, of one address (IPv6: /64). Pages that anybody
    may ask for have as many of their own."""

    PerSecond: float = Field(20, gt=0, description="requests per second in the long run")
    Burst: int = Field(500, ge=1, description="requests at once after a pause")


class ClientRateSection(RateSection):
    """Refused secrets of one OAuth client or service user from one address."""

    PerSecond: float = Field(0.1, gt=0, description="refused secrets per second in the long run")
    Burst: int = Field(10, ge=1, description="refused secrets at once after a pause")


class CodeRateSection(RateSection):
    """Wrong codes that one address sends without a token: for passwords, addresses, numbers, invitations."""

    PerSecond: float = Field(0.1, gt=0, description="wrong codes per second in the long run")
    Burst: int = Field(20, ge=1, description="wrong codes at once after a pause")


class AskingRateSection(RateSection):
    """Forms that ask for a letter with a code without a token, of one address."""

    PerSecond: float = Field(0.1, gt=0, description="letters asked for per second in the long run")
    Burst: int = Field(30, ge=1, description="letters asked for at once after a pause")


class NameRateSection(RateSection):
    """The same for one name, however it is spelled, whether somebody bears it or not."""

    PerSecond: float = Field(0.01, gt=0, description="letters asked for per second in the long run")
    Burst: int = Field(5, ge=1, description="letters asked for at once after a pause")


class PersonRateSection(RateSection):
    """Letters with codes to one person, by whichever door and name they are asked for. A device on which the person has
    signed in before has as many of its own."""

    PerSecond: float = Field(0.003, gt=0, description="letters per second in the long run")
    Burst: int = Field(10, ge=1, description="letters at once after a pause")


class RecipientRateSection(RateSection):
    """Letters with codes to one e-mail address or number, whoever bears it."""

    PerSecond: float = Field(0.005, gt=0, description="letters per second in the long run")
    Burst: int = Field(20, ge=1, description="letters at once after a pause")


class NumberRangeRateSection(RateSection):
    """Text messages to numbers that differ in their last four digits only."""

    PerSecond: float = Field(0.05, gt=0, description="text messages per second in the long run")
    Burst: int = Field(100, ge=1, description="text messages at once after a pause")


class InstanceRateSection(RateSection):
    """Letters with codes of one instance."""

    PerSecond: float = Field(20, gt=0, description="letters per second in the long run")
    Burst: int = Field(5000, ge=1, description="letters at once after a pause")


class LettersSection(Section):
    """How many letters with codes are sent. What goes to a person, address or number range is counted in the database."""

    Address: AskingRateSection = AskingRateSection()
    Name: NameRateSection = NameRateSection()
    Person: PersonRateSection = PersonRateSection()
    Recipient: RecipientRateSection = RecipientRateSection()
    NumberRange: NumberRangeRateSection = NumberRangeRateSection()
    Instance: InstanceRateSection = InstanceRateSection()


class WaitingSection(Section):
    """How much of what nobody proved anything for may wait at the same time: sign-ins begun, letters asked for."""

    Network: int = Field(
        300, ge=1, description="sign-ins that one network (/24, IPv6: /48) began in ten minutes and did not end"
    )
    Instance: int = Field(
        50_000,
        ge=1,
        description="sign-ins of one instance that were begun and did not end; then the oldest are forgotten",
    )
    Letters: int = Field(10_000, ge=1, description="letters asked for that were not looked at yet, of one instance")


class GuessesSection(Section):
    """How often a secret may be guessed. Counted in the database, also when Enabled is false."""

    Tries: int = Field(
        5,
        ge=1,
        description="passwords tried for one person, or one name, from one network (or one device on which the person has"
        " signed in before) until each next one waits, twice as long each time",
    )
    NetworkTries: int = Field(
        100, ge=1, description="wrong passwords and codes of one network, for anybody, until each next one waits"
    )
    LongestWait: timedelta = Field(timedelta(minutes=15), description="the longest wait before the next try")
    CodeTries: int = Field(5, ge=1, description="wrong tries of one code from one network")
    CodeTriesInAll: int = Field(
        20,
        ge=1,
        description="wrong tries of one code from everywhere; after that only the device that asked may use it",
    )


class RateLimitsSection(Section):
    """How often somebody may call. Counted in Redis when Caches.Connectors.Redis is enabled, else per web process."""

    Enabled: bool = Field(True, description="whether requests are limited at all")
    Caller: CallerRateSection = CallerRateSection()
    Address: AddressRateSection = AddressRateSection()
    Client: ClientRateSection = ClientRateSection()
    Code: CodeRateSection = CodeRateSection()
    Letters: LettersSection = LettersSection()
    Waiting: WaitingSection = WaitingSection()
    Guesses: GuessesSection = GuessesSection()


class Config(Section):
    """The whole tree."""

    Port: int = Field(8080, ge=1, le=65535, description="listener: HTTP/1.1, HTTP/2, gRPC, WebSocket on one port")
    ExternalPort: int = Field(8080, ge=1, le=65535, description="port of the public origin")
    ExternalDomain: Host = Field("localhost", description="host of the public origin and first instance domain")
    ExternalSecure: bool = Field(False, description="the public origin uses https")
    TrustedProxies: NetworkList = Field(
        "",
        description="networks of proxies in front, with commas (10.0.0.0/8,::1); only they may tell a client's address"
        " by X-Forwarded-For, and the host that was asked for by Forwarded, X-Forwarded-Host or x-zitadel-instance-host",
    )
    Workers: int = Field(1, ge=1, le=64, description="web processes")
    Threads: int = Field(16, ge=1, le=256, description="requests at once per process")
    Backlog: int = Field(
        2048,
        ge=64,
        le=65535,
        description="new connections that may wait to be taken; the system's own limit (net.core.somaxconn) counts as well",
    )
    Limits: LimitsSection = LimitsSection()
    RateLimits: RateLimitsSection = RateLimitsSection()
    TLS: TLSSection = TLSSection()
    Database: DatabaseSection = DatabaseSection()
    Caches: CachesSection = CachesSection()
    Cache: SeedCacheSection = SeedCacheSection()
    Log: LogSection = LogSection()
    Metrics: MetricsSection = MetricsSection()
    Instrumentation: InstrumentationSection = InstrumentationSection()
    FirstInstance: FirstInstanceSection = FirstInstanceSection()
    DefaultInstance: DefaultInstanceSection = DefaultInstanceSection()
    Activity: ActivitySection = ActivitySection()
    OIDC: OIDCSection = OIDCSection()
    HTTPClient: HTTPClientSection = HTTPClientSection()
    Executions: ExecutionsSection = ExecutionsSection()
    SystemDefaults: SystemDefaultsSection = SystemDefaultsSection()
    SystemAPIUsers: SystemUsers = Field(
        {},
        description="who operates the system over the API: name → {Path or KeyData (PEM public key or certificate),"
        " Memberships [{MemberType System, IAM, Organization or Project; AggregateID; Roles}]}, as YAML or JSON text;"
        " without Memberships: SYSTEM_OWNER. Its tokens are JWTs with iss = sub = name, aud = the public origin,"
        " at most one hour long",
    )
    Telemetry: TelemetrySection = TelemetrySection()

    @model_validator(mode="after")
    def spelled_otherwise(self) -> "Config":
        """The handbook's spellings `Cache.*` and `Telemetry.OpenTelemetry.*` say the same as `Caches.*`, `Instrumentation.*`."""
        self.Caches.take(self.Cache)
        self.Instrumentation.take(self.Telemetry.OpenTelemetry)
        return self

    def origin(self, host: str) -> str:
        """The public origin of a host, whatever port it comes with; the scheme's own port is left out. Raises ValueError."""
        scheme, own = ("https", 443) if self.ExternalSecure else ("http", 80)
        port = "" if self.ExternalPort == own else f":{self.ExternalPort}"
        return f"{scheme}://{host_name(host)}{port}"

    @property
    def embedded(self) -> bool:
        """SQLite and everything in one process."""
        return not (self.Database.Postgres.Host or self.Database.Postgres.DSN)
