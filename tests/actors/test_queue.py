"""The turn queue and the joining of batches: order, bounds and priorities, without a clock."""

from __future__ import annotations

from array import array
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from actors.merging import merged
from actors.turns import Priority, Turn, TurnQueue
from protocols.uplink.messages import Batch, Lane

SITES = [uuid4() for _ in range(4)]


def _turn(
    site: UUID,
    work: object = None,
    *,
    priority: Priority = Priority.ingest,
    size: int = 1,
    deadline: float = 9,
) -> Turn:
    return Turn(site, 0, priority, work, deadline, size)


def test_site_takes_one_turn_at_a_time() -> None:
    queue = TurnQueue()
    first = _turn(SITES[0], 1)
    for turn in (first, _turn(SITES[1], 2)):
        queue.offer(turn)
    assert [turn.work for turn in queue.take_group(turns_max=9, bytes_max=9)] == [1, 2]
    queue.offer(_turn(SITES[0], 3))
    assert queue.take_group(turns_max=9, bytes_max=9) == []
    queue.done([first])
    assert [turn.work for turn in queue.take_group(turns_max=9, bytes_max=9)] == [3]


def test_command_overtakes_what_gateways_sent() -> None:
    queue = TurnQueue()
    queue.offer(_turn(SITES[0], "batch"))
    queue.offer(_turn(SITES[1], "other"))
    queue.offer(_turn(SITES[0], "command", priority=Priority.command, size=0))
    assert [turn.work for turn in queue.take_group(turns_max=9, bytes_max=9)] == ["other"]
    command = queue.take_command()
    assert command is not None
    assert command.work == "command"
    queue.done([command])
    assert [turn.work for turn in queue.take_group(turns_max=9, bytes_max=9)] == ["batch"]


def test_full_queue_refuses_and_counts_what_runs() -> None:
    queue = TurnQueue(commands_max=1, ingest_bytes_max=10)
    assert queue.offer(_turn(SITES[0], size=6))
    running = queue.take_group(turns_max=1, bytes_max=9)
    assert not queue.offer(_turn(SITES[1], size=6))
    queue.done(running)
    assert queue.bytes == 0
    assert queue.offer(_turn(SITES[1], size=6))
    assert queue.offer(_turn(SITES[0], priority=Priority.command, size=0))
    assert not queue.offer(_turn(SITES[0], priority=Priority.command, size=0))


def test_what_waited_too_long_is_taken_out() -> None:
    queue = TurnQueue()
    queue.offer(_turn(SITES[0], "late", deadline=1, size=5))
    queue.offer(_turn(SITES[0], "in time", deadline=3))
    assert [turn.work for turn in queue.expired(2)] == ["late"]
    assert (len(queue), queue.bytes) == (1, 1)


@given(
    offered=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4)), max_size=40),
    turns_max=st.integers(1, 5),
    bytes_max=st.integers(1, 8),
)
def test_every_turn_is_taken_once_and_each_site_in_order(
    offered: list[tuple[int, int]], turns_max: int, bytes_max: int
) -> None:
    queue = TurnQueue()
    for number, (site, size) in enumerate(offered):
        queue.offer(_turn(SITES[site], number, size=size))
    taken: list[Turn] = []
    while group := queue.take_group(turns_max=turns_max, bytes_max=bytes_max):
        assert len(group) <= turns_max
        taken += group
        queue.done(group)
    assert sorted(turn.work for turn in taken) == list(range(len(offered)))
    for site_id in SITES:
        numbers = [turn.work for turn in taken if turn.site_id == site_id]
        assert numbers == sorted(numbers)
    assert queue.bytes == 0


EPOCH = uuid4()


def _batch(first_seq: int, count: int, lane: Lane = Lane.TELE) -> Batch:
    numbers = range(first_seq, first_seq + count)
    return Batch(
        EPOCH,
        lane,
        first_seq,
        array("I", [1] * count),
        array("q", numbers),
        array("d", [0.0] * count),
        array("B", [0] * count),
    )


def test_batches_that_follow_on_each_other_become_one() -> None:
    turns = [
        _turn(SITES[0], _batch(1, 2)),
        _turn(SITES[1], _batch(1, 1)),
        _turn(SITES[0], _batch(3, 2)),
        _turn(SITES[0], _batch(6, 1)),
        _turn(SITES[0], _batch(7, 1, Lane.METER)),
    ]
    found = [(turn.site_id, turn.work.first_seq, len(turn.work)) for turn in merged(turns)]
    assert found == [(SITES[0], 1, 4), (SITES[1], 1, 1), (SITES[0], 6, 1), (SITES[0], 7, 1)]
    assert list(merged(turns)[0].work.times_us) == [1, 2, 3, 4]
