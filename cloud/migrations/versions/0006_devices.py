"""Devices: gateways, points, twins, telemetry, commands.

Revision: 0006
"""

from alembic import op

from cloud.migrations.grants import APP, HOST, protect

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

RECORD = """
  id uuid NOT NULL, company_id uuid NOT NULL, org_id uuid NOT NULL,
  created_at timestamptz NOT NULL, created_by uuid, version integer NOT NULL"""


def keys(table: str) -> str:
    return f"""
  CONSTRAINT pk_{table} PRIMARY KEY (id),
  CONSTRAINT uq_{table}_org_id_id UNIQUE (org_id, id),
  CONSTRAINT uq_{table}_company_id_id UNIQUE (company_id, id)"""


TABLES = f"""
CREATE TABLE devices_gateway ({RECORD},
  code varchar(64) NOT NULL, state varchar NOT NULL, since timestamptz, seen_at timestamptz,
  epoch uuid, boot_id uuid, backlog bigint NOT NULL, config_hash varchar(64) NOT NULL,
  agent_version varchar(40) NOT NULL, {keys("devices_gateway")},
  CONSTRAINT uq_devices_gateway_site UNIQUE (org_id),
  CONSTRAINT uq_devices_gateway_code UNIQUE (company_id, code),
  CONSTRAINT ck_devices_gateway_state CHECK (state IN ('never', 'online', 'offline')));

CREATE TABLE devices_device ({RECORD},
  gateway_id uuid NOT NULL, bus varchar(20) NOT NULL, unit_id integer NOT NULL,
  code varchar(40) NOT NULL, name varchar(60) NOT NULL, kind varchar NOT NULL,
  place varchar(120) NOT NULL, space_id uuid, {keys("devices_device")},
  CONSTRAINT uq_devices_device_code UNIQUE (org_id, code),
  CONSTRAINT uq_devices_device_address UNIQUE (gateway_id, bus, unit_id),
  CONSTRAINT ck_devices_device_unit_id CHECK (unit_id BETWEEN 0 AND 247),
  CONSTRAINT ck_devices_device_kind
    CHECK (kind IN ('electricity', 'water', 'gas', 'heat', 'other')),
  CONSTRAINT fk_devices_device_gateway_id FOREIGN KEY (org_id, gateway_id)
    REFERENCES devices_gateway (org_id, id) ON DELETE RESTRICT,
  CONSTRAINT fk_devices_device_space_id FOREIGN KEY (org_id, space_id)
    REFERENCES resources_space (org_id, id) ON DELETE RESTRICT);
CREATE INDEX ix_devices_device_gateway_id ON devices_device (gateway_id);
CREATE INDEX ix_devices_device_space_id ON devices_device (space_id);

CREATE TABLE devices_point ({RECORD},
  point_no integer GENERATED ALWAYS AS IDENTITY, device_id uuid NOT NULL,
  code varchar(40) NOT NULL, label varchar(40) NOT NULL, unit varchar(12) NOT NULL,
  digits integer NOT NULL, lane varchar NOT NULL, register_table varchar(10) NOT NULL,
  address integer NOT NULL, register_type varchar(10) NOT NULL, word_order varchar(6) NOT NULL,
  scale unit_price NOT NULL, every_s integer NOT NULL, {keys("devices_point")},
  CONSTRAINT uq_devices_point_point_no UNIQUE (point_no),
  CONSTRAINT uq_devices_point_org_id_point_no UNIQUE (org_id, point_no),
  CONSTRAINT uq_devices_point_code UNIQUE (device_id, code),
  CONSTRAINT ck_devices_point_address CHECK (address BETWEEN 0 AND 65535),
  CONSTRAINT ck_devices_point_digits CHECK (digits BETWEEN 0 AND 6),
  CONSTRAINT ck_devices_point_every_s CHECK (every_s BETWEEN 1 AND 86400),
  CONSTRAINT ck_devices_point_register_table CHECK (register_table IN ('holding', 'input')),
  CONSTRAINT ck_devices_point_lane CHECK (lane IN ('meter', 'tele')),
  CONSTRAINT fk_devices_point_device_id FOREIGN KEY (org_id, device_id)
    REFERENCES devices_device (org_id, id) ON DELETE RESTRICT);
CREATE INDEX ix_devices_point_device_id ON devices_point (device_id);

CREATE TABLE devices_twin (
  point_no integer NOT NULL, company_id uuid NOT NULL, org_id uuid NOT NULL,
  value double precision, quality smallint NOT NULL, measured_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  CONSTRAINT pk_devices_twin PRIMARY KEY (point_no),
  CONSTRAINT fk_devices_twin_point_no FOREIGN KEY (org_id, point_no)
    REFERENCES devices_point (org_id, point_no) ON DELETE RESTRICT)
  WITH (fillfactor = 70);
CREATE INDEX ix_devices_twin_org_id ON devices_twin (org_id);

CREATE TABLE devices_watermark (
  org_id uuid NOT NULL, lane varchar(10) NOT NULL, epoch uuid NOT NULL, company_id uuid NOT NULL,
  next_seq bigint NOT NULL, updated_at timestamptz NOT NULL,
  CONSTRAINT pk_devices_watermark PRIMARY KEY (org_id, lane, epoch)) WITH (fillfactor = 70);

CREATE TABLE devices_gap ({RECORD},
  lane varchar(10) NOT NULL, epoch uuid, seq_from bigint, seq_to bigint,
  from_at timestamptz, to_at timestamptz, count bigint, reason varchar(500) NOT NULL,
  {keys("devices_gap")});
CREATE INDEX ix_devices_gap_org_id_created_at ON devices_gap (org_id, created_at);

CREATE TABLE devices_command ({RECORD},
  point_no integer NOT NULL, op varchar(10) NOT NULL, argument double precision,
  issued_at timestamptz NOT NULL, expires_at timestamptz NOT NULL, state varchar NOT NULL,
  outcome varchar, value double precision, measured_at timestamptz, detail varchar(500) NOT NULL,
  finished_at timestamptz, {keys("devices_command")},
  CONSTRAINT ck_devices_command_op CHECK (op IN ('read_now', 'write')),
  CONSTRAINT ck_devices_command_finished CHECK ((state = 'finished') = (outcome IS NOT NULL)),
  CONSTRAINT ck_devices_command_state CHECK (state IN ('sent', 'accepted', 'finished')),
  CONSTRAINT ck_devices_command_outcome
    CHECK (outcome IN ('done', 'failed', 'rejected', 'expired', 'unknown')),
  CONSTRAINT fk_devices_command_point_no FOREIGN KEY (org_id, point_no)
    REFERENCES devices_point (org_id, point_no) ON DELETE RESTRICT);
CREATE INDEX ix_devices_command_point_no ON devices_command (point_no);

CREATE TABLE devices_event ({RECORD},
  at timestamptz NOT NULL, kind varchar NOT NULL, params jsonb NOT NULL,
  {keys("devices_event")},
  CONSTRAINT ck_devices_event_kind CHECK (kind IN
    ('gateway_online', 'gateway_offline', 'gap', 'command_done', 'command_failed')));
CREATE INDEX ix_devices_event_org_id_at ON devices_event (org_id, at);

-- A host knows a site by its topic only. No policy, and no rights but for the functions below.
CREATE TABLE devices_uplink_site (
  site_id uuid NOT NULL, company_id uuid NOT NULL,
  CONSTRAINT pk_devices_uplink_site PRIMARY KEY (site_id));

-- No company columns: the policy goes through the point. Row security refuses COPY, so hosts name
-- the partition, on which the app has no right at all.
CREATE TABLE devices_telemetry (
  point_no integer NOT NULL, measured_at timestamptz NOT NULL, received_at timestamptz NOT NULL,
  value double precision NOT NULL, quality smallint NOT NULL) PARTITION BY RANGE (measured_at);
CREATE INDEX ix_devices_telemetry_point_no_measured_at
  ON devices_telemetry (point_no, measured_at);
ALTER TABLE devices_telemetry ENABLE ROW LEVEL SECURITY;
ALTER TABLE devices_telemetry FORCE ROW LEVEL SECURITY;
CREATE POLICY devices_telemetry_read ON devices_telemetry FOR SELECT USING (
  EXISTS (SELECT 1 FROM devices_point p WHERE p.point_no = devices_telemetry.point_no));
"""

