"""Tables as full as those of a large installation, made by the database itself.

Names are made up: 300 first and 900 last names from syllables, so that many users share one and display names repeat.
Organizations differ in size: the share of the first hundredth is a fifth. No facts stand behind these rows.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sizes:
    """How many rows."""

    users: int
    orgs: int
    authorizations: int

    @classmethod
    def of_environment(cls) -> "Sizes":
        """As asked for."""
        ask = os.environ.get
        return cls(int(ask("USERS", "1000000")), int(ask("ORGS", "10000")), int(ask("AUTHORIZATIONS", "1000000")))

    @property
    def projects(self) -> int:
        """Projects among which the authorizations are."""
        return max(5, self.orgs // 10)


PREPARE = """
CREATE TEMP TABLE first AS SELECT row_number() OVER () - 1 AS k, initcap(a || b || c) AS name
  FROM unnest(array['an','be','ca','do','el','fi','ga','he','ir','jo']) a, unnest(array['na','ri','lo','sti','me','vi']) b,
  unnest(array['','n','la','us','ta']) c;
CREATE TEMP TABLE last AS SELECT row_number() OVER () - 1 AS k, initcap(a || b || c) AS name
  FROM unnest(array['kra','mül','sor','ten','bau','rich','hol','wag','lind','zim','o''d','van ']) a,
  unnest(array['ber','ler','en','man','sen','hof','gre','tho','ste','qui','lau','dor','ken','pel','nus']) b,
  unnest(array['','ger','mann','s','itz']) c;
CREATE INDEX ON first (k); CREATE INDEX ON last (k); ANALYZE first; ANALYZE last;
"""
ORG_ROWS = """
INSERT INTO orgs_orgs (instance_id, id, name, state, primary_domain, created_at, changed_at, version)
SELECT '{instance}', 'o' || lpad(n::text, 8, '0'), name || ' ' || (array['GmbH','Inc','Group','Labs','Works'])[1 + n % 5] || ' ' || n,
  CASE WHEN n % 25 = 0 THEN 2 ELSE 1 END, 'org' || n || '.example.com',
  now() - (n || ' minutes')::interval, now(), 1
FROM generate_series(1, {orgs}) n JOIN last ON last.k = n % 900;
INSERT INTO orgs_domains (instance_id, org_id, domain, is_verified, is_primary, created_at)
SELECT instance_id, id, primary_domain, true, true, created_at FROM orgs_orgs WHERE id LIKE 'o0%';
"""
USER_ROWS = """
INSERT INTO users_users (instance_id, id, org_id, kind, state, user_name, preferred_login_name, first_name, last_name,
  nick_name, display_name, preferred_language, gender, email, email_verified, phone, phone_verified, name, description,
  access_token_type, password_hash, password_change_required, secret_hash, created_at, changed_at, version)
SELECT '{instance}', lpad((300000000000000000 + n * 4096::bigint)::text, 18, '0'), 'o' || lpad(org::text, 8, '0'), kind, state,
  login, login || '@org' || org || '.example.com', first, last,
  CASE WHEN human AND n % 3 = 0 THEN lower(left(first, 4)) || n % 5000 ELSE '' END,
  CASE WHEN human THEN first || ' ' || last ELSE '' END, 'en', n % 3, CASE WHEN human THEN login || '@mail' || n % 400 || '.example.net' ELSE '' END,
  n % 4 > 0, CASE WHEN human AND n % 5 < 3 THEN '+49' || 1500000000 + n * 7 ELSE '' END, false,
  CASE WHEN human THEN '' ELSE 'Robot ' || n END, '', 0, repeat('x', 97), false, '', now() - ({users} - n) * interval '90 seconds', now(), 3
FROM (SELECT n, kind = 'human' AS human, kind, state, org, CASE WHEN kind = 'human' THEN first ELSE '' END AS first,
    CASE WHEN kind = 'human' THEN last ELSE '' END AS last,
    CASE WHEN kind = 'human' THEN replace(lower(first || '.' || last), ' ', '') || n ELSE 'robot-' || n END AS login
  FROM (SELECT n, CASE WHEN n % 20 = 0 THEN 'machine' ELSE 'human' END AS kind,
      (array[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2,2,4,5])[1 + (n * 7) % 20] AS state,
      1 + floor({orgs} * power(hash / 1000003.0, 3))::int AS org, first.name AS first, last.name AS last
    FROM (SELECT n, (n * 104729::bigint) % 1000003 AS hash FROM generate_series(1, {users}) n) numbers
    JOIN first ON first.k = (hash * hash / 1000) % 300 JOIN last ON last.k = (hash * 31 / 7) % 900) drawn) made;
INSERT INTO users_metadata (instance_id, user_id, key, value, value_digest, created_at, changed_at)
SELECT instance_id, id, key, value::bytea, encode(sha256(value::bytea), 'hex'), created_at, changed_at
FROM (SELECT *, row_number() OVER () AS n FROM users_users WHERE id LIKE '3%') u,
  LATERAL (VALUES ('department', 'dep' || n % 300), (CASE WHEN n % 1000 = 0 THEN 'vip' END, n::text)) AS held (key, value)
