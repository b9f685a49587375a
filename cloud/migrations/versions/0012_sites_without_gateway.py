"""A host finds any project's company: a community bills before its gateway is added.

Revision: 0012
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# FORCE row security holds for a function's owner too: the scope is set and put back.
ANY_PROJECT = """
CREATE OR REPLACE FUNCTION devices_place_of(site uuid, OUT company uuid, OUT above uuid[])
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  old_company text := current_setting('app.company', true);
  old_all text := current_setting('app.all', true);
BEGIN
  SELECT company_id INTO company FROM devices_uplink_site WHERE site_id = site;
  IF company IS NULL THEN
    PERFORM set_config('app.all', 'on', true);
    FOR company IN SELECT id FROM organization_company ORDER BY id LOOP
      PERFORM set_config('app.company', company::text, true);
      EXIT WHEN EXISTS (SELECT 1 FROM organization_unit WHERE id = site AND kind = 'project');
      company := NULL;
    END LOOP;
    PERFORM set_config('app.company', coalesce(old_company, ''), true),
            set_config('app.all', coalesce(old_all, ''), true);
  END IF;
  above := organization_ancestors(company, site);
END $$
"""
WITH_GATEWAY = """
CREATE OR REPLACE FUNCTION devices_place_of(site uuid, OUT company uuid, OUT above uuid[])
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT company_id, organization_ancestors(company_id, site_id)
  FROM devices_uplink_site WHERE site_id = site
$$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(ANY_PROJECT)


def downgrade() -> None:
    op.execute(WITH_GATEWAY)
