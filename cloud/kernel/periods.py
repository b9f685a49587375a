"""Periods of whole days: stored half-open, read and typed closed; months from an anchor."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

ONE_DAY = timedelta(days=1)


class EmptyPeriod(ValueError):
    """The end is not after the start."""


@dataclass(frozen=True, order=True)
class Period:
    """[start, end): `end` is the first day that no longer belongs to it."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise EmptyPeriod(f"{self.end} is not after {self.start}")

    @classmethod
    def closed(cls, first: date, last: date) -> Period:
        """From the dates a person types. Raises EmptyPeriod when last < first."""
        return cls(first, last + ONE_DAY)

    @property
    def last(self) -> date:
        """The last day that belongs to it, as people read it."""
        return self.end - ONE_DAY

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    def intersection(self, other: Period) -> Period | None:
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Period(start, end) if start < end else None

    def until(self, end: date | None) -> Period | None:
        """Cut at an open or closed half-open end."""
        if end is None or end >= self.end:
            return self
        return Period(self.start, end) if end > self.start else None

    def months(self) -> Iterator[tuple[date, int, int]]:
        """(first of the calendar month, days of it inside the period, days of the month)."""
        month = self.start.replace(day=1)
        while month < self.end:
            following = add_months(month, 1)
            inside = min(self.end, following) - max(self.start, month)
            yield month, inside.days, (following - month).days
            month = following


def add_months(anchor: date, months: int) -> date:
    """`months` after the anchor, on its day or the last day of a shorter month.

    Always from the original anchor, never chained: 31 Jan → 29 Feb → 31 Mar (spec domain 0.2).
    """
    index = anchor.year * 12 + anchor.month - 1 + months
    year, month = divmod(index, 12)
    day = min(anchor.day, calendar.monthrange(year, month + 1)[1])
    return date(year, month + 1, day)


def cycles(anchor: date, *, months: int, within: Period) -> Iterator[Period]:
    """The cycles of `months` months counted from `anchor` that start inside `within`."""
    behind = (within.start.year - anchor.year) * 12 + within.start.month - anchor.month
    index = behind // months - 1
    while True:
        start = add_months(anchor, index * months)
        if start >= within.end:
            return
        if start >= within.start:
            yield Period(start, add_months(anchor, (index + 1) * months))
        index += 1
