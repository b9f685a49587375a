"""Functions as turns: payload checked, principal resolved anew and narrowed, one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from cloud.kernel.context import Ctx, Principal
from cloud.kernel.errors import FieldError, NotFound, Unauthenticated, Unprocessable
from cloud.kernel.events import Bus, Handler
from cloud.kernel.registry import Function
from cloud.kernel.runtime import Runtime
from cloud.kernel.sites import Ask
from cloud.kernel.uow import unit_of_work
from cloud.modules.devices import queries as devices_queries
from cloud.modules.devices import service as devices
from cloud.modules.devices.events import CommandIssued
from cloud.modules.devices.schemas import CommandAnswer

Fence = Callable[[Ctx], Awaitable[None]]

_ISSUED = "issued_commands"


async def _collect(ctx: Ctx, event: CommandIssued) -> None:
    ctx.session.info.setdefault(_ISSUED, []).append(event)


def bus_of_host(handlers: Iterable[tuple[type, Handler]]) -> Bus:
    """The modules' handlers, and one that keeps issued commands until the COMMIT."""
    return Bus([*handlers, (CommandIssued, _collect)])


class Functions:
    """The functions of all manifests, by code."""

    def __init__(self, runtime: Runtime, functions: Iterable[Function]) -> None:
        self._runtime = runtime
        self._functions = {function.code: function for function in functions}

    async def call(
        self, ask: Ask, *, ancestors: tuple[UUID, ...], fence: Fence
    ) -> tuple[dict[str, Any], list[CommandIssued]]:
        """The answer as JSON, and the commands to send now that it is committed.

        Raises Unauthenticated for an account that was disabled meanwhile, NotFound for a site that
        is not theirs, PermissionMissing, Unprocessable for a wrong payload, and what the function
        raises.
        """
        function = self._functions.get(ask.function)
        if function is None:
            raise NotFound
        payload = _checked(function, ask.payload)
        principal = await self._runtime.authenticator.by_user(ask.principal_id)
        if principal is None:
            raise Unauthenticated
        mine = principal.acting(function.permission).narrowed(ask.site_id, ancestors)
        async with self._unit(mine, ask.request_id) as ctx:
            result = await function.entry(ctx, **payload)
            await ctx.session.flush()  # the fence is to be the last statement
            await fence(ctx)
            issued: list[CommandIssued] = ctx.session.info.get(_ISSUED, [])
        answer = function.answer.model_validate(result, from_attributes=True)
        return answer.model_dump(mode="json"), issued

    async def command_answer(self, principal: Principal, command_id: UUID) -> dict[str, Any]:
        async with self._unit(principal) as ctx:
            answer = await devices_queries.command_answer(ctx, command_id)
        return _dumped(answer)

    async def give_up(
        self, principal: Principal, command_id: UUID, *, fence: Fence
    ) -> dict[str, Any]:
        async with self._unit(principal) as ctx:
            answer = await devices.give_up_command(ctx, command_id=command_id)
            await ctx.session.flush()  # the fence is to be the last statement
            await fence(ctx)
        return _dumped(answer)

    def _unit(self, principal: Principal, request_id: str | None = None) -> Any:
        return unit_of_work(
            self._runtime.sessions, principal, bus=self._runtime.bus, request_id=request_id
        )


def _checked(function: Function, payload: dict[str, Any]) -> dict[str, Any]:
    try:
        checked = function.payload.model_validate(payload)
    except ValidationError as error:
        raise Unprocessable(
            fields=tuple(
                FieldError(path=".".join(map(str, wrong["loc"])), code=wrong["type"])
                for wrong in error.errors(include_url=False, include_input=False)[:50]
            )
        ) from None
    return {name: getattr(checked, name) for name in type(checked).model_fields}


def _dumped(answer: CommandAnswer) -> dict[str, Any]:
    return answer.model_dump(mode="json")
