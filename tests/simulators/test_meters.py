"""Registers of a simulated meter: forward only, of the size described, the same on every run."""

import gzip
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.community import CommunityError, Meter, Register, read_community
from simulators.course import CourseError, resume
from simulators.curves import Curve, measured_hours
from simulators.meters import Course, register_at
from tests.kit.simulators import COMMUNITY

ENERGY = Register("energy", "holding", 0, 2, Decimal("0.01"))
POWER = Register("power", "holding", 2, 2, Decimal("0.001"))
VOLTAGE = Register("voltage", "holding", 4, 1, Decimal("0.1"))
METER = Meter("E-LT-110101", "electricity", 1, 1, (ENERGY, POWER, VOLTAGE), 2506.31)
DAILY = [3, 2, 2, 2, 2, 3, 4, 5, 4, 3, 3, 4, 5, 4, 3, 3, 4, 6, 9, 10, 9, 8, 6, 4]
CURVE = Curve(DAILY, per_day=7.5)
T0 = 1_795_000_000.0
DAY_S = 86_400


def read(register: Register, now_s: float, course: Course, meter: Meter = METER) -> int:
    return register_at(register, meter, seed=7, curve=CURVE, course=course, now_s=now_s)


def course(speed: float = 1) -> Course:
    return Course(T0, T0, T0, speed)


@given(st.lists(st.floats(0, 400 * DAY_S), min_size=2, max_size=20), st.floats(0.1, 1000))
def test_a_counter_never_runs_backwards(moments: list[float], speed: float) -> None:
    values = [read(ENERGY, T0 + moment, course(speed)) for moment in sorted(moments)]
    assert values == sorted(values)


def test_a_day_uses_what_the_curve_says() -> None:
    rooms = [Meter(f"E-{i}", "electricity", 1, 1, (ENERGY,), 500.0) for i in range(60)]
    used = [
        read(ENERGY, T0 + DAY_S, course(), room) - read(ENERGY, T0, course(), room)
        for room in rooms
    ]
    assert min(used) > 300
    assert max(used) < 1200
    assert sum(used) / len(used) / 100 == pytest.approx(7.5, rel=0.1)


def test_a_shared_meter_carries_its_rooms() -> None:
    shared = Meter("E-LT-P1", "electricity", 1, 40, (ENERGY,), 500.0)
    used = read(ENERGY, T0 + DAY_S, course(), shared) - read(ENERGY, T0, course(), shared)
    assert used / 100 == pytest.approx(40 * 7.5, rel=0.1)


def test_speed_counts_from_the_start() -> None:
    assert read(ENERGY, T0, course(1)) == read(ENERGY, T0, course(100))
    fast = read(ENERGY, T0 + DAY_S / 100, course(100))
    assert fast == read(ENERGY, T0 + DAY_S, course(1))


def test_power_is_the_slope_and_voltage_stays_in_its_band() -> None:
    for minute in range(0, 1440, 7):
        now_s = T0 + 60 * minute
        slope = read(ENERGY, now_s + 600, course()) - read(ENERGY, now_s, course())
        assert read(POWER, now_s, course()) / 1000 == pytest.approx(slope / 100 * 6, abs=0.35)
        assert 2250 <= read(VOLTAGE, now_s, course()) <= 2310


def test_a_restart_goes_on_and_a_new_speed_holds_from_then_on(tmp_path: Path) -> None:
    first = resume(tmp_path, speed=1, now_s=T0)
    again = resume(tmp_path, speed=1, now_s=T0 + DAY_S)
    faster = resume(tmp_path, speed=50, now_s=T0 + DAY_S)
    slower = resume(tmp_path, speed=1, now_s=T0 + 2 * DAY_S)

    assert first == again
    at_change = read(ENERGY, T0 + DAY_S, first)
    assert read(ENERGY, T0 + DAY_S, faster) == at_change
    assert read(ENERGY, T0 + 2 * DAY_S, slower) == read(ENERGY, T0 + 51 * DAY_S, first)


def test_a_start_that_cannot_be_read_is_not_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "start.json").write_text("{")
    with pytest.raises(CourseError, match="delete it to begin anew"):
        resume(tmp_path, speed=1, now_s=T0)


def test_odd_hours_of_the_archive_count_as_none(tmp_path: Path) -> None:
    rows = ["h,v", "a,1.5", "b,", "c,-4", "d,nan", "e", "f,2"] + ["g,2"] * 200 + ["h,1e9"]
    path = tmp_path / "hours.csv.gz"
    path.write_bytes(gzip.compress("\n".join(rows).encode()))
    hours = measured_hours(path)
    assert hours[:6] == [1.5, 0, 0, 0, 0, 2]
    assert hours[-1] == 2


def test_the_demo_company_is_read_whole() -> None:
    community = read_community(COMMUNITY)
    numbers = [meter.no for bus in community.buses for meter in bus.meters]
    assert len(community.buses) == 10
    assert len(numbers) == len(set(numbers)) == 2 * 240 + 14


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not YAML"),
        ("sites: []", "KeyError 'models'"),
        (COMMUNITY.read_text().replace("E-LT-110102, 2]", "E-LT-110102, 1]"), "same address"),
        (COMMUNITY.read_text().replace("uint16", "int16"), "not simulated"),
        (COMMUNITY.read_text().replace("bus: P, device: 1,", "bus: Q, device: 1,"), "bus Q"),
    ],
)
def test_a_wrong_community_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "community.yaml"
    path.write_text(text)
    with pytest.raises(CommunityError, match=says):
        read_community(path)


def test_an_unknown_site_is_named() -> None:
    with pytest.raises(CommunityError, match="no site XX; the file has LT, YS, JH"):
        read_community(COMMUNITY, ["XX"])
