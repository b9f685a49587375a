"""Resending: nothing is forgotten, nothing is sent in a storm."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.window import PAUSE_MAX_S, RESEND_MIN_S, Window


def window(size: int = 4, draw: float = 1.0) -> Window:
    return Window(size, lambda: draw)


def test_sends_as_much_as_it_holds_and_goes_on_with_each_answer() -> None:
    lane = window(2)
    lane.sent(10, 0.0)
    lane.sent(20, 0.1)
    assert lane.free(0.2) == 0
    lane.acked(10, 0.3)
    assert lane.free(0.3) == 1
    assert lane.cursor == 21


def test_one_answer_covers_all_before_it() -> None:
    lane = window(3)
    for seq in (1, 2, 3):
        lane.sent(seq, 0.0)
    lane.acked(3, 0.5)
    assert lane.free(0.5) == 3
    assert lane.wake_at(0.5) is None


def test_without_an_answer_begins_again_with_the_oldest_after_a_pause() -> None:
    lane = window()
    lane.sent(5, 0.0)
    assert not lane.overdue(RESEND_MIN_S - 0.01)
    assert lane.overdue(RESEND_MIN_S)
    lane.expire(RESEND_MIN_S)
    assert lane.cursor == 1
    assert lane.free(RESEND_MIN_S) == 0
    assert lane.wake_at(RESEND_MIN_S) == RESEND_MIN_S + 5
    assert lane.free(RESEND_MIN_S + 5) == 4


def test_pauses_double_up_to_half_a_minute_and_an_answer_ends_them() -> None:
    lane, now, pauses = window(), 0.0, []
    for _ in range(8):
        lane.sent(5, now)
        now += RESEND_MIN_S
        lane.expire(now)
        pauses.append(lane.hold_until - now)
        now = lane.hold_until
    assert pauses == [5, 10, 20, *[PAUSE_MAX_S] * 5]
    lane.sent(5, now)
    lane.acked(5, now)
    assert lane.failures == 0


def test_waits_four_round_trips_on_a_slow_line_and_measures_no_repeats() -> None:
    lane = window()
    lane.sent(1, 0.0)
    lane.acked(1, 3.0)
    lane.sent(2, 3.0)
    assert not lane.overdue(3.0 + 11.9)
    assert lane.overdue(3.0 + 12.0)
    lane.rewind(1, 20.0)
    lane.sent(2, 20.0)
    lane.acked(2, 20.1)
    assert lane.round_trip_s == 3.0


def test_a_hole_told_by_every_batch_behind_it_is_filled_once() -> None:
    lane = window()
    for seq in (10, 20, 30):
        lane.sent(seq, 0.0)
    assert lane.told_hole(1, 0.1)
    turn = lane.turn
    lane.sent(10, 0.1)
    assert not lane.told_hole(1, 0.2)
    assert lane.turn == turn
    assert lane.told_hole(1, 5.0)


class Line:
    """An outbox of 20 batches of one reading, a platform with a watermark, mishaps between."""

    def __init__(self) -> None:
        self.lane = window()
        self.now = 0.0
        self.watermark = self.acked = 0
        self.flying: list[int] = []

    def send(self) -> None:
        while self.lane.free(self.now) and self.lane.cursor <= 20:
            seq = max(self.lane.cursor, self.acked + 1)
            if seq > 20:
                return
            self.flying.append(seq)
            self.lane.sent(seq, self.now)

    def ack(self) -> None:
        for seq in self.flying:
            if seq == self.watermark + 1:
                self.watermark = seq
        self.flying.clear()
        self.acked = self.watermark
        self.lane.acked(self.watermark, self.now)

    def lose(self) -> None:
        self.flying.clear()

    def hole(self) -> None:
        self.lane.told_hole(self.watermark + 1, self.now)

    def busy(self) -> None:
        self.lane.rewind(1, self.now, pause_s=3)

    def late(self) -> None:
        self.now += 200
        if self.lane.overdue(self.now):
            self.lane.expire(self.now)
            self.now += PAUSE_MAX_S


@given(st.lists(st.sampled_from([Line.send, Line.ack, Line.lose, Line.hole, Line.busy])))
def test_whatever_happens_everything_arrives_in_order(
    happenings: list[Callable[[Line], None]],
) -> None:
    line = Line()
    for happening in [*happenings, *[Line.late, Line.send, Line.ack] * 12]:
        line.now += 1
        happening(line)
    assert line.watermark == 20
