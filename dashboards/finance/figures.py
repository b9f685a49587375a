"""Figures of collection as HTML, chart options and table rows. Pure: what is shown, not where."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from dashboards.finance.queries import Asked, Figures, Row, Span, Sums, windows
from dashboards.formats import NONE, change, escape, headline, money, percent
from dashboards.states import Say
from dashboards.theme import AGE_COLORS, FONT, Theme, axis, legend, tooltip

AGE_LABELS = {
    "not_due": "Not due yet",
    "d30": "1–30 days",
    "d90": "31–90 days",
    "d180": "91–180 days",
    "d365": "181–365 days",
    "y2": "1–2 years",
    "y3": "2–3 years",
    "older": "Over 3 years",
}


def strip(figures: Figures, say: Say, *, chinese: bool) -> str:
    """The cards: three amounts, four rates."""
    now = figures.now
    cards = [
        _amount(
            "billed",
            say("Billed for the period"),
            figures,
            chinese=chinese,
            parts=[(say("Opening arrears"), now.opening), (say("Billed late"), now.late)],
            say=say,
        ),
        _amount(
            "received",
            say("Received in the period"),
            figures,
            chinese=chinese,
            say=say,
            parts=[
                (say("Of current cycles"), now.current - now.current_before),
                (say("Of older cycles"), now.old),
                (say("Of cycles ahead"), now.ahead),
            ],
        ),
        _amount(
            "balance",
            say("Still open"),
            figures,
            chinese=chinese,
            compared=False,
            say=say,
            parts=[(say("Past due"), now.overdue)],
        ),
        _rate(
            "combined_rate", say("Combined collection rate"), figures, figures.target.combined, say
        ),
        _rate("current_rate", say("Current collection rate"), figures, figures.target.current, say),
        _rate("old_rate", say("Arrears collection rate"), figures, figures.target.old, say),
        _rate("rooms_rate", say("Rooms paid in full"), figures, None, say),
    ]
    return f'<div class="strip">{"".join(cards)}</div>'


def _amount(
    key: str,
    title: str,
    figures: Figures,
    *,
    chinese: bool,
    parts: list[tuple[str, Decimal]],
    say: Say,
    compared: bool = True,
) -> str:
    value: Decimal = getattr(figures.now, key)
    shown, unit = headline(value, chinese=chinese)
    lines = "".join(
        f"<span>{escape(label)} <b>{money(part)}</b></span>" for label, part in parts if part
    )
    compare = _changes(figures, key, say, points=False) if compared else ""
    return (
        f'<section class="panel figure third" data-figure="{key}" data-value="{value}">'
        f"<h2>{escape(title)}</h2>"
        f'<div class="value" title="{money(value)}">{shown}<small>{unit}</small></div>'
        f'{compare}<div class="line">{lines}</div></section>'
    )


def _rate(key: str, title: str, figures: Figures, target: Decimal | None, say: Say) -> str:
    value: Decimal | None = getattr(figures.now, key)
    meter = ""
    if value is not None:
        width = min(max(value, Decimal(0)), Decimal(1)) * 100
        short = "short" if target is not None and value < target else ""
        place = "" if target is None else f"left:calc({target * 100:.1f}% - 1px)"
        mark = f'<u style="{place}"></u>' if place else ""
        meter = f'<div class="meter"><i class="{short}" style="width:{width:.1f}%"></i>{mark}</div>'
    goal = ""
    if target is not None:
        gap = change(value, target, points=True)
        tone = "" if gap is None else ("up" if gap >= 0 else "down")
        away = "" if gap is None else f' <span class="{tone}">{_signed(gap)} {say("pp")}</span>'
        said = f"{say('Collection target')} <b>{percent(target)}</b>{away}"
        goal = f'<div class="line"><span>{said}</span></div>'
    elif key == "rooms_rate":
        counts = say(
            "{paid} of {billed} rooms", paid=figures.now.rooms_paid, billed=figures.now.rooms
        )
        goal = f'<div class="line">{escape(counts)}</div>'
    return (
        f'<section class="panel figure" data-figure="{key}" data-value="{value}">'
        f'<h2>{escape(title)}</h2><div class="value">{percent(value)}</div>{meter}{goal}'
        f"{_changes(figures, key, say, points=True)}</section>"
    )


def _changes(figures: Figures, key: str, say: Say, *, points: bool) -> str:
    compared = [(say("vs. last year"), figures.last_year)]
    if figures.asked.span is Span.month:
        compared.insert(0, (say("vs. last month"), figures.before))
    texts = []
    for label, past in compared:
        if past.is_empty:
            continue
        moved = change(getattr(figures.now, key), getattr(past, key), points=points)
        if moved is None:
            continue
        tone = "up" if moved > 0 else "down" if moved < 0 else ""
        unit = f" {say('pp')}" if points else "%"
        texts.append(
            f'<span>{escape(label)} <span class="{tone}">{_signed(moved)}{unit}</span></span>'
        )
    return f'<div class="line">{"".join(texts)}</div>' if texts else ""


def _signed(value: Decimal) -> str:
    return f"+{value}" if value > 0 else str(value).replace("-", "−")


def by_month(figures: Figures, say: Say, theme: Theme) -> dict[str, Any]:
    """Receivable and received as bars, the current rate as a line on its own axis."""
    months = figures.months
    billed, received, rate = (
        say("Billed for the period"),
        say("Received in the period"),
        say("Current collection rate"),
    )
    bar = {"type": "bar", "barMaxWidth": 18, "itemStyle": {"borderRadius": [2, 2, 0, 0]}}
    return {
        "color": list(theme.series),
        "textStyle": {"fontFamily": FONT},
        "animation": False,
        "tooltip": tooltip(theme),
        "legend": legend(theme) | {"data": [billed, received, rate]},
        "grid": {
            "left": 8,
            "right": 8,
            "top": round(36 * theme.zoom),
            "bottom": 0,
            "containLabel": True,
        },
        "xAxis": axis(
            theme,
            type="category",
            data=[f"{month.month:%Y-%m}" for month in months],
            splitLine={"show": False},
        ),
        "yAxis": [
            axis(theme, type="value"),
            axis(theme, type="value", min=0, max=100, splitLine={"show": False})
            | {"axisLabel": axis(theme)["axisLabel"] | {"formatter": "{value}%"}},
        ],
        "series": [
            bar | {"name": billed, "data": [str(month.billed) for month in months]},
            bar | {"name": received, "data": [str(month.received) for month in months]},
            {
                "name": rate,
                "type": "line",
                "yAxisIndex": 1,
                "symbolSize": 5,
                "lineStyle": {"width": 2},
                "data": [
                    None if month.rate is None else f"{month.rate * 100:.1f}" for month in months
                ],
            },
        ],
    }


def by_age(figures: Figures, say: Say, theme: Theme) -> dict[str, Any]:
    """What is open by how long it is overdue, the youngest on top."""
    shown = list(zip(figures.ages, AGE_COLORS, strict=True))[::-1]
    size = round(11 * theme.zoom)
    return {
        "textStyle": {"fontFamily": FONT},
        "animation": False,
        "tooltip": tooltip(theme) | {"axisPointer": {"type": "none"}},
        "grid": {
            "left": 8,
            "right": round(96 * theme.zoom),
            "top": 4,
            "bottom": 0,
            "containLabel": True,
        },
        "xAxis": {"type": "value", "show": False},
        "yAxis": axis(
            theme,
            type="category",
            data=[say(AGE_LABELS[age]) for (age, _), _ in shown],
            axisLine={"show": False},
            splitLine={"show": False},
        ),
        "series": [
            {
                "type": "bar",
                "name": say("Still open"),
                "barWidth": round(12 * theme.zoom),
                "data": [
                    {
                        "value": str(amount),
                        "itemStyle": {"color": color, "borderRadius": [0, 2, 2, 0]},
                        "label": {
                            "show": True,
                            "position": "right",
                            "formatter": money(amount) if amount else NONE,
                            "color": theme["t2"],
                            "fontSize": size,
                        },
                    }
                    for (_, amount), color in shown
                ],
            }
        ],
    }


COLUMNS = (
    ("billed", "Billed for the period", "money"),
    ("received", "Received in the period", "money"),
    ("balance", "Still open", "money"),
    ("overdue", "Past due", "money"),
    ("combined_rate", "Combined collection rate", "rate"),
    ("current_rate", "Current collection rate", "rate"),
    ("old_rate", "Arrears collection rate", "rate"),
    ("rooms_rate", "Rooms paid in full", "rate"),
)


def columns(say: Say) -> list[dict[str, str]]:
    return [{"key": key, "label": say(label)} for key, label, _ in COLUMNS]


def table(figures: Figures) -> list[dict[str, Any]]:
    """Regions with their projects; each amount leads to the bills behind it."""
    return [_row(row, figures) for row in figures.rows]


def _row(row: Row, figures: Figures) -> dict[str, Any]:
    return {
        "id": row.unit.id,
        "name": row.unit.name,
        "cells": [_cell(row.sums, row.unit.id, key, kind, figures) for key, _, kind in COLUMNS],
        "below": [_row(below, figures) for below in row.below],
    }


def _cell(sums: Sums, unit_id: str, key: str, kind: str, figures: Figures) -> dict[str, Any]:
    value: Decimal | None = getattr(sums, key)
    if kind == "rate":
        goal = getattr(figures.target, key.removesuffix("_rate"), None)
        short = value is not None and goal is not None and value < goal
        return {"text": percent(value), "sort": _sortable(value), "bad": short, "href": ""}
    assert value is not None
    return {
        "text": money(value),
        "exact": str(value),
        "sort": _sortable(value),
        "bad": key == "overdue" and value > 0,
        "href": drill(unit_id, key, figures.asked) if value else "",
    }


def _sortable(value: Decimal | None) -> str:
    """As text: a figure is never a float, and the table compares numbers only to order rows."""
    return "" if value is None else str(value)


def drill(unit_id: str, key: str, asked: Asked) -> str:
    """The office's list that shows what a figure is made of."""
    now = windows(asked)[0]
    if key == "received":
        span = f"&period_from={now.first}&period_to={asked.as_of}"
        return f"/p/receiving.receipts?unit={unit_id}{span}"
    if key == "overdue":
        return f"/p/charging.bills?unit={unit_id}&view=overdue"
    if key == "balance":
        return f"/p/charging.bills?unit={unit_id}"
    last = now.until - timedelta(days=1)
    return f"/p/charging.bills?unit={unit_id}&period_from={now.first}&period_to={last}"
