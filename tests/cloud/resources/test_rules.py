"""Paths and their order."""

from __future__ import annotations

import pytest

from cloud.modules.resources.rules import path_below, path_of, sort_key


def test_a_path_is_the_codes_from_the_building_down() -> None:
    assert path_below(path_below(path_below(None, "3"), "1"), "1202") == "3-1-1202"


def test_paths_sort_as_people_count() -> None:
    paths = ["10-1-101", "2-1-1001", "2-1-901", "2-2-101", "A2-101", "A10-101"]
    assert sorted(paths, key=sort_key) == [
        "2-1-901", "2-1-1001", "2-2-101", "10-1-101", "A2-101", "A10-101",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ("8-1-101", "8-1-101"),
        ("8－1－101", "8-1-101"),
        ("8栋1单元101室", "8-1-101"),
        ("8幢 1单元 101", "8-1-101"),
        ("12号楼3", "12-3"),
        ("A3-1-1202", "A3-1-1202"),
        ("101", None),
        ("张伟", None),
        ("YS2611-000123", None),
        ("2611-000123", None),
        ("", None),
    ],
)
def test_a_path_is_read_as_people_type_it(typed: str, path: str | None) -> None:
    assert path_of(typed) == path
