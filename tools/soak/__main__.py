"""`python -m tools.soak --seed N --minutes M`: writes build/soak.json, fails on any loss."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from cloud.embedded.postgres import cluster_home
from cloud.kernel.clock import utc_now
from tests.kit.simulators import CHECKOUT
from tools.soak.books import Books, compare, opened_again, read_outboxes
from tools.soak.cashier import Cashier, Refused
from tools.soak.page import page
from tools.soak.platform import HEAL_WITHIN_S, PAUSED_S, RunningPlatform
from tools.soak.report import Fault, Report

SITE = "LT"
DRAIN_S = 8.0
EVIDENCE_MINUTES = 20  # a run of this length is written down


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=20)
    asked = parser.parse_args()
    place = Path(tempfile.gettempdir()) / f"wuye-soak-{secrets.token_hex(4)}"
    place.mkdir(mode=0o711)
    (place / "data").mkdir(mode=0o711)
    platform = RunningPlatform(place / "data", password=secrets.token_urlsafe(12))
    report = asyncio.run(_soaked(platform, asked.seed, asked.minutes))
    built = CHECKOUT / "build"
    built.mkdir(exist_ok=True)
    told = json.dumps(report.as_json(), indent=1) + "\n"
    (built / "soak.json").write_text(told)
    print(told, end="")
    if asked.minutes >= EVIDENCE_MINUTES:
        written = page(report, on=utc_now().date(), paused_s=PAUSED_S)
        (CHECKOUT / "docs" / "reliability.md").write_text(written, encoding="utf-8")
    if report.failures:
        print(f"logs are kept in {place}", file=sys.stderr)
        return 1
    shutil.rmtree(place, ignore_errors=True)
    return 0


async def _soaked(platform: RunningPlatform, seed: int, minutes: float) -> Report:
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
            faults, trouble = await _under_load(platform, cashier, seed, minutes)
            receipts = len(cashier.receipts)
            await platform.healed(HEAL_WITHIN_S)
            await asyncio.sleep(DRAIN_S)
    finally:
        orphans = platform.stop()
    with opened_again(cluster_home(CHECKOUT, platform.folder)) as books:
        sums = compare(read_outboxes(platform.folder / "edge"), books.watermarks())
        return Report(
            seed=seed,
            minutes=minutes,
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
    platform: RunningPlatform, cashier: Cashier, seed: int, minutes: float
) -> tuple[list[Fault], str]:
    """The faults, and what the cashier could not do."""
    stop = asyncio.Event()
    working = asyncio.create_task(cashier.work(stop))
    faults = await platform.injure(random.Random(seed), minutes * 60)  # noqa: S311
    stop.set()
    try:
        await working
    except Refused as refused:
        return faults, f"a receipt was not taken: {refused}"
    return faults, ""


if __name__ == "__main__":
    sys.exit(main())
