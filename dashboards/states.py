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


def failed(title: str, hint: str, *, incident: str = "") -> str:
    return _state(title, hint, incident)


def _state(title: str, hint: str, incident: str = "") -> str:
    mark = f"<code>{escape(incident)}</code>" if incident else ""
    return f'<div class="state"><h2>{escape(title)}</h2><p>{escape(hint)}</p>{mark}</div>'


def stale(say: Say, *, at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """The amber bar over figures that could not be renewed."""
    minutes = int((now - at).total_seconds() // 60)
    text = say(
        "Connection lost. These are the figures of {time} ({minutes} minutes ago).",
        time=f"{at.astimezone(zone):%H:%M}",
        minutes=minutes,
    )
    return f'<div class="notice" role="status">{escape(text)}</div>'
