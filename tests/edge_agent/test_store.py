"""The outbox on disk: each reading arrives exactly once, or a gap says that it does not."""

import random
import shutil
import sqlite3
import subprocess
import tempfile
from array import array
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from edge_agent.command_log import CommandLog
from edge_agent.store import LaneFull, Store, StoreLimitBytes
from edge_agent.store_files import Unusable, condemn
from protocols.points import Block, Lane, Quality
from protocols.uplink.messages import Ack, CommandResult, Gap, Nack, Outcome
from tests.kit.platform import Platform

KIB = 1024
SITE = uuid4()


def limits(tele_kib: int = 1024, event_kib: int = 1024, meter_kib: int = 1024) -> StoreLimitBytes:
    return StoreLimitBytes(
        {
            Lane.EVENT: event_kib * KIB,
            Lane.METER: meter_kib * KIB,
            Lane.TELE: tele_kib * KIB,
        },
        free_reserve=0,
    )


def open_store(folder: Path, bounds: StoreLimitBytes | None = None) -> Store:
    return Store(folder, bounds or limits(), now_us=5)


def readings(values: range, point: int = 1) -> Block:
    block = Block()
    for value in values:
        block.append(point, value, float(value), Quality.GOOD)
    return block


def deliver(store: Store, platform: Platform, lanes: tuple[Lane, ...] = tuple(Lane)) -> None:
    """Send all that is held until all is acknowledged, as the uplink does."""
    for _ in range(200):
        quiet = True
        for lane in lanes:
            for batch in store.pending(lane, 1, 3):
                quiet = False
                answer = platform.receive(lane, batch.body)
                if isinstance(answer, Ack):
                    store.acknowledge(lane, answer.upto_seq)
                elif isinstance(answer, Nack) and answer.expect is not None:
                    break
        if quiet:
            return
    raise AssertionError("delivery does not end")


def platform_takes(platform: Platform, store: Store, lane: Lane) -> int:
    """The oldest batch of the lane, committed; returns what is to be acknowledged."""
    answer = platform.receive(lane, store.pending(lane, 1, 1)[0].body)
    assert isinstance(answer, Ack)
    return answer.upto_seq


def fill(store: Store, lane: Lane, *, step: int = 100) -> None:
    for start in range(0, 200_000, step):
        store.append(lane, readings(range(start, start + step)))


def conclude_many(commands: CommandLog) -> None:
    for _ in range(100):
        commands.conclude(result(uuid4()))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path)
    yield store
    store.close()


