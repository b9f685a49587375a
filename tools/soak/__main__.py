"""`python -m tools.soak --seed N --minutes M`: writes build/soak.json, fails on any loss."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys

from cloud.kernel.clock import utc_now
from tests.kit.simulators import CHECKOUT
from tools.soak.page import page
from tools.soak.platform import PAUSED_S, Plan
from tools.soak.run import platform_apart, soaked

EVIDENCE_MINUTES = 20  # a run of this length is written down


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=20)
    asked = parser.parse_args()
    platform = platform_apart()
    report = asyncio.run(soaked(platform, asked.seed, Plan(seconds=asked.minutes * 60)))
    built = CHECKOUT / "build"
    built.mkdir(exist_ok=True)
    told = json.dumps(report.as_json(), indent=1) + "\n"
    (built / "soak.json").write_text(told)
    print(told, end="")
    if asked.minutes >= EVIDENCE_MINUTES:
        written = page(report, on=utc_now().date(), paused_s=PAUSED_S)
        (CHECKOUT / "docs" / "reliability.md").write_text(written, encoding="utf-8")
    if report.failures:
        print(f"logs are kept in {platform.folder.parent}", file=sys.stderr)
        return 1
    shutil.rmtree(platform.folder.parent, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
