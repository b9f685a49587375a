"""Gateways and devices as people keep them: enrolled, added from a template, changed, disabled."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, NotFound
from cloud.modules.devices.models import Device, DeviceState, Gateway
from cloud.modules.devices.rules import Credentials
from cloud.modules.devices.schemas import GatewayEnrolled
from cloud.modules.devices.service.registry import DeviceSpec, add_devices, add_gateway
from cloud.modules.resources.models import Space


class GatewayCodeTaken(Conflict):
    message = "There is a gateway {code} already. Choose another code."


class DeviceCodeTaken(Conflict):
    message = "The code {code} belongs to “{name}”. Choose another code."


class AddressTaken(Conflict):
    message = "“{name}” has station {unit_id} on bus {bus}. Check the address on the device."


class Passwords(Protocol):
    """Where gateways' passwords are kept; the composition root provides it."""

    def issue(self, site_id: UUID) -> Credentials: ...


async def enrol_gateway(
    ctx: Ctx, passwords: Passwords, *, site_id: UUID, code: str
) -> GatewayEnrolled:
    """The one gateway of a site, with what it enters the broker with, said this once.

    Raises NotFound, ProjectNotYours, PickAProject, SiteHasGateway, GatewayCodeTaken.
    """
    taken = await ctx.session.execute(select(col(Gateway.id)).where(col(Gateway.code) == code))
    if taken.first() is not None:
        raise GatewayCodeTaken(code=code, fields=(FieldError("code", "gateway-code-taken"),))
    gateway = await add_gateway(ctx, site_id=site_id, code=code)
    await ctx.session.flush()  # a refusal of the database comes before a password is made
    return _enrolled(gateway, passwords.issue(gateway.org_id))


async def renew_credentials(ctx: Ctx, passwords: Passwords, *, gateway_id: UUID) -> GatewayEnrolled:
    """Another password; with the one before it the gateway is not let in again. Raises NotFound."""
    gateway = await ctx.get(Gateway, gateway_id, lock=True)
    await audit.record_on(ctx, gateway, "devices.gateway.credentials_renewed")
    await ctx.session.flush()  # what the database refuses comes before the old one is void
    return _enrolled(gateway, passwords.issue(gateway.org_id))


async def add_device(ctx: Ctx, *, gateway_id: UUID, spec: DeviceSpec) -> Device:
    """Raises NotFound for a gateway or a place that is not the site's, DeviceCodeTaken,
    AddressTaken."""
    gateway = await ctx.get(Gateway, gateway_id, lock=True)
    if spec.space_id is not None:
        space = await ctx.get(Space, spec.space_id)
        if space.org_id != gateway.org_id:
            raise NotFound
    await _refuse_taken(ctx, gateway, spec)
    made = await add_devices(ctx, gateway_id=gateway.id, specs=[spec])
    device = await ctx.get(Device, made[spec.code][0])
    await audit.record_on(
        ctx,
        device,
        "devices.device.added",
        after={"code": spec.code, "bus": spec.bus, "unit_id": spec.unit_id},
    )
    return device


async def change_device(
    ctx: Ctx, *, device_id: UUID, version: int, name: str, place: str | None
) -> Device:
    """Raises NotFound, StaleVersion."""
    device = await ctx.get(Device, device_id, lock=True, version=version)
    before = {"name": device.name, "place": device.place}
    device.name, device.place = name, place or ""
    device.version += 1
    await audit.record_on(
        ctx,
        device,
        "devices.device.changed",
        before=before,
        after={"name": device.name, "place": device.place},
    )
    return device


async def disable_device(ctx: Ctx, *, device_id: UUID, reason: str) -> Device:
    """It is read no more from the gateway's next start on; its values and points stay."""
    return await _set_state(ctx, device_id, DeviceState.disabled, reason)


async def enable_device(ctx: Ctx, *, device_id: UUID) -> Device:
    """Raises NotFound."""
    return await _set_state(ctx, device_id, DeviceState.in_use, "")


async def _set_state(ctx: Ctx, device_id: UUID, state: DeviceState, reason: str) -> Device:
    device = await ctx.get(Device, device_id, lock=True)
    if device.state == state:
        return device
    device.state = state
    device.version += 1
    await audit.record_on(ctx, device, f"devices.device.{state.value}", reason=reason)
    return device


async def _refuse_taken(ctx: Ctx, gateway: Gateway, spec: DeviceSpec) -> None:
    found = await ctx.session.execute(
        select(Device).where(
            col(Device.org_id) == gateway.org_id,
            (col(Device.code) == spec.code)
            | (
                (col(Device.gateway_id) == gateway.id)
                & (col(Device.bus) == spec.bus)
                & (col(Device.unit_id) == spec.unit_id)
            ),
        )
    )
    for other in found.scalars():
        if other.code == spec.code:
            raise DeviceCodeTaken(
                code=spec.code, name=other.name, fields=(FieldError("code", "device-code-taken"),)
            )
        raise AddressTaken(
            name=other.name,
            unit_id=other.unit_id,
            bus=other.bus,
            fields=(FieldError("unit_id", "address-taken"),),
        )


def _enrolled(gateway: Gateway, credentials: Credentials) -> GatewayEnrolled:
    return GatewayEnrolled(
        id=gateway.id, code=gateway.code, credentials=credentials.text(gateway.org_id)
    )
