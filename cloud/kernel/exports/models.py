"""Exports that run in the background, and where each stands."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from cloud.kernel.db import Record, enum_column, instant_column, one_of, scope_keys


class ExportState(StrEnum):
    waiting = "waiting"
    running = "running"
    done = "done"
    failed = "failed"
    expired = "expired"


class Export(Record, table=True):
    """A list that somebody takes away as a file. `query` is the filter as it was sent."""

    __tablename__ = "kernel_export"
    __table_args__ = (
        *scope_keys("kernel_export"),
        one_of("state", ExportState),
        Index("ix_kernel_export_created_by_created_at", "created_by", "created_at"),
    )

    page: str = Field(max_length=80)
    title: str = Field(max_length=100)
    query: dict[str, Any] = Field(sa_type=JSONB)
    locale: str = Field(max_length=10)
    state: ExportState = enum_column(default=ExportState.waiting)
    total: int
    written: int = 0
    file_bytes: int | None = None
    finished_at: datetime | None = instant_column(default=None)
    failure: str = Field(default="", max_length=400)
