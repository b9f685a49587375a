"""`wuye-edge`: reads the devices of one site and tells the platform."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from edge_agent.agent import run_agent
from edge_agent.config import ConfigInvalid, LoadedConfig, load
from edge_agent.outbox import StoreDamaged
from edge_agent.store_files import Unusable
from protocols.points import Lane

EXIT_CONFIG = 2
EXIT_STORE = 3
EXIT_DAMAGED = 4
EXIT_CRASH_TEST = 86

log = logging.getLogger("edge")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="wuye-edge", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the site's config file")
    parser.add_argument("--check", action="store_true", help="check the config and stop")
    options = parser.parse_args(arguments)
    try:
        loaded = load(options.config)
    except ConfigInvalid as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CONFIG
    if options.check:
        config = loaded.config
        devices = sum(len(bus.devices) for bus in config.buses)
        sys.stdout.write(
            f"{options.config}: in order, {len(config.buses)} buses, {devices} devices, "
            f"{len(config.points)} points\n"
        )
        return 0
    return _run(loaded)


def _run(loaded: LoadedConfig) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # What these report is told once by the supervisor or the uplink, in the site's words.
    for name in ("pymodbus", "mqtt"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    code = 0
    try:
        asyncio.run(_until_signal(loaded))
    except* Unusable as group:
        sys.stderr.write(f"wuye-edge: {_first(group)}\n")
        code = EXIT_STORE
    except* StoreDamaged as group:
        log.critical("store damaged: %s — the next start begins a new one", _first(group))
        code = EXIT_DAMAGED
    return code


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _until_signal(loaded: LoadedConfig) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run_agent(loaded, stop, on_commit=_crash_hook())


def _crash_hook() -> Callable[[Lane], None] | None:
    """WUYE_EDGE_CRASH_AT=after-outbox-commit ends the process, as by kill -9, right after the
    first commit of billing registers: the tests show that nothing is lost or doubled then."""
    if os.environ.get("WUYE_EDGE_CRASH_AT") != "after-outbox-commit":  # noqa: TID251
        return None

    def crash(lane: Lane) -> None:
        if lane is Lane.METER:
            os._exit(EXIT_CRASH_TEST)

    return crash


if __name__ == "__main__":
    sys.exit(main())
