"""What stands on a printed bill, and how its basis reads in one line of a receipt."""

from __future__ import annotations

from uuid import UUID

from cloud.kernel.context import Ctx
from cloud.kernel.errors import NotFound
from cloud.kernel.printing.sheets import Fact, Heading, Line, Sheet, money_text
from cloud.modules.charging.models import Bill
from cloud.modules.charging.queries.bills import read_bill
from cloud.modules.charging.queries.explain import price_unit, unit_of
from cloud.modules.charging.rules import from_snapshot, plain_number, prices_of
from cloud.modules.organization.models import LegalEntity


def quantity_and_price(ctx: Ctx, bill: Bill) -> tuple[str, str]:
    """ "89.53 ㎡" and "2.38 yuan/㎡·month", as the bill was computed."""
    basis = from_snapshot(bill.snapshot)
    prices = [plain_number(price) for price in prices_of(basis)]
    return (
        f"{plain_number(basis.quantity)} {unit_of(ctx, basis)}".strip(),
        f"{' / '.join(prices)} {price_unit(ctx, basis)}",
    )


async def bill_sheet(ctx: Ctx, bill_id: UUID) -> Sheet:
    """A notice of what is due and how it was computed. Raises NotFound."""
    detail = await read_bill(ctx, bill_id)
    bill = await ctx.get(Bill, bill_id)
    entity = await ctx.find(LegalEntity, bill.legal_entity_id)
    if entity is None:
        raise NotFound
    quantity, price = quantity_and_price(ctx, bill)
    period = f"{detail.period.first} ~ {detail.period.last}"
    return Sheet(
        kind="charging.bill",
        subject_id=bill.id,
        org_id=bill.org_id,
        title=ctx.say("Payment notice"),
        number=bill.number,
        company=entity.name,
        site=detail.site_name,
        facts=(
            Fact(ctx.say("Room"), detail.room_name),
            Fact(ctx.say("Owner"), detail.payer_name),
            Fact(ctx.say("Due date"), str(detail.due_on)),
        ),
        columns=(
            Heading(ctx.say("Charge item"), wide=True),
            Heading(ctx.say("Period")),
            Heading(ctx.say("Quantity"), right=True),
            Heading(ctx.say("Unit price"), right=True),
            Heading(ctx.say("Amount"), right=True),
        ),
        rows=((detail.item_name, period, quantity, price, money_text(detail.amount)),),
        total_label=ctx.say("Due"),
        total=detail.amount,
        foot=(
            Fact(ctx.say("Received"), money_text(detail.paid)),
            Fact(ctx.say("Open"), money_text(detail.open)),
            Fact(ctx.say("Issued on"), str(detail.issued_on)),
        ),
        lines_title=ctx.say("How it was computed"),
        lines=tuple(Line(line.label, line.value, line.source) for line in detail.explanation.lines),
        note=ctx.say("If this has been paid already, please disregard it."),
    )
