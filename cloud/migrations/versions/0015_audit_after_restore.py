"""Sealing goes on in a cluster that a dump was restored into.

Seals are over ranges of transaction ids, which begin anew in every cluster. A base is added to
them: 0 in the first cluster, past everything that was recorded in each later one.

Revision: 0015
"""

from alembic import op

from cloud.migrations.grants import APP

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

CLUSTER = """
CREATE TABLE kernel_cluster (
  one boolean NOT NULL DEFAULT true, identifier bigint NOT NULL, base bigint NOT NULL,
  CONSTRAINT pk_kernel_cluster PRIMARY KEY (one), CONSTRAINT ck_kernel_cluster_one CHECK (one));
INSERT INTO kernel_cluster (identifier, base) SELECT system_identifier, 0 FROM pg_control_system();

CREATE FUNCTION kernel_xact() RETURNS bigint LANGUAGE sql VOLATILE AS
  'SELECT pg_current_xact_id()::text::bigint + base FROM kernel_cluster';

-- Below it nothing can be added any more.
CREATE FUNCTION kernel_settled_xact() RETURNS bigint LANGUAGE sql STABLE AS
  'SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1 + base FROM kernel_cluster';

-- Row security holds for the owner too, so the companies are gone through one after the other.
CREATE FUNCTION kernel_rebase() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  now_in bigint := (SELECT system_identifier FROM pg_control_system());
  highest bigint := 0;
  company uuid;
BEGIN
  IF EXISTS (SELECT 1 FROM kernel_cluster WHERE identifier = now_in) THEN
    RETURN;
  END IF;
  PERFORM set_config('app.all', 'on', true);
  FOR company IN SELECT kernel_companies() LOOP
    PERFORM set_config('app.company', company::text, true);
    SELECT greatest(highest, (SELECT max(xact) FROM kernel_audit_row),
                    (SELECT max(last_xact) FROM kernel_audit_seal)) INTO highest;
  END LOOP;
  UPDATE kernel_cluster SET identifier = now_in, base = highest;
END $$;

ALTER TABLE kernel_audit_row ALTER COLUMN xact SET DEFAULT kernel_xact();
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(CLUSTER)
    op.execute(f"GRANT SELECT ON kernel_cluster TO {APP}")
    op.execute("REVOKE ALL ON FUNCTION kernel_rebase() FROM PUBLIC")


def downgrade() -> None:
    op.execute(
        "ALTER TABLE kernel_audit_row"
        " ALTER COLUMN xact SET DEFAULT (pg_current_xact_id()::text::bigint)"
    )
    op.execute("DROP FUNCTION kernel_rebase(), kernel_settled_xact(), kernel_xact()")
    op.execute("DROP TABLE kernel_cluster")
