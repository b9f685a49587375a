"""People and roles over time: phone, department, first password, closed roles; sessions that end.

Revision: 0018
"""

from alembic import op

from cloud.migrations.grants import APP

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE accounts_user
  ADD COLUMN phone varchar(20) NOT NULL DEFAULT '',
  ADD COLUMN department_id uuid,
  ADD COLUMN password_due boolean NOT NULL DEFAULT false,
  ADD CONSTRAINT fk_accounts_user_department_id FOREIGN KEY (company_id, department_id)
    REFERENCES organization_department (company_id, id) ON DELETE RESTRICT;
ALTER TABLE accounts_user ALTER COLUMN phone DROP DEFAULT,
  ALTER COLUMN password_due DROP DEFAULT;
CREATE INDEX ix_accounts_user_department_id ON accounts_user (department_id);
ALTER TABLE accounts_role
  ADD COLUMN note varchar(200) NOT NULL DEFAULT '', ADD COLUMN closed_on date;
ALTER TABLE accounts_role ALTER COLUMN note DROP DEFAULT;
"""

# One's own facts do not depend on where one's roles hold: a person of headquarters who works in one
# region still has a name, a language and a password.
PRINCIPAL = """
CREATE OR REPLACE FUNCTION accounts_principal(company uuid, wanted uuid) RETURNS jsonb
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  old_company text := current_setting('app.company', true);
  old_all text := current_setting('app.all', true);
  answer jsonb;
BEGIN
  PERFORM set_config('app.company', company::text, true), set_config('app.all', 'on', true);
  WITH RECURSIVE granted AS (
    SELECT DISTINCT unit_id FROM accounts_grant WHERE user_id = wanted),
  below AS (
    SELECT unit_id AS id FROM granted
    UNION SELECT unit.id FROM organization_unit unit JOIN below ON unit.parent_id = below.id),
  above AS (
    SELECT unit.id, unit.parent_id FROM organization_unit unit JOIN granted ON unit.id = unit_id
    UNION SELECT unit.id, unit.parent_id FROM organization_unit unit
      JOIN above ON unit.id = above.parent_id)
  SELECT jsonb_build_object(
    'id', person.id, 'company_id', person.company_id, 'org_id', person.org_id,
    'name', person.name, 'locale', person.locale,
    'login', person.login, 'post', person.post, 'password_due', person.password_due,
    'all', EXISTS (SELECT 1 FROM granted WHERE unit_id = company),
    'write_orgs', coalesce((SELECT jsonb_agg(id) FROM below), '[]'),
    'read_orgs', coalesce((SELECT jsonb_agg(id) FROM
      (SELECT id FROM below UNION SELECT id FROM above) AS readable), '[]'),
    'permissions', coalesce((SELECT jsonb_agg(DISTINCT permission) FROM accounts_grant AS held
      JOIN accounts_role_permission USING (role_id) WHERE held.user_id = wanted), '[]'))
  INTO answer FROM accounts_user person WHERE person.id = wanted AND person.disabled_at IS NULL;
  PERFORM set_config('app.company', coalesce(old_company, ''), true),
          set_config('app.all', coalesce(old_all, ''), true);
  RETURN answer;
END $$;
"""

FUNCTIONS = """
-- Sets the password and the language of the person who asks: the caller has found out who that is.
CREATE FUNCTION accounts_change_own(person uuid, hash varchar, kept bytea, speaks varchar)
  RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  old_company text := current_setting('app.company', true);
  old_all text := current_setting('app.all', true);
  own uuid;
BEGIN
  SELECT company_id INTO own FROM accounts_credential WHERE user_id = person;
  PERFORM set_config('app.company', own::text, true), set_config('app.all', 'on', true);
  IF speaks IS NOT NULL THEN
    UPDATE accounts_user SET locale = speaks WHERE id = person;
  END IF;
  IF hash IS NOT NULL THEN
    UPDATE accounts_credential SET password_hash = hash WHERE user_id = person;
    UPDATE accounts_user SET password_due = false, version = version + 1 WHERE id = person;
    DELETE FROM accounts_session WHERE user_id = person AND token_hash <> kept;
  END IF;
  PERFORM set_config('app.company', coalesce(old_company, ''), true),
          set_config('app.all', coalesce(old_all, ''), true);
END $$;

-- The caller must be able to see the account in its own scope, as in accounts_set_password.
CREATE FUNCTION accounts_end_sessions(person uuid) RETURNS void LANGUAGE sql SECURITY DEFINER
  SET search_path = public, pg_temp AS $$
  DELETE FROM accounts_session
  WHERE user_id = person AND EXISTS (SELECT 1 FROM accounts_user WHERE id = person)
$$;

-- How many active people hold all of the wanted permissions, and the whole company.
CREATE FUNCTION accounts_administrators(company uuid, wanted text[]) RETURNS integer
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
         WHERE held.user_id = person.id AND permission = ANY (wanted)) = cardinality(wanted);
  PERFORM set_config('app.company', coalesce(old_company, ''), true),
          set_config('app.all', coalesce(old_all, ''), true);
  RETURN answer;
END $$;
"""

NEW = (
    "accounts_change_own(uuid, varchar, bytea, varchar)",
    "accounts_end_sessions(uuid)",
    "accounts_administrators(uuid, text[])",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(TABLES)
    op.execute(PRINCIPAL)
    op.execute(FUNCTIONS)
    for function in NEW:
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {APP}")


def downgrade() -> None:
    for function in NEW:
        op.execute(f"DROP FUNCTION {function}")
    op.execute(
        PRINCIPAL.replace(
            "    'login', person.login, 'post', person.post, 'password_due', person.password_due,\n",
            "",
        )
    )
    op.execute("ALTER TABLE accounts_role DROP COLUMN note, DROP COLUMN closed_on")
    op.execute(
        "ALTER TABLE accounts_user DROP COLUMN phone, DROP COLUMN department_id,"
        " DROP COLUMN password_due"
    )
