"""Accounts: what the search over staff reads, by the company.

Revision: 0032
"""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

COLUMNS = ("name", "login", "phone")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for column in COLUMNS:
        op.execute(
            f"CREATE INDEX ix_accounts_user_company_id_{column} ON accounts_user"
            f" (company_id, {column} varchar_pattern_ops)"
        )


def downgrade() -> None:
    for column in COLUMNS:
        op.execute(f"DROP INDEX ix_accounts_user_company_id_{column}")
