"""The process that owns the embedded Ray head: gcs_server, raylet and what they start.

It listens on the loopback address, which `ray start` resolves to the machine's own, and starts
neither dashboard nor autoscaler. When one of its processes dies, or it is asked to stop, or its
parent dies, it ends all of them: Ray's agents outlive a killed raylet.
"""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from ray._private.node import Node
from ray._private.parameter import RayParams

from cloud.embedded import processes

_WATCH_EVERY_S = 0.2


class _Head(Node):
    def start_api_server(self, *, include_dashboard: bool | None, raise_on_failure: bool) -> None:
        """None: 100 MB and a second of start-up for pages that nobody opens."""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--temp-dir", required=True)
    parser.add_argument("--address-file", required=True, type=Path)
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--cpus", required=True, type=int)
    parser.add_argument("--object-store-bytes", required=True, type=int)
    asked = parser.parse_args()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    processes.adopt_orphans()
    try:
        node = _Head(
            RayParams(
                node_ip_address="127.0.0.1",
                num_cpus=asked.cpus,
                object_store_memory=asked.object_store_bytes,
                include_dashboard=False,
                include_log_monitor="",
                no_monitor=True,
                temp_dir=asked.temp_dir,
                gcs_server_port=asked.port,
            ),
            head=True,
            shutdown_at_exit=False,
            spawn_reaper=True,
        )
        asked.address_file.write_text(node.address)
        while not stopping.wait(_WATCH_EVERY_S):
            dead = [kind for kind, _ in node.dead_processes()]  # type: ignore[no-untyped-call]
            if dead:
                sys.stderr.write(f"ended: {', '.join(dead)}\n")
                return 1
        return 0
    finally:
        processes.end(processes.find_by_session(os.getpid()))


if __name__ == "__main__":
    sys.exit(main())
