"""Who is calling: tokens, and the one question the kernel asks of the accounts module."""

from __future__ import annotations

import hashlib
import secrets
from abc import ABC, abstractmethod
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kernel.context import Principal

SESSION_COOKIE = "wuye_session"
CSRF_HEADER = "X-CSRF-Token"


class Authenticator(ABC):
    """Resolves principals past row security, by functions that return one caller's own facts."""

    @abstractmethod
    async def by_token(self, token: str) -> Principal | None:
        """The principal of a live session, None when it ended or its account was disabled."""

    @abstractmethod
    async def enter(self, session: AsyncSession, token: str) -> Principal | None:
        """The same in a transaction that has begun without a scope, which it binds to theirs."""

    @abstractmethod
    async def by_user(self, user_id: UUID) -> Principal | None:
        """The principal of an account as of now, None when it is disabled."""

    @abstractmethod
    async def ancestors(self, company_id: UUID, site_id: UUID) -> tuple[UUID, ...]:
        """The units above a site, nearest first. Raises NotFound for an unknown site."""


def new_token() -> str:
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What is stored of a session: who reads the table cannot log in with it."""
    return hashlib.sha256(token.encode()).digest()


def csrf_token(token: str) -> str:
    """Derived from the cookie, which scripts cannot read, so nothing needs storing."""
    return hashlib.sha256(b"csrf:" + token.encode()).hexdigest()
