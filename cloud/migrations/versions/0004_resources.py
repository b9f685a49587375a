"""Resources: buildings, units and rooms.

Revision: 0004
"""

from alembic import op

from cloud.migrations.grants import protect

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

RECORD = """
  id uuid NOT NULL, company_id uuid NOT NULL, org_id uuid NOT NULL,
  created_at timestamptz NOT NULL, created_by uuid, version integer NOT NULL"""

TABLES = f"""
CREATE TABLE resources_space ({RECORD},
  kind varchar NOT NULL, parent_id uuid, code varchar(20) NOT NULL, name varchar(60) NOT NULL,
  path varchar(80) NOT NULL, full_name varchar(200) NOT NULL, sort_key varchar(120) NOT NULL,
  CONSTRAINT pk_resources_space PRIMARY KEY (id),
  CONSTRAINT uq_resources_space_org_id_id UNIQUE (org_id, id),
  CONSTRAINT uq_resources_space_company_id_id UNIQUE (company_id, id),
  CONSTRAINT uq_resources_space_code UNIQUE NULLS NOT DISTINCT (org_id, parent_id, code),
  CONSTRAINT uq_resources_space_path UNIQUE (org_id, path),
  CONSTRAINT ck_resources_space_parent CHECK ((kind = 'building') = (parent_id IS NULL)),
  CONSTRAINT ck_resources_space_code CHECK (code <> '' AND position('-' in code) = 0),
  CONSTRAINT ck_resources_space_kind CHECK (kind IN ('building', 'unit', 'room')),
  CONSTRAINT fk_resources_space_parent_id FOREIGN KEY (org_id, parent_id)
    REFERENCES resources_space (org_id, id) ON DELETE RESTRICT);
CREATE INDEX ix_resources_space_parent_id ON resources_space (parent_id);

CREATE TABLE resources_room ({RECORD},
  building_area quantity, inner_area quantity, chargeable_area quantity,
  coefficient quantity NOT NULL, usage varchar NOT NULL, state varchar NOT NULL,
  handover_on date, move_in_on date,
  CONSTRAINT pk_resources_room PRIMARY KEY (id),
  CONSTRAINT uq_resources_room_org_id_id UNIQUE (org_id, id),
  CONSTRAINT uq_resources_room_company_id_id UNIQUE (company_id, id),
  CONSTRAINT ck_resources_room_building_area CHECK (building_area > 0),
  CONSTRAINT ck_resources_room_inner_area CHECK (inner_area > 0),
  CONSTRAINT ck_resources_room_chargeable_area CHECK (chargeable_area > 0),
  CONSTRAINT ck_resources_room_coefficient CHECK (coefficient > 0),
  CONSTRAINT ck_resources_room_usage
    CHECK (usage IN ('residential', 'commercial', 'office', 'parking', 'storage')),
  CONSTRAINT ck_resources_room_state
    CHECK (state IN ('unbuilt', 'unsold', 'sold', 'delivered', 'decorating', 'occupied')),
  CONSTRAINT fk_resources_room_id FOREIGN KEY (org_id, id)
    REFERENCES resources_space (org_id, id) ON DELETE RESTRICT);
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(TABLES)
    protect("resources_space")
    protect("resources_room")


def downgrade() -> None:
    op.execute("DROP TABLE resources_room, resources_space")
