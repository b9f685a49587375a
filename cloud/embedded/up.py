"""`wuye up` from the claim on the data directory to the last process stopped."""

import asyncio
import os
import signal
from pathlib import Path

from cloud.embedded import data_dir, processes
from cloud.embedded.accounts import service_account
from cloud.embedded.console import Console
from cloud.embedded.errors import SetupError
from cloud.embedded.part import PartState, PartStatus
from cloud.embedded.platform import Platform
from cloud.embedded.runtime_file import write_status
from cloud.embedded.supervisor import Supervisor


def up(platform: Platform, console: Console) -> None:
    """Runs until SIGINT or SIGTERM. Raises SetupError with what to do."""
    place = platform.data_dir
    data_dir.prepare(place, service_account())
    with data_dir.claimed(place):
        processes.adopt_orphans()
        console.say(f"wuye starts on {place}")
        try:
            platform.prepare()
        except OSError as error:
            raise SetupError(f"{place} cannot be prepared: {error}") from error
        if platform.cluster is not None and place not in platform.cluster.home.parents:
            console.say(
                f"Postgres keeps its files in {platform.cluster.home}: "
                f"its unprivileged user cannot enter {place}"
            )
        try:
            asyncio.run(_Run(platform, console).run())
        finally:
            if platform.ray is not None:
                platform.ray.discard()
        console.say("stopped")


class _Run:
    def __init__(self, platform: Platform, console: Console) -> None:
        self._platform = platform
        self._console = console
        self._said_ready = False
        self._trouble = ""

    async def run(self) -> None:
        stop = asyncio.Event()
        self._stop_on_signals(stop)
        supervisor = Supervisor(
            self._platform.parts(),
            logs=self._platform.data_dir / "logs",
            observe=self._observe,
            on_tick=self._on_tick,
        )
        await supervisor.run(stop)

    def _stop_on_signals(self, stop: asyncio.Event) -> None:
        def ask(number: signal.Signals) -> None:
            if stop.is_set():
                return
            self._console.say("\nstopping (again to stop at once)")
            stop.set()
            # The parent-death signals end the children of a process that is gone.
            signal.signal(number, lambda *_: os._exit(130))

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, ask, number)

    def _observe(self, name: str, state: PartState) -> None:
        if state.status != PartStatus.STARTING:
            self._console.part(name, state)

    def _complain(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._console.say(f"  status.json or gateways.json: {trouble}")

    def _on_tick(self, supervisor: Supervisor) -> None:
        try:
            self._platform.on_tick(supervisor)
            write_status(
                self._platform.data_dir,
                status=supervisor.status,
                states=supervisor.states,
                urls=self._platform.urls,
            )
        except (OSError, ValueError) as error:
            # A full disk or a file half-written by hand must not end what runs.
            self._complain(str(error))
        if supervisor.status == "ready" and not self._said_ready:
            self._said_ready = True
            self._console.summary(
                self._platform.urls,
                self._platform.data_dir,
                demo=self._platform.settings.demo,
            )


def stop_with_make() -> None:
    """Started by `make up`, end with make, however make ends."""
    if "MAKELEVEL" in os.environ:
        processes.die_with_parent(signal.SIGTERM)


def checkout() -> Path:
    return Path(__file__).resolve().parents[2]
