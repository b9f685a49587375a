"""What the search over everything reads: indexes by the company, initials of people's names.

Revision: 0022
"""

import sqlalchemy as sa
from alembic import op

from cloud.kernel.initials import initials

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

INDEXES = {
    "resources_space": ("path", "code", "full_name"),
    "customers_party": ("name", "phone", "initials"),
    "charging_bill": ("number",),
    "receiving_receipt": ("number",),
}
BATCH = 5_000


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE customers_party ADD COLUMN initials varchar(20) NOT NULL DEFAULT ''")
    # Forced row security holds for the owner too: lifted while all rows are looked at.
    op.execute("ALTER TABLE customers_party NO FORCE ROW LEVEL SECURITY")
    _fill()
    op.execute("ALTER TABLE customers_party FORCE ROW LEVEL SECURITY")
    for table, columns in INDEXES.items():
        for column in columns:
            op.execute(
                f"CREATE INDEX ix_{table}_company_id_{column} ON {table}"
                f" (company_id, {column} varchar_pattern_ops)"
            )


def _fill() -> None:
    connection = op.get_bind()
    names = connection.execute(sa.text("SELECT id, name FROM customers_party")).all()
    for start in range(0, len(names), BATCH):
        batch = names[start : start + BATCH]
        connection.execute(
            sa.text(
                "UPDATE customers_party AS party SET initials = given.letters"
                " FROM unnest(CAST(:ids AS uuid[]), CAST(:letters AS varchar[]))"
                " AS given (id, letters) WHERE party.id = given.id"
            ),
            {
                "ids": [row.id for row in batch],
                "letters": [initials(row.name) for row in batch],
            },
        )


def downgrade() -> None:
    for table, columns in INDEXES.items():
        for column in columns:
            op.execute(f"DROP INDEX ix_{table}_company_id_{column}")
    op.execute("ALTER TABLE customers_party DROP COLUMN initials")
