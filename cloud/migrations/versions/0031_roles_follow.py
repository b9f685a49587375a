"""Accounts: which permissions a built-in role was offered, so that a release offers each once.

Revision: 0031
"""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

# Row security is forced for the owner too, so each company is gone through in its own scope. What
# an administrator took away is in the audit trail: it was offered, and is not offered again.
EXISTING = """
DO $$ DECLARE company uuid; BEGIN
FOR company IN SELECT kernel_companies() LOOP
  PERFORM set_config('app.company', company::text, true), set_config('app.all', 'on', true);
  UPDATE accounts_role role SET offered = ARRAY(
      SELECT permission FROM accounts_role_permission WHERE role_id = role.id
      UNION
      SELECT jsonb_array_elements_text(before -> 'removed') FROM kernel_audit_row
      WHERE subject_kind = 'accounts.role' AND subject_id = role.id
        AND action = 'accounts.role.permissions_set'
      ORDER BY 1)
  WHERE created_by IS NULL AND code IN
    ('admin', 'accountant', 'cashier', 'engineer', 'regional_manager', 'hq_analyst');
END LOOP;
PERFORM set_config('app.company', '', true), set_config('app.all', 'off', true);
END $$;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE accounts_role ADD COLUMN offered varchar[]")
    op.execute(EXISTING)


def downgrade() -> None:
    op.execute("ALTER TABLE accounts_role DROP COLUMN offered")
