"""The office's tokens for the dashboards: light, dark and wall, and the charts' colors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

FONT = (
    "-apple-system, BlinkMacSystemFont, 'Segoe UI', 'PingFang SC', 'Hiragino Sans GB',"
    " 'Microsoft YaHei UI', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
)


@dataclass(frozen=True)
class Theme:
    """Colors by token, the categorical colors of charts, and how much larger text is."""

    name: str
    tokens: dict[str, str]
    series: tuple[str, ...]
    zoom: float = 1.0

    def css(self) -> str:
        """The tokens as CSS variables; they reach into the shadow roots of Panel's parts."""
        variables = "".join(f"--w-{name}:{value};" for name, value in self.tokens.items())
        scheme = "light" if self.name == "light" else "dark"
        return f":root{{{variables}--zoom:{self.zoom};color-scheme:{scheme};font-family:{FONT}}}"

    def __getitem__(self, token: str) -> str:
        return self.tokens[token]


_LIGHT = {
    "canvas": "#f5f6f8", "surface": "#ffffff", "sunken": "#f8f9fb", "hover": "#f3f5f8",
    "active": "#e9edf3", "line": "#e6e9ef", "line-strong": "#d6dbe4", "line-soft": "#eff1f5",
    "t1": "#1a2030", "t2": "#465063", "t3": "#596376", "t4": "#697385", "brand": "#2b5ce6",
    "brand-soft": "#ebf1fe", "info-text": "#2450cc", "ok": "#0e8a5f", "ok-text": "#0a7350",
    "warn": "#d98a0b", "warn-text": "#8f5200", "warn-soft": "#fdf2df", "bad": "#d3313d",
    "bad-text": "#b8252f", "bad-soft": "#fdebeb", "shimmer": "#e9ecf2",
}  # fmt: skip
_DARK = {
    "canvas": "#0e1014", "surface": "#16191f", "sunken": "#13161b", "hover": "#1d2128",
    "active": "#252a33", "line": "#262b34", "line-strong": "#363d49", "line-soft": "#20242c",
    "t1": "#e8ebf1", "t2": "#b3bbc9", "t3": "#98a2b3", "t4": "#828c9e", "brand": "#3d6be6",
    "brand-soft": "#1c2742", "info-text": "#86a8ff", "ok": "#2fa876", "ok-text": "#57c794",
    "warn": "#d99a2b", "warn-text": "#e8b04b", "warn-soft": "#352e21", "bad": "#e5626b",
    "bad-text": "#f5858c", "bad-soft": "#3a252b", "shimmer": "#262b34",
}  # fmt: skip
_WALL = _DARK | {
    "canvas": "#0b1226", "surface": "#111b36", "sunken": "#0e1730", "hover": "#18244a",
    "active": "#1f2c57", "line": "#22305a",
    "line-strong": "#33437a", "line-soft": "#1a2650", "shimmer": "#1a2650",
}  # fmt: skip
_SERIES = ("#2b5ce6", "#0e9f8e", "#c98208", "#7a5ae0", "#d9485f")
_SERIES_DARK = ("#5e88f6", "#2fb8a4", "#e0a23a", "#9c86ee", "#ec7384")

LIGHT = Theme("light", _LIGHT, _SERIES)
DARK = Theme("dark", _DARK, _SERIES_DARK)
WALL = Theme("wall", _WALL, _SERIES_DARK, zoom=1.6)
# From what is not due yet to what is older than three years.
AGE_COLORS = (
    "#7c8798",
    "#f0a9ae",
    "#e98a91",
    "#e06b74",
    "#d64c57",
    "#c92c38",
    "#a8222d",
    "#871a23",
)


def theme_of(name: str, *, wall: bool) -> Theme:
    if wall:
        return WALL
    return DARK if name == "dark" else LIGHT


def axis(theme: Theme, **more: Any) -> dict[str, Any]:
    """One axis of a chart, as all charts have it."""
    size = round(11 * theme.zoom)
    return {
        "axisLine": {"lineStyle": {"color": theme["line"]}},
        "axisTick": {"show": False},
        "axisLabel": {"color": theme["t3"], "fontSize": size},
        "splitLine": {"lineStyle": {"color": theme["line-soft"]}},
        "nameTextStyle": {"color": theme["t3"], "fontSize": size},
        **more,
    }


def tooltip(theme: Theme) -> dict[str, Any]:
    return {
        "trigger": "axis",
        "backgroundColor": theme["surface"],
        "borderColor": theme["line"],
        "textStyle": {"color": theme["t1"], "fontSize": round(12 * theme.zoom)},
    }


def legend(theme: Theme) -> dict[str, Any]:
    size = round(12 * theme.zoom)
    return {
        "right": 0,
        "top": 0,
        "itemWidth": 10,
        "itemHeight": 10,
        "icon": "roundRect",
        "textStyle": {"color": theme["t2"], "fontSize": size},
    }


# In the page and in the shadow root of every part.
CSS = (Path(__file__).resolve().parent / "shared.css").read_text(encoding="utf-8")
