"""`GET /healthz`: what `up` says of every part, and whether this process reaches the database."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from cloud.kernel.clock import utc_now
from cloud.kernel.runtime import Runtime

STATUS_AGE_MAX_S = 15.0
PING_TIMEOUT_S = 2.0

router = APIRouter(tags=["health"])


class Part(BaseModel):
    status: str
    detail: str


class Health(BaseModel):
    status: Literal["ready", "starting", "degraded"]
    parts: dict[str, Part]


@router.get("/healthz", response_model=Health, responses={503: {"model": Health}})
async def healthz(request: Request) -> JSONResponse:
    health = await check(request.app.state.runtime)
    return JSONResponse(health.model_dump(), 200 if health.status == "ready" else 503)


async def check(runtime: Runtime) -> Health:
    """Ready only when every part that `up` supervises is, and the database answers here."""
    parts, overall = _supervised(runtime.settings.data_dir / "status.json")
    parts["database"] = await _database(runtime)
    if parts["database"].status != "ready":
        overall = "degraded"
    return Health(status=overall, parts=parts)


def _supervised(path: Path) -> tuple[dict[str, Part], Literal["ready", "starting", "degraded"]]:
    try:
        status: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        # Run without `up` (by systemd, in a container): this process can speak for itself only.
        return {}, "ready"
    age = (utc_now() - datetime.fromisoformat(status["at"]).astimezone(UTC)).total_seconds()
    parts = {
        name: Part(status=part["status"], detail=part["detail"])
        for name, part in status["parts"].items()
    }
    if age > STATUS_AGE_MAX_S:
        parts["supervisor"] = Part(status="down", detail=f"silent for {age:.0f} s")
        return parts, "degraded"
    overall: dict[str, Literal["ready", "starting", "degraded"]] = {
        "ready": "ready",
        "starting": "starting",
    }
    return parts, overall.get(status["status"], "degraded")


async def _database(runtime: Runtime) -> Part:
    try:
        async with asyncio.timeout(PING_TIMEOUT_S), runtime.sessions() as session:
            await session.execute(text("SELECT 1"))
    except (SQLAlchemyError, TimeoutError, OSError) as error:
        return Part(status="down", detail=type(error).__name__)
    return Part(status="ready", detail="")
