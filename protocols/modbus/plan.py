"""Points as few read requests. Pure.

Points of a table that lie close together are read in one request, unused registers between them
included. Where the device has refused such a request, a *seam* is remembered before a point, and
no request crosses it again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from protocols.modbus.config import ModbusLimits, ModbusPoint, Table

Seams = frozenset[tuple[Table, int]]
"""Addresses of points that begin a request."""


@dataclass(frozen=True, slots=True)
class Request:
    """One read. `members` are (position in the points asked for, offset in registers)."""

    table: Table
    address: int
    count: int
    members: tuple[tuple[int, int], ...]


def plan(
    points: Sequence[ModbusPoint], limits: ModbusLimits, seams: Seams = frozenset()
) -> tuple[Request, ...]:
    """Requests in order of table and address; together they hold every point once."""
    order = sorted(
        range(len(points)),
        key=lambda i: (points[i].table, points[i].address, points[i].type.registers),
    )
    requests: list[Request] = []
    run: list[int] = []
    for i in order:
        if run and not _joins(points, run, points[i], limits, seams):
            requests.append(_request(points, run))
            run = []
        run.append(i)
    if run:
        requests.append(_request(points, run))
    return tuple(requests)


def seams_after_refusal(points: Sequence[ModbusPoint], request: Request) -> Seams:
    """Where to cut a request that the device refused; empty when nothing is left to cut.

    Unused registers are the likeliest reason, so cuts go there first; without any, between all.
    """
    gaps, all_seams = set(), set()
    end = request.address
    for position, offset in request.members:
        start = request.address + offset
        if start > request.address:
            all_seams.add((request.table, start))
            if start > end:
                gaps.add((request.table, start))
        end = max(end, start + points[position].type.registers)
    return frozenset(gaps or all_seams)


def _joins(
    points: Sequence[ModbusPoint],
    run: Sequence[int],
    point: ModbusPoint,
    limits: ModbusLimits,
    seams: Seams,
) -> bool:
    first = points[run[0]]
    if point.table is not first.table:
        return False
    if point.address == first.address:
        return True
    end = _end(points, run)
    return (
        (point.table, point.address) not in seams
        and point.address - end <= limits.gap_max
        and max(end, point.address + point.type.registers) - first.address
        <= limits.registers_per_read
    )


def _request(points: Sequence[ModbusPoint], run: Sequence[int]) -> Request:
    first = points[run[0]]
    members = tuple((i, points[i].address - first.address) for i in run)
    return Request(first.table, first.address, _end(points, run) - first.address, members)


def _end(points: Sequence[ModbusPoint], run: Iterable[int]) -> int:
    return max(points[i].address + points[i].type.registers for i in run)
