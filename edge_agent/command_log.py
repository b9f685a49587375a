"""Commands that this gateway has taken, and what became of them."""

from typing import NamedTuple
from uuid import UUID

from edge_agent.store import Store
from protocols.points import Quality
from protocols.uplink.messages import CommandResult, Outcome

KEPT_DAYS = 7
_DAY_US = 86_400_000_000


class StoredOutcome(NamedTuple):
    """`result` is None while the command is being carried out."""

    result: CommandResult | None


class CommandLog:
    """Rows beside the outbox, so that an outcome and its event are one commit."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._db = store.db

    def outcome_of(self, command_id: UUID) -> StoredOutcome | None:
        found = self._db.execute(
            "SELECT outcome, value, quality, at_us, detail FROM command WHERE id = ?",
            (command_id.bytes,),
        ).fetchone()
        if found is None:
            return None
        outcome, value, quality, at_us, detail = found
        if outcome == Outcome.ACCEPTED:
            return StoredOutcome(None)
        return StoredOutcome(
            CommandResult(command_id, Outcome(outcome), value, Quality(quality), at_us, detail)
        )

    def accept(self, command_id: UUID, *, now_us: int) -> None:
        """Remember a command before its device is touched. Forgets those of a week ago."""
        with self._store.transaction():
            self._db.execute("DELETE FROM command WHERE at_us < ?", (now_us - KEPT_DAYS * _DAY_US,))
            self._db.execute(
                "INSERT INTO command (id, at_us, outcome, quality, detail) VALUES (?, ?, ?, ?, '')",
                (command_id.bytes, now_us, Outcome.ACCEPTED, Quality.BAD),
            )

    def conclude(self, result: CommandResult) -> None:
        """Keep the outcome and queue it for the platform, in one commit."""
        with self._store.transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO command (id, at_us, outcome, value, quality, detail)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    result.command_id.bytes,
                    result.at_us,
                    result.outcome,
                    result.value,
                    result.quality,
                    result.detail,
                ),
            )
            self._store.add_records([result])

    def unconcluded(self) -> list[UUID]:
        rows = self._db.execute("SELECT id FROM command WHERE outcome = ?", (Outcome.ACCEPTED,))
        return [UUID(bytes=row[0]) for row in rows]
