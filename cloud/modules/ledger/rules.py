"""What entries are about: how a summary is written once, and said in each reader's language."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

Say = Callable[..., str]


class Occasion(StrEnum):
    """The word that a stored summary begins with; the document's number follows it."""

    run = "出账"
    receipt = "收款"
    reversal = "冲红"
    refund = "退款"
    deduction = "押金扣款"
    earning = "收入确认"

    def about(self, number: str) -> str:
        return f"{self} {number}"


_SAID = {
    Occasion.run: "Bill run {number}",
    Occasion.receipt: "Receipt {number}",
    Occasion.reversal: "Reversal of {number}",
    Occasion.refund: "Refund {number}",
    Occasion.deduction: "Deduction from a deposit",
    Occasion.earning: "Earned in {number}",
}


def said_summary(say: Say, summary: str) -> str:
    """A stored summary for a reader. What nobody here wrote stays as it is."""
    word, _, number = summary.partition(" ")
    return say(_SAID[Occasion(word)], number=number) if word in set(Occasion) else summary


def words_like(say: Say, text: str) -> list[str]:
    """How the stored summaries begin that a reader sees this text in."""
    wanted = text.lower()
    return [word for word, said in _SAID.items() if wanted in say(said, number="").lower()]
