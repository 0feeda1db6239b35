from django.db import migrations
from django.db.models import Max

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


def fill(apps, schema_editor):
    """A few thousand rows at a time; from the start again when it was broken off."""
    users = apps.get_model("users", "UserRow").objects
    with_domain = _rules(apps)
    for instance in list(apps.get_model("instance", "InstanceRow").objects.values_list("instance_id", flat=True)):
        rows, last = users.filter(instance_id=instance).order_by("id"), ""
        while ids := list(rows.filter(id__gt=last).values_list("id", flat=True)[:AT_ONCE]):
            schema_editor.execute(POSITIONS, [instance, last, ids[-1]])
            some = rows.filter(id__gt=last, id__lte=ids[-1]).order_by()
            asked = some.filter(org_id__in=with_domain.get(instance, ()))
            plain = some.exclude(org_id__in=with_domain.get(instance, ()))
            asked.update(bare_position=None)
            plain.update(bare_position=_column("named_position"), preferred_login_name=_column("user_name"))
            last = ids[-1]
        _scope_claims(schema_editor, instance, sorted(with_domain.get(instance, ())))
    _fill_domains(apps)


def _column(name):
    from django.db.models import F

    return F(name)


def _rules(apps):
    """Instance → the organizations where login names must have a domain; the table of rules is written, too."""
    table = apps.get_model("users", "NameRuleRow").objects
    rules, said = {}, apps.get_model("instance", "SettingRow").objects.filter(kind="domain")
    for row in said:
        rules[row.instance_id, row.owner] = bool(row.values.get("user_login_must_be_domain"))
    for (instance, owner), with_domain in rules.items():
        table.update_or_create(instance_id=instance, owner=owner, defaults={"with_domain": with_domain})
    found = {}
    for instance, org in apps.get_model("orgs", "OrgRow").objects.values_list("instance_id", "id"):
        if rules.get((instance, org), rules.get((instance, instance), False)):
            found.setdefault(instance, set()).add(org)
    return found


def _scope_claims(schema_editor, instance, orgs):
    for org in orgs:
        schema_editor.execute(
            "UPDATE eventstore_claims SET value = value || ' ' || lower(owner)"
            " WHERE scope = %s AND kind = 'usernames' AND owner = %s AND value NOT LIKE '%% %%'",
            [instance, org],
        )


def _fill_domains(apps):
    domains, events = apps.get_model("orgs", "OrgDomainRow").objects, apps.get_model("eventstore", "EventRow").objects
    orgs = list(domains.filter(is_verified=True).values_list("instance_id", "org_id").distinct())
    for instance, org in orgs:
        facts = events.filter(
            instance_id=instance, aggregate_type="org", aggregate_id=org, event_type="org.domain.verified"
        )
        for domain, position in facts.values_list("payload__domain").annotate(last=Max("position")):
            rows = domains.filter(instance_id=instance, org_id=org, domain=domain, is_verified=True)
            rows.update(verified_position=position)


class Migration(migrations.Migration):

    atomic = False
    dependencies = [
        ("users", "0009_login_names"),
        ("orgs", "0003_login_names"),
        ("instance", "0002_settings"),
        ("eventstore", "0001_initial"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
