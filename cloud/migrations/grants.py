"""The rights of the two unprivileged roles, said once for each kind of table.

`wuye_app` owns nothing and serves people; `wuye_host` is a member of it that may also fill
telemetry partitions and take shard leases. Both are created before the first revision runs.
"""

from __future__ import annotations

from alembic import op

from cloud.kernel.db import row_policy
from cloud.kernel.roles import APP, HOST


def protect(table: str, *, rights: str = "SELECT, INSERT, UPDATE") -> None:
    """Force row security on a business table and grant the app its rights.

    A fact (bill, receipt, journal line) gets "SELECT, INSERT": posted is posted.
    """
    for statement in row_policy(table):
        op.execute(statement)
    op.execute(f"GRANT {rights} ON {table} TO {APP}")


__all__ = ["APP", "HOST", "protect"]
