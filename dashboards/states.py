"""The states that every dashboard has besides its figures: loading, empty, stale, error, ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from dashboards.formats import escape

Say = Callable[..., str]


def loading(panels: int) -> str:
    panel = (
        '<div class="panel figure"><span class="bar"></span><span class="bar tall"></span></div>'
    )
    return f'<div class="strip" role="status" aria-busy="true">{panel * panels}</div>'


def empty(title: str, hint: str) -> str:
    return _state(title, hint)


def failed(title: str, hint: str, *, again: str, incident: str = "") -> str:
    """`again` names the link that opens the same page once more: its address keeps what was
    chosen."""
    mark = f"<code>{escape(incident)}</code>" if incident else ""
    return _state(title, hint, f'<a class="again" href="">{escape(again)}</a>{mark}')


def _state(title: str, hint: str, more: str = "") -> str:
    return f'<div class="state"><h2>{escape(title)}</h2><p>{escape(hint)}</p>{more}</div>'


def stale(say: Say, *, at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """The amber bar over figures that could not be renewed."""
    minutes = int((now - at).total_seconds() // 60)
    text = say(
        "Connection lost. These are the figures of {time} ({minutes} minutes ago).",
        time=f"{at.astimezone(zone):%H:%M}",
        minutes=minutes,
    )
    return f'<div class="notice" role="status">{escape(text)}</div>'
