"""The kernel: domains, uuid7(), roles' rights, jobs, and the kernel's own tables.

Revision: 0001
"""

from pathlib import Path

from alembic import op
from sqlalchemy.dialects import postgresql

from cloud.kernel.db import company_policy
from cloud.migrations.grants import APP, HOST

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

JOBS_SQL = Path(__file__).parents[1] / "sql" / "procrastinate_3_10.sql"

DOMAINS = """
CREATE DOMAIN amount AS numeric CHECK (scale(VALUE) <= 2 AND abs(VALUE) < 1e15);
CREATE DOMAIN unit_price AS numeric CHECK (scale(VALUE) <= 6 AND abs(VALUE) < 1e12);
CREATE DOMAIN quantity AS numeric CHECK (scale(VALUE) <= 4 AND abs(VALUE) < 1e14);
"""

# RFC 9562 version 7: 48 bits of milliseconds, then random bits, with version and variant set.
UUID7 = """
CREATE FUNCTION uuid7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
  SELECT encode(
    set_bit(set_bit(overlay(
      uuid_send(gen_random_uuid())
      PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
      FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
$$;
"""

TABLES = """
CREATE TABLE kernel_idempotency_key (
  company_id uuid NOT NULL, principal_id uuid NOT NULL, key varchar(100) NOT NULL,
  route varchar NOT NULL, digest bytea NOT NULL, status integer, answer jsonb,
  created_at timestamptz NOT NULL,
  CONSTRAINT pk_kernel_idempotency_key PRIMARY KEY (company_id, principal_id, key));
CREATE INDEX ix_kernel_idempotency_key_created_at ON kernel_idempotency_key (created_at);

CREATE TABLE kernel_number_series (
  company_id uuid NOT NULL, org_id uuid NOT NULL, series varchar(16) NOT NULL,
  period varchar(8) NOT NULL, next_number bigint NOT NULL,
  CONSTRAINT pk_kernel_number_series PRIMARY KEY (company_id, org_id, series, period));

CREATE TABLE kernel_audit_row (
  id bigint GENERATED ALWAYS AS IDENTITY, company_id uuid NOT NULL, org_id uuid NOT NULL,
  xact bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
  at timestamptz NOT NULL, actor_kind varchar NOT NULL, actor_id uuid, address varchar NOT NULL,
  action varchar NOT NULL, subject_kind varchar NOT NULL, subject_id uuid,
  before jsonb, after jsonb, reason varchar NOT NULL, request_id varchar NOT NULL,
  CONSTRAINT pk_kernel_audit_row PRIMARY KEY (id));
CREATE INDEX ix_kernel_audit_row_subject ON kernel_audit_row (subject_kind, subject_id);
CREATE INDEX ix_kernel_audit_row_company_id_xact ON kernel_audit_row (company_id, xact);

CREATE TABLE kernel_audit_seal (
  company_id uuid NOT NULL, number integer NOT NULL, first_xact bigint NOT NULL,
  last_xact bigint NOT NULL, row_count integer NOT NULL, sealed_at timestamptz NOT NULL,
  digest bytea NOT NULL,
  CONSTRAINT pk_kernel_audit_seal PRIMARY KEY (company_id, number));

CREATE TABLE kernel_timer (
  name varchar NOT NULL, cron varchar NOT NULL, next_at timestamptz NOT NULL,
  last_at timestamptz, CONSTRAINT pk_kernel_timer PRIMARY KEY (name));

CREATE TABLE kernel_shard_lease (
  shard integer NOT NULL, host varchar, address varchar, epoch bigint NOT NULL,
  expires_at timestamptz, CONSTRAINT pk_kernel_shard_lease PRIMARY KEY (shard));
INSERT INTO kernel_shard_lease (shard, epoch) SELECT generate_series(0, 1023), 0;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    op.execute(f"GRANT USAGE ON SCHEMA public TO {APP}")
    op.execute(DOMAINS)
    op.execute(UUID7)
    op.execute(TABLES)
    for table in ("idempotency_key", "number_series", "audit_row", "audit_seal"):
        for statement in company_policy(f"kernel_{table}"):
            op.execute(statement)
    op.execute(
        f"GRANT SELECT, INSERT, UPDATE ON kernel_idempotency_key, kernel_number_series TO {APP}"
    )
    op.execute(f"GRANT DELETE ON kernel_idempotency_key TO {APP}")  # retention.py forgets
    op.execute(f"GRANT SELECT, INSERT ON kernel_audit_row, kernel_audit_seal TO {APP}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON kernel_timer TO {APP}")
    op.execute(f"GRANT SELECT ON kernel_shard_lease TO {APP}")
    op.execute(f"GRANT UPDATE ON kernel_shard_lease TO {HOST}")
    _install_jobs()


def _install_jobs() -> None:
    connection = op.get_bind()
    assert connection.dialect.name == postgresql.dialect.name
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor:
        cursor.execute(JOBS_SQL.read_text())
    for kind in ("tables", "sequences"):
        rights = "SELECT, INSERT, UPDATE, DELETE" if kind == "tables" else "USAGE"
        op.execute(f"""
            DO $$ DECLARE name text; BEGIN
              FOR name IN SELECT relname FROM pg_class WHERE relname LIKE 'procrastinate%'
                AND relnamespace = 'public'::regnamespace
                AND relkind = {"ANY ('{r,p}')" if kind == "tables" else "'S'"} LOOP
                EXECUTE format('GRANT {rights} ON %I TO {APP}', name);
              END LOOP; END $$;
        """)


def downgrade() -> None:
    op.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
