"""Reads the first sheet of a workbook in a process of its own: `python -I child.py ROWS COLUMNS`.

The workbook comes on stdin, JSON goes out: {"rows": [[cell]]} or {"refused": code, …}. A cell is
text, null, or a pair of its kind and its text. A file that unpacks to gigabytes ends here.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from datetime import date, datetime
from typing import Any

MEMORY_BYTES = 512 * 1024 * 1024
CPU_S = 20
CELL_MAX = 2_000
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = b"PK\x03\x04"


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _cell(value: Any) -> Any:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return ["flag", "1" if value else "0"]
    if isinstance(value, (int, float)):
        return ["number", repr(value)]
    if isinstance(value, (datetime, date)):
        return ["date", value.isoformat()]
    return str(value)[:CELL_MAX]


def _read(content: bytes, rows_max: int, columns_max: int) -> dict[str, Any]:
    if not content.startswith((OLE, ZIP)):
        return {"refused": "no-workbook"}
    import python_calamine  # noqa: PLC0415 - after the limits

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheet = book.get_sheet_by_index(0)
    except python_calamine.PasswordError:
        return {"refused": "locked"}
    except python_calamine.CalamineError:
        return {"refused": "no-workbook"}
    merged = sheet.merged_cell_ranges
    if merged:
        return {"refused": "merged", "ranges": [list(map(list, one)) for one in merged[:5]]}
    rows, columns = (index + 1 for index in sheet.end or (-1, -1))
    if rows > rows_max or columns > columns_max:
        return {"refused": "too-large", "rows": rows, "columns": columns}
    table = sheet.to_python(skip_empty_area=False)
    return {"rows": [[_cell(value) for value in row] for row in table]}


def main() -> int:
    _limit()
    answer = _read(sys.stdin.buffer.read(), int(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.write(json.dumps(answer, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.exit(main())
