"""Keeps the tables of users and sessions."""

import hashlib
from typing import Any

from django.db.models import CharField, F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Concat

from eventstore.events import Event, told
from eventstore.prepared import prepared
from eventstore.store import Recorded
from iam.instance.domain.kinds import DOMAIN, SettingFact
from iam.instance.domain.settings import own_after
from orgs.domain.events import OrgPrimaryDomainSet, OrgRemoved
from orgs.models import OrgRow
from projections.projection import UNKNOWN, Projection, on, update_row
from users.domain import events as facts
from users.domain.states import UserState
from users.models import FailedCheckRow, MachineKeyRow, NameRuleRow, PatRow, SessionRow, UserMetadataRow, UserRow

PROFILE = ("first_name", "last_name", "nick_name", "display_name", "preferred_language", "gender")
RULE = "user_login_must_be_domain"
OF_USER = (UserMetadataRow, PatRow, MachineKeyRow, SessionRow, FailedCheckRow)


class Users(Projection):
    """One row per user, metadata key, token and key."""

    name = "users"
    tables = (UserRow, UserMetadataRow, PatRow, MachineKeyRow, NameRuleRow)

    @on(facts.HumanAdded)
    def human_added(self, at: Recorded, fact: facts.HumanAdded) -> None:
        """A person."""
        profile = {name: getattr(fact, name) or UserRow._meta.get_field(name).default for name in PROFILE}
        _create(
            at,
            kind="human",
            **_named(at, fact),
            **profile,
            email=fact.email or "",
            phone=fact.phone or "",
            password_hash=fact.encoded_hash or "",
            password_change_required=fact.change_required,
            password_changed_at=at.at if fact.encoded_hash else None,
        )

    @on(facts.MachineAdded)
    def machine_added(self, at: Recorded, fact: facts.MachineAdded) -> None:
        """A service user."""
        _create(
            at,
            kind="machine",
            **_named(at, fact),
            name=fact.name,
            description=fact.description,
            access_token_type=fact.access_token_type,
        )

    @on(facts.MachineChanged)
    def machine_changed(self, at: Recorded, fact: facts.MachineChanged) -> None:
        """Its description."""
        _update(at, **told(fact, "name", "description", "access_token_type"))

    @on(facts.UsernameChanged)
    def renamed(self, at: Recorded, fact: facts.UsernameChanged) -> None:
        """Another user name."""
        _update(at, **_named(at, fact))

    @on(facts.ProfileChanged)
    def profile_changed(self, at: Recorded, fact: facts.ProfileChanged) -> None:
        """Another profile."""
        _update(at, **told(fact, *PROFILE))

    @on(facts.EmailChanged)
    def email_changed(self, at: Recorded, fact: facts.EmailChanged) -> None:
        """Another address."""
        _update(at, email=fact.email or "", email_verified=False, email_position=UNKNOWN)

    @on(facts.EmailVerified)
    def email_verified(self, at: Recorded, _: Event) -> None:
        """The address is theirs."""
        _update(at, email_verified=True, email_position=at.position)

    @on(facts.PhoneChanged)
    def phone_changed(self, at: Recorded, fact: facts.PhoneChanged) -> None:
        """Another number."""
        _update(at, phone=fact.phone or "", phone_verified=False, phone_position=UNKNOWN)

    @on(facts.PhoneVerified)
    def phone_verified(self, at: Recorded, _: Event) -> None:
        """The number is theirs."""
        _update(at, phone_verified=True, phone_position=at.position)

    @on(facts.PhoneRemoved)
    def phone_removed(self, at: Recorded, _: Event) -> None:
        """No number."""
        _update(at, phone="", phone_verified=False, phone_position=UNKNOWN)

    @on(facts.PasswordChanged)
    def password_changed(self, at: Recorded, fact: facts.PasswordChanged) -> None:
        """Another password."""
        _update(
            at,
            password_hash=fact.encoded_hash or "",
            password_change_required=fact.change_required,
            password_changed_at=at.at,
        )

    @on(facts.PasswordHashUpdated)
    def hash_updated(self, at: Recorded, fact: facts.PasswordHashUpdated) -> None:
        """A better hash."""
        _update(at, password_hash=fact.encoded_hash or "")

    @on(facts.MfaInitSkipped)
    def mfa_init_skipped(self, at: Recorded, _: Event) -> None:
        """A second factor was put off."""
        _update(at, mfa_init_skipped_at=at.at)

    @on(facts.SecretSet)
    def secret_set(self, at: Recorded, fact: facts.SecretSet) -> None:
        """A client secret."""
        _update(at, **secret_columns(fact))

    @on(facts.SecretRemoved)
    def secret_removed(self, at: Recorded, _: Event) -> None:
        """No client secret."""
        _update(at, secret_hash="", previous_secret_hash="", previous_secret_until=None)

    @on(facts.UserLocked)
    def locked(self, at: Recorded, _: Event) -> None:
        """Locked."""
        _update(at, state=UserState.LOCKED)

    @on(facts.UserUnlocked, facts.UserReactivated)
    def active(self, at: Recorded, _: Event) -> None:
        """Active again."""
        _update(at, state=UserState.ACTIVE)

    @on(facts.UserDeactivated)
    def deactivated(self, at: Recorded, _: Event) -> None:
        """Stopped."""
        _update(at, state=UserState.INACTIVE)

    @on(facts.UserRemoved)
    def removed(self, at: Recorded, _: Event) -> None:
        """Gone, with everything that proves identity."""
        UserRow.objects.filter(instance_id=at.stream.instance, id=at.stream.id).delete()
        for table in OF_USER:
            table.objects.filter(instance_id=at.stream.instance, user_id=at.stream.id).delete()

    @on(facts.PatAdded)
    def pat_added(self, at: Recorded, fact: facts.PatAdded) -> None:
        """A token."""
        PatRow.objects.create(
            instance_id=at.stream.instance,
            id=fact.token_id,
            user_id=at.stream.id,
            org_id=at.owner,
            digest=fact.digest,
            scopes=list(fact.scopes),
            expires_at=fact.expiration,
            created_at=at.at,
            version=at.version,
        )

    @on(facts.PatRemoved)
    def pat_removed(self, at: Recorded, fact: facts.PatRemoved) -> None:
        """No token."""
        PatRow.objects.filter(instance_id=at.stream.instance, id=fact.token_id).delete()

    @on(facts.KeyAdded)
    def key_added(self, at: Recorded, fact: facts.KeyAdded) -> None:
        """A key."""
        MachineKeyRow.objects.create(
            instance_id=at.stream.instance,
            id=fact.key_id,
            user_id=at.stream.id,
            org_id=at.owner,
            public_key=fact.public_key.decode(),
            expires_at=fact.expiration_date,
            created_at=at.at,
            version=at.version,
        )

    @on(facts.KeyRemoved)
    def key_removed(self, at: Recorded, fact: facts.KeyRemoved) -> None:
        """No key."""
        MachineKeyRow.objects.filter(instance_id=at.stream.instance, id=fact.key_id).delete()

    @on(facts.MetadataSet)
    def metadata_set(self, at: Recorded, fact: facts.MetadataSet) -> None:
        """A value."""
        content = fact.value or b""
        digest = hashlib.sha256(content).hexdigest()
        value = {"value": content, "value_digest": digest, "changed_at": at.at, "version": at.version}
        UserMetadataRow.objects.update_or_create(
            instance_id=at.stream.instance,
            user_id=at.stream.id,
            key=fact.key,
            defaults=value,
            create_defaults={**value, "created_at": at.at},
        )

    @on(facts.MetadataRemoved)
    def metadata_removed(self, at: Recorded, fact: facts.MetadataRemoved) -> None:
        """No value."""
        UserMetadataRow.objects.filter(instance_id=at.stream.instance, user_id=at.stream.id, key=fact.key).delete()

    @on(OrgPrimaryDomainSet)
    def login_names(self, at: Recorded, fact: OrgPrimaryDomainSet) -> None:
        """Login names end with the organization's primary domain, where they must have one."""
        if _must_be_domain(at, at.stream.id):
            rows = UserRow.objects.filter(instance_id=at.stream.instance, org_id=at.stream.id)
            rows.update(preferred_login_name=_with(Value(fact.domain)))

    @on(SettingFact)
    def domain_policy(self, at: Recorded, fact: SettingFact) -> None:
        """Login names follow what the instance or the organization says of domains."""
        if fact.setting != DOMAIN.name:
            return
        _store_rule(at, fact)
        rows, org_id = UserRow.objects.filter(instance_id=at.stream.instance), ""
        if at.stream.kind == "org":
            org_id = at.stream.id
            rows = rows.filter(org_id=org_id)
        else:
            own = NameRuleRow.objects.filter(instance_id=at.stream.instance)
            rows = rows.exclude(org_id__in=own.values("owner"))
        _follow(at, rows, with_domain=_must_be_domain(at, org_id))

    @on(OrgRemoved)
    def org_removed(self, at: Recorded, _: OrgRemoved) -> None:
        """The organization takes its users with it."""
        users = UserRow.objects.filter(instance_id=at.stream.instance, org_id=at.stream.id)
        ids = users.values_list("id", flat=True)
        for table in OF_USER:
            table.objects.filter(instance_id=at.stream.instance, user_id__in=ids).delete()
        users.delete()
        NameRuleRow.objects.filter(instance_id=at.stream.instance, owner=at.stream.id).delete()


