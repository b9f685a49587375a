"""The agent as a process, between simulated meters, a real broker and the platform's contract."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from cloud.embedded.broker import Broker
from edge_agent import clock
from protocols.points import Lane, Quality
from protocols.uplink import topics
from protocols.uplink.messages import Command, Outcome
from tests.kit.broker import private_broker
from tests.kit.gateway import PASSWORD, SITE, Gateway, config, electricity, running_gateway
from tests.kit.platform import Platform, running_platform
from tests.kit.simulators import CHECKOUT, Simulators, running_simulators

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with private_broker({topics.user(SITE): PASSWORD}) as broker:
        yield broker


@dataclass
class World:
    folder: Path
    broker: Broker
    simulators: Simulators
    platform: Platform
    config: Path
    started_us: int = 0

    @asynccontextmanager
    async def gateway(self, **environment: str) -> AsyncIterator[Gateway]:
        self.started_us = clock.now_us()
        async with running_gateway(self.config, environment) as gateway:
            yield gateway

    async def up(self) -> None:
        """Until this gateway, not one before it, has said that it is there."""
        await until(
            lambda: any(
                birth.online and birth.at_us >= self.started_us for birth in self.platform.births
            )
        )

    async def ask(self, point: int, **changes: object) -> UUID:
        now = clock.now_us()
        fields = {"op": "read_now", "value": None, "expires_us": now + 10_000_000} | changes
        command = Command(uuid4(), point=point, issued_us=now, **fields)  # type: ignore[arg-type]
        await self.platform.send(command)
        return command.id


@pytest.fixture
async def world(tmp_path: Path, broker: Broker) -> AsyncIterator[World]:
    async with (
        running_simulators(tmp_path, speed=1000) as simulators,
        running_platform(broker, Platform(SITE)) as platform,
    ):
        path = config(
            tmp_path,
            broker_port=broker.port_gateways,
            bus_port=simulators.ports["LT/B1"],
        )
        yield World(tmp_path, broker, simulators, platform, path)


async def until(condition: Callable[[], object], *, within_s: float = 15) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


def readings_of(platform: Platform, point: int) -> list[float]:
    return [row[4] for row in platform.rows if row[2] == point]


def assert_dense(platform: Platform) -> None:
    """Every number of every (epoch, lane) once, from 1 on."""
    by_key: dict[tuple[UUID, Lane], list[int]] = {}
    for key, seq, *_ in platform.rows:
        by_key.setdefault(key, []).append(seq)
    for seqs in by_key.values():
        assert seqs == list(range(1, len(seqs) + 1))


async def test_meters_reach_the_platform_and_the_screen(world: World) -> None:
    async with world.gateway() as gateway:
        await until(lambda: len(readings_of(world.platform, 17)) >= 2)
        await until(lambda: len(readings_of(world.platform, 28)) >= 2)
        await until(lambda: sum(len(live) for live in world.platform.lives) >= 8)
        await world.up()
        started = time.monotonic()
        assert await gateway.stop() == 0
        assert time.monotonic() - started < 2

    energy = readings_of(world.platform, 17)
    assert energy == sorted(energy)
    assert all(225 <= value <= 231 for value in readings_of(world.platform, 19))
    assert {row[5] for row in world.platform.rows} == {Quality.GOOD}
    assert {row[0][1] for row in world.platform.rows if row[2] in (17, 27)} == {Lane.METER}
    assert {live.points[0] for live in world.platform.lives} <= {17, 18, 19, 27, 28, 29}
    assert_dense(world.platform)
    await until(lambda: not world.platform.births[-1].online)
    assert world.platform.births[-2].online
    assert world.platform.births[-2].clock_synced


async def test_nothing_is_lost_or_doubled_by_kills_and_a_deaf_platform(world: World) -> None:
    world.platform.is_deaf = True
    for _ in range(2):
        async with world.gateway() as gateway:
            seen = world.platform.batches
            await until(lambda seen=seen: world.platform.batches > seen + 2)  # type: ignore[misc]
            await world.up()
            await gateway.stop(signal.SIGKILL)
            await until(lambda: not world.platform.births[-1].online)
    assert not world.platform.rows
    world.platform.is_deaf = False
    async with world.gateway():
        await until(lambda: len(readings_of(world.platform, 17)) >= 4)
        await until(lambda: len(readings_of(world.platform, 18)) >= 4)
    assert_dense(world.platform)
    assert len({key[0] for key, *_ in world.platform.rows}) == 1
    assert not world.platform.gaps


async def test_a_kill_between_commit_and_sending_loses_nothing(world: World) -> None:
    async with world.gateway(WUYE_EDGE_CRASH_AT="after-outbox-commit") as gateway:
        assert await asyncio.wait_for(gateway.process.wait(), 8) == 86
    assert not world.platform.rows
    async with world.gateway():
        await until(lambda: len(readings_of(world.platform, 17)) >= 2)
    assert_dense(world.platform)


async def test_a_busy_platform_gets_it_later_and_an_unreadable_batch_becomes_a_gap(
    world: World,
) -> None:
    world.platform.busy_for = 3
    world.platform.unreadable.add((Lane.TELE, 1))
    async with world.gateway() as gateway:
        await until(lambda: len(readings_of(world.platform, 17)) >= 2)
        await until(lambda: world.platform.gaps)
        await until(lambda: readings_of(world.platform, 18))
    (gap,) = world.platform.gaps
    assert (gap.lane, gap.seq_from, gap.reason) == (Lane.TELE, 1, "the platform cannot read it")
    tele = [row[1] for row in world.platform.rows if row[0][1] is Lane.TELE]
    assert gap.seq_to is not None
    assert tele == list(range(gap.seq_to + 1, gap.seq_to + 1 + len(tele)))
    assert any("set aside lane=tele first_seq=1" in line for line in gateway.log)


async def test_goes_on_after_the_broker_restarted(tmp_path: Path) -> None:
    with private_broker({topics.user(SITE): PASSWORD}) as broker:
        async with running_simulators(tmp_path, speed=1000) as simulators:
            path = config(
                tmp_path,
                broker_port=broker.port_gateways,
                bus_port=simulators.ports["LT/B1"],
            )
            platform = Platform(SITE)
            async with running_gateway(path) as gateway:
                async with running_platform(broker, platform):
                    await until(lambda: platform.rows)
                broker.stop()
                await asyncio.sleep(1.2)
                broker.start()
                async with running_platform(broker, platform):
                    seen = len(platform.rows)
                    await until(lambda: len(platform.rows) > seen + 6)
                assert_dense(platform)
                await gateway.stop()
    said = "\n".join(gateway.log)
    assert said.count("connected failures=") == 2
    assert said.count("disconnected reason=") == 1


class TestCommands:
    async def test_a_point_is_read_now(self, world: World) -> None:
        async with world.gateway():
            await world.up()
            asked = await world.ask(17)
            await until(lambda: world.platform.results)
        (result,) = world.platform.results
        assert (result.command_id, result.outcome) == (asked, Outcome.DONE)
        assert result.value is not None
        assert 200 <= result.value < 9100

    async def test_the_same_command_gets_the_same_answer(self, world: World) -> None:
        now = clock.now_us()
        command = Command(uuid4(), "read_now", 17, None, now, now + 10_000_000)
        async with world.gateway():
            await world.up()
            await world.platform.send(command)
            await until(lambda: world.platform.results)
            await world.platform.send(command)
            await until(lambda: len(world.platform.results) == 2)
        async with world.gateway():
            await world.up()
            await world.platform.send(command)
            await until(lambda: len(world.platform.results) == 3)
        assert len(set(world.platform.results)) == 1

    @pytest.mark.parametrize(
        ("point", "changes", "outcome", "detail"),
        [
            (999, {}, Outcome.REJECTED, "point 999 is not one of this gateway"),
            (17, {"expires_us": 5}, Outcome.EXPIRED, "it came too late"),
            (17, {"op": "write"}, Outcome.REJECTED, "there is no value to write"),
            (17, {"op": "write", "value": 1.0}, Outcome.FAILED, "does not know this function"),
            (17, {"op": "write", "value": -1.0}, Outcome.FAILED, "does not fit uint32"),
        ],
    )
    async def test_refusals_say_why(
        self, world: World, point: int, changes: dict[str, object], outcome: Outcome, detail: str
    ) -> None:
        async with world.gateway():
            await world.up()
            asked = await world.ask(point, **changes)
            await until(lambda: world.platform.results)
        (result,) = world.platform.results
        assert (result.command_id, result.outcome) == (asked, outcome)
        assert detail in result.detail

    async def test_a_write_without_an_answer_is_unknown(self, world: World) -> None:
        world.simulators.silence("LT/B1/1")
        async with world.gateway():
            await world.up()
            await asyncio.sleep(0.6)
            await world.ask(17, op="write", value=1.0)
            await world.ask(17)
            await until(lambda: len(world.platform.results) == 2)
        outcomes = [result.outcome for result in world.platform.results]
        assert outcomes == [Outcome.UNKNOWN, Outcome.FAILED]

    async def test_a_command_cut_off_by_a_kill_is_unknown_after_it(self, world: World) -> None:
        world.simulators.silence("LT/B1/1")
        await asyncio.sleep(0.6)
        async with world.gateway() as gateway:
            await world.up()
            asked = await world.ask(17, op="write", value=1.0)
            await asyncio.sleep(0.15)
            await gateway.stop(signal.SIGKILL)
        assert not world.platform.results
        async with world.gateway():
            await until(lambda: world.platform.results)
        (result,) = world.platform.results
        assert (result.command_id, result.outcome) == (asked, Outcome.UNKNOWN)


class TestDevices:
    async def test_a_silent_meter_costs_the_others_nothing_but_a_timeout(
        self, world: World
    ) -> None:
        async with world.gateway() as gateway:
            await until(lambda: readings_of(world.platform, 18))
            world.simulators.silence("LT/B1/1")
            await until(lambda: any("B1/1 E-1 backoff" in line for line in gateway.log))
            before = len(readings_of(world.platform, 27))
            await asyncio.sleep(2)
            assert len(readings_of(world.platform, 27)) >= before + 1
            world.simulators.silence()
            await until(lambda: any("B1/1 E-1 online" in line for line in gateway.log))
        said = "\n".join(gateway.log)
        assert "B1 online after=0s devices=2/2" in said
        assert said.count("B1/1 E-1 degraded") == said.count("B1/1 E-1 backoff") == 1
        assert "B1/2 E-2 degraded" not in said
        qualities = {row[5] for row in world.platform.rows if row[2] == 18}
        assert qualities == {Quality.GOOD, Quality.BAD}
        assert {row[5] for row in world.platform.rows if row[2] == 17} == {Quality.GOOD}
        bad = [
            live
            for live in world.platform.lives
            if dict(zip(live.points, live.qualities, strict=True)).get(17) == Quality.BAD
        ]
        assert bad

    async def test_a_dead_bus_is_told_once_and_comes_back(self, world: World) -> None:
        async with world.gateway() as gateway:
            await until(lambda: readings_of(world.platform, 17))
            world.simulators.silence("LT/B1")
            await until(lambda: any("B1 backoff" in line for line in gateway.log))
            world.simulators.silence()
            await until(lambda: len([x for x in gateway.log if "B1 online" in x]) == 2)
        said = "\n".join(gateway.log)
        assert said.count("B1 degraded") == said.count("B1 backoff") == 1
        assert "B1/1 E-1 degraded" not in said
        assert_dense(world.platform)


def run(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge_agent", "--config", str(path), *options],
        cwd=CHECKOUT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


class TestStart:
    def test_check_says_what_a_config_holds(self, tmp_path: Path) -> None:
        ended = run(config(tmp_path, broker_port=1, bus_port=2), "--check")
        assert ended.returncode == 0
        assert ended.stdout.endswith("config.yaml: in order, 1 buses, 2 devices, 6 points\n")
        assert not (tmp_path / "outbox").exists()

    def test_a_wrong_config_ends_with_all_mistakes(self, tmp_path: Path) -> None:
        devices = [electricity(300, 17), electricity(2, 17)]
        ended = run(config(tmp_path, broker_port=0, bus_port=2, devices=devices))
        assert ended.returncode == 2
        assert len(ended.stderr.splitlines()) == 5
        assert "Traceback" not in ended.stderr
        assert not (tmp_path / "outbox").exists()

    async def test_a_store_in_use_is_named(self, world: World) -> None:
        async with world.gateway():
            await world.up()
            ended = await asyncio.to_thread(run, world.config)
        assert ended.returncode == 3
        assert "in use by another wuye-edge" in ended.stderr
        assert "Traceback" not in ended.stderr

    async def test_a_wrong_password_is_told_once_and_reading_goes_on(self, world: World) -> None:
        text = world.config.read_text().replace(PASSWORD, "another")
        world.config.write_text(text)
        async with world.gateway() as gateway:
            await asyncio.sleep(2.5)
            assert await gateway.stop() == 0
        said = "\n".join(gateway.log)
        assert said.count("disconnected reason=") == 1
        assert "Not authorized — the broker does not know this user" in said
        world.config.write_text(text.replace("another", PASSWORD))
        async with world.gateway():
            await until(lambda: len(readings_of(world.platform, 17)) >= 3)
        assert_dense(world.platform)

    def test_loads_nothing_of_the_cloud(self) -> None:
        listed = subprocess.run(
            [sys.executable, "-c", "import edge_agent.__main__, sys; print(*sys.modules)"],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        packages = {name.split(".")[0] for name in listed}
        assert not packages & {"fastapi", "sqlalchemy", "sqlmodel", "ray", "numpy", "cloud"}
