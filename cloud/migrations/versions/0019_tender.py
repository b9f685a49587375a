"""Receiving: payment methods and their lines, shifts, prepaid accounts, deposits and payouts.

Revision: 0019
"""

from alembic import op

from cloud.migrations.grants import protect

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

RECORD = """
  id uuid NOT NULL, company_id uuid NOT NULL, org_id uuid NOT NULL,
  created_at timestamptz NOT NULL, created_by uuid, version integer NOT NULL"""

KINDS = "'cash', 'card', 'channel', 'transfer', 'other', 'prepaid', 'deposit'"
MOVES = "'received', 'used', 'refunded', 'deducted', 'reversed', 'restored'"


def keys(table: str) -> str:
    return f"""
  CONSTRAINT pk_{table} PRIMARY KEY (id),
  CONSTRAINT uq_{table}_org_id_id UNIQUE (org_id, id),
  CONSTRAINT uq_{table}_company_id_id UNIQUE (company_id, id)"""


def fk(table: str, column: str, target: str, within: str = "org_id") -> str:
    return f"""
  CONSTRAINT fk_{table}_{column} FOREIGN KEY ({within}, {column})
    REFERENCES {target} ({within}, id) ON DELETE RESTRICT"""


def indexes(table: str, *columns: str) -> str:
    return "".join(f"CREATE INDEX ix_{table}_{column} ON {table} ({column});" for column in columns)


METHOD, SHIFT, LINE = "receiving_payment_method", "receiving_shift", "receiving_method_line"
ACCOUNT, MOVE = "receiving_prepaid_account", "receiving_prepaid_move"
ITEM, DEPOSIT, DEPOSIT_MOVE = (
    "receiving_deposit_item",
    "receiving_deposit",
    "receiving_deposit_move",
)
PAYOUT = "receiving_payout"
ENTITY, LEDGER = "organization_legal_entity", "ledger_account"

MASTERS = f"""
CREATE TABLE {METHOD} ({RECORD},
  code varchar(20) NOT NULL, name varchar(40) NOT NULL, kind varchar NOT NULL,
  account_id uuid NOT NULL, rank integer NOT NULL, is_active boolean NOT NULL,{keys(METHOD)},
  CONSTRAINT uq_{METHOD}_code UNIQUE (company_id, code),
  CONSTRAINT ck_{METHOD}_kind CHECK (kind IN ({KINDS})),
  {fk(METHOD, "account_id", LEDGER, "company_id")});
{indexes(METHOD, "account_id")}

CREATE TABLE {SHIFT} ({RECORD},
  cashier_id uuid NOT NULL, business_on date NOT NULL, opened_at timestamptz NOT NULL,
  closed_at timestamptz, expected amount, counted amount, note varchar(200) NOT NULL,{keys(SHIFT)},
  CONSTRAINT ck_{SHIFT}_closed CHECK ((closed_at IS NULL) = (expected IS NULL)
    AND (closed_at IS NULL) = (counted IS NULL)),
  CONSTRAINT ck_{SHIFT}_explained CHECK (counted IS NULL OR counted = expected OR note <> ''));
CREATE UNIQUE INDEX uq_{SHIFT}_open ON {SHIFT} (org_id, cashier_id, business_on)
  WHERE closed_at IS NULL;

CREATE TABLE {ITEM} ({RECORD},
  code varchar(20) NOT NULL, name varchar(40) NOT NULL, legal_entity_id uuid NOT NULL,
  usual_amount amount, is_active boolean NOT NULL,{keys(ITEM)},
  CONSTRAINT uq_{ITEM}_code UNIQUE (company_id, code),
  CONSTRAINT ck_{ITEM}_usual_amount CHECK (usual_amount IS NULL OR usual_amount > 0),
  {fk(ITEM, "legal_entity_id", ENTITY, "company_id")});
{indexes(ITEM, "legal_entity_id")}
"""

RECEIPT = f"""
ALTER TABLE receiving_receipt
  DROP CONSTRAINT ck_receiving_receipt_tendered,
  DROP CONSTRAINT ck_receiving_receipt_method,
  ALTER COLUMN method TYPE varchar(20),
  ADD COLUMN change amount NOT NULL DEFAULT 0,
  ADD COLUMN shift_id uuid,
  ADD {fk("receiving_receipt", "shift_id", SHIFT).strip()};
{indexes("receiving_receipt", "shift_id")}
"""

TENDERED = """
ALTER TABLE receiving_receipt ADD CONSTRAINT ck_receiving_receipt_tendered
  CHECK ((tendered IS NULL AND change = 0) OR (change >= 0 AND tendered > change));
"""