def _named(at: Recorded, fact: Any) -> dict[str, Any]:
    """The name, how the user is called with it, and since when."""
    name, with_domain = fact.user_name or "", fact.with_domain
    if with_domain is None:  # a fact of an older program
        with_domain = _must_be_domain(at, at.owner)
    domain = _primary(at, at.owner) if with_domain else ""
    return {
        "user_name": name,
        "preferred_login_name": f"{name}@{domain}" if domain else name,
        "named_position": at.position,
        "bare_position": None if domain else at.position,
    }


def _must_be_domain(at: Recorded, org_id: str) -> bool:
    """Not a prepared question, which keeps the name of its table: a replay fills another one."""
    rows = NameRuleRow.objects.filter(instance_id=at.stream.instance, owner__in=(at.stream.instance, org_id))
    rules = dict(rows.values_list("owner", "with_domain"))
    return rules.get(org_id, rules.get(at.stream.instance, False))


def _store_rule(at: Recorded, fact: SettingFact) -> None:
    rules = NameRuleRow.objects.filter(instance_id=at.stream.instance, owner=at.stream.id)
    before = rules.values_list("with_domain", flat=True).first()
    own = own_after(DOMAIN, None if before is None else {RULE: before}, fact)
    rules.delete()
    if own is not None:
        with_domain = bool(own.get(RULE))
        NameRuleRow.objects.create(instance_id=at.stream.instance, owner=at.stream.id, with_domain=with_domain)


