"""What of a lane is on its way, and when it is to be sent again. Pure; times are monotonic seconds.

Acknowledgments are cumulative, so losing them is harmless. Without one for max(5 s, 4 × round
trip), everything from the oldest on is sent again, after a pause that doubles and is drawn at
random, so that a thousand gateways do not come back in step.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

RESEND_MIN_S = 5.0
PAUSE_MAX_S = 30.0


@dataclass
class Flight:
    last_seq: int
    sent_at: float
    is_repeat: bool


@dataclass
class Window:
    """`cursor` is the seq from which on the outbox is to be read next; 1 is the oldest it holds.

    `turn` changes whenever the cursor goes back: what was read before is then not to be sent.
    """

    size: int
    draw: Callable[[], float]
    cursor: int = 1
    hold_until: float = 0.0
    round_trip_s: float | None = None
    failures: int = 0
    turn: int = 0
    _flights: deque[Flight] = field(default_factory=deque)
    _repeat_below: int = 0
    _hole: int = 0
    _hole_at: float = 0.0

    def free(self, now: float) -> int:
        """How many batches may be sent."""
        return 0 if now < self.hold_until else max(0, self.size - len(self._flights))

    def sent(self, last_seq: int, now: float) -> None:
        self._flights.append(Flight(last_seq, now, last_seq < self._repeat_below))
        self.cursor = last_seq + 1

    def acked(self, upto_seq: int, now: float) -> None:
        if self._flights and self._flights[0].last_seq <= upto_seq:
            self.failures = 0
            self.hold_until = 0.0
        while self._flights and self._flights[0].last_seq <= upto_seq:
            flight = self._flights.popleft()
            if not flight.is_repeat:
                self._measure(now - flight.sent_at)
        self.cursor = max(self.cursor, upto_seq + 1)

    def rewind(self, to_seq: int, now: float, *, pause_s: float = 0.0) -> None:
        """Send again from `to_seq` on, not before `pause_s` has passed."""
        self._repeat_below = max(self._repeat_below, self.cursor)
        self._flights.clear()
        self.turn += 1
        self.cursor = to_seq
        self.hold_until = now + pause_s

    def overdue(self, now: float) -> bool:
        return bool(self._flights) and now >= self._flights[0].sent_at + self._resend_s()

    def expire(self, now: float) -> None:
        """Nothing was acknowledged in time: begin again with the oldest that is held."""
        pause = min(RESEND_MIN_S * 2**self.failures, PAUSE_MAX_S) * self.draw()
        self.failures = min(self.failures + 1, 10)
        self.rewind(1, now, pause_s=pause)

    def told_hole(self, expect: int, now: float) -> bool:
        """Send again from `expect`; False when the same hole was told just now, by the batches
        that were under way behind the first one."""
        again = expect == self._hole and now < self._hole_at + max(
            1.0, 2 * (self.round_trip_s or 0)
        )
        if not again:
            self._hole, self._hole_at = expect, now
            self.rewind(expect, now)
        return not again

    def wake_at(self, now: float) -> float | None:
        """When there is something to do although nothing happens; None for never."""
        if now < self.hold_until:
            return self.hold_until
        return self._flights[0].sent_at + self._resend_s() if self._flights else None

    def _resend_s(self) -> float:
        return max(RESEND_MIN_S, 4 * (self.round_trip_s or 0.0))

    def _measure(self, took_s: float) -> None:
        if self.round_trip_s is None:
            self.round_trip_s = took_s
        else:
            self.round_trip_s += (took_s - self.round_trip_s) / 8
