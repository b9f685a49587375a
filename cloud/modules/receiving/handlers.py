"""What receiving has to say before others close."""

from __future__ import annotations

from cloud.kernel.events import Handler
from cloud.modules.ledger.events import MonthClosing
from cloud.modules.receiving import service

HANDLERS: tuple[tuple[type, Handler], ...] = ((MonthClosing, service.refuse_uncounted_shifts),)
