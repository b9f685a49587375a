"""The way into a host, the same for every shell: a question in, an answer, a refusal or a shrug."""

from __future__ import annotations

from typing import Any

import structlog

from actors.host import Host, NotMine, Overloaded
from actors.placement import LeaseLost
from actors.wire import pack_refusal
from cloud.kernel.db import uuid7
from cloud.kernel.errors import AppError
from cloud.kernel.problems import InternalError
from cloud.kernel.sites import Ask

log = structlog.get_logger()


async def answer(host: Host, ask: Ask) -> dict[str, Any]:
    """{"answer": …}, {"refused": …}, {"elsewhere": true} or {"busy": true}; never raises."""
    try:
        return {"answer": await host.ask(ask)}
    except AppError as error:
        return {"refused": pack_refusal(error)}
    except (NotMine, LeaseLost):
        return {"elsewhere": True}
    except Overloaded:
        return {"busy": True}
    except Exception as error:
        incident = str(uuid7())
        log.exception("host.ask.failed", function=ask.function, incident=incident, exc_info=error)
        return {"refused": pack_refusal(InternalError(incident=incident))}
