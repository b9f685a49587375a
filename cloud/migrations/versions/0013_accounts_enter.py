"""Accounts: who calls and their scope in one statement, the first of a request's transaction.

Revision: 0013
"""

from alembic import op

from cloud.migrations.grants import APP

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# Binds the transaction as cloud.kernel.db.Scope.settings does; to nothing for no live session.
ENTER = """
CREATE FUNCTION accounts_array(ids jsonb) RETURNS text LANGUAGE sql IMMUTABLE
  SET search_path = public, pg_temp AS $$
  SELECT '{' || coalesce(string_agg(id, ','), '') || '}' FROM jsonb_array_elements_text(ids) AS id
$$;

CREATE FUNCTION accounts_enter(hash bytea, at timestamptz) RETURNS jsonb LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  answer jsonb := accounts_principal_of_session(hash, at);
  everything boolean := coalesce((answer ->> 'all')::boolean, false);
BEGIN
  IF answer IS NULL OR everything THEN
    answer := answer || '{"read_orgs": [], "write_orgs": []}';
  END IF;
  PERFORM set_config('app.company', coalesce(answer ->> 'company_id', ''), true),
          set_config('app.all', CASE WHEN everything THEN 'on' ELSE 'off' END, true),
          set_config('app.read_orgs', coalesce(accounts_array(answer -> 'read_orgs'), '{}'), true),
          set_config('app.write_orgs', coalesce(accounts_array(answer -> 'write_orgs'), '{}'), true);
  RETURN answer;
END $$;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(ENTER)
    for function in ("accounts_array(jsonb)", "accounts_enter(bytea, timestamptz)"):
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION accounts_enter(bytea, timestamptz) TO {APP}")


def downgrade() -> None:
    op.execute("DROP FUNCTION accounts_enter(bytea, timestamptz)")
    op.execute("DROP FUNCTION accounts_array(jsonb)")
