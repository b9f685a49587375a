"""One bus: its devices polled in turn, and orders to them carried out in between.

Everything on a bus goes through one task, so polls and orders never collide. A device that does
not answer costs the others one timeout and is then left alone for a while; so is the whole bus
when nobody answers on it.
"""

import asyncio
import logging
import math
from dataclasses import dataclass, field

from edge_agent import clock
from edge_agent.config import BusConfig, DeviceConfig
from edge_agent.live import LiveBoard
from edge_agent.outbox import Outbox
from edge_agent.poller import Keeper
from edge_agent.states import DeviceState, Outcome, next_state
from protocols.errors import ConnectFailed, DriverError, LinkLost
from protocols.modbus.driver import ModbusBus, ModbusDriver
from protocols.points import Block, Quality

log = logging.getLogger("edge.bus")

ORDERS_MAX = 64
LINK_LOSSES_MAX = 3
"""Connections that break one after the other, without an answer, before a round is given up."""
FLUSH_AFTER_S = 0.5


class BusBusy(Exception):
    """Too many orders wait for this bus."""


class OrderExpired(Exception):
    """It was too late when the order's turn came; the device was not touched."""


@dataclass
class Order:
    """`value` None reads; otherwise it is written first. Answers with the value read last."""

    point: int
    value: float | None
    expires_us: int
    answer: "asyncio.Future[Block]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


@dataclass
class Standing:
    """How a device, or the bus itself, fares; kept by `_settle` only."""

    name: str
    state: DeviceState = DeviceState.CONNECTING
    attempts: int = 0
    retry_at: float = 0.0
    failing_since: float | None = None


@dataclass
class _Device:
    config: DeviceConfig
    driver: ModbusDriver
    keeper: Keeper
    numbers: list[int]
    standing: Standing


@dataclass
class _Round:
    """`lost` are devices at which the connection broke, while none has answered."""

    answered: bool = False
    lost: list[tuple[_Device, LinkLost]] = field(default_factory=list)
    failure: DriverError | None = None


