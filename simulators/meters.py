"""What a meter's registers hold at a moment: a pure function of seed, number, start and time."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

from simulators.community import Meter, Register
from simulators.curves import HOUR_S, Curve

_NOISE_STEP_S = 5


@dataclass(frozen=True, slots=True)
class Course:
    """Simulated time: it began at `origin_s`, stood at `virtual_s` at the instant `at_s`, and
    since then runs `speed` times as fast as the clock."""

    origin_s: float
    at_s: float
    virtual_s: float
    speed: float

    def virtual(self, now_s: float) -> float:
        return self.virtual_s + self.speed * max(0.0, now_s - self.at_s)


def register_at(
    register: Register, meter: Meter, *, seed: int, curve: Curve, course: Course, now_s: float
) -> int:
    """The unsigned number in the register; counters wrap like a real one's."""
    value = _QUANTITIES[register.code](meter, seed, curve, course, now_s)
    return math.floor(value / float(register.scale)) % (1 << 16 * register.words)


def _total(meter: Meter, seed: int, curve: Curve, course: Course, now_s: float) -> float:
    shift = _shift(meter, seed)
    used = curve.used(course.virtual(now_s) - shift) - curve.used(course.origin_s - shift)
    return meter.start + used * _size(meter, seed)


def _rate(meter: Meter, seed: int, curve: Curve, course: Course, now_s: float) -> float:
    """Units an hour. The curve knows hours only; within one, appliances come and go."""
    slope = curve.rate(course.virtual(now_s) - _shift(meter, seed)) * course.speed
    return slope * _size(meter, seed) * (1 + 0.2 * _noise(seed, meter.no, "rate", now_s))


def _voltage(meter: Meter, seed: int, curve: Curve, course: Course, now_s: float) -> float:
    del curve, course
    return 228 + 3 * _noise(seed, meter.no, "voltage", now_s)


_QUANTITIES: dict[str, Callable[[Meter, int, Curve, Course, float], float]] = {
    "energy": _total,
    "volume": _total,
    "power": _rate,
    "flow": _rate,
    "voltage": _voltage,
}


def _size(meter: Meter, seed: int) -> float:
    """How a household differs from the mean one; many rooms together are close to the mean."""
    return meter.rooms * (1 + (_share(seed, meter.no, "size") - 0.5) / math.sqrt(meter.rooms))


def _shift(meter: Meter, seed: int) -> float:
    """Not every household has dinner at the same time."""
    return 2 * HOUR_S * _share(seed, meter.no, "shift")


def _noise(seed: int, no: str, what: str, now_s: float) -> float:
    """Smooth, between -1 and 1."""
    step = math.floor(now_s / _NOISE_STEP_S)
    part = now_s / _NOISE_STEP_S - step
    left, right = (_share(seed, no, f"{what}{step + i}") for i in (0, 1))
    return 2 * (left + (right - left) * part) - 1


def _share(seed: int, no: str, what: str) -> float:
    """A number in [0, 1) that only depends on its arguments."""
    digest = blake2b(f"{seed}:{no}:{what}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
