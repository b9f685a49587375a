"""The page of collection: what is owed, what has come in, how good that is, and where."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from cloud.kernel.analytics import Kept, Reading
from cloud.kernel.clock import utc_now
from cloud.kernel.context import Principal
from cloud.kernel.errors import Unprocessable
from cloud.kernel.i18n import CHINESE
from dashboards import states
from dashboards.finance import figures as drawn
from dashboards.finance.queries import (
    Asked,
    Facts,
    Figures,
    Span,
    books_mark,
    figures,
    load_facts,
)
from dashboards.parts import Controls, FigureTable
from dashboards.view import DashboardPage, Desk

# Shared by all viewers of the process; the scope is part of the key.
_KEPT: Kept[Facts] = Kept(most=16)


class AsOfUnreadable(Unprocessable):
    message = "“{text}” is not a date like 2026-11-24."


class FinancePage(DashboardPage):
    permission: ClassVar[str] = "headquarters.finance:read"
    heading: ClassVar[str] = "Collection dashboard"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.months = self.chart()
        self.ages = self.chart()
        self.month_panel = self.panel(self.say("By month"), self.months)
        self.age_panel = self.panel(self.say("Open by age"), self.ages)
        self.table = FigureTable(
            words={
                "unit": self.say("Region or community"),
                "title": self.say("By region and community"),
            },
            columns=drawn.columns(self.say),
            sizing_mode="stretch_width",
            margin=0,
        )
        self._hide(True)

    def make_controls(self) -> Controls:
        today = utc_now().astimezone(self.zone).date().isoformat()
        controls = Controls(
            words={
                "title": self.say(self.heading),
                "unit": self.say("Region or community"),
                "as_of": self.say("As of"),
                "calendar": self.say("Choose a day"),
                "earlier": self.say("Month before"),
                "later": self.say("Month after"),
                "refresh": self.say("Refresh"),
                "wall": "" if self.is_wall else self.say("Wall screen"),
            },
            units=[{"value": "", "label": self.say("All that I see")}],
            unit=self.arguments.get("unit", ""),
            spans=[
                {"value": Span.month.value, "label": self.say("Month to date")},
                {"value": Span.year.value, "label": self.say("Year to date")},
            ],
            span=Span.year if self.arguments.get("span") == Span.year else Span.month,
            as_of=self.arguments.get("as_of") or today,
            today=today,
            lang=self.locale,
            sizing_mode="stretch_width",
            margin=0,
        )
        controls.param.watch(self.refresh, ["unit", "span", "as_of", "asked"])
        return controls

    def blocks(self) -> dict[str, Any]:
        return {"months": self.month_panel, "ages": self.age_panel, "table": self.table}

    def layout(self) -> list[list[str]]:
        return [["months", "ages"], ["table"]]

    async def load(self, principal: Principal) -> None:
        asked = Asked(
            as_of=_day(self.controls.as_of),
            span=Span(self.controls.span),
            unit_id=self.controls.unit or None,
        )
        async with self.desk.analytics.reading(principal) as reading:
            facts = await _facts(reading, asked, principal)
            found = await figures(reading, asked, facts)
        self._offer_units(found, principal)
        self._show(found)

    def _show(self, found: Figures) -> None:
        if found.is_empty:
            self.clear()
            where = found.unit.name if found.unit else self.say("All that I see")
            self.lead.object = states.empty(
                self.say("Nothing was billed or received here"),
                self.say(
                    "“{unit}” has no bills and no receipts up to {day}. Choose another unit or a"
                    " later date.",
                    unit=where,
                    day=found.asked.as_of,
                ),
            )
            return
        chinese = self.locale == CHINESE
        self.lead.object = drawn.strip(found, self.say, chinese=chinese)
        self.months.object = drawn.by_month(found, self.say, self.theme)
        self.ages.object = drawn.by_age(found, self.say, self.theme)
        self.table.rows = drawn.table(found)
        self._hide(False)

    def _offer_units(self, found: Figures, principal: Principal) -> None:
        """Regions and communities of the viewer's own scope, each below its region."""
        mine = set(map(str, principal.scope.write_orgs))
        seen = [unit for unit in found.units if principal.scope.all or unit.id in mine]
        offered = [{"value": "", "label": self.say("All that I see")}]
        placed: set[str] = set()
        for region in (unit for unit in seen if unit.kind == "region"):
            offered.append({"value": region.id, "label": region.name})
            below = [unit for unit in seen if unit.parent_id == region.id]
            offered += [{"value": unit.id, "label": f"　{unit.name}"} for unit in below]
            placed |= {region.id, *(unit.id for unit in below)}
        offered += [
            {"value": unit.id, "label": unit.name}
            for unit in seen
            if unit.kind == "project" and unit.id not in placed
        ]
        if offered != self.controls.units:
            self.controls.units = offered

    def clear(self) -> None:
        self._hide(True)

    def _hide(self, hidden: bool) -> None:
        for part in (self.month_panel, self.age_panel, self.table):
            part.visible = not hidden


async def _facts(reading: Reading, asked: Asked, principal: Principal) -> Facts:
    mark = await books_mark(reading)
    key = (principal.scope, asked.as_of, asked.span, mark)
    now = utc_now()
    facts = _KEPT.get(key, now=now)
    if facts is None:
        facts = await load_facts(reading, asked)
        _KEPT.put(key, facts, now=now)
    return facts


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise AsOfUnreadable(text=text) from None
