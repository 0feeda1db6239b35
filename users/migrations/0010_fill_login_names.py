from django.db import migrations
from django.db.models import BigIntegerField, Case, F, Max, Value, When
from django.db.models.functions import Greatest

# Who has a login name is ordered by positions of the log from now on, and names have no suffix where nobody asked for one.
# A program of before may write beside this: what it leaves unknown comes last, until `manage.py rebuild users`.

AT_ONCE = 2_000
UNKNOWN = 2**63 - 1
NAMED = "'user.human.added', 'user.machine.added', 'user.username.changed'"


def _position(events):
    return f"""coalesce((SELECT max(position) FROM eventstore_events WHERE eventstore_events.instance_id = users_users.instance_id
        AND aggregate_type = 'user' AND aggregate_id = users_users.id AND event_type IN ({events})), {UNKNOWN})"""


POSITIONS = f"""UPDATE users_users SET named_position = {_position(NAMED)},
    email_position = CASE WHEN email_verified THEN {_position("'user.human.email.verified'")} ELSE {UNKNOWN} END,
    phone_position = CASE WHEN phone_verified THEN {_position("'user.human.phone.verified'")} ELSE {UNKNOWN} END
    WHERE instance_id = %s AND id > %s AND id <= %s"""
POLICIES = [f"{level}.policy.domain.{what}" for level in ("instance", "org") for what in ("added", "changed", "removed")]
SCOPED = (
    "UPDATE eventstore_claims SET value = value || ' ' || lower(owner)"
    " WHERE instance_id = %s AND owner = %s AND kind = 'usernames' AND value NOT LIKE '%% %%'"
)


def fill(apps, schema_editor):
    """A few thousand rows at a time; from the start again when it was broken off."""
    instances = apps.get_model("instance", "InstanceRow").objects.values_list("instance_id", flat=True)
    for instance in list(instances):
        with_domain = _with_domain(apps, instance)
        _fill_users(apps, schema_editor, instance, with_domain, _relaxed(apps, instance))
        for org in sorted(with_domain):
            schema_editor.execute(SCOPED, [instance, org])
        _fill_domains(apps, instance)


def _fill_users(apps, schema_editor, instance, with_domain, relaxed):
    of_org = [When(org_id=org, then=Value(position)) for org, position in sorted(relaxed.items()) if org != instance]
    since = Case(*of_org, default=Value(relaxed.get(instance, 0)), output_field=BigIntegerField())
    rows, last = apps.get_model("users", "UserRow").objects.filter(instance_id=instance).order_by("id"), ""
    while ids := list(rows.filter(id__gt=last).values_list("id", flat=True)[:AT_ONCE]):
        schema_editor.execute(POSITIONS, [instance, last, ids[-1]])
        some = rows.filter(id__gt=last, id__lte=ids[-1]).order_by()
        some.filter(org_id__in=with_domain).update(bare_position=None)
        plain = some.exclude(org_id__in=with_domain)
        plain.update(bare_position=Greatest(F("named_position"), since), preferred_login_name=F("user_name"))
        last = ids[-1]


def _relaxed(apps, instance):
    """Since when names need no domain any more where they once had to have one: of the instance, and of organizations
    that had a policy of their own."""
    facts = apps.get_model("eventstore", "EventRow").objects.filter(instance_id=instance, event_type__in=POLICIES)
    told = list(facts.order_by("position").values_list("position", "aggregate_id", "event_type", "payload"))
    relaxed = {owner: _relaxed_of(owner, instance, told) for owner in {instance, *(owner for _, owner, *_ in told)}}
    return {owner: position for owner, position in relaxed.items() if position or owner != instance}


def _relaxed_of(org, instance, told):
    rules, last, position = {}, False, 0
    for at, owner, event, payload in told:
        if owner not in (org, instance):
            continue
        if event.endswith("removed"):
            rules.pop(owner, None)
        else:
            before = rules.get(owner, False) if event.endswith("changed") else False
            rules[owner] = bool((payload or {}).get("userLoginMustBeDomain", before))
        now = rules.get(org, rules.get(instance, False))
        last, position = now, at if last and not now else position
    return position


def _with_domain(apps, instance):
    """The organizations where login names must have a domain; the table of rules is written, too."""
    table, rules = apps.get_model("users", "NameRuleRow").objects, {}
    for row in apps.get_model("instance", "SettingRow").objects.filter(instance_id=instance, kind="domain"):
        rules[row.owner] = bool(row.values.get("user_login_must_be_domain"))
    for owner, with_domain in rules.items():
        table.update_or_create(instance_id=instance, owner=owner, defaults={"with_domain": with_domain})
    orgs = apps.get_model("orgs", "OrgRow").objects.filter(instance_id=instance)
    return {id for id in orgs.values_list("id", flat=True) if rules.get(id, rules.get(instance, False))}


def _fill_domains(apps, instance):
    domains = apps.get_model("orgs", "OrgDomainRow").objects.filter(instance_id=instance, is_verified=True)
    verified = apps.get_model("eventstore", "EventRow").objects.filter(
        instance_id=instance, aggregate_type="org", event_type="org.domain.verified"
    )
    for org in list(domains.values_list("org_id", flat=True).distinct()):
        facts = verified.filter(aggregate_id=org).values_list("payload__domain")
        for domain, position in facts.annotate(last=Max("position")):
            domains.filter(org_id=org, domain=domain).update(verified_position=position)


class Migration(migrations.Migration):

    atomic = False
    dependencies = [
        ("users", "0009_login_names"),
        ("orgs", "0003_login_names"),
        ("instance", "0002_settings"),
        ("eventstore", "0001_initial"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
