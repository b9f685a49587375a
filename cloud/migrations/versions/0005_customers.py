"""Customers: parties and who they are to a room.

Revision: 0005
"""

from alembic import op

from cloud.migrations.grants import protect

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

RECORD = """
  id uuid NOT NULL, company_id uuid NOT NULL, org_id uuid NOT NULL,
  created_at timestamptz NOT NULL, created_by uuid, version integer NOT NULL"""

TABLES = f"""
CREATE TABLE customers_party ({RECORD},
  name varchar(100) NOT NULL, kind varchar NOT NULL, phone varchar(20) NOT NULL,
  note varchar(200) NOT NULL,
  CONSTRAINT pk_customers_party PRIMARY KEY (id),
  CONSTRAINT uq_customers_party_org_id_id UNIQUE (org_id, id),
  CONSTRAINT uq_customers_party_company_id_id UNIQUE (company_id, id),
  CONSTRAINT ck_customers_party_kind CHECK (kind IN ('person', 'company')));
CREATE INDEX ix_customers_party_org_id_name ON customers_party (org_id, name varchar_pattern_ops);
CREATE INDEX ix_customers_party_org_id_phone
  ON customers_party (org_id, phone varchar_pattern_ops);

CREATE TABLE customers_room_party ({RECORD},
  room_id uuid NOT NULL, party_id uuid NOT NULL, role varchar NOT NULL, share quantity,
  valid_from date NOT NULL, valid_to date, is_payer boolean NOT NULL,
  CONSTRAINT pk_customers_room_party PRIMARY KEY (id),
  CONSTRAINT uq_customers_room_party_org_id_id UNIQUE (org_id, id),
  CONSTRAINT uq_customers_room_party_company_id_id UNIQUE (company_id, id),
  CONSTRAINT ck_customers_room_party_role CHECK (role IN
    ('owner', 'co_owner', 'tenant', 'family', 'occupant', 'developer', 'agent')),
  CONSTRAINT ck_customers_room_party_valid_to CHECK (valid_to > valid_from),
  CONSTRAINT ck_customers_room_party_share CHECK (share > 0 AND share <= 100),
  CONSTRAINT fk_customers_room_party_room_id FOREIGN KEY (org_id, room_id)
    REFERENCES resources_room (org_id, id) ON DELETE RESTRICT,
  CONSTRAINT fk_customers_room_party_party_id FOREIGN KEY (org_id, party_id)
    REFERENCES customers_party (org_id, id) ON DELETE RESTRICT,
  CONSTRAINT ex_customers_room_party_payer EXCLUDE USING gist
    (room_id WITH =, daterange(valid_from, valid_to) WITH &&) WHERE (is_payer));
CREATE INDEX ix_customers_room_party_room_id ON customers_room_party (room_id);
CREATE INDEX ix_customers_room_party_party_id ON customers_room_party (party_id);
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(TABLES)
    protect("customers_party")
    protect("customers_room_party")


def downgrade() -> None:
    op.execute("DROP TABLE customers_room_party, customers_party")