class BusSupervisor:
    def __init__(self, config: BusConfig, *, outbox: Outbox, live: LiveBoard) -> None:
        self._config = config
        self._outbox = outbox
        self._live = live
        self._bus = ModbusBus(host=config.host, port=config.port, timeout_s=config.timeout_s)
        self._devices = [self._device(device) for device in config.devices]
        self._by_point = {number: device for device in self._devices for number in device.numbers}
        self._orders: asyncio.Queue[Order] = asyncio.Queue(maxsize=ORDERS_MAX)
        self._meter = Block()
        self._flushed_at = 0.0
        self.standing = Standing(config.code)

    @property
    def standings(self) -> list[Standing]:
        return [self.standing, *(device.standing for device in self._devices)]

    def has(self, point: int) -> bool:
        return point in self._by_point

    def order(self, order: Order) -> None:
        """Put it before all polls. Raises BusBusy."""
        try:
            self._orders.put_nowait(order)
        except asyncio.QueueFull:
            raise BusBusy(f"{ORDERS_MAX} orders wait for bus {self._config.code}") from None

    async def run(self) -> None:
        """Poll at wall-clock multiples of poll_every_s, for ever; orders are taken at once."""
        try:
            while True:
                await self._serve_orders_until(self._next_tick())
                if self.standing.retry_at <= clock.monotonic():
                    await self._poll_all()
                await self._flush()
        finally:
            await self._flush()
            self._bus.close()
            for standing in self.standings:
                self._settle(standing, Outcome.STOP)

    def _next_tick(self) -> float:
        """On the monotonic clock."""
        now = clock.now_us() / 1e6
        every = self._config.poll_every_s
        return clock.monotonic() + (math.floor(now / every) + 1) * every - now

    async def _serve_orders_until(self, at: float) -> None:
        while (left := at - clock.monotonic()) > 0:
            try:
                async with asyncio.timeout(left):
                    order = await self._orders.get()
            except TimeoutError:
                return
            await self._carry_out(order)

    async def _poll_all(self) -> None:
        """One round. A connection that breaks is a device's fault only if another one answers."""
        this = _Round()
        for device in self._devices:
            while not self._orders.empty():
                await self._carry_out(self._orders.get_nowait())
            if device.standing.retry_at <= clock.monotonic():
                await self._ask(device, this)
            if this.failure is not None:
                break
            if clock.monotonic() - self._flushed_at > FLUSH_AFTER_S:
                await self._flush()
        if this.lost:
            this.failure = this.lost[-1][1]
        if this.failure is not None:
            self._go_down(this.failure)
        elif this.answered:
            self._settle(self.standing, Outcome.ANSWERED)

    async def _ask(self, device: _Device, this: _Round) -> None:
        try:
            this.answered |= await self._poll(device)
        except ConnectFailed as error:
            this.failure = error
        except LinkLost as error:
            this.lost.append((device, error))
        if this.answered:
            for guilty, reason in this.lost:
                self._miss(guilty, reason)
            this.lost.clear()
        elif len(this.lost) >= LINK_LOSSES_MAX:
            this.failure = this.lost[-1][1]

    async def _poll(self, device: _Device) -> bool:
        """Whether it answered. Raises ConnectFailed and LinkLost, which may be the bus's fault."""
        try:
            async with device.driver as driver:
                block = await driver.read(device.numbers)
        except (ConnectFailed, LinkLost):
            raise
        except DriverError as error:
            self._miss(device, error)
            return False
        self._settle(device.standing, Outcome.ANSWERED)
        self._take(device, block)
        return True

    def _miss(self, device: _Device, error: DriverError) -> None:
        self._settle(device.standing, Outcome.FAILED, error)
        if device.standing.state is DeviceState.BACKOFF:
            self._take(device, _no_values(device.numbers))

    def _go_down(self, error: DriverError) -> None:
        self._settle(self.standing, Outcome.FAILED, error)
        if self.standing.state is DeviceState.BACKOFF:
            for device in self._devices:
                self._take(device, _no_values(device.numbers))

    def _take(self, device: _Device, block: Block) -> None:
        if not clock.is_synced():
            for row, quality in enumerate(block.qualities):
                block.qualities[row] = max(quality, Quality.UNCERTAIN)
        kept = device.keeper.sort(block)
        self._live.note(block)
        self._meter.extend(kept.meter)
        self._outbox.gather(kept.tele)

    async def _flush(self) -> None:
        """Billing registers of one round are one batch: a round is short, or cut in pieces."""
        block, self._meter = self._meter, Block()
        self._flushed_at = clock.monotonic()
        await self._outbox.keep(block)

    async def _carry_out(self, order: Order) -> None:
        """The answer is the block read, or the reason why there is none."""
        if order.answer.done():
            return
        if clock.now_us() > order.expires_us:
            order.answer.set_exception(OrderExpired())
            return
        device = self._by_point[order.point]
        try:
            async with device.driver as driver:
                if order.value is not None:
                    await driver.write(order.point, order.value)
                block = await self._read_back(driver, order)
        except DriverError as error:
            if not order.answer.done():
                order.answer.set_exception(error)
        else:
            self._live.note(block)
            if not order.answer.done():
                order.answer.set_result(block)

    async def _read_back(self, driver: ModbusDriver, order: Order) -> Block:
        try:
            return await driver.read([order.point])
        except DriverError:
            if order.value is None:
                raise
            # The write was confirmed; that its value could not be read back changes nothing.
            return _no_values([order.point])

    def _settle(
        self, standing: Standing, outcome: Outcome, error: DriverError | None = None
    ) -> None:
        """Take the step that the outcome calls for, and log it if it is one."""
        before = standing.state
        standing.state, delay_s = next_state(before, outcome, standing.attempts)
        now = clock.monotonic()
        standing.retry_at = now + delay_s
        if outcome is Outcome.FAILED:
            standing.failing_since = standing.failing_since or now
            standing.attempts += standing.state is DeviceState.BACKOFF
        if standing.state is before:
            return
        if standing.state is DeviceState.ONLINE:
            away_s = now - (standing.failing_since or now)
            self._say_online(standing, before, away_s)
            standing.attempts, standing.failing_since = 0, None
        elif error is not None:
            log.warning("%s %s error=%s: %s", standing.name, standing.state, _kind(error), error)
        elif standing is self.standing:
            log.info("%s %s", standing.name, standing.state)

    def _say_online(self, standing: Standing, before: DeviceState, away_s: float) -> None:
        """A site has hundreds of meters: at the start the bus tells how many of its are there."""
        if standing is self.standing:
            online = sum(device.standing.state is DeviceState.ONLINE for device in self._devices)
            log.info(
                "%s online after=%.0fs devices=%d/%d",
                standing.name,
                away_s,
                online,
                len(self._devices),
            )
        elif before is not DeviceState.CONNECTING:
            log.info("%s online after=%.0fs misses=%d", standing.name, away_s, standing.attempts)

    def _device(self, config: DeviceConfig) -> _Device:
        name = f"{self._config.code}/{config.unit_id}"
        return _Device(
            config=config,
            driver=ModbusDriver(
                bus=self._bus,
                unit_id=config.unit_id,
                points=config.points,
                now_us=clock.now_us,
                limits=config.limits,
            ),
            keeper=Keeper(config.points),
            numbers=[point.point for point in config.points],
            standing=Standing(f"{name} {config.code}" if config.code else name),
        )


def _kind(error: DriverError) -> str:
    return type(error).__name__


def _no_values(points: list[int]) -> Block:
    block = Block()
    now = clock.now_us()
    for point in points:
        block.append(point, now, math.nan, Quality.BAD)
    return block
