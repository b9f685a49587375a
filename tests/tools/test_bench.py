"""The pure parts of `make bench`: ratios, the table, the page, and the load's own HTTP."""

import asyncio
import json

import pytest

from tools.bench.__main__ import footprint_table, page
from tools.bench.footprint import Footprint, part_of
from tools.bench.load import Request, UnexpectedAnswer, send_all
from tools.bench.measure import Measure, Rates, rate, table

SLOW = Measure("read", 50.0, "requests/s", 1_000.0, "a GET against a SELECT")


class TestMeasure:
    def test_the_median_of_each_side_counts(self) -> None:
        rates = Rates(ours=[10.0, 30.0, 20.0], bare=[100.0, 50.0, 80.0])
        measured = rates.measure("bill", "bills/s", "drafts")
        assert (measured.value, measured.baseline, measured.ratio) == (20.0, 80.0, 0.25)

    def test_json_has_the_six_promised_names(self) -> None:
        assert SLOW.as_json() == {
            "name": "read",
            "value": 50.0,
            "unit": "requests/s",
            "baseline": 1000.0,
            "ratio": 0.05,
            "goal": 0.3,
        }

    def test_what_fails_is_not_measured(self) -> None:
        into: list[float] = []
        with pytest.raises(ValueError, match="broken"), rate(into, 5):
            raise ValueError("broken")
        assert into == []
        with rate(into, 5):
            pass
        assert into[0] > 0


def test_table_and_page_show_the_ratio_and_what_is_compared() -> None:
    assert table([SLOW]).splitlines()[1].split() == [
        *("read", "50", "1,000", "requests/s", "0.05", "0.30"),
    ]
    assert "| read | 50 | 1,000 | requests/s | 0.05 | 0.30 |" in page([SLOW])
    assert "- **read**: a GET against a SELECT." in page([SLOW])


def test_the_page_says_why_only_for_what_is_below_its_goal() -> None:
    slow = Measure("read", 2.5, "requests/s", 10.0, "compared", why="five round trips")
    fast = Measure("publish", 9.0, "bills/s", 10.0, "compared", why="nothing to say")
    told = page([slow, fast])
    assert "| read | 2.5 | 10 | requests/s | 0.25 | 0.30 |" in told
    assert "- **read**: five round trips." in told
    assert "nothing to say" not in told


class TestLoad:
    async def test_sends_each_request_once_on_a_few_connections(self) -> None:
        seen: list[str] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.decode().split("Content-Length: ")[1].split("\r\n")[0])
                seen.append(json.loads(await reader.readexactly(length))["n"])
                status = b"409 Conflict" if seen[-1] == "bad" else b"201 Created"
                writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\n{}")

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        requests = [Request("POST", "/", {}, {"n": str(n)}).encoded() for n in range(20)]

        await send_all(port, requests, status=201)
        with pytest.raises(ExceptionGroup) as failed:
            await send_all(port, [Request("POST", "/", {}, {"n": "bad"}).encoded()], status=201)
        server.close()

        assert sorted(seen[:20], key=int) == [str(n) for n in range(20)]
        assert failed.group_contains(UnexpectedAnswer, match="409")


class TestFootprint:
    @pytest.mark.parametrize(
        ("command_line", "part"),
        [
            ("postgres: wuye: wuye_app [local] idle", "postgres"),
            ("python -m cloud.cli run web", "web"),
            ("python -m edge_agent --config edge/LT/config.yaml", "gateways"),
            ("/usr/sbin/mosquitto -c broker/mosquitto.conf", "broker"),
            ("python -m cloud.cli up", "supervisor"),
            ("raylet/raylet --raylet_socket_name=x", "ray"),
            ("ray::RayHost", "ray"),
            ("sleep 60", "other"),
        ],
    )
    def test_each_process_is_of_a_part(self, command_line: str, part: str) -> None:
        assert part_of(command_line) == part

    def test_the_last_line_adds_up(self) -> None:
        parts = [Footprint("web", 1, 120.0, 0.5), Footprint("postgres", 9, 80.4, 1.0)]
        assert footprint_table(parts).splitlines()[-1] == "| all | 10 | 200 | 1.5 |"
