"""What nobody reads: when a session was seen, and a state that no meter can get into.

Revision: 0028
"""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

OPEN_SESSION = """
CREATE OR REPLACE FUNCTION accounts_open_session(
    person uuid, hash bytea, at timestamptz, until timestamptz)
  RETURNS boolean LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  DELETE FROM accounts_session WHERE expires_at < at;
  DELETE FROM accounts_attempt USING accounts_credential c
    WHERE c.user_id = person AND accounts_attempt.login = c.login
      AND accounts_principal(c.company_id, person) IS NOT NULL;
  INSERT INTO accounts_session (token_hash, user_id, company_id, expires_at{column})
    SELECT hash, user_id, company_id, until{value} FROM accounts_credential
    WHERE user_id = person AND accounts_principal(company_id, person) IS NOT NULL
  RETURNING true
$$;
"""
METER_STATES = """
ALTER TABLE metering_meter DROP CONSTRAINT ck_metering_meter_state,
  ADD CONSTRAINT ck_metering_meter_state CHECK (state IN ({states}))
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(OPEN_SESSION.format(column="", value=""))
    op.execute("ALTER TABLE accounts_session DROP COLUMN seen_at")
    op.execute(METER_STATES.format(states="'in_use', 'removed'"))


def downgrade() -> None:
    op.execute(METER_STATES.format(states="'in_use', 'stopped', 'removed'"))
    op.execute("ALTER TABLE accounts_session ADD COLUMN seen_at timestamptz NOT NULL DEFAULT now()")
    op.execute("ALTER TABLE accounts_session ALTER COLUMN seen_at DROP DEFAULT")
    op.execute(OPEN_SESSION.format(column=", seen_at", value=", at"))
