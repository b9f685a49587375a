"""Which demo role may call which route: written down in docs/roles.md, and asked of the routes."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from cloud.main import vocabulary
from cloud.modules.accounts.rules import ROLES, permissions_of
from tests.architecture.web import address, composed, routes_of
from tests.cloud.test_every_route import first_request
from tests.kit.world import World
from tools.lint.source import ROOT
from tools.roles import guarded, table

Clients = Callable[..., httpx.AsyncClient]


class TestTheTable:
    def test_is_what_the_roles_and_routes_say(self) -> None:
        written = (ROOT / "docs" / "roles.md").read_text(encoding="utf-8")

        assert written == table(), "run `make roles`"

    @pytest.mark.parametrize("role", ROLES)
    async def test_is_what_the_routes_do(self, role: str, client: Clients, world: World) -> None:
        held = permissions_of(role, vocabulary())
        caller = client(world.at_site(permissions=held))
        let_in = set()
        for route in routes_of(composed()):
            if address(route) not in guarded() or "stream" in route.path:
                continue
            request = first_request(route)
            answer = await caller.request(request.method, request.url)
            if answer.status_code != 403 or answer.json()["code"] != "permission-missing":
                let_in.add(address(route))

        may = {name for name, permission in guarded().items() if permission in held}
        assert let_in == {name for name in may if "stream" not in name}
