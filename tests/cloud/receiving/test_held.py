"""Several methods, money paid ahead, and deposits: what is booked, kept, given back, refused."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.db import uuid7
from cloud.kernel.errors import AppError, NotFound
from cloud.kernel.records import AuditRow
from cloud.modules.charging.models import Settlement
from cloud.modules.ledger import queries as ledger
from cloud.modules.ledger.models import Line
from cloud.modules.receiving import queries, service
from cloud.modules.receiving.models import (
    Deposit,
    DepositMove,
    MethodLine,
    Payout,
    PrepaidAccount,
    PrepaidMove,
    Receipt,
)
from cloud.modules.receiving.schemas import ActiveState
from cloud.modules.receiving.service import DepositWanted, Prepayment, Tender
from tests.cloud.receiving.builders import Billed, Fees, add_deposit_item, bill_room, set_fees
from tests.kit.world import World


def yuan(amount: str) -> Decimal:
    return Decimal(amount)


async def take(world: World, billed: Billed, **wanted: Any) -> Receipt:
    async with world.unit() as ctx:
        return await service.take_receipt(ctx, room_id=billed.room_id, **wanted)


async def refused(world: World, work: Callable[[Ctx], Awaitable[object]]) -> str:
    """The refusal's code, after which nothing is left behind."""
    with pytest.raises(AppError) as said:
        async with world.unit() as ctx:
            await work(ctx)
    return said.value.code


async def books(world: World) -> dict[str, Decimal]:
    async with world.unit() as ctx:
        codes = ("1001", "1002", "1012", "1122", "220501", "224101", "6301")
        return {code: balance for code in codes if (balance := await ledger.balance(ctx, code))}


async def ahead_of(world: World) -> list[Decimal]:
    async with world.unit() as ctx:
        found = await ctx.session.execute(
            select(col(PrepaidAccount.balance)).order_by(col(PrepaidAccount.id))
        )
        return list(found.scalars())


async def deposit_of(world: World, billed: Billed, item_id: UUID, amount: str = "500.00") -> UUID:
    await take(world, billed, method="card", deposits_wanted=[DepositWanted(item_id, yuan(amount))])
    async with world.unit() as ctx:
        return UUID(str((await ctx.session.execute(select(col(Deposit.id)))).scalars().one()))


class TestSeveralMethods:
    async def test_each_is_booked_on_its_own_account(self, world: World) -> None:
        billed = await bill_room(world, await set_fees(world))
        receipt = await take(
            world,
            billed,
            payments=billed.payments(),
            lines=[
                Tender("cash", yuan("100.00")),
                Tender("wechat", yuan("68.08")),
                Tender("card", yuan("50.00")),
            ],
            tendered=yuan("150.00"),
        )
        assert (receipt.method, receipt.amount, receipt.change) == (
            "mixed", yuan("218.08"), yuan("50.00"),
        )  # fmt: skip
        assert await books(world) == {
            "1001": yuan("100.00"), "1012": yuan("68.08"), "1002": yuan("50.00"),
        }  # fmt: skip
        async with world.unit() as ctx:
            detail = await queries.read_receipt(ctx, receipt.id)
        assert [(line.method_name, line.amount) for line in detail.lines] == [
            ("Cash", yuan("100.00")), ("WeChat Pay", yuan("68.08")), ("Card", yuan("50.00")),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("wanted", "code"),
        [
            ({"lines": [Tender("cash", yuan("218.07"))]}, "lines-not-summing"),
            ({"lines": [Tender("cash", yuan("109.04"))] * 2}, "method-twice"),
            ({"method": "gold"}, "method-unknown"),
            ({"lines": [Tender("deposit", yuan("218.08"))]}, "deposit-unnamed"),
            ({"method": "prepaid"}, "prepaid-too-low"),
            ({"method": "wechat", "tendered": yuan("300.00")}, "tendered-without-cash"),
        ],
    )
    async def test_refuses_what_does_not_add_up(
        self, world: World, wanted: dict[str, Any], code: str
    ) -> None:
        billed = await bill_room(world, await set_fees(world))

        async def work(ctx: Ctx) -> object:
            return await service.take_receipt(
                ctx, room_id=billed.room_id, payments=billed.payments(), **wanted
            )

        assert await refused(world, work) == code
        assert await books(world) == {"1122": yuan("218.08")}

    async def test_a_disabled_method_is_refused_and_its_receipts_stay(self, world: World) -> None:
        billed = await bill_room(world, await set_fees(world))
        await take(world, billed, method="alipay", amount=yuan("10.00"))
        async with world.unit(world.headquarters()) as ctx:
            methods = {row.code: row for row in await queries.methods.methods_at_counter(ctx)}
            for _ in range(2):  # two people who disable do not enable again
                await service.switch_method(
                    ctx,
                    method_id=methods["alipay"].id,
                    state=ActiveState.disabled,
                    reason="合同到期",
                )

        async def work(ctx: Ctx) -> object:
            return await service.take_receipt(
                ctx, room_id=billed.room_id, method="alipay", amount=yuan("10.00")
            )

        assert await refused(world, work) == "method-disabled"
        async with world.unit() as ctx:
            assert (await queries.counter_room(ctx, billed.room_id)).recent[
                0
            ].method_label == "Alipay"


