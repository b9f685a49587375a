"""Prices in bands of what a meter counts, and a skip for what comes before its turn.

Revision: 0029
"""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

SKIP_REASONS = """
ALTER TABLE charging_skip DROP CONSTRAINT ck_charging_skip_reason,
  ADD CONSTRAINT ck_charging_skip_reason CHECK (reason IN ({reasons}))
"""
REASONS = (
    "'area_missing', 'price_missing', 'payer_missing', 'reading_missing', 'reading_stale',"
    " 'reading_in_review', 'reading_below_last', {more}'already_billed'"
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        ALTER TABLE charging_standard_version
          ADD COLUMN bands jsonb,
          ADD COLUMN band_window varchar,
          ADD CONSTRAINT ck_charging_standard_version_band_window
            CHECK (band_window IN ('month', 'year')),
          ADD CONSTRAINT ck_charging_standard_version_bands
            CHECK ((bands IS NULL) = (band_window IS NULL))
    """)
    op.execute(SKIP_REASONS.format(reasons=REASONS.format(more="'earlier_unbilled', ")))


def downgrade() -> None:
    op.execute("DELETE FROM charging_skip WHERE reason = 'earlier_unbilled'")
    op.execute(SKIP_REASONS.format(reasons=REASONS.format(more="")))
    op.execute("ALTER TABLE charging_standard_version DROP COLUMN bands, DROP COLUMN band_window")
