"""Organization: the tree of units, legal entities, and the questions asked past row security.

Revision: 0002
"""

from alembic import op

from cloud.migrations.grants import APP, protect

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE organization_unit (
  id uuid NOT NULL, company_id uuid NOT NULL, org_id uuid NOT NULL,
  created_at timestamptz NOT NULL, created_by uuid, version integer NOT NULL,
  kind varchar NOT NULL, parent_id uuid, code varchar(20) NOT NULL, name varchar(60) NOT NULL,
  city varchar(60) NOT NULL, time_zone varchar(40) NOT NULL,
  CONSTRAINT pk_organization_unit PRIMARY KEY (id),
  CONSTRAINT uq_organization_unit_org_id_id UNIQUE (org_id, id),
  CONSTRAINT uq_organization_unit_company_id_id UNIQUE (company_id, id),
  CONSTRAINT uq_organization_unit_code UNIQUE (company_id, code),
  CONSTRAINT ck_organization_unit_owns_itself CHECK (org_id = id),
  CONSTRAINT ck_organization_unit_one_root CHECK ((kind = 'company') = (parent_id IS NULL)),
  CONSTRAINT ck_organization_unit_kind CHECK (kind IN ('company', 'region', 'project')),
  CONSTRAINT fk_organization_unit_parent_id FOREIGN KEY (company_id, parent_id)
    REFERENCES organization_unit (company_id, id) ON DELETE RESTRICT);
CREATE INDEX ix_organization_unit_parent_id ON organization_unit (parent_id);

CREATE TABLE organization_legal_entity (
  id uuid NOT NULL, company_id uuid NOT NULL, org_id uuid NOT NULL,
  created_at timestamptz NOT NULL, created_by uuid, version integer NOT NULL,
  name varchar(100) NOT NULL, tax_number varchar(20) NOT NULL,
  CONSTRAINT pk_organization_legal_entity PRIMARY KEY (id),
  CONSTRAINT uq_organization_legal_entity_org_id_id UNIQUE (org_id, id),
  CONSTRAINT uq_organization_legal_entity_company_id_id UNIQUE (company_id, id),
  CONSTRAINT uq_organization_legal_entity_tax UNIQUE (company_id, tax_number));

-- Which companies there are. No policy, and no rights for anybody but the functions below.
CREATE TABLE organization_company (
  id uuid NOT NULL, CONSTRAINT pk_organization_company PRIMARY KEY (id));
"""

# FORCE row security holds for a function's owner too: each function sets the scope that it needs
# and puts the caller's back.
FUNCTIONS = """
CREATE FUNCTION kernel_companies() RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER
  SET search_path = public, pg_temp AS 'SELECT id FROM organization_company ORDER BY id';

CREATE FUNCTION organization_register_company(wanted uuid) RETURNS void LANGUAGE sql
  SECURITY DEFINER SET search_path = public, pg_temp
  AS 'INSERT INTO organization_company (id) VALUES (wanted)';

CREATE FUNCTION organization_is_unit(company uuid, unit uuid) RETURNS boolean LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  old_company text := current_setting('app.company', true);
  old_all text := current_setting('app.all', true);
  found_it boolean;
BEGIN
  PERFORM set_config('app.company', company::text, true), set_config('app.all', 'on', true);
  found_it := EXISTS (SELECT 1 FROM organization_unit WHERE id = unit);
  PERFORM set_config('app.company', coalesce(old_company, ''), true),
          set_config('app.all', coalesce(old_all, ''), true);
  RETURN found_it;
END $$;

CREATE FUNCTION organization_ancestors(company uuid, unit uuid) RETURNS uuid[] LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  old_company text := current_setting('app.company', true);
  old_all text := current_setting('app.all', true);
  above uuid[];
BEGIN
  PERFORM set_config('app.company', company::text, true), set_config('app.all', 'on', true);
  WITH RECURSIVE up AS (
    SELECT id, parent_id, 0 AS depth FROM organization_unit WHERE id = unit
    UNION ALL
    SELECT parent.id, parent.parent_id, depth + 1
    FROM organization_unit parent JOIN up ON parent.id = up.parent_id)
  SELECT array_agg(id ORDER BY depth) FILTER (WHERE depth > 0) INTO above FROM up;
  PERFORM set_config('app.company', coalesce(old_company, ''), true),
          set_config('app.all', coalesce(old_all, ''), true);
  RETURN above;
END $$;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(TABLES)
    protect("organization_unit")
    protect("organization_legal_entity")
    op.execute(FUNCTIONS)
    for function in (
        "kernel_companies()",
        "organization_register_company(uuid)",
        "organization_is_unit(uuid, uuid)",
        "organization_ancestors(uuid, uuid)",
    ):
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {APP}")


def downgrade() -> None:
    op.execute("DROP TABLE organization_legal_entity, organization_company")
    op.execute("DROP FUNCTION kernel_companies, organization_register_company")
    op.execute("DROP FUNCTION organization_is_unit, organization_ancestors")
    op.execute("DROP TABLE organization_unit")
