"""What a charge has earned by a day: a calendar counted in months.

Revision: 0030
"""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Months are equal, and the days of a month are equal parts of it. 377580 can be divided by 28,
    # 29, 30 and 31, so that days and months are whole numbers and shares of them exact.
    op.execute("""
        CREATE FUNCTION charging_month_parts(day date) RETURNS bigint
          LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
          SELECT (extract(year FROM day)::bigint * 12 + extract(month FROM day)::bigint) * 377580
            + (extract(day FROM day)::bigint - 1) * (377580
              / extract(day FROM date_trunc('month', day) + interval '1 month - 1 day')::bigint)
        $$
    """)


def downgrade() -> None:
    op.execute("DROP FUNCTION charging_month_parts")
