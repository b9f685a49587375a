"""`python -m tools.bench [--only NAME] [--bills N] [--history N]`: a table and build/bench.json."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from cloud.kernel import logs
from cloud.kernel.clock import utc_now
from cloud.main import tame_collector
from tools.bench.billing import billing
from tools.bench.estate import Place, built_place
from tools.bench.footprint import SETTLED_S, WATCHED_S, Footprint, footprint
from tools.bench.hq import hq
from tools.bench.http import http
from tools.bench.measure import Measure, shown, table
from tools.bench.uplink import uplink

CHECKOUT = Path(__file__).resolve().parents[2]
BILLS = 20_000
HISTORY = 1_000_000

GROUPS: tuple[tuple[tuple[str, ...], Callable[[Place], Awaitable[list[Measure]]]], ...] = (
    (("uplink",), uplink),
    (("bill", "publish"), billing),
    (("read", "page", "receipt"), http),
    (("hq",), hq),  # last: its history is in everybody's way
)
NAMES = tuple(name for names, _ in GROUPS for name in names)
FOOTPRINT = "footprint"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--only", choices=(*NAMES, FOOTPRINT))
    parser.add_argument("--bills", type=int, default=BILLS)
    parser.add_argument("--history", type=int, default=HISTORY, help="bills before hq is measured")
    asked = parser.parse_args()
    logs.configure("text", "bench")
    tame_collector()  # as every role does
    if asked.only == FOOTPRINT:
        print(footprint_table(asyncio.run(footprint())))
        return 0
    measures = asyncio.run(_measured(asked.only, asked.bills, asked.history))
    print(table(measures))
    built = CHECKOUT / "build"
    built.mkdir(exist_ok=True)
    found = [each.as_json() for each in measures]
    (built / "bench.json").write_text(json.dumps(found, indent=1) + "\n")
    if asked.only is None:
        print(f"measuring {FOOTPRINT}", file=sys.stderr)
        lines = page(measures) + "\n" + footprint_page(asyncio.run(footprint()))
        (CHECKOUT / "docs" / "benchmarks.md").write_text(lines, encoding="utf-8")
    return 0


async def _measured(only: str | None, bills: int, history: int) -> list[Measure]:
    measures: list[Measure] = []
    async with built_place(bills, history) as place:
        for names, run in GROUPS:
            if only is None or only in names:
                print(f"measuring {', '.join(names)}", file=sys.stderr)
                found = await run(place)
                # At once: what is measured stays told if a later part fails.
                print(table(found), file=sys.stderr)
                measures += found
    return [each for each in measures if only in {None, each.name}]


def page(measures: Sequence[Measure]) -> str:
    """docs/benchmarks.md: the numbers of this run, and what each of them compares."""
    lines = [
        "# Benchmarks",
        "",
        (
            f"Written by `make bench` on {utc_now():%Y-%m-%d} with {os.cpu_count()} cores"
            f" ({platform.machine()}, Python {platform.python_version()}). Postgres runs on the"
            " same machine with fsync on; both sides of a ratio are measured in one run, in turns,"
            " as the unprivileged roles. The absolute numbers are those of one machine; the ratio"
            " is what counts."
        ),
        "",
        "| name | ours | bare | unit | ratio | goal |",
        "|---|---:|---:|---|---:|---:|",
    ]
    lines += [
        f"| {each.name} | {shown(each.value)} | {shown(each.baseline)} | {each.unit}"
        f" | {each.ratio:.2f} | {each.goal:.2f} |"
        for each in measures
    ]
    lines += ["", *(f"- **{each.name}**: {each.detail}." for each in measures), ""]
    below = [each for each in measures if each.ratio < each.goal and each.why]
    if below:
        lines += ["Why those below the goal are there:", ""]
        lines += [*(f"- **{each.name}**: {each.why}." for each in below), ""]
    return "\n".join(lines)


def footprint_page(parts: Sequence[Footprint]) -> str:
    """What `make up` takes when nobody does anything."""
    return (
        "## Memory and idle CPU\n\nEverything that `make up` starts, with the demo company, its"
        f" simulators and three gateways, {SETTLED_S:.0f} s after it was ready: proportional set"
        f" size, and CPU over {WATCHED_S:.0f} s (100 % is one core).\n\n" + footprint_table(parts)
    )


def footprint_table(parts: Sequence[Footprint]) -> str:
    total = Footprint("all")
    for part in parts:
        total.add(part)
    lines = ["| part | processes | PSS, MB | CPU, % |", "|---|---:|---:|---:|"]
    lines += [f"| {p.name} | {p.count} | {p.mb:,.0f} | {p.cpu:.1f} |" for p in (*parts, total)]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
