"""The demo communities' receipts: most rooms paid last month, some this month, a few today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlmodel import col

from cloud.kernel.money import ZERO, round_money
from cloud.kernel.periods import ONE_DAY, add_months
from cloud.kernel.seeding import Seeding
from cloud.modules.charging import queries as charging
from cloud.modules.charging.service import Payment
from cloud.modules.ledger import service as ledger
from cloud.modules.receiving import service
from cloud.modules.receiving.models import Method, Receipt, Shift
from cloud.modules.receiving.queries.shifts import cash_of_shift

SHANGHAI = ZoneInfo("Asia/Shanghai")
CASHIERS = {"LT": "shoufei", "YS": "kuaiji", "JH": "shoufei2"}
PAID_LAST_MONTH, PAID_IN_PART, PAID_THIS_MONTH, PAID_TODAY = 82, 6, 45, 10  # % of rooms
HELD = 4
COUNTING = timedelta(minutes=15)
DEPOSIT_ITEMS = (
    ("renovation", "装修保证金", "2000.00"),
    ("access_card", "门禁卡押金", "20.00"),
    ("waste", "装修垃圾押金", "500.00"),
)
METHODS = (
    (Method.wechat,) * 3
    + (Method.alipay,) * 2
    + (Method.cash,) * 3
    + (Method.card, Method.transfer)
)


@dataclass(frozen=True)
class Planned:
    """One receipt to take: bills of periods up to `until`, all of them or `percent`."""

    at: datetime
    room: str
    until: date
    percent: int
    method: Method


async def seed(seeding: Seeding) -> None:
    seeding_person = seeding.principal
    async with seeding.unit() as ctx:
        await service.add_standard_methods(ctx)
        for code, name, usual in DEPOSIT_ITEMS:
            item = await service.add_deposit_item(
                ctx,
                code=code,
                name=name,
                legal_entity_id=seeding.ids["legal_entity"],
                usual_amount=Decimal(usual),
            )
            seeding.ids[f"deposit_item:{code}"] = item.id
    for site in seeding.community["sites"]:
        cashier = seeding.ids[f"user:{CASHIERS[site['code']]}"]
        principal = await seeding.work.authenticator.by_user(cashier)
        assert principal is not None
        seeding.become(principal)
        planned = [
            receipt
            for room in site["rooms"]
            for receipt in _plan(seeding, f"{site['code']}/{room['at']}")
        ]
        last: UUID | None = None
        for receipt in sorted(planned, key=lambda one: (one.at, one.room)):
            last = await _take(seeding, receipt) or last
        await _hold(seeding, site)
        if last is not None:
            async with seeding.unit() as ctx:
                await service.reverse_receipt(ctx, receipt_id=last, reason="支付方式选错，重收")
        await _hand_over(seeding, seeding.ids[f"site:{site['code']}"])
    seeding.become(seeding_person)
    await _close_the_first_month(seeding)


async def _close_the_first_month(seeding: Seeding) -> None:
    """The month before last is in the books; last month is left for whoever tries the demo."""
    this_month = seeding.now.astimezone(SHANGHAI).date().replace(day=1)
    async with seeding.unit() as ctx:
        for site in seeding.community["sites"]:
            await ledger.close_month(
                ctx,
                site_id=seeding.ids[f"site:{site['code']}"],
                month=add_months(this_month, -2),
            )


async def _hand_over(seeding: Seeding, site_id: UUID) -> None:
    """The drawer of each past day was counted in the evening; today's shift is still open."""
    async with seeding.unit() as ctx:
        found = await ctx.session.execute(
            select(col(Shift.id), func.max(col(Receipt.created_at)))
            .join(Receipt, col(Receipt.shift_id) == col(Shift.id))
            .where(
                col(Shift.org_id) == site_id,
                col(Shift.business_on) < ctx.business_on,
                col(Shift.closed_at).is_(None),
            )
            .group_by(col(Shift.id))
        )
        open_shifts = [(shift_id, last) for shift_id, last in found]
    for shift_id, last in open_shifts:
        async with seeding.unit(now=min(last + COUNTING, seeding.now)) as ctx:
            counted = await cash_of_shift(ctx, shift_id)
            await service.close_shift(ctx, shift_id=shift_id, counted=counted, note="")


async def _hold(seeding: Seeding, site: dict[str, Any]) -> None:
    """A prepayment and a deposit for renovation in each of the first rooms."""
    for room in site["rooms"][:HELD]:
        at = f"{site['code']}/{room['at']}"
        async with seeding.unit(now=seeding.now - timedelta(hours=3)) as ctx:
            room_id = seeding.ids[f"room:{at}"]
            await service.take_receipt(
                ctx,
                room_id=room_id,
                method=Method.wechat,
                ahead=service.Prepayment(Decimal(100 * (1 + _dice(at, "ahead", 5)))),
            )
            await service.take_receipt(
                ctx,
                room_id=room_id,
                method=Method.card,
                deposits_wanted=(
                    service.DepositWanted(
                        seeding.ids["deposit_item:renovation"],
                        Decimal(2000),
                        release_on=add_months(ctx.business_on, 3),
                        terms="装修验收合格后三个月退还",
                    ),
                ),
            )


def _plan(seeding: Seeding, room: str) -> list[Planned]:
    today = seeding.now.astimezone(SHANGHAI).date()
    this_month = today.replace(day=1)
    chance = _dice(room, "last", 100)
    if chance >= PAID_LAST_MONTH:
        return []
    percent = 60 if chance < PAID_IN_PART else 100
    last_month = add_months(this_month, -1)
    plan = [
        Planned(
            at=_moment(last_month + ONE_DAY * (4 + _dice(room, "day", 20)), room),
            room=room,
            until=this_month,
            percent=percent,
            method=METHODS[_dice(room, "method", len(METHODS))],
        )
    ]
    chance = _dice(room, "this", 100)
    if percent < 100 or chance >= PAID_THIS_MONTH:
        return plan
    at = _moment(this_month + ONE_DAY * (2 + _dice(room, "late", 20)), room)
    if chance < PAID_TODAY:
        at = seeding.now - timedelta(minutes=2 + _dice(room, "minute", 50))
    if at <= seeding.now:
        method = METHODS[_dice(room, "again", len(METHODS))]
        plan.append(Planned(at, room, add_months(this_month, 1), 100, method))
    return plan


async def _take(seeding: Seeding, planned: Planned) -> UUID | None:
    """The receipt's id, None for a room with nothing open."""
    async with seeding.unit(now=planned.at) as ctx:
        room_id = seeding.ids[f"room:{planned.room}"]
        bills = await charging.open_bills_of_room(ctx, room_id)
        payments = [
            Payment(bill.id, _part(bill.open, planned.percent), bill.version)
            for bill in bills
            if bill.period_from < planned.until
        ]
        total = sum((payment.amount for payment in payments), ZERO)
        if total == 0:
            return None
        receipt = await service.take_receipt(
            ctx, room_id=room_id, method=planned.method, payments=payments
        )
    return receipt.id


def _part(amount: Decimal, percent: int) -> Decimal:
    return round_money(amount * percent / 100)


def _moment(day: date, room: str) -> datetime:
    """An office hour of a day."""
    local = datetime.combine(day, time(9), SHANGHAI)
    return (local + timedelta(seconds=_dice(room, str(day), 8 * 3_600))).astimezone(UTC)


def _dice(room: str, what: str, sides: int) -> int:
    """A number below `sides`, the same for a room at every seeding."""
    digest = blake2b(f"{room}:{what}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % sides
