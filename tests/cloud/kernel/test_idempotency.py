"""The same key answers the same, once, also when both requests come at the same moment."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.cloud.kernel.probe import PROBE, probing
from tests.cloud.kernel.test_http import PAYMENTS, assert_refused
from tests.kit.database import TestDatabase
from tests.kit.world import World


async def pay(
    client: httpx.AsyncClient, key: str, amount: str = "12.30", path: str = PAYMENTS
) -> httpx.Response:
    return await client.post(path, json={"amount": amount}, headers={"Idempotency-Key": key})


def told(response: httpx.Response) -> tuple[int, str]:
    """Which of its month a payment is, whatever month the clock says, and its amount."""
    answer = response.json()
    return int(answer["number"].split("-")[1]), answer["amount"]


class TestIdempotent:
    async def test_answers_the_first_time(self, probe: httpx.AsyncClient) -> None:
        response = await pay(probe, "one")

        assert response.status_code == 201
        assert told(response) == (1, "12.30")

    async def test_answers_a_retry_from_the_store(self, probe: httpx.AsyncClient) -> None:
        first, second = await pay(probe, "one"), await pay(probe, "one")

        assert (second.status_code, second.json()) == (first.status_code, first.json())
        assert told(await pay(probe, "two")) == (2, "12.30")

    async def test_refuses_the_key_with_another_body(self, probe: httpx.AsyncClient) -> None:
        await pay(probe, "one")

        assert_refused(await pay(probe, "one", "99.00"), 409, "idempotency-key-reused")

    async def test_refuses_the_key_at_another_address(self, probe: httpx.AsyncClient) -> None:
        await pay(probe, "one")

        response = await pay(probe, "one", path="/api/v1/probe/refunds")

        assert_refused(response, 409, "idempotency-key-reused")

    @pytest.mark.parametrize(
        "headers", [{}, {"Idempotency-Key": ""}, {"Idempotency-Key": "k" * 101}]
    )
    async def test_asks_for_a_key(self, probe: httpx.AsyncClient, headers: dict[str, str]) -> None:
        response = await probe.post(PAYMENTS, json={"amount": "1.00"}, headers=headers)

        assert_refused(response, 422, "idempotency-key-missing")

    async def test_a_refusal_leaves_the_key_free(self, probe: httpx.AsyncClient) -> None:
        assert_refused(await pay(probe, "one", "5000.00"), 422, "amount-too-large")

        assert told(await pay(probe, "one", "500.00")) == (1, "500.00")

    async def test_keys_of_two_people_are_two_keys(
        self, probe: httpx.AsyncClient, database: TestDatabase, world: World
    ) -> None:
        await pay(probe, "one")
        async with probing(database, world, world.at_site(permissions=PROBE)) as other:
            response = await pay(other, "one", "7.00")

        assert told(response) == (2, "7.00")


class TestAtTheSameMoment:
    async def test_the_second_waits_and_gets_the_firsts_answer(
        self, committing_probe: httpx.AsyncClient
    ) -> None:
        answers = await asyncio.gather(*(pay(committing_probe, "one") for _ in range(6)))

        assert {response.status_code for response in answers} == {201}
        assert {told(response) for response in answers} == {(1, "12.30")}
        assert told(await pay(committing_probe, "two")) == (2, "12.30")

    async def test_different_bodies_book_once(self, committing_probe: httpx.AsyncClient) -> None:
        answers = await asyncio.gather(
            *(pay(committing_probe, "one", f"{amount}.00") for amount in (1, 2))
        )

        assert sorted(response.status_code for response in answers) == [201, 409]
