"""How a device fares, step by step; and how long it is left alone."""

import pytest

from edge_agent.states import DeviceState, Outcome, backoff_s, next_state

CONNECTING, ONLINE, DEGRADED, BACKOFF, STOPPED = DeviceState
ANSWERED, FAILED, STOP = Outcome


@pytest.mark.parametrize(
    ("state", "outcome", "attempts", "after", "delay_s"),
    [
        (CONNECTING, ANSWERED, 0, ONLINE, 0),
        (CONNECTING, FAILED, 0, BACKOFF, 5),
        (ONLINE, ANSWERED, 0, ONLINE, 0),
        (ONLINE, FAILED, 0, DEGRADED, 0),
        (DEGRADED, ANSWERED, 0, ONLINE, 0),
        (DEGRADED, FAILED, 0, BACKOFF, 5),
        (BACKOFF, FAILED, 1, BACKOFF, 10),
        (BACKOFF, FAILED, 4, BACKOFF, 80),
        (BACKOFF, FAILED, 5, BACKOFF, 120),
        (BACKOFF, FAILED, 999, BACKOFF, 120),
        (BACKOFF, ANSWERED, 3, ONLINE, 0),
        (ONLINE, STOP, 0, STOPPED, 0),
        (BACKOFF, STOP, 7, STOPPED, 0),
        (STOPPED, ANSWERED, 0, STOPPED, 0),
    ],
)
def test_each_step(
    state: DeviceState, outcome: Outcome, attempts: int, after: DeviceState, delay_s: float
) -> None:
    assert next_state(state, outcome, attempts) == (after, delay_s)


def test_a_dead_device_is_probed_at_most_twice_in_its_first_quarter_minute() -> None:
    asked, now, attempts, state = 0, 0.0, 0, CONNECTING
    while now < 900:
        asked += 1
        state, delay_s = next_state(state, FAILED, attempts)
        attempts += 1
        now += max(delay_s, 0.001)
    assert state is BACKOFF
    assert asked <= 12
    assert backoff_s(attempts) == 120
