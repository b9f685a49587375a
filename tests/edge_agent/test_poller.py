"""What is kept of a poll: billing registers once an interval, telemetry by its deadband."""

import math

import pytest

from edge_agent.config import PointConfig
from edge_agent.deadband import differs
from edge_agent.live import LiveBoard
from edge_agent.poller import Keeper
from protocols.points import Block, Quality

MINUTE_US = 60_000_000


def point(number: int, lane: str, deadband: float = 0.0) -> PointConfig:
    return PointConfig.model_validate(
        {
            "point": number,
            "code": "p",
            "table": "holding",
            "address": number,
            "type": "uint16",
            "lane": lane,
            "every_s": 60,
            "deadband": deadband,
        }
    )


def block(*rows: tuple[int, int, float, Quality]) -> Block:
    made = Block()
    for row in rows:
        made.append(*row)
    return made


def read(keeper: Keeper, number: int, at_us: int, value: float = 1.0) -> tuple[int, int]:
    quality = Quality.BAD if math.isnan(value) else Quality.GOOD
    kept = keeper.sort(block((number, at_us, value, quality)))
    return len(kept.meter), len(kept.tele)


class TestMeter:
    def test_once_in_each_minute_of_the_wall_clock(self) -> None:
        keeper = Keeper([point(1, "meter")])
        seconds = (58, 59, 60, 61, 119, 120, 125)
        kept = [read(keeper, 1, second * 1_000_000)[0] for second in seconds]
        assert kept == [1, 0, 1, 0, 0, 1, 0]

    def test_a_failed_read_is_tried_again_in_the_same_minute_and_never_kept(self) -> None:
        keeper = Keeper([point(1, "meter")])
        assert read(keeper, 1, MINUTE_US, math.nan) == (0, 0)
        assert read(keeper, 1, MINUTE_US + 5) == (1, 0)

    def test_a_clock_that_was_set_back_begins_a_new_interval(self) -> None:
        keeper = Keeper([point(1, "meter")])
        assert read(keeper, 1, 10 * MINUTE_US) == (1, 0)
        assert read(keeper, 1, 4 * MINUTE_US) == (1, 0)


class TestTele:
    def test_small_changes_are_left_out(self) -> None:
        keeper = Keeper([point(1, "tele", deadband=0.5)])
        values = (230.0, 230.4, 230.6, 230.2, 229.9)
        kept = [read(keeper, 1, i * MINUTE_US, value)[1] for i, value in enumerate(values)]
        assert kept == [1, 0, 1, 0, 1]

    def test_losing_and_regaining_a_value_is_told_at_once(self) -> None:
        keeper = Keeper([point(1, "tele")])
        values = (1.0, math.nan, math.nan, 1.0, 1.0)
        assert [read(keeper, 1, i, value)[1] for i, value in enumerate(values)] == [1, 1, 0, 1, 0]


@pytest.mark.parametrize(
    ("kept", "value", "deadband", "kept_again"),
    [(None, 0, 5, True), (1, 1, 0, True), (1, 1.1, 0.2, False), (1, 1.3, 0.2, True)],
)
def test_deadband(kept: float | None, value: float, deadband: float, kept_again: bool) -> None:
    assert differs(kept, value, deadband) is kept_again


def test_live_tells_changes_only_and_the_whole_on_demand() -> None:
    board = LiveBoard()
    board.note(block((1, 5, 1.5, Quality.GOOD), (2, 5, math.nan, Quality.BAD)))
    assert [list(message.points) for message in board.take(9)] == [[1, 2]]
    board.note(block((1, 6, 1.5, Quality.GOOD), (2, 6, math.nan, Quality.BAD)))
    assert list(board.take(9)) == []
    board.note(block((1, 7, 2.5, Quality.GOOD)))
    (message,) = board.take(9)
    assert (list(message.points), list(message.times_us), message.at_us) == ([1], [7], 9)
    board.changed_all()
    assert [len(message) for message in board.take(9)] == [2]


def test_live_messages_are_bounded() -> None:
    board = LiveBoard()
    board.note(block(*((i, 1, 1.0, Quality.GOOD) for i in range(1, 2501))))
    assert [len(message) for message in board.take(9)] == [1000, 1000, 500]
