"""Uplink messages survive the wire, and nothing else passes for one."""

import struct
import zlib
from array import array
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.uplink import codec
from protocols.uplink.codec import WireError
from protocols.uplink.messages import (
    Ack,
    Batch,
    Birth,
    Command,
    CommandResult,
    Events,
    Gap,
    Lane,
    LaneState,
    Live,
    Nack,
    Outcome,
    Quality,
)

EPOCH = UUID("0192f0c0-0000-7000-8000-00000000abcd")
naturals = st.integers(0, 2**63 - 1)
instants = st.integers(-(2**63), 2**63 - 1)
readings = st.lists(
    st.tuples(
        st.integers(1, 2**32 - 1),
        instants,
        st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from(Quality),
    ),
    min_size=1,
    max_size=60,
)
texts = st.text(max_size=80)
gaps = st.builds(
    Gap,
    lane=st.sampled_from(Lane),
    epoch=st.none() | st.uuids(),
    seq_from=st.none() | naturals,
    seq_to=st.none() | naturals,
    from_us=st.none() | instants,
    to_us=st.none() | instants,
    count=st.none() | naturals,
    reason=texts,
)
results = st.builds(
    CommandResult,
    command_id=st.uuids(),
    outcome=st.sampled_from(Outcome),
    value=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    quality=st.sampled_from(Quality),
    at_us=instants,
    detail=texts,
)


def columns(rows: list[tuple[int, int, float, Quality]]) -> tuple[array, array, array, array]:  # type: ignore[type-arg]
    points, times, values, qualities = zip(*rows, strict=True)
    return array("I", points), array("q", times), array("d", values), array("B", qualities)


def batch(lane: Lane = Lane.METER, n: int = 3) -> Batch:
    return Batch(EPOCH, lane, 7, *columns([(i + 1, i, i / 4, Quality.GOOD) for i in range(n)]))


@given(readings, st.sampled_from([Lane.METER, Lane.TELE]), st.uuids(), st.integers(1, 2**63))
def test_a_batch_comes_back_as_it_was(
    rows: list[tuple[int, int, float, Quality]], lane: Lane, epoch: UUID, first_seq: int
) -> None:
    sent = Batch(epoch, lane, first_seq, *columns(rows))
    assert codec.decode_batch(lane, codec.encode(sent)) == sent


@given(st.lists(gaps | results, min_size=1, max_size=20), st.uuids())
def test_events_come_back_as_they_were(records: list[Gap | CommandResult], epoch: UUID) -> None:
    sent = Events(epoch, 1, tuple(records))
    assert codec.decode_batch(Lane.EVENT, codec.encode(sent)) == sent


@given(readings, instants)
def test_live_comes_back_as_it_was(rows: list[tuple[int, int, float, Quality]], at_us: int) -> None:
    sent = Live(at_us, *columns(rows))
    assert codec.decode_live(codec.encode(sent)) == sent


@pytest.mark.parametrize(
    "sent",
    [
        Ack(EPOCH, Lane.TELE, 12, 1_700_000_000_000_000, None),
        Ack(EPOCH, Lane.EVENT, 0, 0, 4096),
        Nack(EPOCH, Lane.METER, "hole", 4),
        Nack(EPOCH, Lane.METER, "busy", None, 2.5),
        Nack(EPOCH, Lane.METER, "undecodable", 1),
    ],
)
def test_acknowledgments_come_back_as_they_were(sent: Ack | Nack) -> None:
    assert codec.decode_ack(codec.encode(sent)) == sent


def test_birth_and_command_come_back_as_they_were() -> None:
    lanes = {lane: LaneState(9, 4, 1000, None) for lane in Lane}
    birth = Birth(EPOCH, EPOCH, "0.1.0", "abc", lanes, True, 10**10, 5, True)
    command = Command(EPOCH, "read_now", 17, None, 1, 2)
    assert codec.decode_birth(codec.encode(birth)) == birth
    assert codec.decode_command(codec.encode(command)) == command


