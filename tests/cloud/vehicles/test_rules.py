"""Plates as people type them."""

from __future__ import annotations

import pytest

from cloud.modules.vehicles.models import PlateType
from cloud.modules.vehicles.rules import (
    EXAMPLES,
    folded,
    is_plate,
    most_of_a_plate,
    office_and_serial,
    plate_of,
    sought,
)
from cloud.modules.vehicles.seeds import PLATES


class TestPlateOf:
    @pytest.mark.parametrize(
        "typed",
        ["粤B12345", "粤b12345", " 粤B·12345 ", "粤B 123 45", "粤B•12345", "粤Ｂ－１２３４５"],
    )
    def test_keeps_the_signs_alone(self, typed: str) -> None:
        assert plate_of(typed, PlateType.fuel) == "粤B12345"

    def test_reads_in_a_serial_what_the_standard_has(self) -> None:
        assert plate_of("粤BO1I45", PlateType.fuel) == "粤B01145"
        assert plate_of("粤BDO1234", PlateType.new_energy) == "粤BD01234"

    def test_leaves_plates_that_it_does_not_know(self) -> None:
        assert plate_of("wj-O1·234", PlateType.other) == "WJO1234"


class TestIsPlate:
    @pytest.mark.parametrize(
        ("plate", "plate_type"),
        [
            ("京A8K52T", PlateType.fuel),
            ("粤B1234学", PlateType.fuel),
            ("粤BD12345", PlateType.new_energy),
            ("粤BFA1234", PlateType.new_energy),
            ("粤B12345F", PlateType.new_energy),
            ("粤ZF023港", PlateType.hk_macau),
            ("粤Z1234澳", PlateType.hk_macau),
            ("使014578", PlateType.other),
            ("", PlateType.unlicensed),
            *((plate, kind) for kind, plate in EXAMPLES.items()),
        ],
    )
    def test_takes_the_forms_of_the_standard(self, plate: str, plate_type: PlateType) -> None:
        assert is_plate(plate, plate_type)

    @pytest.mark.parametrize(
        ("plate", "plate_type"),
        [
            ("粤B1234", PlateType.fuel),
            ("粤B123456", PlateType.fuel),
            ("粤BD12345", PlateType.fuel),
            ("B12345", PlateType.fuel),
            ("港B12345", PlateType.fuel),
            ("粤I12345", PlateType.fuel),
            ("粤B1234O", PlateType.fuel),
            ("粤B12345", PlateType.new_energy),
            ("粤BL12345", PlateType.new_energy),
            ("粤BDAB123", PlateType.new_energy),
            ("粤B1234F", PlateType.new_energy),
            ("京Z1234港", PlateType.hk_macau),
            ("粤B12345", PlateType.unlicensed),
            ("", PlateType.fuel),
            ("", PlateType.other),
        ],
    )
    def test_refuses_all_else(self, plate: str, plate_type: PlateType) -> None:
        assert not is_plate(plate, plate_type)

    def test_takes_the_demos(self) -> None:
        plates = [plate for vehicles in PLATES.values() for plate, _, _ in vehicles]

        assert {len(plate) for plate in plates} == {7, 8}
        assert len({folded(plate) for plate in plates}) == len(plates)


class TestSought:
    @pytest.mark.parametrize(
        ("typed", "key"),
        [
            ("粤b·o1", "粤B01"),
            ("粤B", "粤B"),
            ("b12345", "B12345"),
            ("12345", "12345"),
            ("粤Zf023港", "粤ZF023港"),
        ],
    )
    def test_is_the_beginning_of_a_plate(self, typed: str, key: str) -> None:
        assert sought(typed) == key

    @pytest.mark.parametrize("typed", ["", "张伟", "粤", "1", "13812345512", "3幢1单元1202"])
    def test_is_nothing_for_what_is_none(self, typed: str) -> None:
        assert sought(typed) is None

    def test_is_most_of_a_plate_with_five_signs_and_a_digit(self) -> None:
        assert most_of_a_plate("粤b·1o3") == "粤B103"
        assert most_of_a_plate("b12345") == "B12345"
        for less in ("2345", "Lewis", "张伟", "13812345512"):
            assert most_of_a_plate(less) is None, less

    def test_may_leave_out_the_province(self) -> None:
        assert office_and_serial("B12345") == ("B", "12345")
        assert office_and_serial("12345") is None
        assert office_and_serial("B12") is None