class TestPaidAhead:
    async def test_what_is_too_much_is_kept_with_consent_only(self, world: World) -> None:
        billed = await bill_room(world, await set_fees(world))

        async def work(ctx: Ctx) -> object:
            return await service.take_receipt(ctx, room_id=billed.room_id, amount=yuan("300.00"))

        assert await refused(world, work) == "amount-above-debt"
        receipt = await take(world, billed, amount=yuan("300.00"), keep_rest=True)
        assert receipt.amount == yuan("300.00")
        assert await ahead_of(world) == [yuan("81.92")]
        assert await books(world) == {"1001": yuan("300.00"), "220501": yuan("-81.92")}

    async def test_it_pays_bills_beside_other_methods_and_a_reversal_restores_it(
        self, world: World
    ) -> None:
        billed = await bill_room(world, await set_fees(world))
        await take(world, billed, method="wechat", ahead=Prepayment(yuan("132.50")))
        used = await take(
            world,
            billed,
            payments=billed.payments(),
            lines=[Tender("prepaid", yuan("132.50")), Tender("cash", yuan("85.58"))],
        )
        assert await ahead_of(world) == [yuan("0.00")]
        assert await books(world) == {"1012": yuan("132.50"), "1001": yuan("85.58")}
        async with world.unit() as ctx:
            await service.reverse_receipt(ctx, receipt_id=used.id, reason="收错户")
        assert await ahead_of(world) == [yuan("132.50")]
        assert await books(world) == {
            "1012": yuan("132.50"), "1122": yuan("218.08"), "220501": yuan("-132.50"),
        }  # fmt: skip

    async def test_no_more_than_there_is_and_only_towards_bills(self, world: World) -> None:
        billed = await bill_room(world, await set_fees(world))
        await take(world, billed, ahead=Prepayment(yuan("50.00")))
        for wanted, code in (
            ({"payments": billed.payments("50.01"), "method": "prepaid"}, "prepaid-too-low"),
            (
                {"ahead": Prepayment(yuan("50.00")), "method": "prepaid"},
                "offset-above-bills",
            ),
        ):

            async def work(ctx: Ctx, wanted: dict[str, Any] = wanted) -> object:
                return await service.take_receipt(ctx, room_id=billed.room_id, **wanted)

            assert await refused(world, work) == code
        assert await ahead_of(world) == [yuan("50.00")]

    async def test_what_is_kept_for_one_item_pays_no_other(self, world: World) -> None:
        fees = await set_fees(world)
        billed = await bill_room(world, fees)
        await take(world, billed, ahead=Prepayment(yuan("100.00"), fees.garbage))

        async def work(ctx: Ctx) -> object:
            return await service.take_receipt(
                ctx, room_id=billed.room_id, payments=billed.payments("10.00"), method="prepaid"
            )

        assert await refused(world, work) == "prepaid-too-low"
        await take(
            world,
            billed,
            payments=billed.payments(),
            lines=[Tender("prepaid", yuan("5.00")), Tender("cash", yuan("213.08"))],
        )
        assert await ahead_of(world) == [yuan("95.00")]

    async def test_a_prepayment_that_was_spent_cannot_be_reversed(self, world: World) -> None:
        billed = await bill_room(world, await set_fees(world))
        first = await take(world, billed, ahead=Prepayment(yuan("50.00")))
        await take(world, billed, payments=billed.payments("20.00"), method="prepaid")

        async def work(ctx: Ctx) -> object:
            return await service.reverse_receipt(ctx, receipt_id=first.id, reason="收错户")

        assert await refused(world, work) == "prepaid-spent"
        assert await ahead_of(world) == [yuan("30.00")]

    async def test_is_refunded_with_a_reason_up_to_its_balance(self, world: World) -> None:
        billed = await bill_room(world, await set_fees(world))
        await take(world, billed, ahead=Prepayment(yuan("50.00")))
        async with world.unit() as ctx:
            account_id = (await ctx.session.execute(select(col(PrepaidAccount.id)))).scalar_one()

        async def work(ctx: Ctx) -> object:
            return await service.refund_prepaid(
                ctx, account_id=account_id, amount=yuan("50.01"), method="cash", reason="搬走"
            )

        assert await refused(world, work) == "refund-above-balance"
        async with world.unit() as ctx:
            payout = await service.refund_prepaid(
                ctx, account_id=account_id, amount=yuan("30.00"), method="cash", reason="搬走"
            )
        assert payout.number == "TK2611-000001"
        assert await books(world) == {
            "1001": yuan("20.00"), "1122": yuan("218.08"), "220501": yuan("-20.00"),
        }  # fmt: skip
        async with world.unit() as ctx:
            actions = await ctx.session.execute(
                select(col(AuditRow.action), col(AuditRow.reason)).where(
                    col(AuditRow.subject_id) == payout.id
                )
            )
            assert actions.all() == [("receiving.prepaid.refunded", "搬走")]

    async def test_the_database_refuses_a_balance_below_zero(self, world: World) -> None:
        billed = await bill_room(world, await set_fees(world))
        await take(world, billed, ahead=Prepayment(yuan("50.00")))
        with pytest.raises(IntegrityError, match="ck_receiving_prepaid_account_balance"):
            async with world.unit() as ctx:
                await ctx.session.execute(update(PrepaidAccount).values(balance=yuan("-0.01")))


