"""Requests cover every point once, within the device's limits, and never cross a seam."""

from hypothesis import given
from hypothesis import strategies as st

from protocols.modbus.config import ModbusLimits, ModbusPoint, RegisterType, Table
from protocols.modbus.plan import Request, plan, seams_after_refusal


def point(address: int, kind: RegisterType = RegisterType.UINT16, number: int = 1) -> ModbusPoint:
    return ModbusPoint(point=number, code="p", table=Table.HOLDING, address=address, type=kind)


points = st.lists(
    st.builds(
        lambda table, address, kind: ModbusPoint(
            point=1, code="p", table=table, address=address, type=kind
        ),
        st.sampled_from(Table),
        st.integers(0, 400),
        st.sampled_from(RegisterType),
    ),
    max_size=40,
)
limits = st.builds(ModbusLimits, registers_per_read=st.integers(4, 125), gap_max=st.integers(0, 50))
seams = st.frozensets(st.tuples(st.sampled_from(Table), st.integers(0, 400)))


def test_neighbors_and_small_gaps_are_one_request() -> None:
    read = [point(0, RegisterType.UINT32), point(2, RegisterType.UINT32), point(10)]
    assert plan(read, ModbusLimits()) == (Request(Table.HOLDING, 0, 11, ((0, 0), (1, 2), (2, 10))),)


def test_a_wide_gap_and_a_small_limit_are_two() -> None:
    wide = plan([point(0), point(18)], ModbusLimits())
    small = plan([point(0), point(1), point(2)], ModbusLimits(registers_per_read=2))
    assert [(request.address, request.count) for request in wide] == [(0, 1), (18, 1)]
    assert [(request.address, request.count) for request in small] == [(0, 2), (2, 1)]


@given(points, limits, seams)
def test_every_point_is_read_once_within_the_limits(
    read: list[ModbusPoint], allowed: ModbusLimits, cuts: frozenset[tuple[Table, int]]
) -> None:
    requests = plan(read, allowed, cuts)

    covered = sorted(position for request in requests for position, _ in request.members)
    assert covered == list(range(len(read)))
    for request in requests:
        assert request.count <= allowed.registers_per_read
        for position, offset in request.members:
            assert read[position].table is request.table
            assert read[position].address == request.address + offset
            assert offset + read[position].type.registers <= request.count
            assert offset == 0 or (request.table, read[position].address) not in cuts


@given(points, limits)
def test_refusals_end_with_requests_that_cannot_be_cut(
    read: list[ModbusPoint], allowed: ModbusLimits
) -> None:
    """A device that refuses everything is asked for each start address alone in the end."""
    known: frozenset[tuple[Table, int]] = frozenset()
    for _ in range(2 * len(read) + 1):
        cuts = [seams_after_refusal(read, request) for request in plan(read, allowed, known)]
        if not any(cuts):
            break
        known = known.union(*cuts)
    last = plan(read, allowed, known)
    assert all(len({offset for _, offset in request.members}) == 1 for request in last)


def test_the_gap_is_cut_first() -> None:
    read = [point(0), point(1), point(5)]
    (request,) = plan(read, ModbusLimits())
    assert seams_after_refusal(read, request) == {(Table.HOLDING, 5)}
    (left, _) = plan(read, ModbusLimits(), frozenset({(Table.HOLDING, 5)}))
    assert seams_after_refusal(read, left) == {(Table.HOLDING, 1)}
