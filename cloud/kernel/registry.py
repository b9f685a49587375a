"""The manifest of a module: what it offers, as explicit lists that cloud/main.py assembles."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from pydantic import BaseModel

from cloud.kernel.context import Ctx
from cloud.kernel.events import Handler
from cloud.kernel.jobs import Job
from cloud.kernel.search import Source
from cloud.kernel.ui.pages import MenuEntry, Page

if TYPE_CHECKING:
    from cloud.kernel.seeding import Seeding


@dataclass(frozen=True)
class Function:
    """A function that a site runs as a turn: `entry` is called with the fields of `payload`."""

    code: str
    title: str
    permission: StrEnum
    entry: Callable[..., Awaitable[Any]]
    payload: type[BaseModel]
    answer: type[BaseModel]


@dataclass(frozen=True)
class Module:
    """Everything a module brings. Order of `MODULES` in cloud/main.py is the order of tiers."""

    name: str
    title: str
    permissions: type[StrEnum] | None = None
    subjects: Mapping[str, str] = field(
        default_factory=dict
    )  # what a permission is about: its name
    functions: tuple[Function, ...] = ()
    routers: tuple[APIRouter, ...] = ()
    pages: tuple[Page, ...] = ()
    menu: tuple[MenuEntry, ...] = ()
    handlers: tuple[tuple[type, Handler], ...] = ()
    jobs: tuple[Job, ...] = ()
    searches: tuple[Source, ...] = ()
    seed: Callable[[Seeding], Awaitable[None]] | None = None


class BrokenManifest(Exception):
    """Two modules claim the same code, or a job's name is not its module's."""


def check_manifests(modules: Sequence[Module]) -> None:
    """Raises BrokenManifest. Run at every start: a double code would hide one of the two."""
    codes: set[str] = set()
    for module in modules:
        own = [
            *(function.code for function in module.functions),
            *(job.name for job in module.jobs),
            *(f"page:{page.code}" for page in module.pages),
        ]
        for code in own:
            if code in codes:
                raise BrokenManifest(f"{code} is declared twice")
            if not code.removeprefix("page:").startswith(f"{module.name}."):
                raise BrokenManifest(f"{code} must begin with {module.name}.")
            codes.add(code)


__all__ = ["BrokenManifest", "Ctx", "Function", "Module", "check_manifests"]