FUNCTIONS = f"""
CREATE FUNCTION devices_register_site(site uuid) RETURNS void LANGUAGE sql SECURITY DEFINER
  SET search_path = public, pg_temp AS $$
  INSERT INTO devices_uplink_site (site_id, company_id)
    SELECT id, company_id FROM organization_unit WHERE id = site AND kind = 'project'
  ON CONFLICT (site_id) DO NOTHING
$$;

CREATE FUNCTION devices_place_of(site uuid, OUT company uuid, OUT above uuid[]) LANGUAGE sql
  SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT company_id, organization_ancestors(company_id, site_id)
  FROM devices_uplink_site WHERE site_id = site
$$;

-- Months are those of UTC. Answers how many partitions it made.
CREATE FUNCTION devices_extend_partitions() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = public, pg_temp AS $$
DECLARE
  first date;
  name text;
  made integer := 0;
BEGIN
  PERFORM set_config('TimeZone', 'UTC', true);
  PERFORM pg_advisory_xact_lock(7309313);
  FOR months IN -14..3 LOOP
    first := date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => months);
    name := 'devices_telemetry_' || to_char(first, 'YYYY_MM');
    CONTINUE WHEN to_regclass(name) IS NOT NULL;
    EXECUTE format('CREATE TABLE %I PARTITION OF devices_telemetry FOR VALUES FROM (%L) TO (%L)',
      name, first::timestamptz, (first + interval '1 month')::timestamptz);
    EXECUTE format('GRANT INSERT ON %I TO {HOST}', name);
    made := made + 1;
  END LOOP;
  RETURN made;
END $$;
"""

RIGHTS = {
    "devices_register_site(uuid)": APP,
    "devices_place_of(uuid)": HOST,
    "devices_extend_partitions()": APP,
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(TABLES)
    for table in ("gateway", "device", "point", "twin", "watermark", "command"):
        protect(f"devices_{table}")
    for table in ("gap", "event"):
        protect(f"devices_{table}", rights="SELECT, INSERT")
    op.execute(f"GRANT SELECT ON devices_telemetry TO {APP}")
    op.execute(FUNCTIONS)
    for function, role in RIGHTS.items():
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {role}")
    op.execute("SELECT devices_extend_partitions()")


def downgrade() -> None:
    for function in RIGHTS:
        op.execute(f"DROP FUNCTION {function}")
    for table in (
        "telemetry",
        "uplink_site",
        "event",
        "command",
        "gap",
        "watermark",
        "twin",
        "point",
        "device",
        "gateway",
    ):
        op.execute(f"DROP TABLE devices_{table}")
