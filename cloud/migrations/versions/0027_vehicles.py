"""Vehicles of a community and their plates.

Revision: 0027
"""

from alembic import op

from cloud.migrations.grants import protect

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE vehicles_vehicle (
  id uuid NOT NULL, company_id uuid NOT NULL, org_id uuid NOT NULL,
  created_at timestamptz NOT NULL, created_by uuid, version integer NOT NULL,
  plate varchar(20) NOT NULL, plate_type varchar NOT NULL, room_id uuid, party_id uuid,
  brand varchar(40) NOT NULL, color varchar(20) NOT NULL, note varchar(200) NOT NULL,
  closed_on date,
  plate_key varchar(20) NOT NULL GENERATED ALWAYS AS (translate(plate, 'OI', '01')) STORED,
  serial_key varchar(20) NOT NULL
    GENERATED ALWAYS AS (substr(translate(plate, 'OI', '01'), 3)) STORED,
  CONSTRAINT pk_vehicles_vehicle PRIMARY KEY (id),
  CONSTRAINT uq_vehicles_vehicle_org_id_id UNIQUE (org_id, id),
  CONSTRAINT uq_vehicles_vehicle_company_id_id UNIQUE (company_id, id),
  CONSTRAINT ck_vehicles_vehicle_plate_type
    CHECK (plate_type IN ('fuel', 'new_energy', 'hk_macau', 'other', 'unlicensed')),
  CONSTRAINT ck_vehicles_vehicle_plate CHECK ((plate = '') = (plate_type = 'unlicensed')),
  CONSTRAINT fk_vehicles_vehicle_room_id FOREIGN KEY (org_id, room_id)
    REFERENCES resources_room (org_id, id) ON DELETE RESTRICT,
  CONSTRAINT fk_vehicles_vehicle_party_id FOREIGN KEY (org_id, party_id)
    REFERENCES customers_party (org_id, id) ON DELETE RESTRICT);
CREATE INDEX ix_vehicles_vehicle_room_id ON vehicles_vehicle (room_id);
CREATE INDEX ix_vehicles_vehicle_party_id ON vehicles_vehicle (party_id);
CREATE UNIQUE INDEX uq_vehicles_vehicle_plate_key ON vehicles_vehicle (org_id, plate_key)
  WHERE closed_on IS NULL AND plate <> '';
CREATE INDEX ix_vehicles_vehicle_company_id_plate_key
  ON vehicles_vehicle (company_id, plate_key varchar_pattern_ops);
CREATE INDEX ix_vehicles_vehicle_company_id_serial_key
  ON vehicles_vehicle (company_id, serial_key varchar_pattern_ops);
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(TABLE)
    protect("vehicles_vehicle")


def downgrade() -> None:
    op.execute("DROP TABLE vehicles_vehicle")
