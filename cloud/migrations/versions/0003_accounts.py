"""Accounts: people, roles, grants, and login through functions.

Revision: 0003
"""

from alembic import op

from cloud.migrations.grants import APP, protect

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

RECORD = """
  id uuid NOT NULL, company_id uuid NOT NULL, org_id uuid NOT NULL,
  created_at timestamptz NOT NULL, created_by uuid, version integer NOT NULL"""

TABLES = f"""
CREATE TABLE accounts_user ({RECORD},
  login varchar(60) NOT NULL, name varchar(60) NOT NULL, post varchar(60) NOT NULL,
  locale varchar(10) NOT NULL, disabled_at timestamptz,
  CONSTRAINT pk_accounts_user PRIMARY KEY (id),
  CONSTRAINT uq_accounts_user_org_id_id UNIQUE (org_id, id),
  CONSTRAINT uq_accounts_user_company_id_id UNIQUE (company_id, id),
  CONSTRAINT uq_accounts_user_login UNIQUE (login));

CREATE TABLE accounts_role ({RECORD},
  code varchar(40) NOT NULL, name varchar(60) NOT NULL,
  CONSTRAINT pk_accounts_role PRIMARY KEY (id),
  CONSTRAINT uq_accounts_role_org_id_id UNIQUE (org_id, id),
  CONSTRAINT uq_accounts_role_company_id_id UNIQUE (company_id, id),
  CONSTRAINT uq_accounts_role_code UNIQUE (company_id, code));

CREATE TABLE accounts_role_permission ({RECORD},
  role_id uuid NOT NULL, permission varchar(80) NOT NULL,
  CONSTRAINT pk_accounts_role_permission PRIMARY KEY (id),
  CONSTRAINT uq_accounts_role_permission UNIQUE (role_id, permission),
  CONSTRAINT fk_accounts_role_permission_role_id FOREIGN KEY (company_id, role_id)
    REFERENCES accounts_role (company_id, id) ON DELETE CASCADE);
CREATE INDEX ix_accounts_role_permission_role_id ON accounts_role_permission (role_id);

CREATE TABLE accounts_grant ({RECORD},
  user_id uuid NOT NULL, role_id uuid NOT NULL, unit_id uuid NOT NULL,
  CONSTRAINT pk_accounts_grant PRIMARY KEY (id),
  CONSTRAINT uq_accounts_grant UNIQUE (user_id, role_id, unit_id),
  CONSTRAINT fk_accounts_grant_user_id FOREIGN KEY (company_id, user_id)
    REFERENCES accounts_user (company_id, id) ON DELETE RESTRICT,
  CONSTRAINT fk_accounts_grant_role_id FOREIGN KEY (company_id, role_id)
    REFERENCES accounts_role (company_id, id) ON DELETE RESTRICT,
  CONSTRAINT fk_accounts_grant_unit_id FOREIGN KEY (company_id, unit_id)
    REFERENCES organization_unit (company_id, id) ON DELETE RESTRICT);
CREATE INDEX ix_accounts_grant_user_id ON accounts_grant (user_id);
CREATE INDEX ix_accounts_grant_role_id ON accounts_grant (role_id);
CREATE INDEX ix_accounts_grant_unit_id ON accounts_grant (unit_id);

-- No policy and no grants on these three: only the functions below reach them.
CREATE TABLE accounts_credential (
  user_id uuid NOT NULL, company_id uuid NOT NULL, login varchar(60) NOT NULL,
  password_hash varchar NOT NULL,
  CONSTRAINT pk_accounts_credential PRIMARY KEY (user_id),
  CONSTRAINT uq_accounts_credential_login UNIQUE (login));
CREATE TABLE accounts_session (
  token_hash bytea NOT NULL, user_id uuid NOT NULL, company_id uuid NOT NULL,
  expires_at timestamptz NOT NULL, seen_at timestamptz NOT NULL,
  CONSTRAINT pk_accounts_session PRIMARY KEY (token_hash));
CREATE INDEX ix_accounts_session_user_id ON accounts_session (user_id);
CREATE INDEX ix_accounts_session_expires_at ON accounts_session (expires_at);
CREATE TABLE accounts_attempt (
  login varchar(60) NOT NULL, failed integer NOT NULL, last_at timestamptz NOT NULL,
  locked_until timestamptz, CONSTRAINT pk_accounts_attempt PRIMARY KEY (login));
"""