class TestDeposits:
    async def test_is_held_returned_in_part_and_then_whole(self, world: World) -> None:
        billed = await bill_room(world, await set_fees(world))
        deposit_id = await deposit_of(world, billed, await add_deposit_item(world))
        states = []
        for amount in ("200.00", "300.00"):
            async with world.unit() as ctx:
                await service.refund_deposit(
                    ctx,
                    deposit_id=deposit_id,
                    amount=yuan(amount),
                    method="transfer",
                    reason="验收合格",
                )
            async with world.unit() as ctx:
                states.append((await ctx.get(Deposit, deposit_id)).state)
        assert states == ["partly", "returned"]
        assert await books(world) == {"1122": yuan("218.08")}

        async def again(ctx: Ctx) -> object:
            return await service.refund_deposit(
                ctx, deposit_id=deposit_id, amount=yuan("0.01"), method="cash", reason="再退"
            )

        assert await refused(world, again) == "refund-above-balance"

    async def test_pays_bills_or_becomes_income_with_evidence(self, world: World) -> None:
        billed = await bill_room(world, await set_fees(world))
        deposit_id = await deposit_of(world, billed, await add_deposit_item(world))
        async with world.unit() as ctx:
            receipt = await service.transfer_deposit(
                ctx, deposit_id=deposit_id, amount=yuan("218.08"), evidence="业主同意书"
            )
        async with world.unit() as ctx:
            await service.deduct_deposit(
                ctx, deposit_id=deposit_id, amount=yuan("81.92"), evidence="损坏公区照片"
            )
            detail = await queries.read_deposit(ctx, deposit_id)
        assert (detail.state, detail.balance) == ("partly", yuan("200.00"))
        assert [(line.kind, line.reason) for line in detail.moves] == [
            ("deducted", "损坏公区照片"), ("used", "业主同意书"), ("received", ""),
        ]  # fmt: skip
        assert await books(world) == {
            "1002": yuan("500.00"), "224101": yuan("-200.00"), "6301": yuan("-81.92"),
        }  # fmt: skip
        async with world.unit() as ctx:
            await service.reverse_receipt(ctx, receipt_id=receipt.id, reason="业主撤回同意")
        assert (await books(world))["224101"] == yuan("-418.08")

    async def test_a_deposit_that_moved_keeps_its_receipt(self, world: World) -> None:
        billed = await bill_room(world, await set_fees(world))
        item_id = await add_deposit_item(world)
        receipt = await take(
            world, billed, method="card", deposits_wanted=[DepositWanted(item_id, yuan("20.00"))]
        )
        async with world.unit() as ctx:
            deposit_id = (await ctx.session.execute(select(col(Deposit.id)))).scalar_one()
            await service.deduct_deposit(
                ctx, deposit_id=deposit_id, amount=yuan("1.00"), evidence="卡已损坏"
            )

        async def work(ctx: Ctx) -> object:
            return await service.reverse_receipt(ctx, receipt_id=receipt.id, reason="?")

        assert await refused(world, work) == "deposit-moved"

    async def test_of_another_room_pays_nothing_here(self, world: World) -> None:
        fees = await set_fees(world)
        mine, theirs = await bill_room(world, fees), await bill_room(world, fees, building="2")
        deposit_id = await deposit_of(world, theirs, await add_deposit_item(world))

        async def work(ctx: Ctx) -> object:
            return await service.take_receipt(
                ctx,
                room_id=mine.room_id,
                payments=mine.payments("1.00"),
                lines=[Tender("deposit", yuan("1.00"), deposit_id)],
            )

        assert await refused(world, work) == "deposit-of-another-room"


