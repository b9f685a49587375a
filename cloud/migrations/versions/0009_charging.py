"""Charging: items, standards, bindings, runs, bills.

Revision: 0009
"""

from alembic import op

from cloud.migrations.grants import protect

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

RECORD = """
  id uuid NOT NULL, company_id uuid NOT NULL, org_id uuid NOT NULL,
  created_at timestamptz NOT NULL, created_by uuid, version integer NOT NULL"""

CHARGE = f"""{RECORD},
  run_id uuid NOT NULL, binding_id uuid NOT NULL, room_id uuid NOT NULL,
  room_name varchar(80) NOT NULL, payer_id uuid NOT NULL, payer_name varchar(60) NOT NULL,
  item_id uuid NOT NULL, legal_entity_id uuid NOT NULL, cycle_from date NOT NULL,
  period_from date NOT NULL, period_to date NOT NULL, quantity quantity NOT NULL,
  unit_price unit_price NOT NULL, raw_amount numeric NOT NULL, amount amount NOT NULL,
  tax amount NOT NULL, due_on date NOT NULL, snapshot jsonb NOT NULL"""


def keys(table: str) -> str:
    return f"""
  CONSTRAINT pk_{table} PRIMARY KEY (id),
  CONSTRAINT uq_{table}_org_id_id UNIQUE (org_id, id),
  CONSTRAINT uq_{table}_company_id_id UNIQUE (company_id, id)"""


def fk(table: str, column: str, target: str, within: str = "org_id") -> str:
    return f"""
  CONSTRAINT fk_{table}_{column} FOREIGN KEY ({within}, {column})
    REFERENCES {target} ({within}, id) ON DELETE RESTRICT"""


