"""What charging does when other modules announce something."""

from __future__ import annotations

from cloud.kernel.events import Handler
from cloud.modules.charging import service
from cloud.modules.organization.events import UnitClosing

HANDLERS: tuple[tuple[type, Handler], ...] = ((UnitClosing, service.refuse_site_with_open_bills),)
