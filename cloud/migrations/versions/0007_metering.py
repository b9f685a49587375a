"""Metering: meters, readings, changes of meters.

Revision: 0007
"""

from alembic import op

from cloud.migrations.grants import APP, protect

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

RECORD = """
  id uuid NOT NULL, company_id uuid NOT NULL, org_id uuid NOT NULL,
  created_at timestamptz NOT NULL, created_by uuid, version integer NOT NULL"""


def keys(table: str) -> str:
    return f"""
  CONSTRAINT pk_{table} PRIMARY KEY (id),
  CONSTRAINT uq_{table}_org_id_id UNIQUE (org_id, id),
  CONSTRAINT uq_{table}_company_id_id UNIQUE (company_id, id)"""


TABLES = f"""
CREATE TABLE metering_meter ({RECORD},
  no varchar(40) NOT NULL, kind varchar NOT NULL, room_id uuid, space_id uuid, parent_id uuid,
  multiplier quantity NOT NULL, digits integer NOT NULL, can_roll_over boolean NOT NULL,
  point_no integer, initial_value quantity NOT NULL, installed_on date NOT NULL, removed_on date,
  state varchar NOT NULL, {keys("metering_meter")},
  CONSTRAINT uq_metering_meter_no UNIQUE (company_id, no),
  CONSTRAINT ck_metering_meter_multiplier CHECK (multiplier > 0),
  CONSTRAINT ck_metering_meter_digits CHECK (digits BETWEEN 3 AND 9),
  CONSTRAINT ck_metering_meter_initial_value CHECK (initial_value >= 0),
  CONSTRAINT ck_metering_meter_removed_on CHECK ((state = 'removed') = (removed_on IS NOT NULL)),
  CONSTRAINT ck_metering_meter_kind CHECK (kind IN ('electricity', 'water', 'gas', 'heat')),
  CONSTRAINT ck_metering_meter_state CHECK (state IN ('in_use', 'stopped', 'removed')),
  CONSTRAINT fk_metering_meter_room_id FOREIGN KEY (org_id, room_id)
    REFERENCES resources_room (org_id, id) ON DELETE RESTRICT,
  CONSTRAINT fk_metering_meter_space_id FOREIGN KEY (org_id, space_id)
    REFERENCES resources_space (org_id, id) ON DELETE RESTRICT,
  CONSTRAINT fk_metering_meter_parent_id FOREIGN KEY (org_id, parent_id)
    REFERENCES metering_meter (org_id, id) ON DELETE RESTRICT,
  CONSTRAINT fk_metering_meter_point_no FOREIGN KEY (org_id, point_no)
    REFERENCES devices_point (org_id, point_no) ON DELETE RESTRICT);
CREATE INDEX ix_metering_meter_room_id ON metering_meter (room_id);
CREATE INDEX ix_metering_meter_space_id ON metering_meter (space_id);
CREATE INDEX ix_metering_meter_parent_id ON metering_meter (parent_id);
CREATE UNIQUE INDEX uq_metering_meter_point_no ON metering_meter (point_no)
  WHERE state <> 'removed';

CREATE TABLE metering_reading ({RECORD},
  meter_id uuid NOT NULL, read_at timestamptz NOT NULL, reading_on date NOT NULL,
  value quantity NOT NULL, source varchar NOT NULL, state varchar NOT NULL,
  reason varchar NOT NULL, {keys("metering_reading")},
  CONSTRAINT uq_metering_reading_meter_id_read_at UNIQUE (meter_id, read_at),
  CONSTRAINT ck_metering_reading_value CHECK (value >= 0),
  CONSTRAINT ck_metering_reading_source
    CHECK (source IN ('manual', 'import', 'iot', 'self', 'estimate')),
  CONSTRAINT ck_metering_reading_state CHECK (state IN ('verified', 'review', 'rejected')),
  CONSTRAINT ck_metering_reading_reason
    CHECK (reason IN ('', 'below_last', 'too_many_digits', 'too_high', 'refused')),
  CONSTRAINT fk_metering_reading_meter_id FOREIGN KEY (org_id, meter_id)
    REFERENCES metering_meter (org_id, id) ON DELETE RESTRICT);
CREATE INDEX ix_metering_reading_meter_id ON metering_reading (meter_id);
CREATE INDEX ix_metering_reading_org_id_read_at ON metering_reading (org_id, read_at);

CREATE TABLE metering_change ({RECORD},
  meter_id uuid NOT NULL, changed_at timestamptz NOT NULL, changed_on date NOT NULL,
  old_final quantity NOT NULL, new_initial quantity NOT NULL, reason varchar(200) NOT NULL,
  {keys("metering_change")},
  CONSTRAINT uq_metering_change_meter_id_changed_at UNIQUE (meter_id, changed_at),
  CONSTRAINT ck_metering_change_values CHECK (old_final >= 0 AND new_initial >= 0),
  CONSTRAINT fk_metering_change_meter_id FOREIGN KEY (org_id, meter_id)
    REFERENCES metering_meter (org_id, id) ON DELETE RESTRICT);
CREATE INDEX ix_metering_change_meter_id ON metering_change (meter_id);
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(TABLES)
    protect("metering_meter")
    protect("metering_reading", rights="SELECT, INSERT")
    protect("metering_change", rights="SELECT, INSERT")
    # A review decides about a reading; what was read stays.
    op.execute(f"GRANT UPDATE (state, reason, version) ON metering_reading TO {APP}")


def downgrade() -> None:
    op.execute("DROP TABLE metering_change, metering_reading, metering_meter")
