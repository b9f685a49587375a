"""The project's frame: locked requirements, no network but the registry's client, licenses."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

import pytest

from tools.lint.source import ROOT, tracked_files

# Written from the routes: it grows with each of them.
MAY_GROW_TO = {"cloud/openapi.json": 1_000_000}

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
_REQUIREMENT = re.compile(r"^[a-z0-9._-]+(\[[a-z0-9,_-]+\])?==[\w.!+]+( ; .+?)? \\$", re.IGNORECASE)
_HASH = re.compile(r"^--hash=sha256:[0-9a-f]{64}( \\)?$")


def unlocked(text: str) -> Iterator[str]:
    """Lines that are neither `name==version \\` with hashes below, nor a comment."""
    hashes = 1
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if _HASH.match(stripped):
            hashes += 1
            continue
        if hashes == 0:
            yield f"no hash above: {stripped}"
        hashes = 0
        if not _REQUIREMENT.match(stripped):
            yield f"not locked: {stripped}"
    if hashes == 0:
        yield "no hash for the last requirement"


class TestRequirements:
    def test_are_there(self) -> None:
        assert LOCKS

    @pytest.mark.parametrize("path", LOCKS, ids=lambda path: str(path.name))
    def test_are_locked_by_hash_and_name_no_host(self, path: object) -> None:
        text = (ROOT / "requirements" / str(path)).read_text(encoding="utf-8")

        assert list(unlocked(text)) == []
        assert "://" not in text

    @pytest.mark.parametrize(
        "line",
        [
            "ray==2.60.0",
            "ray>=2.60 \\",
            "--index-url https://example.org/simple",
            "wuye @ file:///somewhere",
        ],
    )
    def test_a_loose_line_is_seen(self, line: str) -> None:
        assert list(unlocked(line))

    def test_a_locked_line_passes(self) -> None:
        line = f"uvloop==0.23.0 ; sys_platform != 'win32' \\\n    --hash=sha256:{'a' * 64}"

        assert list(unlocked(line)) == []


class TestTheCheckout:
    def test_tracks_nothing_that_is_made(self) -> None:
        made = re.compile(r"(^|/)(__pycache__|node_modules|dist|\.venv|\.data|build)/|\.pyc$")

        assert [path for path in tracked_files() if made.search(path)] == []

    def test_tracks_nothing_large(self) -> None:
        large = [
            path
            for path in tracked_files()
            if (ROOT / path).stat().st_size > MAY_GROW_TO.get(path, 600_000)
        ]

        assert large == []

    def test_says_its_license(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        license_text = (ROOT / "LICENSE").read_text(encoding="utf-8")

        assert project["license"] == "Apache-2.0"
        assert "Apache License" in license_text
        assert "END OF TERMS AND CONDITIONS" in license_text