def test_a_full_batch_fits_and_one_more_does_not() -> None:
    assert len(codec.encode(batch(n=codec.READINGS_MAX))) < codec.BYTES_MAX
    with pytest.raises(WireError, match="too many"):
        codec.encode(batch(n=codec.READINGS_MAX + 1))


@given(st.data())
def test_a_flipped_bit_is_noticed(data: st.DataObject) -> None:
    wire = bytearray(codec.encode(batch()))
    position = data.draw(st.integers(0, len(wire) * 8 - 1))
    wire[position // 8] ^= 1 << position % 8
    with pytest.raises(WireError):
        codec.decode_batch(Lane.METER, bytes(wire))


@given(st.binary(max_size=200))
def test_noise_is_no_message(noise: bytes) -> None:
    for decode in (codec.decode_ack, codec.decode_birth, codec.decode_command, codec.decode_live):
        with pytest.raises(WireError):
            decode(noise)


@given(st.integers(0, 200))
def test_a_cut_message_is_noticed(length: int) -> None:
    wire = codec.encode(batch(n=30))
    with pytest.raises(WireError):
        codec.decode_batch(Lane.METER, wire[: min(length, len(wire) - 1)])


def _forge(body: bytes, *, kind: int = 1, length: int = 3, version: int = 1) -> bytes:
    """A frame built by hand from the layout in the module's docstring."""
    deflate = zlib.compressobj(wbits=-15)
    packed = deflate.compress(body) + deflate.flush()
    head = struct.pack("<BBHQ16s", version, kind, length, 1, EPOCH.bytes)
    return head + struct.pack("<I", zlib.crc32(head + packed)) + packed


def test_the_layout_is_the_documented_one() -> None:
    body = struct.pack("<3I3q3d3B", 1, 2, 3, 4, 5, 6, 0.5, 1.5, 2.5, 0, 1, 2)
    read = codec.decode_batch(Lane.METER, _forge(body))
    assert isinstance(read, Batch)
    assert list(read.points) == [1, 2, 3]
    assert list(read.times_us) == [4, 5, 6]
    assert list(read.values) == [0.5, 1.5, 2.5]
    assert list(read.qualities) == [0, 1, 2]
    assert read.last_seq == 3


@pytest.mark.parametrize(
    ("wire", "says"),
    [
        (_forge(b"\0" * 63, version=2), "schema version 2"),
        (_forge(b"\0" * 62), "62 bytes for 3 readings"),
        (_forge(b"\0" * 63), "point number 0"),
        (_forge(struct.pack("<IqdB", 1, 0, float("nan"), 0), length=1), "value nan with quality 0"),
        (_forge(struct.pack("<IqdB", 1, 0, 1.0, 3), length=1), "quality 3"),
        (_forge(b"", length=0), "0 readings"),
        (_forge(b"\0" * 2_000_000, length=1000), "too long"),
        (_forge(b"[]", kind=3), "kind 3 in lane meter"),
        (b"\1" * (codec.BYTES_MAX + 1), "no message"),
    ],
)
def test_a_well_formed_lie_is_refused(wire: bytes, says: str) -> None:
    with pytest.raises(WireError, match=says):
        codec.decode_batch(Lane.METER, wire)


def test_a_batch_of_another_lane_is_refused() -> None:
    with pytest.raises(WireError, match="in lane tele"):
        codec.decode_batch(Lane.TELE, codec.encode(batch(Lane.METER)))


def test_a_batch_that_cannot_be_read_can_be_named() -> None:
    named = codec.peek(_forge(b"?", version=9, length=5))
    assert named is not None
    assert (named.first_seq, named.length, named.epoch) == (1, 5, EPOCH)
    assert codec.peek(b"short") is None


def test_fields_that_a_reader_does_not_know_are_ignored() -> None:
    body = (
        f'{{"epoch":"{EPOCH}","lane":"tele","upto_seq":3,"server_time_us":4,'
        '"max_bytes_per_s":null,"since":"the next version"}'
    ).encode()
    assert codec.decode_ack(_forge(body, kind=4, length=0)) == Ack(EPOCH, Lane.TELE, 3, 4)
