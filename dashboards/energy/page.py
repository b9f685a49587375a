"""The page of a community's energy of today, renewed every quarter of a minute."""

from __future__ import annotations

from typing import Any, ClassVar

import panel as pn

from cloud.kernel.context import Principal
from dashboards import states
from dashboards.energy import figures as drawn
from dashboards.energy.queries import Energy, energy
from dashboards.formats import escape
from dashboards.parts import Controls
from dashboards.view import DashboardPage, Desk


class EnergyPage(DashboardPage):
    permission: ClassVar[str] = "headquarters.energy:read"
    heading: ClassVar[str] = "Energy dashboard"
    refresh_s: ClassVar[int] = 15
    panels: ClassVar[int] = 4

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._asked = ""
        self._shown = ""
        self.electricity = self.chart()
        self.water = self.chart()
        nothing = self.say("No reading yet today. The bars begin with the first one.")
        self.no_electricity, self.no_water = (
            self.html(f'<p class="nothing">{escape(nothing)}</p>') for _ in range(2)
        )
        self.panels_shown = (
            self.panel(self.say("Electricity by hour"), self.electricity, self.no_electricity),
            self.panel(self.say("Water by hour"), self.water, self.no_water),
        )
        self.clear()

    def make_controls(self) -> Controls:
        controls = Controls(
            words={
                "title": self.say(self.heading),
                "unit": self.say("Community"),
                "refresh": self.say("Refresh"),
                "wall": "" if self.is_wall else self.say("Wall screen"),
            },
            units=[{"value": "", "label": NO_SITE}],
            unit=self.arguments.get("unit", ""),
            lang=self.locale,
            sizing_mode="stretch_width",
            margin=0,
        )
        controls.param.watch(self._choose, ["unit", "asked"])
        return controls

    async def _choose(self, *events: Any) -> None:
        """The page names the community that it chose itself: that asks for nothing new."""
        own = not self._asked and self.controls.unit == self._shown
        if not own or any(event.name != "unit" for event in events):
            await self.refresh()

    def blocks(self) -> dict[str, Any]:
        return dict(zip(("electricity", "water"), self.panels_shown, strict=True))

    def layout(self) -> list[list[str]]:
        return [["electricity"], ["water"]]

    async def load(self, principal: Principal) -> None:
        mine = None if principal.scope.all else frozenset(map(str, principal.scope.write_orgs))
        self._asked = self.controls.unit
        async with self.desk.analytics.reading(principal) as reading:
            found = await energy(reading, self._asked, mine)
        if found is None:
            self.clear()
            self.lead.object = states.empty(
                self.say("No community to look at"),
                self.say("You are not assigned to any community. Ask an administrator."),
            )
            return
        self.draw(found)

    def draw(self, found: Energy) -> None:
        self.controls.units = [{"value": value, "label": name} for value, name in found.sites]
        self._shown = found.site_id
        if self.controls.unit != found.site_id:
            with pn.io.hold():
                self.controls.unit = found.site_id
        if not found.meters:
            self.clear()
            self.lead.object = states.empty(
                self.say("No meter to look at"),
                self.say(
                    "“{site}” has no main meter of electricity or water in use. Add its meters, or"
                    " choose another community.",
                    site=found.site_name,
                ),
            )
            return
        if not found.heard:
            self.clear()
            self.lead.object = states.empty(
                self.say("No reading since midnight"),
                self.say(
                    "None of the {n} main meters of “{site}” was heard today. Look at its gateway.",
                    n=found.meters,
                    site=found.site_name,
                ),
            )
            return
        self.lead.object = drawn.strip(found, self.say)
        colors = self.theme.series
        for pane, nothing, used, unit, color in (
            (self.electricity, self.no_electricity, found.electricity, "kWh", colors[0]),
            (self.water, self.no_water, found.water, "m³", colors[1]),
        ):
            pane.visible, nothing.visible = bool(used), not used
            pane.object = drawn.by_hour(
                used, unit=unit, hours=found.hours, color=color, theme=self.theme
            )
        for part in self.panels_shown:
            part.visible = True

    def clear(self) -> None:
        for part in self.panels_shown:
            part.visible = False


NO_SITE = "…"