TABLES = f"""
CREATE TABLE {ACCOUNT} ({RECORD},
  room_id uuid NOT NULL, party_id uuid NOT NULL, legal_entity_id uuid NOT NULL, item_id uuid,
  balance amount NOT NULL,{keys(ACCOUNT)},
  CONSTRAINT uq_{ACCOUNT}_owner UNIQUE NULLS NOT DISTINCT
    (org_id, room_id, party_id, legal_entity_id, item_id),
  CONSTRAINT ck_{ACCOUNT}_balance CHECK (balance >= 0),
  {fk(ACCOUNT, "room_id", "resources_room")},{fk(ACCOUNT, "party_id", "customers_party")},
  {fk(ACCOUNT, "legal_entity_id", ENTITY, "company_id")},
  {fk(ACCOUNT, "item_id", "charging_item", "company_id")});
{indexes(ACCOUNT, "room_id", "party_id", "legal_entity_id", "item_id")}

CREATE TABLE {DEPOSIT} ({RECORD},
  item_id uuid NOT NULL, receipt_id uuid NOT NULL, room_id uuid NOT NULL, party_id uuid NOT NULL,
  party_name varchar(100) NOT NULL, legal_entity_id uuid NOT NULL, business_on date NOT NULL,
  release_on date, terms varchar(200) NOT NULL, amount amount NOT NULL, balance amount NOT NULL,
  state varchar NOT NULL,{keys(DEPOSIT)},
  CONSTRAINT ck_{DEPOSIT}_balance CHECK (amount > 0 AND balance >= 0 AND balance <= amount),
  CONSTRAINT ck_{DEPOSIT}_state CHECK (state IN ('held', 'partly', 'returned', 'reversed')),
  {fk(DEPOSIT, "item_id", ITEM, "company_id")},{fk(DEPOSIT, "receipt_id", "receiving_receipt")},
  {fk(DEPOSIT, "room_id", "resources_room")},{fk(DEPOSIT, "party_id", "customers_party")},
  {fk(DEPOSIT, "legal_entity_id", ENTITY, "company_id")});
{indexes(DEPOSIT, "item_id", "receipt_id", "room_id", "party_id", "legal_entity_id")}

CREATE TABLE {LINE} ({RECORD},
  receipt_id uuid NOT NULL, place integer NOT NULL, method_id uuid NOT NULL,
  code varchar(20) NOT NULL, kind varchar NOT NULL, account_id uuid NOT NULL,
  amount amount NOT NULL, deposit_id uuid,{keys(LINE)},
  CONSTRAINT uq_{LINE}_place UNIQUE (receipt_id, place),
  CONSTRAINT ck_{LINE}_amount CHECK (amount <> 0),
  CONSTRAINT ck_{LINE}_kind CHECK (kind IN ({KINDS})),
  CONSTRAINT ck_{LINE}_deposit CHECK ((kind = 'deposit') = (deposit_id IS NOT NULL)),
  {fk(LINE, "receipt_id", "receiving_receipt")},{fk(LINE, "method_id", METHOD, "company_id")},
  {fk(LINE, "account_id", LEDGER, "company_id")},{fk(LINE, "deposit_id", DEPOSIT)});
{indexes(LINE, "method_id", "account_id", "deposit_id")}

CREATE TABLE {PAYOUT} ({RECORD},
  number varchar(32) NOT NULL, business_on date NOT NULL, kind varchar NOT NULL,
  room_id uuid NOT NULL, party_id uuid NOT NULL, party_name varchar(100) NOT NULL,
  legal_entity_id uuid NOT NULL, method_id uuid NOT NULL, method varchar(20) NOT NULL,
  method_kind varchar NOT NULL, amount amount NOT NULL, reason varchar(200) NOT NULL,
  shift_id uuid NOT NULL,{keys(PAYOUT)},
  CONSTRAINT uq_{PAYOUT}_number UNIQUE (org_id, number),
  CONSTRAINT ck_{PAYOUT}_kind CHECK (kind IN ('prepaid', 'deposit')),
  CONSTRAINT ck_{PAYOUT}_method_kind CHECK (method_kind IN ({KINDS})),
  CONSTRAINT ck_{PAYOUT}_amount CHECK (amount > 0),
  CONSTRAINT ck_{PAYOUT}_reason CHECK (reason <> ''),
  {fk(PAYOUT, "room_id", "resources_room")},{fk(PAYOUT, "party_id", "customers_party")},
  {fk(PAYOUT, "legal_entity_id", ENTITY, "company_id")},
  {fk(PAYOUT, "method_id", METHOD, "company_id")},{fk(PAYOUT, "shift_id", SHIFT)});
{indexes(PAYOUT, "room_id", "party_id", "legal_entity_id", "method_id", "shift_id")}

CREATE TABLE {MOVE} ({RECORD},
  account_id uuid NOT NULL, kind varchar NOT NULL, amount amount NOT NULL, balance amount NOT NULL,
  business_on date NOT NULL, receipt_id uuid, payout_id uuid,{keys(MOVE)},
  CONSTRAINT ck_{MOVE}_amount CHECK (amount <> 0),
  CONSTRAINT ck_{MOVE}_document CHECK ((receipt_id IS NULL) <> (payout_id IS NULL)),
  CONSTRAINT ck_{MOVE}_kind CHECK (kind IN ({MOVES})),
  {fk(MOVE, "account_id", ACCOUNT)},{fk(MOVE, "receipt_id", "receiving_receipt")},
  {fk(MOVE, "payout_id", PAYOUT)});
{indexes(MOVE, "account_id", "receipt_id", "payout_id")}

CREATE TABLE {DEPOSIT_MOVE} ({RECORD},
  deposit_id uuid NOT NULL, kind varchar NOT NULL, amount amount NOT NULL, balance amount NOT NULL,
  business_on date NOT NULL, receipt_id uuid, payout_id uuid, reason varchar(200) NOT NULL,
  {keys(DEPOSIT_MOVE).strip()},
  CONSTRAINT ck_{DEPOSIT_MOVE}_amount CHECK (amount <> 0),
  CONSTRAINT ck_{DEPOSIT_MOVE}_evidence CHECK (kind <> 'deducted' OR reason <> ''),
  CONSTRAINT ck_{DEPOSIT_MOVE}_kind CHECK (kind IN ({MOVES})),
  {fk(DEPOSIT_MOVE, "deposit_id", DEPOSIT)},{fk(DEPOSIT_MOVE, "receipt_id", "receiving_receipt")},
  {fk(DEPOSIT_MOVE, "payout_id", PAYOUT)});
{indexes(DEPOSIT_MOVE, "deposit_id", "receipt_id", "payout_id")}
"""

