"""Compiles one document in a process of its own: `python -I child.py`, a request on stdin.

A template can abort the process that compiles it, or eat its memory, so the limits are set before
typst is imported. It imports nothing of ours and inherits no environment.
"""

from __future__ import annotations

import json
import re
import resource
import sys
from pathlib import Path

MEMORY_BYTES = 1024 * 1024 * 1024
CPU_S = 10
# `#import "@preview/…"` would fetch a package from the network.
_PACKAGE = re.compile(r'"\s*@')


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # nothing is written: stdout is a pipe


def main() -> int:
    _limit()
    request = json.load(sys.stdin)
    template = Path(request["template"])
    if _PACKAGE.search(template.read_text(encoding="utf-8")):
        sys.stderr.write("templates import no packages")
        return 2
    import typst  # noqa: PLC0415 - after the limits

    fonts = typst.Fonts(
        include_system_fonts=not request["fonts"],
        include_embedded_fonts=False,
        font_paths=request["fonts"],
    )
    try:
        document = typst.compile(
            str(template),
            root=str(template.parent),
            font_paths=fonts,
            format=request["format"],
            ppi=request["ppi"],
            sys_inputs={"data": request["data"]},
        )
    except typst.TypstError as error:
        sys.stderr.write(str(error))
        return 3
    sys.stdout.buffer.write(document[0] if isinstance(document, list) else document)
    return 0


if __name__ == "__main__":
    sys.exit(main())
