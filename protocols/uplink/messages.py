"""What a gateway and the platform say to each other, as values.

Identity of data: `epoch` is drawn when an outbox is created; `seq` counts from 1 without holes in
each (epoch, lane). The platform keeps one watermark for each (site, lane, epoch) and takes a batch
only when it begins at or below watermark + 1.

A `Gap` that names `seq_from` and `seq_to` says that those readings of its lane will never come.
They were the oldest that the gateway held, so all before them is committed: whoever commits the
Gap sets the watermark of (epoch, gap.lane) to at least `seq_to`. Until then the batches that follow
are answered with Nack "hole" and sent again. Lane event never skips a number: what is lost there
is replaced, record by record, by Gaps with the same numbers.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from protocols.points import Lane, Quality

__all__ = [
    "Ack",
    "Batch",
    "Birth",
    "Command",
    "CommandResult",
    "EventRecord",
    "Events",
    "Gap",
    "Lane",
    "LaneState",
    "Live",
    "Nack",
    "Outcome",
    "Quality",
]

Natural = Annotated[int, Field(ge=0, lt=2**63)]
Instant = Annotated[int, Field(ge=-(2**63), lt=2**63)]
PointNumber = Annotated[int, Field(ge=1, lt=2**32)]
Text = Annotated[str, Field(max_length=500)]


class Outcome(StrEnum):
    """UNKNOWN: the request left and no answer came, so the effect may or may not have happened."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    EXPIRED = "expired"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings of lane meter or tele as columns of equal length; row i has seq first_seq + i.

    Times are µs since the epoch in UTC, by the gateway's clock. Values are finite unless the
    quality is BAD.
    """

    epoch: UUID
    lane: Lane
    first_seq: int
    points: array[int]
    times_us: array[int]
    values: array[float]
    qualities: array[int]

    def __len__(self) -> int:
        return len(self.points)

    @property
    def last_seq(self) -> int:
        return self.first_seq + len(self.points) - 1


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What became of a command. Sent again, unchanged, for a command that comes twice."""

    command_id: UUID
    outcome: Outcome
    value: float | None
    quality: Quality
    at_us: Instant
    detail: Text
    kind: Literal["result"] = "result"


@dataclass(frozen=True, slots=True)
class Gap:
    """Readings that were dropped. Without seqs: they were lost before they were numbered.

    `count` is None when nobody can tell any more how many they were.
    """

    lane: Lane
    epoch: UUID | None
    seq_from: Natural | None
    seq_to: Natural | None
    from_us: Instant | None
    to_us: Instant | None
    count: Natural | None
    reason: Text
    kind: Literal["gap"] = "gap"


EventRecord = Annotated[CommandResult | Gap, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True)
class Events:
    """Records of lane event; record i has seq first_seq + i."""

    epoch: UUID
    first_seq: int
    records: tuple[CommandResult | Gap, ...]

    def __len__(self) -> int:
        return len(self.records)

    @property
    def last_seq(self) -> int:
        return self.first_seq + len(self.records) - 1


@dataclass(frozen=True, slots=True)
class Ack:
    """All of the lane up to `upto_seq`, and it too, is committed. Losing one is harmless."""

    epoch: UUID
    lane: Lane
    upto_seq: Natural
    server_time_us: Instant
    max_bytes_per_s: Annotated[int, Field(ge=1)] | None = None


@dataclass(frozen=True, slots=True)
class Nack:
    """Nothing of the batch was stored.

    hole: send again from `expect`. busy: send again after `retry_after_s`. undecodable: the batch
    that begins at `expect` will never be accepted; set it aside and report a Gap.
    """

    epoch: UUID
    lane: Lane
    reason: Literal["hole", "busy", "undecodable"]
    expect: Natural | None = None
    retry_after_s: Annotated[float, Field(ge=0, le=3600)] | None = None


@dataclass(frozen=True, slots=True)
class LaneState:
    """What an outbox holds of a lane. `bytes` and `oldest_us` are of what is not acknowledged."""

    next_seq: Natural
    acked_seq: Natural
    bytes: Natural
    oldest_us: Instant | None


@dataclass(frozen=True, slots=True)
class Birth:
    """The retained state of a gateway. The broker publishes one with `online` false as its will."""

    epoch: UUID
    boot_id: UUID
    agent_version: Text
    config_hash: Text
    lanes: dict[Lane, LaneState]
    clock_synced: bool
    disk_free: Natural
    at_us: Instant
    online: bool


@dataclass(frozen=True, slots=True)
class Command:
    """An order to a device. Carried out at most once for an id, and not after `expires_us`."""

    id: UUID
    op: Literal["read_now", "write"]
    point: PointNumber
    value: float | None
    issued_us: Instant
    expires_us: Instant


@dataclass(frozen=True, slots=True)
class Live:
    """The latest values that changed since the last one: for screens, never stored."""

    at_us: int
    points: array[int]
    times_us: array[int]
    values: array[float]
    qualities: array[int]

    def __len__(self) -> int:
        return len(self.points)
