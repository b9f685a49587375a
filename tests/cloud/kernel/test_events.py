"""Events run in the transaction, in manifest order, and fail it when one of them fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict
from cloud.kernel.events import Bus
from cloud.kernel.uow import unit_of_work
from cloud.modules.organization.models import LegalEntity
from cloud.modules.organization.service import add_legal_entity
from tests.kit.world import World


@dataclass(frozen=True)
class BillPaid:
    number: str


@dataclass(frozen=True)
class BillVoided:
    number: str


class TestBus:
    async def test_calls_in_the_given_order(self, world: World) -> None:
        heard: list[str] = []

        async def first(ctx: Ctx, event: Any) -> None:
            heard.append(f"first {event.number} {ctx.request_id}")

        async def second(ctx: Ctx, event: Any) -> None:
            heard.append(f"second {event.number} {ctx.request_id}")

        bus = Bus([(BillPaid, first), (BillPaid, second), (BillVoided, first)])
        async with unit_of_work(world.sessions, world.at_site(), bus=bus, request_id="r") as ctx:
            await ctx.announce(BillPaid("ZD1"))

        assert heard == ["first ZD1 r", "second ZD1 r"]

    async def test_an_event_that_nobody_hears_is_no_error(self, world: World) -> None:
        async with world.unit() as ctx:
            await ctx.announce(BillPaid("ZD1"))

        assert world.bus is not None

    async def test_a_failing_handler_undoes_the_whole(self, world: World) -> None:
        async def refuse(ctx: Ctx, event: Any) -> None:
            del ctx, event
            raise Conflict

        async def pay() -> None:
            bus = Bus([(BillPaid, refuse)])
            async with unit_of_work(world.sessions, world.headquarters(), bus=bus) as ctx:
                await add_legal_entity(ctx, name="新公司", tax_number="91330000MA2TEST09X")
                await ctx.announce(BillPaid("ZD1"))

        with pytest.raises(Conflict):
            await pay()

        async with world.unit() as ctx:
            named = select(LegalEntity).where(col(LegalEntity.name) == "新公司")
            assert (await ctx.session.execute(named)).scalar_one_or_none() is None
