"""How often each document was printed.

Revision: 0011
"""

from alembic import op

from cloud.kernel.db import company_policy
from cloud.migrations.grants import APP

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE kernel_print_count (
  company_id uuid NOT NULL, subject_kind varchar(60) NOT NULL, subject_id uuid NOT NULL,
  org_id uuid NOT NULL, copies integer NOT NULL, printed_at timestamptz NOT NULL,
  CONSTRAINT pk_kernel_print_count PRIMARY KEY (company_id, subject_kind, subject_id));
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(TABLES)
    for statement in company_policy("kernel_print_count"):
        op.execute(statement)
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON kernel_print_count TO {APP}")


def downgrade() -> None:
    op.execute("DROP TABLE kernel_print_count")