def _with(domain: Any) -> Any:
    return Concat("user_name", Value("@"), domain, output_field=CharField())


def _follow(at: Recorded, rows: Any, *, with_domain: bool) -> None:
    """Two statements at most, however many users there are. A name that is a login name again comes after whatever became
    one meanwhile."""
    if with_domain:
        orgs = OrgRow.objects.filter(instance_id=OuterRef("instance_id"), id=OuterRef("org_id"))
        domain = Subquery(orgs.values("primary_domain"))
        rows.update(preferred_login_name=_with(domain), bare_position=None)
        return
    rows.filter(bare_position=None).update(bare_position=at.position)
    rows.update(preferred_login_name=F("user_name"))


def _primary(at: Recorded, org_id: str) -> str:
    found = _domain.first(instance=at.stream.instance, id=org_id)
    return found["primary_domain"] if found else ""


@prepared
def _domain(instance: str, id: str) -> "QuerySet[Any, Any]":
    return OrgRow.objects.filter(instance_id=instance, id=id).values("primary_domain")


def _create(at: Recorded, **columns: Any) -> None:
    UserRow.objects.create(
        instance_id=at.stream.instance,
        id=at.stream.id,
        org_id=at.owner,
        created_at=at.at,
        changed_at=at.at,
        version=at.version,
        **columns,
    )


def secret_columns(fact: Any) -> dict[str, Any]:
    """A new client secret, and the one before with its end when the fact keeps it."""
    kept = fact.previous_until is not None
    return {
        "secret_hash": fact.hashed_secret,
        "previous_secret_hash": F("secret_hash") if kept else "",
        "previous_secret_until": fact.previous_until,
    }


def _update(at: Recorded, **columns: Any) -> None:
    update_row(UserRow, at, at.stream.id, **columns)
