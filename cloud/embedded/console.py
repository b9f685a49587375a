"""What `wuye up` says: progress while it starts, then what runs, then only what changes."""

import shutil
import sys
import time
from pathlib import Path
from typing import TextIO

from cloud.embedded.part import PartState, PartStatus

_WORDS = {
    PartStatus.STARTING: "starting",
    PartStatus.READY: "ready",
    PartStatus.DOWN: "DOWN",
    PartStatus.RESTARTING: "RESTARTING",
}


class Console:
    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._columns = max(80, shutil.get_terminal_size((160, 24)).columns)
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        self._out.write(f"{text}\n")
        self._out.flush()

    def part(self, name: str, state: PartState) -> None:
        if state.detail == "stopped":
            return
        at_s = time.monotonic() - self._began
        detail = state.detail.splitlines()[0] if state.detail else ""
        line = f"  {at_s:6.1f} s  {name:<11} {_WORDS[state.status]:<10} {detail}"
        self.say(line[: self._columns])

    def summary(self, urls: dict[str, str], data_dir: Path, *, demo: bool) -> None:
        took_s = time.monotonic() - self._began
        self.say(f"\nwuye is running, {took_s:.1f} s after the start.\n")
        for name, url in urls.items():
            self.say(f"  {name:<10} {url}")
        if demo:
            self.say(f"  accounts   {data_dir / 'demo-accounts.json'}")
        self.say(f"  logs       {data_dir / 'logs'}")
        self.say("  status     wuye status")
        self.say("\nCtrl-C stops everything; all data stays.\n")
