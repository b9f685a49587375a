"""Turn routes: what must happen in a site's own order is asked of the host that owns the site.

A turn route has no transaction. It checks the permission, sends the function code, the payload and
who asks, and the host opens the transaction, checks again and calls the function's entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from fastapi import Depends, Request

from cloud.kernel.context import Principal
from cloud.kernel.http import CurrentPrincipal, Permitted
from cloud.kernel.sites import Ask, Sites


@dataclass(frozen=True)
class TurnDoor:
    """What a turn route takes instead of a Ctx."""

    principal: Principal
    request_id: str
    sites: Sites

    async def ask(self, function: str, *, site_id: UUID, **payload: Any) -> dict[str, Any]:
        assert self.principal.id is not None
        return await self.sites.ask(
            Ask(
                site_id=site_id,
                function=function,
                payload=payload,
                principal_id=self.principal.id,
                request_id=self.request_id,
            )
        )


def turn(permission: StrEnum) -> Any:
    """The dependency of a turn route that needs `permission`."""

    async def door(request: Request, principal: CurrentPrincipal) -> TurnDoor:
        return TurnDoor(
            principal=principal.acting(permission),
            request_id=request.state.request_id,
            sites=request.app.state.runtime.sites,
        )

    return Depends(Permitted(permission).bind(door))