class TestScope:
    async def test_what_is_held_elsewhere_is_absent(self, world: World) -> None:
        billed = await bill_room(world, await set_fees(world))
        deposit_id = await deposit_of(world, billed, await add_deposit_item(world))
        await take(world, billed, ahead=Prepayment(yuan("50.00")))
        async with world.unit() as ctx:
            account_id = (await ctx.session.execute(select(col(PrepaidAccount.id)))).scalar_one()
        one = yuan("1.00")
        for stranger in (world.at_other_site(), world.at_site(world.beta)):
            for work in (
                lambda ctx: queries.read_deposit(ctx, deposit_id),
                lambda ctx: queries.read_prepaid(ctx, account_id),
                lambda ctx: service.deduct_deposit(
                    ctx, deposit_id=deposit_id, amount=one, evidence="?"
                ),
                lambda ctx: service.transfer_deposit(
                    ctx, deposit_id=deposit_id, amount=one, evidence="?"
                ),
            ):
                async with world.unit(stranger) as ctx:
                    with pytest.raises(NotFound):
                        await work(ctx)

    async def test_a_kind_of_deposit_of_another_company_is_absent(self, world: World) -> None:
        billed = await bill_room(world, await set_fees(world))
        foreign = await add_deposit_item(world, world.beta)

        for item_id in (foreign, uuid7()):

            async def work(ctx: Ctx, item_id: UUID = item_id) -> object:
                return await service.take_receipt(
                    ctx,
                    room_id=billed.room_id,
                    deposits_wanted=[DepositWanted(item_id, yuan("1.00"))],
                )

            assert await refused(world, work) == "not-found"

    @pytest.mark.parametrize("table", [MethodLine, PrepaidMove, DepositMove, Payout])
    async def test_what_happened_cannot_be_changed(self, world: World, table: Any) -> None:
        for statement in (update(table).values(amount=yuan("1.00")), delete(table)):
            with pytest.raises(ProgrammingError, match="permission denied"):
                async with world.unit() as ctx:
                    await ctx.session.execute(statement)


class TestShifts:
    async def test_counts_the_drawer_once_and_explains_a_difference(self, world: World) -> None:
        billed = await bill_room(world, await set_fees(world))
        me = world.at_site()
        async with world.unit(me) as ctx:
            first = await service.take_receipt(
                ctx, room_id=billed.room_id, amount=yuan("100.00"), tendered=yuan("150.00")
            )
        async with world.unit(me) as ctx:
            assert first.shift_id is not None
            shift_id = first.shift_id
            with pytest.raises(service.DifferenceUnexplained):
                await service.close_shift(ctx, shift_id=shift_id, counted=yuan("99.00"), note="")
        async with world.unit() as ctx:
            with pytest.raises(service.ShiftNotYours):
                await service.close_shift(ctx, shift_id=shift_id, counted=yuan("100.00"), note="")
        async with world.unit(me) as ctx:
            shift = await service.close_shift(
                ctx, shift_id=shift_id, counted=yuan("99.00"), note="找零多找 1 元"
            )
            assert shift.expected == yuan("100.00")
        async with world.unit(me) as ctx:
            with pytest.raises(service.ShiftAlreadyClosed):
                await service.close_shift(ctx, shift_id=shift_id, counted=yuan("99.00"), note="")
            figures = await queries.read_shift(ctx)
            assert figures.id is None
            assert (figures.count, figures.cash) == (0, yuan("0.00"))
        async with world.unit(me) as ctx:
            later = await service.take_receipt(ctx, room_id=billed.room_id, amount=yuan("1.00"))
        assert later.shift_id != shift_id

    async def test_cash_that_went_back_is_not_in_the_drawer(self, world: World) -> None:
        billed = await bill_room(world, await set_fees(world))
        me = world.at_site()
        async with world.unit(me) as ctx:
            await service.take_receipt(ctx, room_id=billed.room_id, ahead=Prepayment(yuan("80.00")))
        async with world.unit(me) as ctx:
            account_id = (await ctx.session.execute(select(col(PrepaidAccount.id)))).scalar_one()
            await service.refund_prepaid(
                ctx, account_id=account_id, amount=yuan("30.00"), method="cash", reason="退"
            )
        async with world.unit(me) as ctx:
            figures = await queries.read_shift(ctx)
            counted = await ctx.session.execute(select(func.count()).select_from(Payout))
        assert (figures.received, figures.returned, figures.cash) == (
            yuan("80.00"), yuan("30.00"), yuan("50.00"),
        )  # fmt: skip
        assert counted.scalar_one() == 1


