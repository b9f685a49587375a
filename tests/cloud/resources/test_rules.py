"""Paths and their order."""

from __future__ import annotations

from cloud.modules.resources.rules import path_below, sort_key


def test_a_path_is_the_codes_from_the_building_down() -> None:
    assert path_below(path_below(path_below(None, "3"), "1"), "1202") == "3-1-1202"


def test_paths_sort_as_people_count() -> None:
    paths = ["10-1-101", "2-1-1001", "2-1-901", "2-2-101", "A2-101", "A10-101"]
    assert sorted(paths, key=sort_key) == [
        "2-1-901", "2-1-1001", "2-2-101", "10-1-101", "A2-101", "A10-101",
    ]  # fmt: skip
