"""Manifests are complete: what a module's folder holds, its manifest offers, and nothing else."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from enum import StrEnum
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel

from cloud.kernel import audit
from cloud.kernel.jobs import Job
from cloud.kernel.registry import BrokenManifest, Function, Module, check_manifests
from cloud.main import MODULES, all_jobs
from tools.lint.source import ROOT, Source, call_name, python_sources

FOLDER = ROOT / "cloud" / "modules"

# Events that nobody in the cloud's own process handles, each with who listens.
OUTBOUND = {
    "CommandIssued": "the site's host sends it after the commit",
    "BillsPublished": "one a run, for dunning and invoicing, which stand above",
}
# Functions that no route asks for, each with who does.
ASKED_ELSEWHERE: dict[str, str] = {}


def part(module: Module, name: str) -> ModuleType | None:
    path = FOLDER / module.name / name
    if not path.with_suffix(".py").exists() and not path.is_dir():
        return None
    return import_module(f"cloud.modules.{module.name}.{name}")


def incomplete(module: Module) -> Iterator[str]:
    if not module.title:
        yield f"{module.name} has no title"
    for name, attribute in (("permissions", "permissions"), ("seeds", "seed")):
        if part(module, name) is not None and getattr(module, attribute) is None:
            yield f"{module.name} has {name}.py and does not offer it"
    for name, offered in (
        ("api", [*module.routers]),
        ("pages", [*module.pages, *module.menu]),
        ("handlers", [*module.handlers]),
        ("jobs", [*module.jobs]),
    ):
        file = part(module, name)
        if file is not None:
            yield from unoffered(module.name, file, offered)
    if module.pages and not module.menu:
        yield f"{module.name} has pages and no way to them"


_KINDS: dict[str, tuple[str, ...]] = {
    "api": ("APIRouter",),
    "pages": ("TablePage", "DetailPage", "MenuEntry"),
    "handlers": (),
    "jobs": ("Job",),
}


def unoffered(name: str, file: ModuleType, offered: list[Any]) -> Iterator[str]:
    kind = file.__name__.rpartition(".")[2]
    for label, value in vars(file).items():
        items = value if isinstance(value, tuple) else (value,)
        for item in items:
            if type(item).__name__ in _KINDS[kind] and not any(item is one for one in offered):
                yield f"{name}.{kind}: {label} is declared and not offered"
    if kind == "handlers" and not offered:
        yield f"{name} has handlers.py and handles nothing"


def mistaken(function: Function) -> Iterator[str]:
    """A turn's entry takes ctx and, by name, the fields of its payload."""
    if not function.title:
        yield f"{function.code} has no title"
    if not inspect.iscoroutinefunction(function.entry):
        yield f"{function.code}: its entry is not a coroutine function"
    first, *others = inspect.signature(function.entry).parameters.values()
    if first.name != "ctx":
        yield f"{function.code}: its entry does not take ctx first"
    wanted = {one.name for one in others if one.default is inspect.Parameter.empty}
    known = {one.name for one in others}
    if any(one.kind is not inspect.Parameter.KEYWORD_ONLY for one in others):
        yield f"{function.code}: its entry takes more than ctx by position"
    fields = set(function.payload.model_fields)
    if wanted - fields or fields - known:
        yield f"{function.code}: its payload has {sorted(fields)}, its entry takes {sorted(known)}"


def unheard(event: type, modules: tuple[Module, ...]) -> Iterator[str]:
    if not dataclasses.is_dataclass(event) or not event.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        yield f"{event.__name__} is not a frozen dataclass"
    heard = any(kind is event for module in modules for kind, _ in module.handlers)
    if heard == (event.__name__ in OUTBOUND):
        yield f"{event.__name__} must either be handled or be listed as outbound"


def events() -> list[type]:
    return [
        value
        for module in MODULES
        if (file := part(module, "events")) is not None
        for value in vars(file).values()
        if isinstance(value, type) and value.__module__ == file.__name__
    ]


_CODE = re.compile(r"^[a-z_]+\.[a-z_]+\.[a-z_]+$")


def codes_named(source: Source, calls: frozenset[str]) -> Iterator[str]:
    """Literal codes handed to one of `calls`: `ask("charging.run.publish", …)`."""
    for node, _ in source.walk():
        if not isinstance(node, ast.Call) or call_name(node) not in calls:
            continue
        for value in (*node.args, *(item.value for item in node.keywords)):
            match value:
                case ast.Constant(value=str(code)) if _CODE.match(code):
                    yield code


ASKS = frozenset({"ask", "Ask"})
DEFERS = frozenset({"defer", "_defer", "defer_plain"})


def named_anywhere(calls: frozenset[str]) -> set[str]:
    return {
        code
        for source in python_sources()
        if source.is_below("cloud/modules", "cloud/kernel/exports", "actors")
        for code in codes_named(source, calls)
    }


