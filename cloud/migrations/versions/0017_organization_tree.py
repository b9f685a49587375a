"""The tree over time: a unit's state, where it stood, its departments.

Revision: 0017
"""

from alembic import op

from cloud.migrations.grants import protect

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

RECORD = """
  id uuid NOT NULL, company_id uuid NOT NULL, org_id uuid NOT NULL,
  created_at timestamptz NOT NULL, created_by uuid, version integer NOT NULL"""

TABLES = f"""
ALTER TABLE organization_unit
  ADD COLUMN state varchar NOT NULL DEFAULT 'active',
  ADD COLUMN opened_on date, ADD COLUMN closed_on date,
  ADD CONSTRAINT ck_organization_unit_state CHECK (state IN ('preparing', 'active', 'closed')),
  ADD CONSTRAINT ck_organization_unit_closed_on
    CHECK ((state = 'closed') = (closed_on IS NOT NULL));
ALTER TABLE organization_unit ALTER COLUMN state DROP DEFAULT;

CREATE TABLE organization_placement ({RECORD},
  unit_id uuid NOT NULL, parent_id uuid NOT NULL, valid_from date NOT NULL, valid_to date,
  CONSTRAINT pk_organization_placement PRIMARY KEY (id),
  CONSTRAINT ck_organization_placement_valid_to CHECK (valid_to > valid_from),
  CONSTRAINT fk_organization_placement_unit_id FOREIGN KEY (org_id, unit_id)
    REFERENCES organization_unit (org_id, id) ON DELETE RESTRICT,
  CONSTRAINT fk_organization_placement_parent_id FOREIGN KEY (company_id, parent_id)
    REFERENCES organization_unit (company_id, id) ON DELETE RESTRICT);
CREATE INDEX ix_organization_placement_unit_id ON organization_placement (unit_id);
CREATE INDEX ix_organization_placement_parent_id ON organization_placement (parent_id);
CREATE UNIQUE INDEX uq_organization_placement_open ON organization_placement (org_id, unit_id)
  WHERE valid_to IS NULL;

CREATE TABLE organization_department ({RECORD},
  code varchar(20) NOT NULL, name varchar(60) NOT NULL, leader varchar(60) NOT NULL,
  closed_on date,
  CONSTRAINT pk_organization_department PRIMARY KEY (id),
  CONSTRAINT uq_organization_department_org_id_id UNIQUE (org_id, id),
  CONSTRAINT uq_organization_department_company_id_id UNIQUE (company_id, id),
  CONSTRAINT uq_organization_department_code UNIQUE (org_id, code));
"""

# Forced row security holds for the owner too: lifted for the one statement that looks at all rows.
FIRST_PLACES = """
ALTER TABLE organization_unit NO FORCE ROW LEVEL SECURITY;
INSERT INTO organization_placement
  (id, company_id, org_id, created_at, created_by, version, unit_id, parent_id, valid_from)
SELECT uuid7(), company_id, org_id, created_at, created_by, 1, id, parent_id,
  (created_at AT TIME ZONE time_zone)::date
FROM organization_unit WHERE parent_id IS NOT NULL;
ALTER TABLE organization_unit FORCE ROW LEVEL SECURITY;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(TABLES)
    op.execute(FIRST_PLACES)
    protect("organization_placement")
    protect("organization_department")


def downgrade() -> None:
    op.execute("DROP TABLE organization_department, organization_placement")
    op.execute(
        "ALTER TABLE organization_unit DROP COLUMN state, DROP COLUMN opened_on,"
        " DROP COLUMN closed_on"
    )
