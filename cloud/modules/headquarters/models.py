"""Targets of collection: what a unit is measured against on the dashboards."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, UniqueConstraint

from cloud.kernel.db import Record, quantity_column, scope_keys


class Target(Record, table=True):
    """From `month` on, until the next one. `org_id` is the unit that it holds for, and everything
    below it that has none of its own."""

    __tablename__ = "headquarters_target"
    __table_args__ = (
        *scope_keys("headquarters_target"),
        UniqueConstraint("org_id", "month", name="uq_headquarters_target_month"),
        CheckConstraint("month = date_trunc('month', month)", name="month"),
        CheckConstraint("current_rate BETWEEN 0 AND 1", name="current_rate"),
        CheckConstraint("old_rate BETWEEN 0 AND 1", name="old_rate"),
        CheckConstraint("combined_rate BETWEEN 0 AND 1", name="combined_rate"),
    )

    month: date
    current_rate: Decimal = quantity_column()
    old_rate: Decimal | None = quantity_column(default=None)
    combined_rate: Decimal = quantity_column()
