"""A short soak: the kinds of process that a platform is made of, killed under load, one by one."""

import shutil

import pytest

from tools.soak.platform import Plan
from tools.soak.report import How
from tools.soak.run import platform_apart, soaked

KILLED = frozenset({"postgres-backend", "broker", "web", "worker", "host", "edge-LT", "simulators"})


@pytest.mark.processes
@pytest.mark.timeout(300)
async def test_nothing_is_lost_doubled_or_left_behind_whatever_is_killed() -> None:
    platform = platform_apart()
    plan = Plan(seconds=120, every_s=(1.0, 2.0), hows=(How.killed,), names=KILLED, once=True)

    report = await soaked(platform, 1, plan)

    assert report.failures == [], f"logs are kept in {platform.folder.parent}"
    assert {fault.what for fault in report.faults} == KILLED
    assert report.receipts_taken > 0
    shutil.rmtree(platform.folder.parent, ignore_errors=True)
