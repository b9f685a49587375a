"""Orders to devices: recorded, sent by the site's host after COMMIT, answered by lane event."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict
from cloud.modules.devices import queries
from cloud.modules.devices.events import CommandIssued
from cloud.modules.devices.models import (
    CommandOutcome,
    CommandState,
    Device,
    DeviceCommand,
    EventKind,
    GatewayState,
    SiteEvent,
)
from cloud.modules.devices.rules import instant
from cloud.modules.devices.schemas import CommandAnswer
from protocols.uplink import messages as wire

READ_NOW_FOR = timedelta(seconds=8)


class DeviceHasNoPoint(Conflict):
    message = "The device “{device}” has no value that could be read. Add a point to it first."


async def read_now(ctx: Ctx, *, device_id: UUID, command_id: UUID) -> CommandAnswer:
    """Order a reading of what the live screen shows of the device.

    The same `command_id` again orders nothing and answers what is known of the first order. Raises
    NotFound, DeviceHasNoPoint.
    """
    known = await ctx.find(DeviceCommand, command_id)
    if known is not None:
        answer = queries.answer_of(known)
        # Under way still: whoever asks a second time is not made to wait for it.
        return answer.model_copy(update={"outcome": answer.outcome or CommandOutcome.unknown})
    device = await ctx.get(Device, device_id)
    points = await queries.points_of_device(ctx, device_id)
    if not points:
        raise DeviceHasNoPoint(device=device.name)
    number = points[0].point_no
    assert number is not None
    command = DeviceCommand(
        **ctx.stamp(device.org_id),
        id=command_id,
        point_no=number,
        op="read_now",
        issued_at=ctx.now,
        expires_at=ctx.now + READ_NOW_FOR,
    )
    ctx.session.add(command)
    await ctx.announce(
        CommandIssued(
            site_id=device.org_id,
            command_id=command.id,
            op=command.op,
            point_no=number,
            argument=None,
            issued_at=command.issued_at,
            expires_at=command.expires_at,
        )
    )
    return queries.answer_of(command)


async def finish_command(ctx: Ctx, *, site_id: UUID, result: wire.CommandResult) -> None:
    """Record what a gateway says of a command. A first answer stands; one that we gave up waiting
    for may still come and is truer than ours. Results of unknown commands are ignored."""
    command = await ctx.find(DeviceCommand, result.command_id, lock=True)
    if command is None or command.org_id != site_id:
        return
    gave_up = command.outcome in {CommandOutcome.unknown, CommandOutcome.expired}
    if command.state == CommandState.finished and not gave_up:
        return
    if result.outcome is wire.Outcome.ACCEPTED:
        if not gave_up:
            command.state = CommandState.accepted
        return
    _finish(ctx, command, CommandOutcome(result.outcome.value), result.detail)
    if result.outcome is wire.Outcome.DONE:
        command.value = result.value
        command.measured_at = instant(result.at_us)
    await _note(ctx, command)


async def give_up_command(ctx: Ctx, *, command_id: UUID) -> CommandAnswer:
    """Close a command whose time is over. Unknown when the gateway was there to get it."""
    command = await ctx.get(DeviceCommand, command_id, lock=True)
    if command.state != CommandState.finished:
        gateway = await queries.gateway_of_site(ctx, command.org_id)
        is_offline = gateway is None or gateway.state != GatewayState.online
        is_lost = is_offline and command.state == CommandState.sent
        outcome = CommandOutcome.expired if is_lost else CommandOutcome.unknown
        _finish(ctx, command, outcome, "no answer in time")
        await _note(ctx, command)
    return queries.answer_of(command)


def _finish(ctx: Ctx, command: DeviceCommand, outcome: CommandOutcome, detail: str) -> None:
    command.state = CommandState.finished
    command.outcome = outcome
    command.detail = detail
    command.finished_at = ctx.now


async def _note(ctx: Ctx, command: DeviceCommand) -> None:
    point = await queries.point_by_number(ctx, command.point_no)
    device = await ctx.get(Device, point.device_id)
    is_done = command.outcome == CommandOutcome.done
    ctx.session.add(
        SiteEvent(
            **ctx.stamp(command.org_id),
            at=ctx.now,
            kind=EventKind.command_done if is_done else EventKind.command_failed,
            params={
                "device": device.name,
                "label": point.label,
                "value": command.value,
                "digits": point.digits,
                "unit": point.unit,
                "outcome": command.outcome,
                "detail": command.detail,
            },
        )
    )
