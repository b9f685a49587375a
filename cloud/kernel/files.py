"""Files that the platform makes, on a disk that all its processes share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID


@dataclass(frozen=True)
class Files:
    """`root` is the data directory's; every company has a folder of its own."""

    root: Path

    def place(self, company_id: UUID, kind: str, name: str) -> Path:
        """Where a file goes; its folder is there and only the platform may enter it."""
        folder = self.root / "files" / str(company_id) / kind
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder / name
