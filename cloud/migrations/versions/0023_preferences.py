"""What a person keeps of a page: the arrangement of its columns, and views of their own.

Revision: 0023
"""

from alembic import op

from cloud.kernel.db import company_policy
from cloud.migrations.grants import APP

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE kernel_page_layout (
  company_id uuid NOT NULL, principal_id uuid NOT NULL, page varchar(80) NOT NULL,
  layout jsonb NOT NULL, changed_at timestamptz NOT NULL,
  CONSTRAINT pk_kernel_page_layout PRIMARY KEY (company_id, principal_id, page));

CREATE TABLE kernel_saved_view (
  id uuid NOT NULL, company_id uuid NOT NULL, principal_id uuid NOT NULL,
  page varchar(80) NOT NULL, name varchar(30) NOT NULL, filters jsonb NOT NULL,
  sort varchar(60) NOT NULL, layout jsonb NOT NULL, created_at timestamptz NOT NULL,
  CONSTRAINT pk_kernel_saved_view PRIMARY KEY (id),
  CONSTRAINT uq_kernel_saved_view_name UNIQUE (company_id, principal_id, page, name));
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(TABLES)
    for table in ("kernel_page_layout", "kernel_saved_view"):
        for statement in company_policy(table):
            op.execute(statement)
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON kernel_page_layout TO {APP}")
    op.execute(f"GRANT SELECT, INSERT, DELETE ON kernel_saved_view TO {APP}")


def downgrade() -> None:
    op.execute("DROP TABLE kernel_saved_view, kernel_page_layout")
