"""Figures of energy as HTML and chart options. Pure."""

from __future__ import annotations

from typing import Any

from dashboards.energy.queries import Energy, Flow
from dashboards.formats import NONE, escape
from dashboards.states import Say
from dashboards.theme import FONT, Theme, axis, tooltip


def strip(found: Energy, say: Say) -> str:
    cards = [
        _card("electricity", say("Electricity today"), _used(found.electricity), "kWh", ""),
        _card("power", say("Power now"), _of(found.power, 2), "kW", _fresh(found.power, say)),
        _card("water", say("Water today"), _used(found.water), "m³", ""),
        _card("flow", say("Flow now"), _of(found.flow, 2), "m³/h", _fresh(found.flow, say)),
    ]
    return f'<div class="strip">{"".join(cards)}</div>'


def _card(key: str, title: str, value: str, unit: str, line: str) -> str:
    return (
        f'<section class="panel figure" data-figure="{key}"><h2>{escape(title)}</h2>'
        f'<div class="value">{value}<small>{unit}</small></div>'
        f'<div class="line">{escape(line)}</div></section>'
    )


def _used(by_hour: dict[int, float]) -> str:
    return f"{sum(by_hour.values()):,.1f}" if by_hour else NONE


def _of(flow: Flow, digits: int) -> str:
    return NONE if flow.value is None else f"{flow.value:,.{digits}f}"


def _fresh(flow: Flow, say: Say) -> str:
    return say("{fresh} of {points} meters report", fresh=flow.fresh, points=flow.points)


def by_hour(
    used: dict[int, float], *, unit: str, hours: int, color: str, theme: Theme
) -> dict[str, Any]:
    """Bars of the day's hours; hours to come stay empty."""
    return {
        "color": [color],
        "textStyle": {"fontFamily": FONT},
        "animation": False,
        "tooltip": tooltip(theme),
        "grid": {
            "left": 8, "right": 8, "top": round(28 * theme.zoom), "bottom": 0, "containLabel": True,
        },
        "xAxis": axis(
            theme,
            type="category",
            data=[f"{hour:02d}:00" for hour in range(24)],
            splitLine={"show": False},
        ),
        "yAxis": axis(theme, type="value", name=unit),
        "series": [
            {
                "type": "bar",
                "name": unit,
                "barMaxWidth": 18,
                "itemStyle": {"borderRadius": [2, 2, 0, 0]},
                "data": [
                    round(used[hour], 3) if hour in used and hour < hours else None
                    for hour in range(24)
                ],
            }
        ],
    }  # fmt: skip
