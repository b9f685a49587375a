"""The counter over HTTP: its shapes, its doors, and what repeats itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from cloud.main import vocabulary
from cloud.modules.vehicles.service import close_vehicle
from tests.cloud.receiving.builders import Billed, bill_room, set_fees
from tests.cloud.vehicles.builders import add_vehicle
from tests.kit.world import World

Client = Callable[..., httpx.AsyncClient]

ROOT = "/api/v1/receiving"
KEY = "Idempotency-Key"


async def _counter(caller: httpx.AsyncClient, billed: Billed) -> dict[str, Any]:
    answer = await caller.get(f"{ROOT}/counter/rooms/{billed.room_id}")
    assert answer.status_code == 200, answer.text
    room: dict[str, Any] = answer.json()
    return room


def _body(room: dict[str, Any], *amounts: str, **others: Any) -> dict[str, Any]:
    return {
        "room_id": room["room"]["id"],
        "method": "cash",
        "allocations": [
            {"bill_id": bill["id"], "amount": amount, "version": bill["version"]}
            for bill, amount in zip(room["bills"], amounts, strict=False)
        ],
        "tendered": None,
        **others,
    }


async def _pay(
    caller: httpx.AsyncClient, body: dict[str, Any], key: str | None = None
) -> httpx.Response:
    return await caller.post(f"{ROOT}/receipts", json=body, headers={KEY: key or str(uuid4())})


async def test_the_counter_shows_a_room_with_its_people_and_its_debt(
    world: World, client: Client
) -> None:
    billed = await bill_room(world, await set_fees(world))
    room = await _counter(client(world.at_site()), billed)
    assert room["room"] == {
        "id": str(billed.room_id),
        "name": "1幢1单元101",
        "code": "1-1-101",
        "site_id": str(billed.site_id),
        "site_name": "AS1",
        "area": "89.53",
        "usage": "Residential",
        "state": {"value": "occupied", "label": "Moved in", "tone": "ok"},
    }
    assert [(party["name"], party["role"], party["phone_masked"]) for party in room["parties"]] == [
        ("张伟", "Owner", "138****5512")
    ]
    assert [(bill["item_name"], bill["open"]) for bill in room["bills"]] == [
        ("物业费", "213.08"),
        ("垃圾费", "5.00"),
    ]
    assert room["bills"][0]["period"] == {"from": "2026-11-01", "to": "2026-11-30"}
    assert room["open_total"] == "218.08"
    assert room["recent"] == []
    assert room["balance"] == {"prepaid": None, "accounts": [], "deposits": []}


@pytest.mark.parametrize(
    ("q", "by"),
    [("1-1-101", "all"), ("101", "room"), ("张", "owner"), ("138", "phone"), ("张", "all")],
)
async def test_the_search_finds_a_room_by_what_the_clerk_knows(
    world: World, client: Client, q: str, by: str
) -> None:
    billed = await bill_room(world, await set_fees(world))
    answer = await client(world.at_site()).get(f"{ROOT}/counter/search", params={"q": q, "by": by})
    assert answer.json()["items"] == [
        {
            "room_id": str(billed.room_id),
            "room_name": "1幢1单元101",
            "room_code": "1-1-101",
            "site_id": str(billed.site_id),
            "site_name": "AS1",
            "payer_name": "张伟",
            "phone_masked": "138****5512",
            "plate": "",
            "open": "218.08",
            "bills": 2,
        }
    ]


@pytest.mark.parametrize(
    ("q", "by"),
    [("粤B10345", "all"), ("粤b·1o", "plate"), ("B1O345", "all"), ("i0345", "plate")],
)
async def test_the_search_finds_a_room_by_the_plate_of_its_vehicle(
    world: World, client: Client, q: str, by: str
) -> None:
    billed = await bill_room(world, await set_fees(world))
    async with world.unit() as ctx:
        await add_vehicle(ctx, billed.site_id, "粤B10345", room_id=billed.room_id)
        await add_vehicle(ctx, billed.site_id, "粤B10346")
    caller = client(world.at_site())

    answer = await caller.get(f"{ROOT}/counter/search", params={"q": q, "by": by})
    elsewhere = await client(world.at_other_site()).get(
        f"{ROOT}/counter/search", params={"q": q, "by": by}
    )

    found = [(hit["room_code"], hit["plate"], hit["open"]) for hit in answer.json()["items"]]
    assert found == [("1-1-101", "粤B10345", "218.08")]
    assert elsewhere.json() == {"items": []}


async def test_the_search_tells_no_plate_to_who_may_not_read_vehicles(
    world: World, client: Client
) -> None:
    billed = await bill_room(world, await set_fees(world))
    async with world.unit() as ctx:
        await add_vehicle(ctx, billed.site_id, "粤B10345", room_id=billed.room_id)
    rest = [one for one in vocabulary() if one != "vehicles.vehicle:read"]
    caller = client(world.at_site(permissions=rest))

    mixed = await caller.get(f"{ROOT}/counter/search", params={"q": "粤B10345"})
    asked = await caller.get(f"{ROOT}/counter/search", params={"q": "粤B10345", "by": "plate"})

    assert mixed.json() == {"items": []}
    assert (asked.status_code, asked.json()["code"]) == (403, "permission-missing")


async def test_the_search_finds_no_vehicle_out_of_use(world: World, client: Client) -> None:
    billed = await bill_room(world, await set_fees(world))
    async with world.unit() as ctx:
        vehicle = await add_vehicle(ctx, billed.site_id, "粤B10345", room_id=billed.room_id)
        await close_vehicle(ctx, vehicle_id=vehicle.id, reason="卖了")

    answer = await client(world.at_site()).get(f"{ROOT}/counter/search", params={"q": "粤B10345"})

    assert answer.json() == {"items": []}


async def test_the_search_stays_in_the_scope(world: World, client: Client) -> None:
    await bill_room(world, await set_fees(world))
    here = {"q": "101", "site_id": str(world.alpha.site_id)}
    for stranger, status in (
        (world.at_other_site(), 403),
        (world.at_site(world.beta), 404),
    ):
        caller = client(stranger)
        assert (await caller.get(f"{ROOT}/counter/search?q=101")).json()["items"] == []
        refused = await caller.get(f"{ROOT}/counter/search", params=here)
        assert refused.status_code == status
    nothing = await client(world.at_site()).get(f"{ROOT}/counter/search?q=%20")
    assert nothing.json() == {"items": []}


async def test_a_receipt_a_second_click_and_the_shift(world: World, client: Client) -> None:
    billed = await bill_room(world, await set_fees(world))
    caller = client(world.at_site())
    room = await _counter(caller, billed)
    body, key = _body(room, "213.08", "5.00", tendered="300.00"), str(uuid4())
    first = await _pay(caller, body, key)
    assert first.status_code == 201, first.text
    taken = first.json()
    assert (taken["amount"], taken["change"]) == ("218.08", "81.92")
    assert taken["received_at"].endswith("Z")
    second = await _pay(caller, body, key)
    assert (second.status_code, second.json()) == (201, taken)
    other = await _pay(caller, {**body, "tendered": "400.00"}, key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-key-reused")
    keyless = await caller.post(f"{ROOT}/receipts", json=body)
    assert (keyless.status_code, keyless.json()["code"]) == (422, "idempotency-key-missing")
    after = await _counter(caller, billed)
    assert (after["bills"], after["open_total"]) == ([], "0.00")
    assert [(r["number"], r["method_label"], r["reversed"]) for r in after["recent"]] == [
        (taken["number"], "Cash", False)
    ]
    shift = (await caller.get(f"{ROOT}/shift")).json()
    assert (shift["count"], shift["received"], shift["cash"]) == (1, "218.08", "218.08")
    assert shift["methods"] == [{"code": "cash", "name": "Cash", "amount": "218.08", "count": 1}]


async def test_a_stale_counter_and_a_too_high_amount_name_the_line(
    world: World, client: Client
) -> None:
    billed = await bill_room(world, await set_fees(world))
    caller = client(world.at_site())
    room = await _counter(caller, billed)
    too_high = await _pay(caller, _body(room, "213.08", "5.01"))
    assert (too_high.status_code, too_high.json()["code"]) == (409, "amount-above-open")
    assert [error["path"] for error in too_high.json()["errors"]] == ["allocations.1.amount"]
    assert (await _pay(caller, _body(room, "1.00"))).status_code == 201
    stale = await _pay(caller, _body(room, "1.00"))
    assert (stale.status_code, stale.json()["code"]) == (409, "bill-changed")


async def test_wrong_shapes_are_named_field_by_field(world: World, client: Client) -> None:
    billed = await bill_room(world, await set_fees(world))
    caller = client(world.at_site())
    room = await _counter(caller, billed)
    for change, path in (
        ({"method": "gold"}, "method"),
        ({"room_id": "x"}, "room_id"),
        ({"tendered": "-1"}, "tendered"),
        ({"received_on": "2026-12-31"}, "received_on"),
        ({"allocations": []}, "allocations"),
        ({"amount": "0"}, "amount"),
    ):
        refused = await _pay(caller, {**_body(room, "1.00"), **change})
        assert refused.status_code == 422, path
        assert path in [error["path"] for error in refused.json()["errors"]]
    for amount in ("1.005", "0", "-1", "1e400", "NaN"):
        refused = await _pay(caller, _body(room, amount))
        assert refused.status_code == 422, amount
        assert [error["path"] for error in refused.json()["errors"]] == ["allocations.0.amount"]


async def test_ids_of_others_in_every_field_are_absent(world: World, client: Client) -> None:
    fees, beta_fees = await set_fees(world), await set_fees(world, world.beta)
    mine = await bill_room(world, fees)
    neighbour = await bill_room(world, fees, site_id=world.alpha.other_site_id)
    foreign = await bill_room(world, beta_fees, company=world.beta)
    caller = client(world.at_site())
    room = await _counter(caller, mine)
    for other in (neighbour, foreign):
        theirs = {"bill_id": str(other.bills[0].id), "amount": "1.00", "version": 1}
        for body in (
            {**_body(room, "1.00"), "room_id": str(other.room_id)},
            {**_body(room), "allocations": [theirs]},
        ):
            assert (await _pay(caller, body)).status_code == 404
        for path in (
            f"counter/rooms/{other.room_id}",
            f"rooms/{other.room_id}/statement",
            f"receipts/{other.room_id}",
        ):
            assert (await caller.get(f"{ROOT}/{path}")).status_code == 404


async def test_a_reversal_over_http_and_its_list_and_detail(world: World, client: Client) -> None:
    billed = await bill_room(world, await set_fees(world))
    caller = client(world.at_site())
    taken = (await _pay(caller, _body(await _counter(caller, billed), "213.08"))).json()
    path = f"{ROOT}/receipts/{taken['id']}/reverse"
    blank = await caller.post(path, json={"reason": " "}, headers={KEY: str(uuid4())})
    assert blank.status_code == 422
    reversed_ = await caller.post(path, json={"reason": "收错户"}, headers={KEY: str(uuid4())})
    assert reversed_.status_code == 201
    by = reversed_.json()["number"]
    again = await caller.post(path, json={"reason": "再冲"}, headers={KEY: str(uuid4())})
    assert (again.status_code, again.json()["code"]) == (409, "receipt-already-reversed")
    listed = (await caller.get(f"{ROOT}/receipts", params={"sort": "number"})).json()
    assert [(row["number"], row["amount"], row["state"]) for row in listed["items"]] == [
        (taken["number"], "213.08", "reversed"),
        (by, "-213.08", "reversal"),
    ]
    assert listed["sums"] == {"amount": "0.00", "offset": "0.00"}
    assert listed["views"] == {"all": 2, "reversal": 1}
    only = (await caller.get(f"{ROOT}/receipts?state=reversal&method=cash&q=101")).json()
    assert only["total"] == 1
    detail = (await caller.get(f"{ROOT}/receipts/{taken['id']}")).json()
    assert (detail["state"], detail["linked_number"]) == ("reversed", by)
    assert [line["amount"] for line in detail["allocations"]] == ["213.08"]
    assert [line["account"][:4] for line in detail["entries"][0]["lines"]] == ["1001", "1122"]
    assert [event["tone"] for event in detail["timeline"]] == ["bad", "ok"]
    shift = (await caller.get(f"{ROOT}/shift")).json()
    assert (shift["count"], shift["received"], shift["cash"]) == (0, "0.00", "0.00")


async def test_a_statement_is_read_by_period(world: World, client: Client) -> None:
    billed = await bill_room(world, await set_fees(world))
    caller = client(world.at_site())
    path = f"{ROOT}/rooms/{billed.room_id}/statement"
    november = {"period_from": "2026-11-01", "period_to": "2026-11-30"}
    statement = (await caller.get(path, params=november)).json()
    assert statement["period"] == {"from": "2026-11-01", "to": "2026-11-30"}
    assert (statement["opening"], statement["closing"]) == ("0.00", "218.08")
    assert [(line["kind"], line["charge"], line["balance"]) for line in statement["lines"]] == [
        ("bill", "213.08", "213.08"),
        ("bill", "5.00", "218.08"),
    ]
    backwards = {"period_from": "2026-11-30", "period_to": "2026-11-01"}
    refused = await caller.get(path, params=backwards)
    assert (refused.status_code, refused.json()["code"]) == (422, "statement-period-empty")


async def test_each_door_asks_for_its_own_permission(world: World, client: Client) -> None:
    billed = await bill_room(world, await set_fees(world))
    reader = client(world.at_site(permissions=("receiving.receipt:read",)))
    nobody = str(billed.room_id)
    for method, path in (
        ("GET", "counter/search"),
        ("GET", f"counter/rooms/{nobody}"),
        ("GET", "shift"),
        ("POST", f"receipts/{nobody}/reverse"),
        ("POST", "receipts"),
    ):
        body = (
            {"reason": "?"} if path.endswith("reverse") else {"room_id": nobody, "method": "cash"}
        )
        answer = await reader.request(
            method, f"{ROOT}/{path}", json=body if method == "POST" else None
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "permission-missing"), path
    assert (await reader.get(f"{ROOT}/receipts")).status_code == 200
