"""What the office sees of exports."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from cloud.kernel.exports.models import ExportState


class ExportRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    page: str
    title: str
    state: ExportState
    total: int
    written: int
    file_bytes: int | None
    created_at: datetime
    finished_at: datetime | None
    failure: str


class Exports(BaseModel):
    """The caller's own, newest first."""

    items: list[ExportRead]
