"""What every dashboard page does: ask who looks, load under their scope, show one of the states."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import panel as pn
import structlog
from panel.viewable import Viewer

from cloud.kernel.analytics import Analytics, FiguresAway
from cloud.kernel.clock import utc_now
from cloud.kernel.context import Principal
from cloud.kernel.db import uuid7
from cloud.kernel.errors import AppError, code_of, text_of
from cloud.kernel.i18n import CHINESE, ENGLISH, Texts
from dashboards import states
from dashboards.formats import escape
from dashboards.gate import VISITOR, Visitor
from dashboards.parts import Controls
from dashboards.theme import CSS, Theme, theme_of

log = structlog.get_logger()

_TEMPLATE = (Path(__file__).resolve().parent / "page.html").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Desk:
    """What all pages of the process share; nothing of any one viewer."""

    analytics: Analytics
    texts: Texts


class SessionEnded(AppError):
    status = 401
    message = "Your session has ended. Log in again."


class DashboardPage(Viewer):
    """One viewer's page. Subclasses say what is loaded and how it is shown."""

    permission: ClassVar[str]
    heading: ClassVar[str]
    refresh_s: ClassVar[int] = 60
    panels: ClassVar[int] = 7

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.visitor: Visitor = VISITOR.get()
        arguments = {
            key: values[-1].decode("utf-8", "replace")
            for key, values in pn.state.session_args.items()
        }
        self.arguments = arguments
        self.locale = ENGLISH if arguments.get("lang") == ENGLISH else CHINESE
        self.is_wall = arguments.get("wall") == "1"
        self.theme: Theme = theme_of(arguments.get("theme", ""), wall=self.is_wall)
        self.zone = ZoneInfo("Asia/Shanghai")
        self.loaded_at: datetime | None = None
        self._loading = False
        self._again = False
        self.notice = self.html("")
        self.notice.visible = False
        self.lead = self.html(states.loading(self.panels))
        self.controls = self.make_controls()

    def say(self, key: str, **params: Any) -> str:
        text = self.desk.texts.label(key, self.locale)
        return text.format_map(params) if params else text

    def html(self, text: str) -> pn.pane.HTML:
        return pn.pane.HTML(text, stylesheets=[CSS], sizing_mode="stretch_width", margin=0)

    def chart(self) -> pn.pane.ECharts:
        height = 320 if self.is_wall else 260
        return pn.pane.ECharts({}, height=height, sizing_mode="stretch_width", margin=0)

    def panel(self, title: str, *parts: Any) -> pn.Column:
        head = pn.pane.HTML(
            f"<h2>{escape(title)}</h2>", stylesheets=[CSS], css_classes=["title"], margin=0
        )
        return pn.Column(
            head,
            *parts,
            stylesheets=[CSS],
            css_classes=["frame"],
            sizing_mode="stretch_width",
            margin=0,
        )

    @abstractmethod
    def make_controls(self) -> Controls:
        """What the viewer may choose."""

    @abstractmethod
    def blocks(self) -> dict[str, Any]:
        """Parts by name, without controls, notice and lead."""

    @abstractmethod
    def layout(self) -> list[list[str]]:
        """Rows of one or two names."""

    @abstractmethod
    async def load(self, principal: Principal) -> None:
        """Ask for the figures and show them. Raises AppError."""

    @abstractmethod
    def clear(self) -> None:
        """Take all figures away: an error or nothing at all is shown instead."""

    def template(self) -> pn.Template:
        template = pn.Template(_TEMPLATE)
        parts = {"controls": self.controls, "notice": self.notice, "lead": self.lead}
        for name, part in {**parts, **self.blocks()}.items():
            template.add_panel(name, part)
        template.add_variable("layout", [["controls"], ["lead"], *self.layout()])
        for icon in ("app_favicon", "apple_icon"):
            template.add_variable(icon, "/assets/mark.svg")
        template.add_variable("lang", self.locale)
        template.add_variable("first", "lead")
        template.add_variable("skeleton", states.loading(self.panels))
        template.add_variable("theme_css", self.theme.css())
        template.add_variable("shared_css", CSS)
        template.add_variable(
            "cut_off", self.say("Connection lost. What you see may be out of date.")
        )
        pn.state.onload(self.refresh)
        pn.state.add_periodic_callback(
            self.refresh,  # type: ignore[arg-type] # a coroutine function is taken as well
            period=self.refresh_s * 1000,
        )
        return template

    async def refresh(self, *_: Any) -> None:
        """Load once more; what is asked while it loads is loaded after it, once."""
        if self._loading:
            self._again = True
            return
        self._loading = True
        self.controls.busy = True
        try:
            while True:
                self._again = False
                await self._try()
                if not self._again:
                    return
        finally:
            self._loading = False
            self.controls.busy = False

    async def _try(self) -> None:
        try:
            await self.load(await self._viewer())
        except FiguresAway as error:
            self._keep_or_refuse(error)
        except AppError as error:
            self._refuse(error)
        except Exception:
            incident = str(uuid7())
            log.exception("dashboard.failed", incident=incident, page=type(self).__name__)
            self.fail(
                self.say("The figures did not load"),
                self.say(
                    "What you chose is kept. Try again, and tell support the incident number."
                ),
                incident=incident,
            )
        else:
            self.loaded_at = utc_now()
            self.notice.visible = False
            at = f"{self.loaded_at.astimezone(self.zone):%H:%M:%S}"
            self.controls.at = self.say("Updated at {time}", time=at)

    async def _viewer(self) -> Principal:
        principal = await self.visitor.principal()
        if principal is None:
            raise SessionEnded
        self.zone = ZoneInfo(principal.time_zone)
        return principal.acting(self.permission)

    def _keep_or_refuse(self, error: AppError) -> None:
        """The database is away: the last figures stay, with their time above them."""
        if self.loaded_at is None:
            self._refuse(error)
            return
        self.notice.object = states.stale(
            self.say, at=self.loaded_at, now=utc_now(), zone=self.zone
        )
        self.notice.visible = True

    def _refuse(self, error: AppError) -> None:
        text = self.desk.texts.error(code_of(error), text_of(error), error.params, self.locale)
        self.fail(self.say("The figures did not load"), text)

    def fail(self, title: str, hint: str, *, incident: str = "") -> None:
        self.clear()
        self.loaded_at = None
        self.controls.at = ""
        self.notice.visible = False
        self.lead.object = states.failed(
            title, hint, again=self.say("Try again"), incident=incident
        )
