"""Ids of another community and of another company, in every id field of every route."""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import AsyncIterator, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from annotated_types import MinLen
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from sqlalchemy import text

from cloud.kernel.auth import CSRF_HEADER, SESSION_COOKIE, Authenticator, csrf_token
from cloud.kernel.context import Ctx, Principal
from cloud.kernel.db import Scope, Sessions, uuid7
from cloud.kernel.settings import Settings
from cloud.kernel.sites import Ask, Sites
from cloud.main import MODULES, compose, make_seeding, metadata, runtime
from cloud.modules.accounts.queries import AccountsAuthenticator
from tests.architecture.web import address, bodies, composed, dependencies, routes_of
from tests.kit.client import TOKEN, OnePerson
from tests.kit.database import TestDatabase, endpoints_of, rolled_back
from tests.kit.world import World, build_world, person

# Path parameters that are no ids of records.
NO_IDS = {"code", "path"}
OWN_SHAPE_ONLY = {"POST /api/v1/session", "PUT /api/v1/session/locale"}


class Unasked(Sites):
    """A turn route must refuse before it asks, or leave the refusal to the host."""

    async def ask(self, ask: Ask) -> dict[str, Any]:
        raise AssertionError(f"{ask.function} was asked of {ask.site_id}")
