"""What the receiving module prints; each copy is counted."""

from __future__ import annotations

from uuid import UUID

from fastapi import Response

from cloud.kernel.context import Ctx
from cloud.kernel.printing.sheets import print_sheet
from cloud.modules.receiving import queries


async def print_receipt(ctx: Ctx, *, receipt_id: UUID) -> Response:
    """The receipt as PDF. Raises NotFound, PrintingBusy, PrintingFailed."""
    return await print_sheet(ctx, await queries.receipt_sheet(ctx, receipt_id))
