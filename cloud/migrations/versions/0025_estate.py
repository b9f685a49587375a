"""The estate: catalogues, areas over time, what happened to rooms, and transfers of ownership.

Revision: 0025
"""

from alembic import op

from cloud.migrations.grants import APP, protect

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

RECORD = """
  id uuid NOT NULL, company_id uuid NOT NULL, org_id uuid NOT NULL,
  created_at timestamptz NOT NULL, created_by uuid, version integer NOT NULL"""

TABLES = f"""
CREATE TABLE kernel_catalogue_entry ({RECORD},
  catalogue varchar(60) NOT NULL, code varchar(40) NOT NULL, name varchar(60) NOT NULL,
  rank integer NOT NULL, is_system boolean NOT NULL, state varchar NOT NULL,
  CONSTRAINT pk_kernel_catalogue_entry PRIMARY KEY (id),
  CONSTRAINT uq_kernel_catalogue_entry_org_id_id UNIQUE (org_id, id),
  CONSTRAINT uq_kernel_catalogue_entry_company_id_id UNIQUE (company_id, id),
  CONSTRAINT uq_kernel_catalogue_entry_code UNIQUE (org_id, catalogue, code),
  CONSTRAINT ck_kernel_catalogue_entry_code CHECK (code <> '' AND name <> ''),
  CONSTRAINT ck_kernel_catalogue_entry_state CHECK (state IN ('in_use', 'disabled')));

ALTER TABLE resources_room ADD COLUMN floor integer, ADD COLUMN room_type_id uuid,
  DROP CONSTRAINT ck_resources_room_state,
  ADD CONSTRAINT ck_resources_room_state CHECK (state IN ('unbuilt', 'unsold', 'sold', 'delivered',
    'vacant', 'decorating', 'occupied', 'closed')),
  ADD CONSTRAINT fk_resources_room_room_type_id FOREIGN KEY (company_id, room_type_id)
    REFERENCES kernel_catalogue_entry (company_id, id) ON DELETE RESTRICT;
CREATE INDEX ix_resources_room_room_type_id ON resources_room (room_type_id);

CREATE TABLE resources_room_area ({RECORD},
  room_id uuid NOT NULL, valid_from date, building_area quantity, inner_area quantity,
  chargeable_area quantity, reason varchar(200) NOT NULL,
  CONSTRAINT pk_resources_room_area PRIMARY KEY (id),
  CONSTRAINT uq_resources_room_area_org_id_id UNIQUE (org_id, id),
  CONSTRAINT uq_resources_room_area_company_id_id UNIQUE (company_id, id),
  CONSTRAINT ck_resources_room_area_building_area CHECK (building_area > 0),
  CONSTRAINT ck_resources_room_area_inner_area CHECK (inner_area > 0),
  CONSTRAINT ck_resources_room_area_chargeable_area CHECK (chargeable_area > 0),
  CONSTRAINT fk_resources_room_area_room_id FOREIGN KEY (org_id, room_id)
    REFERENCES resources_room (org_id, id) ON DELETE RESTRICT);
CREATE INDEX ix_resources_room_area_room_id ON resources_room_area (room_id);

CREATE TABLE resources_room_event ({RECORD},
  room_id uuid NOT NULL, kind varchar NOT NULL, happened_on date NOT NULL,
  note varchar(300) NOT NULL,
  CONSTRAINT pk_resources_room_event PRIMARY KEY (id),
  CONSTRAINT uq_resources_room_event_org_id_id UNIQUE (org_id, id),
  CONSTRAINT uq_resources_room_event_company_id_id UNIQUE (company_id, id),
  CONSTRAINT ck_resources_room_event_kind CHECK (kind IN ('unbuilt', 'unsold', 'sold', 'delivered',
    'vacant', 'decorating', 'occupied', 'closed', 'area_changed', 'transferred')),
  CONSTRAINT fk_resources_room_event_room_id FOREIGN KEY (org_id, room_id)
    REFERENCES resources_room (org_id, id) ON DELETE RESTRICT);
CREATE INDEX ix_resources_room_event_room_id ON resources_room_event (room_id);

ALTER TABLE customers_party ADD COLUMN id_number varchar(30) NOT NULL DEFAULT '',
  ADD COLUMN type_id uuid, ADD COLUMN is_closed boolean NOT NULL DEFAULT false,
  ADD CONSTRAINT fk_customers_party_type_id FOREIGN KEY (company_id, type_id)
    REFERENCES kernel_catalogue_entry (company_id, id) ON DELETE RESTRICT;
CREATE INDEX ix_customers_party_type_id ON customers_party (type_id);

ALTER TABLE customers_room_party ADD COLUMN relation_id uuid,
  ADD CONSTRAINT fk_customers_room_party_relation_id FOREIGN KEY (company_id, relation_id)
    REFERENCES kernel_catalogue_entry (company_id, id) ON DELETE RESTRICT;
CREATE INDEX ix_customers_room_party_relation_id ON customers_room_party (relation_id);

CREATE TABLE customers_transfer ({RECORD},
  room_id uuid NOT NULL, transferred_on date NOT NULL, arrears varchar NOT NULL,
  note varchar(200) NOT NULL,
  CONSTRAINT pk_customers_transfer PRIMARY KEY (id),
  CONSTRAINT uq_customers_transfer_org_id_id UNIQUE (org_id, id),
  CONSTRAINT uq_customers_transfer_company_id_id UNIQUE (company_id, id),
  CONSTRAINT ck_customers_transfer_arrears CHECK (arrears IN ('settle', 'assume')),
  CONSTRAINT fk_customers_transfer_room_id FOREIGN KEY (org_id, room_id)
    REFERENCES resources_room (org_id, id) ON DELETE RESTRICT);
CREATE INDEX ix_customers_transfer_room_id ON customers_transfer (room_id);
"""

# As rules.floor_of reads it: 1202 stands on the 12th floor.
FLOORS = """
UPDATE resources_room SET floor = left(resources_space.code, -2)::integer FROM resources_space
WHERE resources_space.id = resources_room.id AND resources_space.code ~ '^[1-9][0-9]{2,3}$'
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(TABLES)
    op.execute(FLOORS)
    protect("kernel_catalogue_entry")
    protect("resources_room_area", rights="SELECT, INSERT")
    protect("resources_room_event", rights="SELECT, INSERT")
    protect("customers_transfer", rights="SELECT, INSERT")
    op.execute(f"GRANT DELETE ON resources_space, resources_room TO {APP}")


def downgrade() -> None:
    op.execute(f"REVOKE DELETE ON resources_space, resources_room FROM {APP}")
    op.execute("DROP TABLE customers_transfer, resources_room_event, resources_room_area")
    op.execute(
        "ALTER TABLE customers_party DROP COLUMN id_number, DROP COLUMN type_id,"
        " DROP COLUMN is_closed"
    )
    op.execute("ALTER TABLE customers_room_party DROP COLUMN relation_id")
    op.execute("UPDATE resources_room SET state = 'delivered' WHERE state IN ('vacant', 'closed')")
    op.execute(
        "ALTER TABLE resources_room DROP COLUMN floor, DROP COLUMN room_type_id,"
        " DROP CONSTRAINT ck_resources_room_state,"
        " ADD CONSTRAINT ck_resources_room_state CHECK (state IN"
        " ('unbuilt', 'unsold', 'sold', 'delivered', 'decorating', 'occupied'))"
    )
    op.execute("DROP TABLE kernel_catalogue_entry")
