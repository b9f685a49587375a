"""One soak: a platform under load that is hurt, and what its database says afterwards."""

from __future__ import annotations

import asyncio
import random
import secrets
import sys
import tempfile
from pathlib import Path

from cloud.embedded.postgres import cluster_home
from tests.kit.simulators import CHECKOUT
from tools.soak.books import Books, compare, opened_again, read_outboxes
from tools.soak.cashier import Cashier, Refused
from tools.soak.platform import HEAL_WITHIN_S, Plan, RunningPlatform
from tools.soak.report import Fault, Report

SITE = "LT"
DRAIN_S = 8.0


def platform_apart() -> RunningPlatform:
    """In a folder of its own that Postgres's unprivileged user can reach; the caller removes it."""
    place = Path(tempfile.gettempdir()) / f"wuye-soak-{secrets.token_hex(4)}"
    place.mkdir(mode=0o711)
    (place / "data").mkdir(mode=0o711)
    return RunningPlatform(place / "data", password=secrets.token_urlsafe(12))


async def soaked(platform: RunningPlatform, seed: int, plan: Plan) -> Report:
    """Start it, hurt it under load, end it, and count. Nothing of it runs afterwards."""
    chance = random.Random(seed)  # noqa: S311 - a seeded choice of faults
    faults, trouble, receipts, before = list[Fault](), "", 0, 0
    try:
        print("starting the platform", file=sys.stderr)
        if not await platform.start():
            trouble = "the platform did not become ready"
        else:
            books = Books(platform.runtime()["database"]["owner_url"])
            before = books.receipts()
            cashier = Cashier(platform.base, platform.password, books.rooms_in_debt(SITE), chance)
            books.close()
            faults, trouble = await _under_load(platform, cashier, seed, plan)
            receipts = len(cashier.receipts)
            await platform.healed(HEAL_WITHIN_S)
            await asyncio.sleep(DRAIN_S)
    finally:
        orphans = platform.stop()
    with opened_again(cluster_home(CHECKOUT, platform.folder)) as books:
        sums = compare(read_outboxes(platform.folder / "edge"), books.watermarks())
        return Report(
            seed=seed,
            minutes=plan.seconds / 60,
            produced=sums.produced,
            waiting=sums.waiting,
            stored=books.stored(),
            gaps=books.gaps(),
            duplicates=books.duplicates(),
            acked_unstored=sums.acked_unstored,
            receipts_taken=receipts,
            receipts_stored=books.receipts() - before,
            books_balanced=books.is_balanced(),
            orphans=orphans,
            faults=tuple(faults),
            trouble=trouble,
        )


async def _under_load(
    platform: RunningPlatform, cashier: Cashier, seed: int, plan: Plan
) -> tuple[list[Fault], str]:
    """The faults, and what the cashier could not do."""
    stop = asyncio.Event()
    working = asyncio.create_task(cashier.work(stop))
    faults = await platform.injure(random.Random(seed), plan)  # noqa: S311
    stop.set()
    try:
        await working
    except Refused as refused:
        return faults, f"a receipt was not taken: {refused}"
    return faults, ""
