"""`python -m simulators`: the demo company's meters on Modbus TCP, one listener for each bus."""

import argparse
import asyncio
import json
import logging
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from simulators.community import CommunityError, read_community
from simulators.course import CourseError, resume
from simulators.plant import Plant, build_curves

log = logging.getLogger("simulators")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        asyncio.run(_serve(options))
    except (CommunityError, CourseError) as error:
        sys.stderr.write(f"simulators: {error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="simulators", description=__doc__)
    parser.add_argument("--community", type=Path, required=True, help="the community file")
    parser.add_argument("--ports", type=Path, required=True, help='JSON file: {"LT/B1": 15020, …}')
    parser.add_argument(
        "--state",
        type=Path,
        required=True,
        help="folder that keeps the start, and where silenced.json is looked for",
    )
    parser.add_argument("--data", type=Path, help="folder with the archive's hourly files")
    parser.add_argument("--speed", type=_speed, default=1.0, help="how fast meters run (1)")
    parser.add_argument("--sites", help="codes of the sites to serve, by comma (all)")
    return parser


def _speed(text: str) -> float:
    speed = float(text)
    if not 0 < speed <= 100_000:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 100000")
    return speed


async def _serve(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    sites = options.sites.split(",") if options.sites else None
    community = read_community(options.community, sites)
    now_s = _forward_clock()
    course = resume(options.state, speed=options.speed, now_s=now_s())
    curves = build_curves(community, options.data)
    plant = Plant(community, course=course, curves=curves, now_s=now_s)
    await plant.listen(_ports(options.ports))
    log.info("ready buses=%d meters=%d speed=%g", len(community.buses), plant.meters, course.speed)
    switch = asyncio.create_task(plant.watch_switch(options.state))
    try:
        await stop.wait()
    finally:
        switch.cancel()
        plant.close()
    log.info("stopped")


def _forward_clock() -> Callable[[], float]:
    """Wall time that stands still while the machine's clock is set back."""
    latest = 0.0

    def now_s() -> float:
        nonlocal latest
        latest = max(latest, time.time())
        return latest

    return now_s


def _ports(path: Path) -> dict[str, int]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommunityError(f"{path}: {error}") from error
    if not isinstance(found, dict) or not all(
        isinstance(port, int) and 0 < port < 65_536 for port in found.values()
    ):
        raise CommunityError(f'{path}: expected {{"LT/B1": 15020, …}}')
    return found


if __name__ == "__main__":
    sys.exit(main())