PRINCIPAL = """
CREATE FUNCTION accounts_principal(company uuid, wanted uuid) RETURNS jsonb LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = public, pg_temp AS $$
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

CREATE FUNCTION accounts_principal_of_user(wanted uuid) RETURNS jsonb LANGUAGE sql
  SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT accounts_principal(company_id, user_id) FROM accounts_credential WHERE user_id = wanted
$$;

CREATE FUNCTION accounts_principal_of_session(hash bytea, at timestamptz) RETURNS jsonb
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT accounts_principal(company_id, user_id) FROM accounts_session
  WHERE token_hash = hash AND expires_at > at
$$;
"""

LOGIN = """
CREATE FUNCTION accounts_credential_of(wanted varchar, at timestamptz,
    OUT user_id uuid, OUT password_hash varchar, OUT failed integer, OUT locked_until timestamptz)
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT c.user_id, c.password_hash, coalesce(a.failed, 0),
    CASE WHEN a.locked_until > at THEN a.locked_until END
  FROM (SELECT 1) AS one
  LEFT JOIN accounts_credential c ON c.login = wanted
  LEFT JOIN accounts_attempt a ON a.login = wanted AND a.last_at > at - interval '1 day'
$$;

CREATE FUNCTION accounts_login_failed(wanted varchar, at timestamptz, tries integer, lock_s integer)
  RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE so_far integer;
BEGIN
  DELETE FROM accounts_attempt WHERE last_at < at - interval '1 day';
  INSERT INTO accounts_attempt AS a (login, failed, last_at) VALUES (wanted, 1, at)
  ON CONFLICT (login) DO UPDATE SET last_at = at,
    failed = CASE WHEN a.locked_until <= at THEN 1 ELSE a.failed + 1 END,
    locked_until = CASE WHEN a.locked_until > at THEN a.locked_until END
  RETURNING failed INTO so_far;
  IF so_far >= tries THEN
    UPDATE accounts_attempt SET locked_until = at + make_interval(secs => lock_s)
    WHERE login = wanted;
  END IF;
  RETURN so_far;
END $$;

-- Answers NULL for a disabled account: its right password opens nothing and forgives no try.
CREATE FUNCTION accounts_open_session(person uuid, hash bytea, at timestamptz, until timestamptz)
  RETURNS boolean LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  DELETE FROM accounts_session WHERE expires_at < at;
  DELETE FROM accounts_attempt USING accounts_credential c
    WHERE c.user_id = person AND accounts_attempt.login = c.login
      AND accounts_principal(c.company_id, person) IS NOT NULL;
  INSERT INTO accounts_session (token_hash, user_id, company_id, expires_at, seen_at)
    SELECT hash, user_id, company_id, until, at FROM accounts_credential
    WHERE user_id = person AND accounts_principal(company_id, person) IS NOT NULL
  RETURNING true
$$;

CREATE FUNCTION accounts_close_session(hash bytea) RETURNS void LANGUAGE sql
  SECURITY DEFINER SET search_path = public, pg_temp
  AS 'DELETE FROM accounts_session WHERE token_hash = hash';

-- The caller must be able to see the account in its own scope: setting a password of somebody else's
-- company finds nobody. Sessions end with the old password.
CREATE FUNCTION accounts_set_password(person uuid, hash varchar) RETURNS boolean LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE known accounts_user;
BEGIN
  SELECT * INTO known FROM accounts_user WHERE id = person;
  IF known.id IS NULL THEN RETURN false; END IF;
  INSERT INTO accounts_credential (user_id, company_id, login, password_hash)
    VALUES (person, known.company_id, known.login, hash)
  ON CONFLICT (user_id) DO UPDATE SET password_hash = hash;
  DELETE FROM accounts_session WHERE user_id = person;
  RETURN true;
END $$;
"""

FUNCTIONS = {
    "accounts_principal(uuid, uuid)": False,
    "accounts_principal_of_user(uuid)": True,
    "accounts_principal_of_session(bytea, timestamptz)": True,
    "accounts_credential_of(varchar, timestamptz)": True,
    "accounts_login_failed(varchar, timestamptz, integer, integer)": True,
    "accounts_open_session(uuid, bytea, timestamptz, timestamptz)": True,
    "accounts_close_session(bytea)": True,
    "accounts_set_password(uuid, varchar)": True,
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(TABLES)
    protect("accounts_user")
    protect("accounts_role")
    protect("accounts_role_permission", rights="SELECT, INSERT, DELETE")
    protect("accounts_grant", rights="SELECT, INSERT, DELETE")
    op.execute(PRINCIPAL)
    op.execute(LOGIN)
    for function, is_open in FUNCTIONS.items():
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        if is_open:
            op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {APP}")


def downgrade() -> None:
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
    op.execute("DROP TABLE accounts_grant, accounts_role_permission, accounts_role, accounts_user")
    op.execute("DROP TABLE accounts_credential, accounts_session, accounts_attempt")
