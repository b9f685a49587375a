"""Number rules: how the numbers of each kind of document look.

Revision: 0024
"""

from alembic import op

from cloud.migrations.grants import APP, protect

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE kernel_number_rule (
  id uuid NOT NULL, company_id uuid NOT NULL, org_id uuid NOT NULL,
  created_at timestamptz NOT NULL, created_by uuid, version integer NOT NULL,
  series varchar(16) NOT NULL, pattern varchar(80) NOT NULL, reset varchar(8) NOT NULL,
  earlier jsonb NOT NULL,
  CONSTRAINT pk_kernel_number_rule PRIMARY KEY (id),
  CONSTRAINT uq_kernel_number_rule_series UNIQUE (org_id, series),
  CONSTRAINT ck_kernel_number_rule_reset CHECK (reset IN ('never', 'year', 'month', 'day')));
"""

# Under the caller's own row security: the code of a unit that may be seen.
UNIT_CODE = f"""
CREATE FUNCTION kernel_unit_code(wanted uuid) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT code::text FROM organization_unit WHERE id = wanted
$$;
REVOKE EXECUTE ON FUNCTION kernel_unit_code(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kernel_unit_code(uuid) TO {APP};
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(TABLES)
    protect("kernel_number_rule")
    op.execute(UNIT_CODE)


def downgrade() -> None:
    op.execute("DROP FUNCTION kernel_unit_code(uuid)")
    op.execute("DROP TABLE kernel_number_rule")
