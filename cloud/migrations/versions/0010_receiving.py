"""Receiving: receipts and allocations.

Revision: 0010
"""

from alembic import op

from cloud.migrations.grants import protect

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

RECORD = """
  id uuid NOT NULL, company_id uuid NOT NULL, org_id uuid NOT NULL,
  created_at timestamptz NOT NULL, created_by uuid, version integer NOT NULL"""

TABLES = f"""
CREATE TABLE receiving_receipt ({RECORD},
  number varchar(32) NOT NULL, business_on date NOT NULL, room_id uuid NOT NULL,
  payer_id uuid NOT NULL, payer_name varchar(100) NOT NULL, legal_entity_id uuid NOT NULL,
  method varchar NOT NULL, amount amount NOT NULL, tendered amount, reverses_id uuid,
  reason varchar(200) NOT NULL,
  CONSTRAINT pk_receiving_receipt PRIMARY KEY (id),
  CONSTRAINT uq_receiving_receipt_org_id_id UNIQUE (org_id, id),
  CONSTRAINT uq_receiving_receipt_company_id_id UNIQUE (company_id, id),
  CONSTRAINT uq_receiving_receipt_number UNIQUE (org_id, number),
  CONSTRAINT uq_receiving_receipt_reverses_id UNIQUE (reverses_id),
  CONSTRAINT ck_receiving_receipt_amount
    CHECK (amount <> 0 AND (amount < 0) = (reverses_id IS NOT NULL)),
  CONSTRAINT ck_receiving_receipt_reason CHECK ((reason <> '') = (reverses_id IS NOT NULL)),
  CONSTRAINT ck_receiving_receipt_tendered
    CHECK (tendered IS NULL OR (method = 'cash' AND tendered >= amount)),
  CONSTRAINT ck_receiving_receipt_method CHECK (method IN ('cash', 'scan', 'card', 'transfer')),
  CONSTRAINT fk_receiving_receipt_room_id FOREIGN KEY (org_id, room_id)
    REFERENCES resources_room (org_id, id) ON DELETE RESTRICT,
  CONSTRAINT fk_receiving_receipt_payer_id FOREIGN KEY (org_id, payer_id)
    REFERENCES customers_party (org_id, id) ON DELETE RESTRICT,
  CONSTRAINT fk_receiving_receipt_legal_entity_id FOREIGN KEY (company_id, legal_entity_id)
    REFERENCES organization_legal_entity (company_id, id) ON DELETE RESTRICT,
  CONSTRAINT fk_receiving_receipt_reverses_id FOREIGN KEY (org_id, reverses_id)
    REFERENCES receiving_receipt (org_id, id) ON DELETE RESTRICT);
CREATE INDEX ix_receiving_receipt_room_id ON receiving_receipt (room_id);
CREATE INDEX ix_receiving_receipt_payer_id ON receiving_receipt (payer_id);
CREATE INDEX ix_receiving_receipt_legal_entity_id ON receiving_receipt (legal_entity_id);
CREATE INDEX ix_receiving_receipt_org_id_business_on ON receiving_receipt (org_id, business_on);
CREATE INDEX ix_receiving_receipt_created_by_business_on
  ON receiving_receipt (created_by, business_on);

CREATE TABLE receiving_allocation ({RECORD},
  receipt_id uuid NOT NULL, bill_id uuid NOT NULL, amount amount NOT NULL,
  CONSTRAINT pk_receiving_allocation PRIMARY KEY (id),
  CONSTRAINT uq_receiving_allocation_org_id_id UNIQUE (org_id, id),
  CONSTRAINT uq_receiving_allocation_company_id_id UNIQUE (company_id, id),
  CONSTRAINT uq_receiving_allocation_bill UNIQUE (receipt_id, bill_id),
  CONSTRAINT ck_receiving_allocation_amount CHECK (amount <> 0),
  CONSTRAINT fk_receiving_allocation_receipt_id FOREIGN KEY (org_id, receipt_id)
    REFERENCES receiving_receipt (org_id, id) ON DELETE RESTRICT,
  CONSTRAINT fk_receiving_allocation_bill_id FOREIGN KEY (org_id, bill_id)
    REFERENCES charging_bill (org_id, id) ON DELETE RESTRICT);
CREATE INDEX ix_receiving_allocation_bill_id ON receiving_allocation (bill_id);
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(TABLES)
    protect("receiving_receipt", rights="SELECT, INSERT")
    protect("receiving_allocation", rights="SELECT, INSERT")


def downgrade() -> None:
    op.execute("DROP TABLE receiving_allocation, receiving_receipt")
