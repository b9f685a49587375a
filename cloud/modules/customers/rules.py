"""Shares of the owners of a room over time, and what roles are called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from cloud.kernel.ui.language import Tone
from cloud.modules.customers.models import Arrears, RoomRole

WHOLE = Decimal(100)
CUSTOMER_TYPES = "customers.types"
RELATIONS = "customers.relations"

ARREARS_LABELS: dict[Arrears, tuple[str, Tone]] = {
    Arrears.settle: ("Settled before the transfer", Tone.ok),
    Arrears.assume: ("Assumed by the new owner", Tone.warn),
}

ROLE_LABELS: dict[RoomRole, tuple[str, Tone]] = {
    RoomRole.owner: ("Owner", Tone.ok),
    RoomRole.co_owner: ("Co-owner", Tone.ok),
    RoomRole.tenant: ("Tenant", Tone.info),
    RoomRole.family: ("Family", Tone.mute),
    RoomRole.occupant: ("Occupant", Tone.mute),
    RoomRole.developer: ("Developer", Tone.mute),
    RoomRole.agent: ("Agent", Tone.mute),
}


@dataclass(frozen=True)
class Holding:
    """A share of ownership in percent; blank when the owners never said. Half-open in time."""

    share: Decimal | None
    valid_from: date
    valid_to: date | None

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


def overbooked_on(holdings: Sequence[Holding]) -> tuple[date, Decimal] | None:
    """The first day on which the shares sum to more than 100, with the sum."""
    for day in _starts(holdings):
        total = sum((held.share or Decimal(0) for held in _on(holdings, day)), Decimal(0))
        if total > WHOLE:
            return day, total
    return None


def short_on(holdings: Sequence[Holding], *, start: date = date.min) -> tuple[date, Decimal] | None:
    """The first day from `start` on that has shares which sum to less than 100, with the sum.

    A sum can only fall where somebody's holding ends; a day without owners lacks nothing.
    """
    ends = {held.valid_to for held in holdings if held.valid_to is not None}
    for day in sorted({max(day, start) for day in (*_starts(holdings), *ends)}):
        shares = [held.share for held in _on(holdings, day)]
        total = sum((share for share in shares if share is not None), Decimal(0))
        if shares and None not in shares and total < WHOLE:
            return day, total
    return None


def half_blank_on(holdings: Sequence[Holding]) -> date | None:
    """The first day on which some owners have a share and others have none."""
    for day in _starts(holdings):
        blanks = {held.share is None for held in _on(holdings, day)}
        if len(blanks) > 1:
            return day
    return None


def _starts(holdings: Iterable[Holding]) -> list[date]:
    """A sum can only grow where somebody's holding begins."""
    return sorted({held.valid_from for held in holdings})


def _on(holdings: Iterable[Holding], day: date) -> list[Holding]:
    return [held for held in holdings if held.holds_on(day)]