SETUP = f"""
CREATE TABLE charging_item ({RECORD},
  code varchar(40) NOT NULL, name varchar(60) NOT NULL, category varchar NOT NULL,
  is_agency boolean NOT NULL, tax_rate quantity NOT NULL, allocation_priority integer NOT NULL,
  legal_entity_id uuid NOT NULL, receivable_id uuid NOT NULL, revenue_id uuid NOT NULL,
  tax_id uuid NOT NULL, advance_id uuid NOT NULL, {keys("charging_item")},
  CONSTRAINT uq_charging_item_code UNIQUE (org_id, code),
  {fk("charging_item", "legal_entity_id", "organization_legal_entity", "company_id")},
  {fk("charging_item", "receivable_id", "ledger_account", "company_id")},
  {fk("charging_item", "revenue_id", "ledger_account", "company_id")},
  {fk("charging_item", "tax_id", "ledger_account", "company_id")},
  {fk("charging_item", "advance_id", "ledger_account", "company_id")},
  CONSTRAINT ck_charging_item_category CHECK (category IN ('property_fee', 'water', 'electricity',
    'gas', 'heat', 'shared', 'parking', 'other')),
  CONSTRAINT ck_charging_item_agency_untaxed CHECK (NOT is_agency OR tax_rate = 0),
  CONSTRAINT ck_charging_item_tax_rate CHECK (tax_rate >= 0 AND tax_rate < 1));
CREATE INDEX ix_charging_item_legal_entity_id ON charging_item (legal_entity_id);
CREATE INDEX ix_charging_item_receivable_id ON charging_item (receivable_id);
CREATE INDEX ix_charging_item_revenue_id ON charging_item (revenue_id);
CREATE INDEX ix_charging_item_tax_id ON charging_item (tax_id);
CREATE INDEX ix_charging_item_advance_id ON charging_item (advance_id);

CREATE TABLE charging_standard ({RECORD},
  item_id uuid NOT NULL, code varchar(40) NOT NULL, name varchar(60) NOT NULL,
  method varchar NOT NULL, timing varchar NOT NULL, cycle_months integer NOT NULL,
  anchor_on date NOT NULL, due_days integer NOT NULL, {keys("charging_standard")},
  CONSTRAINT uq_charging_standard_code UNIQUE (org_id, code),
  {fk("charging_standard", "item_id", "charging_item", "company_id")},
  CONSTRAINT ck_charging_standard_method CHECK (method IN ('area', 'fixed', 'metered')),
  CONSTRAINT ck_charging_standard_timing CHECK (timing IN ('advance', 'arrears')),
  CONSTRAINT ck_charging_standard_cycle_months CHECK (cycle_months IN (1, 2, 3, 6, 12)),
  CONSTRAINT ck_charging_standard_due_days CHECK (due_days BETWEEN 0 AND 366));
CREATE INDEX ix_charging_standard_item_id ON charging_standard (item_id);

CREATE TABLE charging_standard_version ({RECORD},
  standard_id uuid NOT NULL, number integer NOT NULL, unit_price unit_price NOT NULL,
  price_per varchar NOT NULL, area_basis varchar NOT NULL, proration varchar NOT NULL,
  rounding_step varchar NOT NULL, rounding_mode varchar NOT NULL, effective_from date NOT NULL,
  effective_to date, basis varchar(120) NOT NULL, {keys("charging_standard_version")},
  {fk("charging_standard_version", "standard_id", "charging_standard", "company_id")},
  CONSTRAINT uq_charging_standard_version_number UNIQUE (standard_id, number),
  CONSTRAINT ex_charging_standard_version_overlap EXCLUDE USING gist
    (standard_id WITH =, daterange(effective_from, effective_to) WITH &&),
  CONSTRAINT ck_charging_standard_version_area_basis
    CHECK (area_basis IN ('chargeable', 'building', 'inner')),
  CONSTRAINT ck_charging_standard_version_proration CHECK (proration IN
    ('actual_month', 'fixed_30', 'year_365', 'full_month', 'half_month', 'next_month')),
  CONSTRAINT ck_charging_standard_version_price_per CHECK (price_per IN ('month', 'cycle')),
  CONSTRAINT ck_charging_standard_version_rounding_step
    CHECK (rounding_step IN ('cent', 'dime', 'yuan')),
  CONSTRAINT ck_charging_standard_version_rounding_mode
    CHECK (rounding_mode IN ('half_up', 'up', 'down')),
  CONSTRAINT ck_charging_standard_version_unit_price CHECK (unit_price >= 0));
CREATE INDEX ix_charging_standard_version_standard_id ON charging_standard_version (standard_id);

CREATE TABLE charging_binding ({RECORD},
  standard_id uuid NOT NULL, item_id uuid NOT NULL, room_id uuid NOT NULL, meter_id uuid,
  starts_on date NOT NULL, ends_on date, {keys("charging_binding")},
  {fk("charging_binding", "standard_id", "charging_standard", "company_id")},
  {fk("charging_binding", "item_id", "charging_item", "company_id")},
  {fk("charging_binding", "room_id", "resources_room")},
  {fk("charging_binding", "meter_id", "metering_meter")},
  CONSTRAINT ex_charging_binding_overlap EXCLUDE USING gist (room_id WITH =, item_id WITH =,
    coalesce(meter_id, room_id) WITH =, daterange(starts_on, ends_on) WITH &&),
  CONSTRAINT ck_charging_binding_period CHECK (ends_on > starts_on));
CREATE INDEX ix_charging_binding_standard_id ON charging_binding (standard_id);
CREATE INDEX ix_charging_binding_item_id ON charging_binding (item_id);
CREATE INDEX ix_charging_binding_room_id ON charging_binding (room_id);
CREATE INDEX ix_charging_binding_meter_id ON charging_binding (meter_id);
"""