# Row security is forced for the owner too, so each company is gone through in its own scope.
EXISTING = f"""
DO $$ DECLARE company uuid; BEGIN
FOR company IN SELECT kernel_companies() LOOP
  PERFORM set_config('app.company', company::text, true), set_config('app.all', 'on', true);
  INSERT INTO {LEDGER} (id, company_id, org_id, created_at, version, code, name, kind)
    SELECT uuid7(), company, company, now(), 1, code, name, kind
    FROM (VALUES ('220501', '预存款', 'liability'), ('224101', '押金', 'liability'),
      ('6301', '营业外收入', 'income')) AS fresh (code, name, kind)
    ON CONFLICT ON CONSTRAINT uq_ledger_account_code DO NOTHING;
  INSERT INTO {METHOD}
      (id, company_id, org_id, created_at, version, code, name, kind, account_id, rank, is_active)
    SELECT uuid7(), company, company, now(), 1, fresh.code, '', fresh.kind, account.id, rank, true
    FROM (VALUES ('cash', 'cash', '1001', 10), ('card', 'card', '1002', 20),
      ('wechat', 'channel', '1012', 30), ('alipay', 'channel', '1012', 40),
      ('scan', 'channel', '1012', 50), ('transfer', 'transfer', '1002', 60),
      ('prepaid', 'prepaid', '220501', 90), ('deposit', 'deposit', '224101', 95)
    ) AS fresh (code, kind, account, rank)
    JOIN {LEDGER} account ON account.company_id = company AND account.code = fresh.account;
  UPDATE receiving_receipt SET change = tendered - amount WHERE tendered IS NOT NULL;
  INSERT INTO {LINE} (id, company_id, org_id, created_at, created_by, version,
      receipt_id, place, method_id, code, kind, account_id, amount)
    SELECT uuid7(), receipt.company_id, receipt.org_id, receipt.created_at, receipt.created_by, 1,
      receipt.id, 1, method.id, method.code, method.kind, method.account_id, receipt.amount
    FROM receiving_receipt receipt
    JOIN {METHOD} method ON method.company_id = company AND method.code = receipt.method;
END LOOP;
PERFORM set_config('app.company', '', true), set_config('app.all', 'off', true);
END $$;
"""

FACTS = (LINE, PAYOUT, MOVE, DEPOSIT_MOVE)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(MASTERS)
    op.execute(RECEIPT)
    op.execute(TABLES)
    for table in (METHOD, SHIFT, ACCOUNT, ITEM, DEPOSIT):
        protect(table)
    for table in FACTS:
        protect(table, rights="SELECT, INSERT")
    op.execute(EXISTING)
    op.execute(TENDERED)


def downgrade() -> None:
    op.execute(
        "ALTER TABLE receiving_receipt DROP CONSTRAINT ck_receiving_receipt_tendered,"
        " DROP COLUMN change, DROP COLUMN shift_id,"
        " ALTER COLUMN method TYPE varchar,"
        " ADD CONSTRAINT ck_receiving_receipt_method"
        " CHECK (method IN ('cash', 'scan', 'card', 'transfer')) NOT VALID,"
        " ADD CONSTRAINT ck_receiving_receipt_tendered"
        " CHECK (tendered IS NULL OR (method = 'cash' AND tendered >= amount)) NOT VALID"
    )
    op.execute(
        f"DROP TABLE {DEPOSIT_MOVE}, {MOVE}, {PAYOUT}, {LINE}, {DEPOSIT}, {ITEM}, {ACCOUNT},"
        f" {SHIFT}, {METHOD}"
    )
