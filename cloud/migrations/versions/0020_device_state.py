"""Devices: those that are not read any more.

Revision: 0020
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE devices_device ADD COLUMN state varchar NOT NULL DEFAULT 'in_use';
ALTER TABLE devices_device ALTER COLUMN state DROP DEFAULT;
ALTER TABLE devices_device
  ADD CONSTRAINT ck_devices_device_state CHECK (state IN ('in_use', 'disabled'));
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(UP)


def downgrade() -> None:
    op.execute("ALTER TABLE devices_device DROP COLUMN state")