STEPS = ("pay", "overpay", "ahead", "deposit", "spend", "transfer", "deduct", "refund", "reverse")


class TestTheBooks:
    @settings(
        max_examples=4,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(1, 9_000)), max_size=14),
    )
    async def test_always_agree_with_what_is_open_and_held(
        self, world: World, steps: list[tuple[str, int]]
    ) -> None:
        """Over any run of steps, those that are refused too: the four sums of spec domain 1.4."""
        billed, item_id = await self._room(world)
        for step, cents in steps:
            with contextlib.suppress(AppError):
                async with world.unit() as ctx:
                    await self._do(ctx, step, Decimal(cents).scaleb(-2), billed, item_id)
        async with world.unit() as ctx:
            sums = [
                (await ctx.session.execute(select(func.coalesce(func.sum(column), 0)))).scalar_one()
                for column in (
                    col(Settlement.amount) - col(Settlement.paid),
                    -col(PrepaidAccount.balance),
                    -col(Deposit.balance),
                    col(Line.debit) - col(Line.credit),
                )
            ]
            booked = [await ledger.balance(ctx, code) for code in ("1122", "220501", "224101")]
        assert sums == [*booked, 0]

    async def _room(self, world: World) -> tuple[Billed, UUID]:
        if not hasattr(self, "_made"):
            self._made = (
                await bill_room(world, await set_fees(world)),
                await add_deposit_item(world),
            )
        return self._made

    async def _do(
        self, ctx: Ctx, step: str, amount: Decimal, billed: Billed, item_id: UUID
    ) -> None:
        receive = partial(service.take_receipt, ctx, room_id=billed.room_id)
        match step:
            case "pay":
                await receive(amount=amount)
            case "overpay":
                await receive(amount=amount, keep_rest=True)
            case "ahead":
                await receive(ahead=Prepayment(amount), method="card")
            case "deposit":
                wanted = [DepositWanted(item_id, amount)]
                await receive(deposits_wanted=wanted)
            case "spend":
                await receive(amount=amount, method="prepaid")
            case "reverse":
                newest = select(col(Receipt.id)).order_by(col(Receipt.id).desc()).limit(1)
                if found := (await ctx.session.execute(newest)).scalar_one_or_none():
                    await service.reverse_receipt(ctx, receipt_id=found, reason="冲")
            case _:
                await self._use_deposit(ctx, step, amount)

    async def _use_deposit(self, ctx: Ctx, step: str, amount: Decimal) -> None:
        held = select(col(Deposit.id)).where(col(Deposit.balance) >= amount).limit(1)
        deposit_id = (await ctx.session.execute(held)).scalar_one_or_none()
        if deposit_id is None:
            return
        work: Callable[..., Awaitable[object]]
        if step == "transfer":
            work = partial(service.transfer_deposit, evidence="同意书")
        elif step == "deduct":
            work = partial(service.deduct_deposit, evidence="照片")
        else:
            work = partial(service.refund_deposit, method="cash", reason="退")
        await work(ctx, deposit_id=deposit_id, amount=amount)


class TestStatement:
    async def test_shows_what_is_owed_and_what_is_held(self, world: World) -> None:
        fees: Fees = await set_fees(world)
        billed = await bill_room(world, fees)
        await deposit_of(world, billed, await add_deposit_item(world))
        await take(world, billed, amount=yuan("300.00"), keep_rest=True)
        async with world.unit() as ctx:
            said = await queries.read_statement(ctx, billed.room_id, first=None, last=None)
        assert (said.closing, said.prepaid, said.deposits) == (
            yuan("0.00"), yuan("81.92"), yuan("500.00"),
        )  # fmt: skip
        last = next(line for line in said.lines if line.prepaid)
        assert (last.payment, last.prepaid, last.deposit) == (yuan("218.08"), yuan("81.92"), None)
