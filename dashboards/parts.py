"""The two parts of a dashboard that Panel has no own of: the row of controls, and the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from dashboards.theme import CSS

_HERE = Path(__file__).resolve().parent

_CONTROLS_CSS = (_HERE / "controls.css").read_text(encoding="utf-8")


class Controls(JSComponent):
    """Date, span, unit, again. `asked` counts how often the viewer wanted the figures anew."""

    words = param.Dict(default={})
    units = param.List(default=[])
    unit = param.String(default="")
    spans = param.List(default=[])
    span = param.String(default="")
    as_of = param.String(default="")
    today = param.String(default="")
    asked = param.Integer(default=0)
    at = param.String(default="")
    busy = param.Boolean(default=False)
    lang = param.String(default="")

    _esm = _HERE / "controls.js"
    _stylesheets: ClassVar[list[str]] = [CSS, _CONTROLS_CSS]


class FigureTable(JSComponent):
    words = param.Dict(default={})
    columns = param.List(default=[])
    rows: Any = param.List(default=[])

    _esm = _HERE / "table.js"
    _stylesheets: ClassVar[list[str]] = [CSS]
