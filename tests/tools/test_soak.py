"""The pure parts of `make soak`: outboxes against watermarks, and what is a failure."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from uuid import uuid4

from edge_agent.store import Store, StoreLimitBytes
from protocols import points
from tools.soak.books import Lane, compare, read_outboxes
from tools.soak.page import page
from tools.soak.platform import Plan
from tools.soak.report import Fault, How, Report

SITE, EPOCH = uuid4(), uuid4()
GOOD = Report(
    seed=1,
    minutes=2,
    produced=100,
    waiting=5,
    stored=93,
    gaps=2,
    duplicates=0,
    acked_unstored=0,
    receipts_taken=7,
    receipts_stored=7,
    books_balanced=True,
    orphans=0,
    faults=(Fault("2026-11-24T15:34:38Z", "web", How.killed, 2.5),),
)


class TestReport:
    def test_what_waits_and_what_a_gap_tells_is_not_lost(self) -> None:
        assert (GOOD.lost, GOOD.failures) == (0, [])

    def test_each_thing_that_is_wrong_is_named(self) -> None:
        wrong = {
            "3 readings lost": replace(GOOD, stored=90),
            "-1 readings lost": replace(GOOD, stored=94),
            "2 acknowledged and not stored": replace(GOOD, acked_unstored=2),
            "1 readings doubled": replace(GOOD, duplicates=1),
            "7 receipts answered, 8 stored": replace(GOOD, receipts_stored=8),
            "the books do not balance": replace(GOOD, books_balanced=False),
            "4 processes left behind": replace(GOOD, orphans=4),
            "not healed: ray": replace(GOOD, faults=(Fault("", "ray", How.killed, None),)),
            "refused": replace(GOOD, trouble="refused"),
        }
        assert {text: report.failures for text, report in wrong.items()} == {
            text: [text] for text in wrong
        }

    def test_json_has_the_promised_names(self) -> None:
        told = GOOD.as_json()
        assert {"produced", "stored", "gaps", "duplicates", "faults", "books_balanced"} <= set(told)
        assert told["faults"][0] == {
            "at": "2026-11-24T15:34:38Z",
            "what": "web",
            "how": "killed",
            "healed_s": 2.5,
        }


class TestPage:
    def test_tells_the_longest_healing_of_each_fault(self) -> None:
        faults = (
            Fault("", "web", How.killed, 2.5),
            Fault("", "web", How.killed, 11.0),
            Fault("", "ray", How.paused, None),
        )
        told = page(replace(GOOD, faults=faults), on=date(2026, 11, 24), paused_s=20)

        assert "| web | 11.0 |  |" in told
        assert "| ray |  | never |" in told
        assert "not healed: ray" in told


class TestPlan:
    def test_kills_everybody_before_it_pauses_anybody_and_then_begins_again(self) -> None:
        plan, had = Plan(seconds=1), set[tuple[How, str]]()
        told = []
        for _ in range(5):
            told.append(plan.deal(had, ["web", "worker"])[0])
            had.add(told[-1])

        assert told == [
            (How.killed, "web"),
            (How.killed, "worker"),
            (How.paused, "web"),
            (How.paused, "worker"),
            (How.killed, "web"),
        ]

    def test_ends_after_its_names_when_it_is_to_be_done_once(self) -> None:
        plan = Plan(seconds=1, hows=(How.killed,), names=frozenset({"web"}), once=True)

        assert plan.deal(set(), ["web", "worker"]) == [(How.killed, "web")]
        assert plan.deal({(How.killed, "web")}, ["web", "worker"]) == []


class TestCompare:
    def test_what_is_not_stored_yet_waits_in_the_outbox(self) -> None:
        sums = compare([Lane(SITE, EPOCH, "tele", 10, 6)], {(SITE, EPOCH, "tele"): 8})
        assert (sums.produced, sums.waiting, sums.acked_unstored) == (10, 2, 0)

    def test_an_acknowledgment_beyond_what_is_stored_is_a_loss(self) -> None:
        sums = compare([Lane(SITE, EPOCH, "tele", 10, 9)], {(SITE, EPOCH, "tele"): 8})
        assert sums.acked_unstored == 1

    def test_an_epoch_whose_outbox_is_gone_still_counts(self) -> None:
        sums = compare([], {(SITE, EPOCH, "tele"): 8})
        assert (sums.produced, sums.waiting) == (8, 0)


def test_outboxes_are_read_as_the_agent_writes_them(tmp_path: Path) -> None:
    folder = tmp_path / "LT"
    folder.mkdir()
    (folder / "config.yaml").write_text(f"site: {SITE}\nstore: store\n")
    store = Store(folder / "store", StoreLimitBytes(), now_us=0)
    block = points.Block()
    for at_us in range(3):
        block.points.append(1)
        block.times_us.append(at_us)
        block.values.append(1.5)
        block.qualities.append(0)
    store.append(points.Lane.TELE, block)
    store.acknowledge(points.Lane.TELE, 3)
    store.append(points.Lane.TELE, block)
    epoch = store.epoch
    store.close()

    lanes = {lane.name: lane for lane in read_outboxes(tmp_path)}

    assert lanes["tele"] == Lane(SITE, epoch, "tele", numbered=6, acked=3)
    assert set(lanes) == {"tele", "meter"}