class Crashes(RuleBasedStateMachine):
    """Readings are written, sent, acknowledged; answers get lost and the power fails.

    A crash is a copy of the files as they are, opened by somebody else: what the kernel would have
    found on the disk.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="wuye-store-"))
        self.store = open_store(self.folder, limits(tele_kib=3))
        self.platform = Platform(SITE)
        self.written = {Lane.METER: 0, Lane.TELE: 0}
        self.unanswered: list[tuple[Lane, int]] = []

    def teardown(self) -> None:
        deliver(self.store, self.platform)
        self.check(whole=True)
        self.store.close()
        shutil.rmtree(self.folder)

    @initialize()
    def begin(self) -> None:
        self.platform = Platform(SITE)

    @rule(lane=st.sampled_from([Lane.METER, Lane.TELE]), count=st.integers(1, 40))
    def write(self, lane: Lane, count: int) -> None:
        first = self.written[lane]
        self.store.append(lane, readings(range(first, first + count)))
        self.written[lane] += count

    @rule(lane=st.sampled_from(Lane), count=st.integers(1, 4))
    def send(self, lane: Lane, count: int) -> None:
        for batch in self.store.pending(lane, 1, count):
            answer = self.platform.receive(lane, batch.body)
            if isinstance(answer, Ack):
                self.unanswered.append((lane, answer.upto_seq))

    @rule(lost=st.booleans())
    def answer(self, lost: bool) -> None:
        for lane, upto_seq in self.unanswered:
            if not lost:
                self.store.acknowledge(lane, upto_seq)
        self.unanswered.clear()

    @rule()
    def crash(self) -> None:
        copy = Path(tempfile.mkdtemp(prefix="wuye-store-"))
        for path in self.folder.iterdir():
            if path.name != "lock":
                shutil.copy(path, copy)
        self.store.close()
        shutil.rmtree(self.folder)
        self.folder, self.store = copy, open_store(copy, limits(tele_kib=3))
        self.unanswered.clear()

    @invariant()
    def nothing_twice(self) -> None:
        self.check(whole=False)

    def check(self, *, whole: bool) -> None:
        for lane, written in self.written.items():
            values = [row[4] for row in self.platform.rows if row[0][1] is lane]
            assert values == sorted(set(values))
            assert set(values) <= set(range(written))
            if whole:
                lost = sum(gap.count or 0 for gap in self.platform.gaps if gap.lane is lane)
                gone = {
                    seq
                    for gap in self.platform.gaps
                    if gap.lane is lane and gap.seq_from and gap.seq_to
                    for seq in range(gap.seq_from, gap.seq_to + 1)
                }
                assert set(range(1, written + 1)) <= {int(v) + 1 for v in values} | gone
                assert len(values) + lost >= written
                assert lane is Lane.TELE or not lost


TestCrashes = Crashes.TestCase
TestCrashes.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


class TestBounds:
    def test_a_full_lane_tele_drops_its_oldest_and_tells(self, tmp_path: Path) -> None:
        store = open_store(tmp_path, limits(tele_kib=8))
        for start in range(0, 4000, 100):
            store.append(Lane.TELE, readings(range(start, start + 100)))
        assert store.states()[Lane.TELE].bytes <= 8 * KIB

        platform = Platform(SITE)
        deliver(store, platform)
        values = {int(row[4]) for row in platform.rows}
        gone = sum(gap.count or 0 for gap in platform.gaps)
        assert len(values) + gone == 4000
        assert values == set(range(gone, 4000))
        assert {gap.reason for gap in platform.gaps} == {"outbox full"}
        assert platform.gaps[0].seq_from == 1
        store.close()

    def test_a_full_lane_meter_refuses_and_keeps_what_it_has(self, tmp_path: Path) -> None:
        store = open_store(tmp_path, limits(meter_kib=4))
        with pytest.raises(LaneFull, match="share of the disk"):
            fill(store, Lane.METER)
        taken = store.states()[Lane.METER].next_seq - 1
        platform = Platform(SITE)
        deliver(store, platform)
        assert [row[4] for row in platform.rows] == list(range(taken))
        assert store.append(Lane.METER, readings(range(5))) == taken + 5
        store.close()

    def test_a_full_disk_changes_nothing(self, store: Store) -> None:
        store.append(Lane.METER, readings(range(10)))
        pages = store.db.execute("PRAGMA page_count").fetchone()[0]
        store.db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(sqlite3.OperationalError, match="full"):
            fill(store, Lane.METER, step=1000)
        before = store.states()
        with pytest.raises(sqlite3.OperationalError, match="full"):
            store.append(Lane.METER, readings(range(2000)))
        assert store.states() == before

        store.db.execute("PRAGMA max_page_count = 100000")
        platform = Platform(SITE)
        deliver(store, platform)
        assert len(platform.rows) == before[Lane.METER].next_seq - 1

    def test_a_nearly_full_disk_refuses_telemetry_first(self, tmp_path: Path) -> None:
        bounds = StoreLimitBytes(limits().lanes, free_reserve=2**60)
        store = open_store(tmp_path, bounds)
        with pytest.raises(LaneFull, match="nearly full"):
            store.append(Lane.TELE, readings(range(3)))
        assert store.append(Lane.METER, readings(range(3))) == 3
        store.close()

    def test_space_is_used_again(self, tmp_path: Path) -> None:
        store = open_store(tmp_path, limits(meter_kib=64))
        platform = Platform(SITE)
        for start in range(0, 60_000, 1000):
            store.append(Lane.METER, readings(range(start, start + 1000)))
            deliver(store, platform)
        store.close()
        assert (tmp_path / "outbox.db").stat().st_size < 300 * KIB

    def test_the_disk_gets_its_space_back_after_a_backlog(self, tmp_path: Path) -> None:
        store = open_store(tmp_path, limits(meter_kib=64 * KIB))
        block = readings(range(1000))
        block.values = array("d", random.Random(7).randbytes(8000))
        block.qualities = array("B", [Quality.BAD] * 1000)
        for _ in range(800):
            store.append(Lane.METER, block)
        grown = store.db.execute("PRAGMA page_count").fetchone()[0]
        while held := store.pending(Lane.METER, 1, 50):
            store.acknowledge(Lane.METER, held[-1].last_seq)
        assert grown > 1800
        assert store.db.execute("PRAGMA page_count").fetchone()[0] < 1200
        store.close()


class TestStart:
    def test_a_store_is_found_again(self, tmp_path: Path) -> None:
        first = open_store(tmp_path)
        first.append(Lane.METER, readings(range(3)))
        first.acknowledge(Lane.METER, 2)
        epoch, states = first.epoch, first.states()
        first.close()
        second = open_store(tmp_path)
        assert (second.epoch, second.states()) == (epoch, states)
        second.close()

    @pytest.mark.parametrize("damage", ["garbage", "flip", "condemned"])
    def test_a_damaged_store_is_set_aside_and_told(self, tmp_path: Path, damage: str) -> None:
        first = open_store(tmp_path)
        first.append(Lane.METER, readings(range(30_000)))
        epoch = first.epoch
        first.close()
        path = tmp_path / "outbox.db"
        data = bytearray(path.read_bytes())
        if damage == "garbage":
            path.write_bytes(b"not a database" * 500)
        elif damage == "flip":
            data[4096 * 3 : 4096 * 5] = bytes(8192)
            path.write_bytes(data)
        else:
            condemn(tmp_path, "an old copy")

        second = open_store(tmp_path)
        platform = Platform(SITE)
        deliver(second, platform)
        assert second.epoch != epoch
        assert [(gap.lane, gap.count) for gap in platform.gaps] == [(lane, None) for lane in Lane]
        assert "set aside as damaged-" in platform.gaps[0].reason
        assert len(list(tmp_path.glob("damaged-*.db"))) == 1
        second.close()
        open_store(tmp_path).close()
        assert len(list(tmp_path.glob("damaged-*.db"))) == 1

    @pytest.mark.usefixtures("store")
    def test_two_agents_never_share_a_store(self, tmp_path: Path) -> None:
        with pytest.raises(Unusable, match="in use by another wuye-edge"):
            open_store(tmp_path)

    def test_a_newer_store_is_left_alone(self, tmp_path: Path) -> None:
        store = open_store(tmp_path)
        store.db.execute("PRAGMA user_version = 9")
        store.close()
        with pytest.raises(Unusable, match="newer wuye-edge"):
            open_store(tmp_path)
        assert not list(tmp_path.glob("damaged-*"))

    def test_a_folder_that_cannot_be_is_explained(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(Unusable, match="check `store` in the config"):
            open_store(tmp_path / "file" / "store")

    def test_a_full_disk_is_explained(self, tmp_path: Path) -> None:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", tmp_path], check=False
        )
        if mounted.returncode:
            pytest.skip("needs the right to mount a small tmpfs")
        try:
            with pytest.raises(Unusable, match=r"disk full: .* free some space, or move `store`"):
                open_store(tmp_path / "outbox")
        finally:
            subprocess.run(["umount", tmp_path], check=True)


class TestHoles:
    def test_an_unreadable_batch_is_set_aside_and_the_lane_goes_on(self, store: Store) -> None:
        platform = Platform(SITE)
        for start in (0, 10, 20):
            store.append(Lane.TELE, readings(range(start, start + 10)))
        assert not store.set_aside(Lane.TELE, 11, "unreadable", now_us=9)
        store.acknowledge(Lane.TELE, platform_takes(platform, store, Lane.TELE))
        assert store.set_aside(Lane.TELE, 11, "unreadable", now_us=9)
        assert not store.set_aside(Lane.TELE, 11, "unreadable", now_us=9)
        deliver(store, platform)
        assert [int(row[4]) for row in platform.rows] == [*range(10), *range(20, 30)]
        assert [(gap.seq_from, gap.seq_to, gap.from_us) for gap in platform.gaps] == [(11, 20, 10)]
        assert store.db.execute("SELECT count(*) FROM dead").fetchone() == (1,)

    def test_lane_event_never_skips_a_number(self, store: Store) -> None:
        platform = Platform(SITE)
        results = [result(uuid4()) for _ in range(3)]
        for one in results:
            store.record([one])
        store.acknowledge(Lane.EVENT, platform_takes(platform, store, Lane.EVENT))
        store.set_aside(Lane.EVENT, 2, "unreadable", now_us=9)
        deliver(store, platform)
        assert platform.results == [results[0], results[2]]
        assert [(gap.lane, gap.seq_from) for gap in platform.gaps] == [(Lane.EVENT, 2)]
        assert platform.watermarks[store.epoch, Lane.EVENT] == 3

    @pytest.mark.parametrize("lane", list(Lane))
    def test_a_platform_that_went_back_in_time_is_told_what_is_gone(
        self, store: Store, lane: Lane
    ) -> None:
        forgetful = Platform(SITE)
        for start in (0, 10, 20):
            if lane is Lane.EVENT:
                store.record([result(uuid4())])
            else:
                store.append(lane, readings(range(start, start + 10)))
        held = store.pending(lane, 1, 3)
        store.acknowledge(lane, held[1].last_seq)
        assert store.fill_hole(lane, 1, now_us=9)
        deliver(store, forgetful)
        assert forgetful.watermarks[store.epoch, lane] == held[2].last_seq
        assert sum(gap.count or 0 for gap in forgetful.gaps) == held[1].last_seq
        assert store.pending(lane, 1, 3) == []

    def test_an_acknowledgment_of_what_was_never_written_is_refused(self, store: Store) -> None:
        store.append(Lane.METER, readings(range(3)))
        with pytest.raises(ValueError, match="never written here"):
            store.acknowledge(Lane.METER, 4)


def result(command_id: UUID, outcome: Outcome = Outcome.DONE) -> CommandResult:
    return CommandResult(command_id, outcome, 1.5, Quality.GOOD, 77, "detail")


class TestCommands:
    def test_an_outcome_is_kept_and_told_in_one_commit(self, store: Store) -> None:
        commands, platform, one = CommandLog(store), Platform(SITE), uuid4()
        assert commands.outcome_of(one) is None
        commands.accept(one, now_us=1)
        assert commands.outcome_of(one) == (None,)
        assert commands.unconcluded() == [one]
        commands.conclude(result(one))
        assert commands.outcome_of(one) == (result(one),)
        assert commands.unconcluded() == []
        deliver(store, platform)
        assert platform.results == [result(one)]

    def test_is_forgotten_after_a_week(self, store: Store) -> None:
        commands, old, new = CommandLog(store), uuid4(), uuid4()
        day = 86_400_000_000
        commands.accept(old, now_us=day)
        commands.accept(new, now_us=8 * day)
        assert commands.outcome_of(old) is not None
        commands.accept(uuid4(), now_us=8 * day + 1)
        assert commands.outcome_of(old) is None
        assert commands.outcome_of(new) is not None

    def test_a_full_lane_event_keeps_a_reserve_for_gaps(self, tmp_path: Path) -> None:
        store = open_store(tmp_path, limits(event_kib=1))
        commands = CommandLog(store)
        with pytest.raises(LaneFull):
            conclude_many(commands)
        last = uuid4()
        commands.accept(last, now_us=1)
        with pytest.raises(LaneFull):
            commands.conclude(result(last))
        assert commands.unconcluded() == [last]
        store.record([Gap(Lane.TELE, None, None, None, 1, 2, 3, "lost")])
        store.close()
