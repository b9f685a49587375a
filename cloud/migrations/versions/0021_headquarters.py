"""Headquarters: targets of collection.

Revision: 0021
"""

from alembic import op

from cloud.migrations.grants import protect

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE headquarters_target (
  id uuid NOT NULL, company_id uuid NOT NULL, org_id uuid NOT NULL,
  created_at timestamptz NOT NULL, created_by uuid, version integer NOT NULL,
  month date NOT NULL, current_rate quantity NOT NULL, old_rate quantity,
  combined_rate quantity NOT NULL,
  CONSTRAINT pk_headquarters_target PRIMARY KEY (id),
  CONSTRAINT uq_headquarters_target_org_id_id UNIQUE (org_id, id),
  CONSTRAINT uq_headquarters_target_company_id_id UNIQUE (company_id, id),
  CONSTRAINT uq_headquarters_target_month UNIQUE (org_id, month),
  CONSTRAINT ck_headquarters_target_month CHECK (month = date_trunc('month', month)),
  CONSTRAINT ck_headquarters_target_current_rate CHECK (current_rate BETWEEN 0 AND 1),
  CONSTRAINT ck_headquarters_target_old_rate CHECK (old_rate BETWEEN 0 AND 1),
  CONSTRAINT ck_headquarters_target_combined_rate CHECK (combined_rate BETWEEN 0 AND 1));

-- Figures of a month start from the bills of its cycles.
CREATE INDEX ix_charging_bill_company_id_cycle_from ON charging_bill (company_id, cycle_from);
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(TABLE)
    protect("headquarters_target")


def downgrade() -> None:
    op.execute("DROP INDEX ix_charging_bill_company_id_cycle_from")
    op.execute("DROP TABLE headquarters_target")