WHERE key IS NOT NULL;
"""
PROJECT_ROWS = """
INSERT INTO projects_projects (instance_id, id, org_id, name, state, project_role_assertion, project_role_check,
  has_project_check, private_labeling_setting, created_at, changed_at, version)
SELECT '{instance}', 'p' || n, 'o' || lpad((1 + n * 7 % {orgs})::text, 8, '0'), name || ' portal ' || n, 1, false, false, false, 0, now(), now(), 1
FROM generate_series(1, {projects}) n JOIN last ON last.k = n % 900;
INSERT INTO projects_roles (instance_id, project_id, org_id, key, display_name, "group", created_at, changed_at)
SELECT instance_id, id, org_id, key, initcap(key), '', now(), now() FROM projects_projects,
  LATERAL unnest(array['viewer','editor','auditor','billing','admin','only-' || id]) key WHERE id LIKE 'p%';
INSERT INTO projects_user_grants (instance_id, id, state, created_at, changed_at, version, org_id, user_id, project_id, grant_id, roles, user_org_id,
  user_login_name, user_display_name)
SELECT '{instance}', lpad((400000000000000000 + n * 4096::bigint)::text, 18, '0'), CASE WHEN n % 20 = 0 THEN 2 ELSE 1 END,
  now() - ({authorizations} - n) * interval '80 seconds', now() - (n * 7919::bigint % {authorizations}) * interval '80 seconds', 1,
  CASE WHEN n % 5 = 0 THEN u.org_id ELSE p.org_id END, u.id, p.id, CASE WHEN n % 5 = 0 THEN 'g' || p.id ELSE '' END,
  CASE WHEN n % 1000 = 0 THEN jsonb_build_array('only-' || p.id)
    ELSE jsonb_build_array((array['viewer','viewer','viewer','editor','editor','auditor','billing','admin'])[1 + n % 8], 'viewer') END, u.org_id,
  u.preferred_login_name, CASE u.kind WHEN 'human' THEN u.display_name ELSE u.name END
FROM generate_series(1, {authorizations}) n
JOIN users_users u ON u.instance_id = '{instance}'
  AND u.id = lpad((300000000000000000 + (1 + n * 104729::bigint % {users}) * 4096)::text, 18, '0')
JOIN projects_projects p ON p.instance_id = '{instance}' AND p.id = 'p' || 1 + floor({projects} * power((n * 7919::bigint % 100003) / 100003.0, 2))::int;
INSERT INTO projects_user_grant_roles (instance_id, role_key, id)
SELECT DISTINCT instance_id, role_key, id FROM projects_user_grants, jsonb_array_elements_text(roles) AS role_key WHERE id LIKE '4%' ORDER BY id;
"""


TABLES = (
    "users_users",
    "users_metadata",
    "orgs_orgs",
    "orgs_domains",
    "projects_projects",
    "projects_roles",
    "projects_user_grants",
    "projects_user_grant_roles",
)


def load(sizes: Sizes) -> None:
    """Fill the tables of the only instance, indexes last."""
    from django.db import connection

    from projections import indexes

    with connection.cursor() as cursor:
        with indexes_aside(cursor):
            fill(sizes)
        indexes.put()
        cursor.execute(f"VACUUM (ANALYZE) {', '.join(TABLES)}")


def fill(sizes: Sizes) -> None:
    """Rows of the only instance. Triggers rest: nothing is kept of what these rows say."""
    from django.db import connection

    from iam.instance.models import InstanceRow

    named = {"instance": InstanceRow.objects.get().instance_id, "projects": sizes.projects, **vars(sizes)}
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(PREPARE)
        for statement in filter(str.strip, (ORG_ROWS + USER_ROWS + PROJECT_ROWS).split(";\n")):
            cursor.execute(statement.format(**named))
            cursor.execute(f"ANALYZE {statement.split('INSERT INTO ')[1].split()[0]}")  # the next statement joins it
        cursor.execute("DROP TABLE first, last")
        cursor.execute("SET session_replication_role = origin")


@contextmanager
def indexes_aside(cursor: Any) -> Iterator[None]:
    """Without the indexes that are no keys; they are made anew from the full tables, which is much faster.

    Those of trigrams are left to set-up, which also tells the planner to look at the texts more finely.
    """
    cursor.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indrelid = ANY(%s::regclass[]) AND NOT indisunique",
        [list(TABLES)],
    )
    found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f"DROP INDEX {name}")
    yield
    cursor.execute("SET maintenance_work_mem = '1GB'")
    for _, definition in found:
        if "gin_trgm_ops" not in definition:
            cursor.execute(definition)


def index_bytes() -> int:
    """The size of the indexes of users."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_indexes_size('users_users')")
        return int(cursor.fetchone()[0])
