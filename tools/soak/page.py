"""docs/reliability.md: what a long soak did to the platform, and what came of it."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from tools.soak.report import Fault, How, Report

HEAD = """# Reliability

What is promised: a reading that a gateway took is stored once, or its gap is; a receipt that was \
answered is stored once; the books balance. Whatever process dies, in whatever order.

`make soak seed=N minutes=M` starts the platform as `make up` does, with simulated meters and a \
cashier who takes a payment twice a second, and hurts one process after the other: SIGKILL, or \
SIGSTOP for {paused:.0f} seconds, longer than a lease, and SIGCONT. Each comes to every process, \
also to those inside Ray and Postgres, before anything comes to one of them again, \
the kills before the pauses. The next waits until the platform is well. Afterwards the outboxes \
are compared with the database.

- **A gateway loses power**: the outbox is on disk before anything is sent, and what was not \
acknowledged is sent again (`edge_agent/store.py`).
- **A host dies between COMMIT and acknowledgment**: the batch comes again and is cut off at the \
watermark (`cloud/modules/devices/service/ingest.py`).
- **A host sleeps past its lease and wakes**: the fence, the last statement before COMMIT, finds \
another epoch and nothing is written (`actors/placement.py`).
- **The web process dies while a payment is booked**: the same Idempotency-Key answers what became \
of it (`cloud/kernel/http.py`).
- **The worker dies in the middle of a run**: publishing is one transaction, generating goes on \
after the last chunk (`cloud/modules/charging/jobs.py`).
- **Ray's gcs_server or raylet dies**: Ray, hosts and their watcher start again as one group \
(`cloud/embedded/supervisor.py`).
"""


def page(report: Report, *, on: date, paused_s: float) -> str:
    asked = f"`make soak seed={report.seed} minutes={report.minutes:g}`"
    return "\n".join(
        [
            HEAD.format(paused=paused_s),
            f"## The last long run, {on:%Y-%m-%d}",
            f"{asked}: {len(report.faults)} faults, {_verdict(report)}.",
            "",
            *_figures(report),
            "",
            "Seconds until everything was ready again, the longest of each:",
            "",
            *_healing(report.faults),
            "",
        ]
    )


def _verdict(report: Report) -> str:
    return "; ".join(report.failures) or "nothing lost, nothing doubled, the books balanced"


def _figures(report: Report) -> list[str]:
    rows = {
        "readings numbered by outboxes": report.produced,
        "stored": report.stored,
        "still waiting in an outbox": report.waiting,
        "told as gaps": report.gaps,
        "lost": report.lost,
        "doubled": report.duplicates,
        "acknowledged and not stored": report.acked_unstored,
        "receipts answered": report.receipts_taken,
        "receipts stored": report.receipts_stored,
        "processes left behind": report.orphans,
    }
    return ["| | |", "|---|---:|", *(f"| {name} | {value:,} |" for name, value in rows.items())]


def _healing(faults: tuple[Fault, ...]) -> list[str]:
    worst: dict[str, dict[How, str]] = defaultdict(dict)
    for fault in sorted(faults, key=lambda one: one.healed_s or float("inf")):
        healed = "never" if fault.healed_s is None else f"{fault.healed_s:.1f}"
        worst[fault.what][fault.how] = healed
    return [
        f"| process | {' | '.join(How)} |",
        f"|---|{'---:|' * len(How)}",
        *(
            f"| {what} | {' | '.join(found.get(how, '') for how in How)} |"
            for what, found in sorted(worst.items())
        ),
    ]