def tiers() -> list[set[str]]:
    """The contract's layers from low to high."""
    contract = ConfigParser()
    contract.read(ROOT / ".importlinter")
    layers = contract["importlinter:contract:tiers"]["layers"].strip().splitlines()
    return [set(re.findall(r"\w+", layer)) for layer in reversed(layers)]


def rank(name: str) -> int:
    return next(index for index, layer in enumerate(tiers()) if name in layer)


class TestTheManifests:
    def test_offer_what_the_folders_hold(self) -> None:
        assert [line for module in MODULES for line in incomplete(module)] == []

    def test_are_those_of_all_folders(self) -> None:
        folders = {path.parent.name for path in FOLDER.glob("*/module.py")}

        assert {module.name for module in MODULES} == folders

    def test_stand_in_tier_order(self) -> None:
        ranks = [rank(module.name) for module in MODULES]

        assert ranks == sorted(ranks)

    def test_handle_events_of_their_own_tier_or_below(self) -> None:
        upward = [
            f"{module.name} handles {event.__name__} of {event.__module__}"
            for module in MODULES
            for event, _ in module.handlers
            if rank(event.__module__.split(".")[2]) > rank(module.name)
        ]

        assert upward == []


class TestFunctions:
    def test_take_what_their_payload_brings(self) -> None:
        functions = [function for module in MODULES for function in module.functions]

        assert [line for function in functions for line in mistaken(function)] == []

    def test_are_exactly_those_that_are_asked_for(self) -> None:
        declared = {function.code for module in MODULES for function in module.functions}

        assert declared == named_anywhere(ASKS) | ASKED_ELSEWHERE.keys()


class TestEvents:
    def test_are_frozen_and_heard(self) -> None:
        assert [line for event in events() for line in unheard(event, MODULES)] == []

    def test_are_listed_as_outbound_only_when_they_exist(self) -> None:
        assert OUTBOUND.keys() - {event.__name__ for event in events()} == set()


class TestJobs:
    def test_that_are_deferred_are_declared(self) -> None:
        assert named_anywhere(DEFERS) - {job.name for job in all_jobs()} == set()

    def test_either_run_by_the_clock_or_are_deferred(self) -> None:
        idle = [
            job.name
            for job in all_jobs()
            if job.cron is None and job.name not in named_anywhere(DEFERS)
        ]

        assert idle == []

    def test_are_bounded(self) -> None:
        assert [job.name for job in all_jobs() if not 0 < job.retries <= 10] == []


class Permission(StrEnum):
    run = "sample.run:finish"


class Payload(BaseModel):
    run_id: str


async def finish(ctx: Any, *, run_id: str) -> None:
    del ctx, run_id


async def finish_by_position(ctx: Any, run_id: str) -> None:
    del ctx, run_id


async def finish_more(ctx: Any, *, run_id: str, failure: str) -> None:
    del ctx, run_id, failure


def finish_now(ctx: Any, *, run_id: str) -> None:
    del ctx, run_id


async def run_job(work: Any) -> None:
    del work


def function(entry: Callable[..., Any], code: str = "sample.run.finish") -> Function:
    return Function(
        code, "Finish", permission=Permission.run, entry=entry, payload=Payload, answer=Payload
    )


@dataclasses.dataclass
class Thawed:
    run_id: str


@dataclasses.dataclass(frozen=True)
class Unheard:
    run_id: str


class TestSeenRed:
    @pytest.mark.parametrize("entry", [finish_by_position, finish_more, finish_now])
    def test_an_entry_that_does_not_fit(self, entry: Callable[..., Any]) -> None:
        assert list(mistaken(function(entry)))
        assert not list(mistaken(function(finish)))

    @pytest.mark.parametrize("event", [Thawed, Unheard])
    def test_an_event_that_changes_or_that_nobody_hears(self, event: type) -> None:
        assert list(unheard(event, ()))

    def test_a_job_that_the_manifest_forgot(self) -> None:
        file = ModuleType("cloud.modules.sample.jobs")
        vars(file)["JOBS"] = (Job("sample.run.publish", run=run_job),)

        assert list(unoffered("sample", file, []))
        assert not list(unoffered("sample", file, [*vars(file)["JOBS"]]))

    def test_a_module_without_its_permissions(self) -> None:
        assert list(incomplete(Module(name="organization", title="")))

    def test_a_code_of_another_module(self) -> None:
        module = Module(name="other", title="Other", functions=(function(finish),))

        with pytest.raises(BrokenManifest):
            check_manifests([module])

    def test_a_code_that_is_declared_twice(self) -> None:
        module = Module(name="sample", title="Sample", functions=(function(finish),) * 2)

        with pytest.raises(BrokenManifest):
            check_manifests([module])

    def test_a_literal_code_is_found(self) -> None:
        source = Source("cloud/modules/sample/api.py", 'await door.ask("sample.run.stop", a=1)')

        assert list(codes_named(source, ASKS)) == ["sample.run.stop"]

    def test_the_kernels_own_job_is_known(self) -> None:
        assert audit.SEAL in all_jobs()
