"""Charging: items that are disabled, standards that are closed, versions without a gap.

Revision: 0016
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE charging_item ADD COLUMN state varchar NOT NULL DEFAULT 'active';
ALTER TABLE charging_item ALTER COLUMN state DROP DEFAULT;
ALTER TABLE charging_item
  ADD CONSTRAINT ck_charging_item_state CHECK (state IN ('active', 'disabled'));

ALTER TABLE charging_standard ADD COLUMN closed_on date;

ALTER TABLE charging_standard_version ADD COLUMN note varchar(200) NOT NULL DEFAULT '';
ALTER TABLE charging_standard_version ALTER COLUMN note DROP DEFAULT;
ALTER TABLE charging_standard_version ADD COLUMN follows_on date
  GENERATED ALWAYS AS (CASE WHEN number > 1 THEN effective_from END) STORED;
ALTER TABLE charging_standard_version
  ADD CONSTRAINT uq_charging_standard_version_effective_to
  UNIQUE (company_id, standard_id, effective_to);
ALTER TABLE charging_standard_version
  ADD CONSTRAINT fk_charging_standard_version_follows_on
  FOREIGN KEY (company_id, standard_id, follows_on)
  REFERENCES charging_standard_version (company_id, standard_id, effective_to)
  ON DELETE RESTRICT;
CREATE INDEX ix_charging_standard_version_follows_on
  ON charging_standard_version (standard_id, follows_on);
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(UP)


def downgrade() -> None:
    op.execute("ALTER TABLE charging_standard_version DROP COLUMN follows_on, DROP COLUMN note")
    op.execute(
        "ALTER TABLE charging_standard_version "
        "DROP CONSTRAINT uq_charging_standard_version_effective_to"
    )
    op.execute("ALTER TABLE charging_standard DROP COLUMN closed_on")
    op.execute("ALTER TABLE charging_item DROP COLUMN state")
