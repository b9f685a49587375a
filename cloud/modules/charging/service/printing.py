"""Printing bills: each copy is counted."""

from __future__ import annotations

from uuid import UUID

from fastapi import Response

from cloud.kernel.context import Ctx
from cloud.kernel.printing.sheets import print_sheet
from cloud.modules.charging import queries


async def print_bill(ctx: Ctx, *, bill_id: UUID) -> Response:
    """Raises NotFound, PrintingBusy and PrintingFailed."""
    return await print_sheet(ctx, await queries.bill_sheet(ctx, bill_id))