RUNS = f"""
CREATE TABLE charging_run ({RECORD},
  number varchar(32) NOT NULL, period_from date NOT NULL, period_to date NOT NULL,
  item_ids uuid[] NOT NULL, state varchar NOT NULL, work_total integer NOT NULL,
  work_done integer NOT NULL, bills integer NOT NULL, amount amount NOT NULL,
  skipped integer NOT NULL, posted_at timestamptz, failure varchar(300) NOT NULL,
  {keys("charging_run")},
  CONSTRAINT uq_charging_run_number UNIQUE (org_id, number),
  CONSTRAINT ck_charging_run_period CHECK (period_to > period_from),
  CONSTRAINT ck_charging_run_state CHECK (state IN ('draft', 'previewed', 'generating',
    'generated', 'publishing', 'published', 'cancelled')));

CREATE TABLE charging_draft ({CHARGE}, {keys("charging_draft")},
  {fk("charging_draft", "run_id", "charging_run")},
  CONSTRAINT uq_charging_draft_charge UNIQUE (run_id, binding_id, cycle_from));
CREATE INDEX ix_charging_draft_run_id ON charging_draft (run_id);

CREATE TABLE charging_skip ({RECORD},
  run_id uuid NOT NULL, binding_id uuid NOT NULL, cycle_from date NOT NULL,
  room_name varchar(80) NOT NULL, item_id uuid NOT NULL, reason varchar NOT NULL,
  CONSTRAINT pk_charging_skip PRIMARY KEY (id),
  {fk("charging_skip", "run_id", "charging_run")},
  CONSTRAINT uq_charging_skip_charge UNIQUE (run_id, binding_id, cycle_from),
  CONSTRAINT ck_charging_skip_reason CHECK (reason IN ('area_missing', 'price_missing',
    'payer_missing', 'reading_missing', 'reading_stale', 'reading_in_review', 'reading_below_last',
    'already_billed')));
CREATE INDEX ix_charging_skip_run_id ON charging_skip (run_id);

CREATE TABLE charging_bill ({CHARGE},
  number varchar(32) NOT NULL, issued_on date NOT NULL, {keys("charging_bill")},
  {fk("charging_bill", "run_id", "charging_run")},
  {fk("charging_bill", "binding_id", "charging_binding")},
  {fk("charging_bill", "room_id", "resources_room")},
  {fk("charging_bill", "payer_id", "customers_party")},
  {fk("charging_bill", "item_id", "charging_item", "company_id")},
  CONSTRAINT uq_charging_bill_number UNIQUE (org_id, number),
  CONSTRAINT uq_charging_bill_charge UNIQUE (binding_id, cycle_from),
  CONSTRAINT ck_charging_bill_amount CHECK (amount >= 0 AND tax >= 0 AND tax <= amount),
  CONSTRAINT ck_charging_bill_period CHECK (period_to > period_from));
CREATE INDEX ix_charging_bill_run_id ON charging_bill (run_id);
CREATE INDEX ix_charging_bill_binding_id ON charging_bill (binding_id);
CREATE INDEX ix_charging_bill_room_id ON charging_bill (room_id);
CREATE INDEX ix_charging_bill_payer_id ON charging_bill (payer_id);
CREATE INDEX ix_charging_bill_item_id ON charging_bill (item_id);
CREATE INDEX ix_charging_bill_org_id_due_on ON charging_bill (org_id, due_on);

CREATE TABLE charging_settlement ({RECORD},
  amount amount NOT NULL, paid amount NOT NULL,
  CONSTRAINT pk_charging_settlement PRIMARY KEY (id),
  {fk("charging_settlement", "id", "charging_bill")},
  CONSTRAINT ck_charging_settlement_paid CHECK (paid >= 0 AND paid <= amount));
CREATE INDEX ix_charging_settlement_open ON charging_settlement (org_id, id) WHERE paid < amount;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(SETUP)
    op.execute(RUNS)
    for table in ("item", "standard", "standard_version", "binding", "run", "settlement"):
        protect(f"charging_{table}")
    for table in ("draft", "skip"):
        protect(f"charging_{table}", rights="SELECT, INSERT, DELETE")
    protect("charging_bill", rights="SELECT, INSERT")


def downgrade() -> None:
    op.execute("DROP TABLE charging_settlement, charging_bill, charging_skip, charging_draft")
    op.execute("DROP TABLE charging_run, charging_binding, charging_standard_version")
    op.execute("DROP TABLE charging_standard, charging_item")
