"""Exports that run in the background.

Revision: 0014
"""

from alembic import op

from cloud.migrations.grants import protect

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE kernel_export (
  id uuid NOT NULL, company_id uuid NOT NULL, org_id uuid NOT NULL,
  created_at timestamptz NOT NULL, created_by uuid, version integer NOT NULL,
  page varchar(80) NOT NULL, title varchar(100) NOT NULL, query jsonb NOT NULL,
  locale varchar(10) NOT NULL, state varchar NOT NULL, total integer NOT NULL,
  written integer NOT NULL, file_bytes integer, finished_at timestamptz,
  failure varchar(400) NOT NULL,
  CONSTRAINT pk_kernel_export PRIMARY KEY (id),
  CONSTRAINT uq_kernel_export_org_id_id UNIQUE (org_id, id),
  CONSTRAINT uq_kernel_export_company_id_id UNIQUE (company_id, id),
  CONSTRAINT ck_kernel_export_state
    CHECK (state IN ('waiting', 'running', 'done', 'failed', 'expired')));
CREATE INDEX ix_kernel_export_created_by_created_at ON kernel_export (created_by, created_at);
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(TABLES)
    protect("kernel_export")


def downgrade() -> None:
    op.execute("DROP TABLE kernel_export")
