"""Accounts: what a role permits holds where the role does, not wherever its person has another one.

Revision: 0026
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

OWN = """
    'id', person.id, 'company_id', person.company_id, 'org_id', person.org_id,
    'name', person.name, 'locale', person.locale,
    'login', person.login, 'post', person.post, 'password_due', person.password_due,
"""
HEAD = """
CREATE OR REPLACE FUNCTION accounts_principal(company uuid, wanted uuid) RETURNS jsonb
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  old_company text := current_setting('app.company', true);
  old_all text := current_setting('app.all', true);
  answer jsonb;
BEGIN
  PERFORM set_config('app.company', company::text, true), set_config('app.all', 'on', true);
"""
TAIL = """
  INTO answer FROM accounts_user person WHERE person.id = wanted AND person.disabled_at IS NULL;
  PERFORM set_config('app.company', coalesce(old_company, ''), true),
          set_config('app.all', coalesce(old_all, ''), true);
  RETURN answer;
END $$;
"""

# `holdings` is empty where every unit gives the same: then there is nothing to keep apart.
APART = f"""
{HEAD}
  WITH RECURSIVE granted AS (
    SELECT unit_id, array_agg(DISTINCT permission ORDER BY permission)
        FILTER (WHERE permission IS NOT NULL) AS permissions
    FROM accounts_grant LEFT JOIN accounts_role_permission USING (role_id)
    WHERE user_id = wanted GROUP BY unit_id),
  below AS (
    SELECT unit_id AS root, unit_id AS id FROM granted
    UNION SELECT root, unit.id FROM organization_unit unit JOIN below ON unit.parent_id = below.id),
  above AS (
    SELECT unit_id AS root, unit.id, unit.parent_id
      FROM organization_unit unit JOIN granted ON unit.id = unit_id
    UNION SELECT root, unit.id, unit.parent_id FROM organization_unit unit
      JOIN above ON unit.id = above.parent_id),
  readable AS (SELECT root, id FROM below UNION SELECT root, id FROM above)
  SELECT jsonb_build_object({OWN}
    'all', EXISTS (SELECT 1 FROM granted WHERE unit_id = company),
    'write_orgs', coalesce((SELECT jsonb_agg(DISTINCT id) FROM below), '[]'),
    'read_orgs', coalesce((SELECT jsonb_agg(DISTINCT id) FROM readable), '[]'),
    'permissions', coalesce((SELECT jsonb_agg(DISTINCT permission)
      FROM granted, unnest(permissions) AS permission), '[]'),
    'holdings', CASE WHEN (SELECT count(DISTINCT coalesce(permissions, '{{}}')) FROM granted) > 1
      THEN (SELECT jsonb_agg(jsonb_build_object(
        'all', unit_id = company, 'permissions', coalesce(permissions, '{{}}'),
        'write_orgs', (SELECT jsonb_agg(id) FROM below WHERE root = unit_id),
        'read_orgs', (SELECT jsonb_agg(id) FROM readable WHERE root = unit_id))) FROM granted)
      ELSE '[]' END)
{TAIL}"""

UNITED = f"""
{HEAD}
  WITH RECURSIVE granted AS (
    SELECT DISTINCT unit_id FROM accounts_grant WHERE user_id = wanted),
  below AS (
    SELECT unit_id AS id FROM granted
    UNION SELECT unit.id FROM organization_unit unit JOIN below ON unit.parent_id = below.id),
  above AS (
    SELECT unit.id, unit.parent_id FROM organization_unit unit JOIN granted ON unit.id = unit_id
    UNION SELECT unit.id, unit.parent_id FROM organization_unit unit
      JOIN above ON unit.id = above.parent_id)
  SELECT jsonb_build_object({OWN}
    'all', EXISTS (SELECT 1 FROM granted WHERE unit_id = company),
    'write_orgs', coalesce((SELECT jsonb_agg(id) FROM below), '[]'),
    'read_orgs', coalesce((SELECT jsonb_agg(id) FROM
      (SELECT id FROM below UNION SELECT id FROM above) AS readable), '[]'),
    'permissions', coalesce((SELECT jsonb_agg(DISTINCT permission) FROM accounts_grant AS held
      JOIN accounts_role_permission USING (role_id) WHERE held.user_id = wanted), '[]'))
{TAIL}"""

# An administrator of the whole company holds it there: what a role at a project permits is no help.
ADMINISTRATORS = """
CREATE OR REPLACE FUNCTION accounts_administrators(company uuid, wanted text[]) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  old_company text := current_setting('app.company', true);
  old_all text := current_setting('app.all', true);
  answer integer;
BEGIN
  PERFORM set_config('app.company', company::text, true), set_config('app.all', 'on', true);
  SELECT count(*) INTO answer FROM accounts_user person
  WHERE person.company_id = company AND person.disabled_at IS NULL
    AND EXISTS (SELECT 1 FROM accounts_grant WHERE user_id = person.id AND unit_id = company)
    AND (SELECT count(DISTINCT permission) FROM accounts_grant AS held
         JOIN accounts_role_permission USING (role_id)
         WHERE held.user_id = person.id AND {where}permission = ANY (wanted)) = cardinality(wanted);
  PERFORM set_config('app.company', coalesce(old_company, ''), true),
          set_config('app.all', coalesce(old_all, ''), true);
  RETURN answer;
END $$;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(APART)
    op.execute(ADMINISTRATORS.format(where="held.unit_id = company AND "))


def downgrade() -> None:
    op.execute(UNITED)
    op.execute(ADMINISTRATORS.format(where=""))
