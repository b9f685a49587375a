"""A cashier who takes cent after cent, whatever falls over in between."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from uuid import UUID, uuid4

import httpx

from cloud.kernel.auth import CSRF_HEADER

PAY_EVERY_S = 0.5
ANSWER_WITHIN_S = 180.0
AGAIN_AFTER_S = 0.5


class Refused(Exception):
    """A receipt that had to be taken was not."""


@dataclass
class Cashier:
    """`receipts` are the answers, one for each key: a doubled one would be stored and not here."""

    base: str
    password: str
    rooms: Sequence[UUID]
    chance: random.Random
    receipts: set[str] = field(default_factory=set)

    async def work(self, stop: asyncio.Event) -> None:
        """Until `stop`. Raises Refused."""
        async with httpx.AsyncClient(base_url=self.base, timeout=15) as client:
            while not stop.is_set():
                self.receipts.add(await self._take(client))
                await asyncio.sleep(PAY_EVERY_S)

    async def _take(self, client: httpx.AsyncClient) -> str:
        """One receipt, asked for with the same key until it is answered."""
        body = {"room_id": str(self.chance.choice(self.rooms)), "method": "scan", "amount": "0.01"}
        key = {"Idempotency-Key": str(uuid4())}
        deadline = monotonic() + ANSWER_WITHIN_S
        while monotonic() < deadline:
            try:
                answer = await client.post("/api/v1/receiving/receipts", json=body, headers=key)
                if answer.status_code == 201:
                    return str(answer.json()["id"])
                if answer.status_code in {401, 403}:
                    await self._log_in(client)
                    continue
                if answer.status_code < 500:
                    raise Refused(answer.text)
            except httpx.HTTPError:
                pass  # killed in the middle: the key tells what became of it
            await asyncio.sleep(AGAIN_AFTER_S)
        raise Refused(f"no answer within {ANSWER_WITHIN_S:.0f} s")

    async def _log_in(self, client: httpx.AsyncClient) -> None:
        credentials = {"login": "shoufei", "password": self.password}
        answer = await client.post("/api/v1/session", json=credentials)
        if answer.status_code == 200:
            client.headers[CSRF_HEADER] = answer.json()["csrf"]
        else:
            await asyncio.sleep(AGAIN_AFTER_S)
