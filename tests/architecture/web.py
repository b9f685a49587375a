"""The composed application without a database: its routes, and what each asks of its caller."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from cloud.kernel.http import current_ctx, current_principal
from cloud.kernel.settings import Settings
from cloud.main import compose, runtime
from tests.kit.database import TestDatabase, endpoints_of

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


@cache
def composed() -> FastAPI:
    endpoints = endpoints_of(TestDatabase(NOWHERE, NOWHERE, NOWHERE))
    return compose(runtime(settings=Settings(data_dir=Path("nowhere")), endpoints=endpoints))


def routes_of(holder: Any) -> Iterator[APIRoute]:
    """Every route of an application or a router, also of those that it includes."""
    for route in holder.routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            inner = getattr(route, "original_router", None)
            if inner is not None:
                yield from routes_of(inner)


def address(route: APIRoute) -> str:
    return f"{'|'.join(sorted(route.methods or ()))} {route.path}"


def dependencies(dependant: Dependant) -> Iterator[Dependant]:
    for child in dependant.dependencies:
        yield child
        yield from dependencies(child)


def asks_who(route: APIRoute) -> bool:
    asking = (current_principal, current_ctx)
    return any(child.call in asking for child in dependencies(route.dependant))


def transactions(route: APIRoute) -> list[Dependant]:
    return [child for child in dependencies(route.dependant) if child.call is current_ctx]


def bodies(route: APIRoute) -> Iterable[type]:
    if route.body_field is not None:
        annotation = route.body_field.field_info.annotation
        if isinstance(annotation, type):
            yield annotation
