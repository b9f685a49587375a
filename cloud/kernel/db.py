"""The database: column types, the record every table starts from, row security and the session.

Scope is set per transaction in four settings that the policies read: `app.company` (the wall
between companies), `app.all` (HQ: no array), `app.read_orgs` (the subtree and its ancestors) and
`app.write_orgs` (the subtree). A session without them sees nothing.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

import psycopg
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Connection,
    DateTime,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.types import TypeDecorator, UserDefinedType
from sqlmodel import Field, SQLModel
from uuid_utils import compat

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMING


def uuid7() -> UUID:
    return compat.uuid7()


class ExactNumeric(UserDefinedType[Decimal]):
    """A numeric domain whose CHECK refuses more places; NUMERIC(p, s) would round silently."""

    cache_ok = True

    def __init__(self, domain: Literal["amount", "unit_price", "quantity"]) -> None:
        self.domain = domain
        self.places = {"amount": 2, "unit_price": 6, "quantity": 4}[domain]

    def get_col_spec(self, **_: Any) -> str:
        return self.domain

    def bind_processor(self, dialect: Any) -> Callable[[Decimal | None], Decimal | None]:
        del dialect

        def check(value: Decimal | None) -> Decimal | None:
            if value is None:
                return None
            exponent = value.as_tuple().exponent
            if not isinstance(exponent, int) or -exponent > self.places:
                raise ValueError(f"{value} has more than {self.places} places ({self.domain})")
            return value

        return check


class UtcDateTime(TypeDecorator[datetime]):
    """timestamptz that refuses naive values and answers UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        del dialect
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        del dialect
        return value.astimezone(UTC) if value is not None else None


def amount_column(**kwargs: Any) -> Any:
    return Field(sa_type=ExactNumeric("amount"), **_typed(kwargs))


def price_column(**kwargs: Any) -> Any:
    return Field(sa_type=ExactNumeric("unit_price"), **_typed(kwargs))


def quantity_column(**kwargs: Any) -> Any:
    return Field(sa_type=ExactNumeric("quantity"), **_typed(kwargs))


def instant_column(**kwargs: Any) -> Any:
    return Field(sa_type=UtcDateTime, **_typed(kwargs))


def enum_column(**kwargs: Any) -> Any:
    """A StrEnum stored as text; the table says by CHECK which values there are (`one_of`)."""
    return Field(sa_type=String, **_typed(kwargs))


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    listed = ", ".join(f"'{value.value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def big_integer_column(**kwargs: Any) -> Any:
    return Field(sa_type=BigInteger, **_typed(kwargs))


def _typed(kwargs: dict[str, Any]) -> dict[str, Any]:
    """SQLModel takes nullability from the annotation only when it makes the column itself."""
    if "default" in kwargs and kwargs["default"] is None:
        kwargs["nullable"] = True
    return kwargs


class Record(SQLModel):
    """The columns of every business table. `org_id` is the unit that owns the row."""

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    company_id: UUID
    org_id: UUID
    created_at: datetime = instant_column()
    created_by: UUID | None = None
    version: int = 1


def scope_keys(table: str) -> tuple[UniqueConstraint, UniqueConstraint]:
    """The keys that composite foreign keys point at."""
    return (
        UniqueConstraint("org_id", "id", name=f"uq_{table}_org_id_id"),
        UniqueConstraint("company_id", "id", name=f"uq_{table}_company_id_id"),
    )


def scoped_fk(
    table: str,
    column: str,
    target: str,
    *,
    within: Literal["org_id", "company_id"] = "org_id",
    ondelete: str = "RESTRICT",
) -> tuple[ForeignKeyConstraint, Index]:
    """A foreign key that stays inside the project (`org_id`) or the company, and its index.

    A plain foreign key sees past row security: it would accept a row of another company.
    """
    return (
        ForeignKeyConstraint(
            [within, column],
            [f"{target}.{within}", f"{target}.id"],
            name=f"fk_{table}_{column}",
            ondelete=ondelete,
        ),
        Index(f"ix_{table}_{column}", column),
    )


_COMPANY = "company_id = (SELECT nullif(current_setting('app.company', true), '')::uuid)"
_ALL = "(SELECT current_setting('app.all', true)) = 'on'"


def _in_orgs(setting: str) -> str:
    array = f"coalesce(nullif(current_setting('app.{setting}', true), ''), '{{}}')"
    return f"{_COMPANY} AND ({_ALL} OR org_id = ANY ((SELECT {array}::uuid[])::uuid[]))"


def row_policy(table: str) -> list[str]:
    """Statements that force row security by company and organization on `table`."""
    read, write = _in_orgs("read_orgs"), _in_orgs("write_orgs")
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY {table}_read ON {table} FOR SELECT USING ({read})",
        f"CREATE POLICY {table}_add ON {table} FOR INSERT WITH CHECK ({write})",
        f"CREATE POLICY {table}_change ON {table} FOR UPDATE USING ({write}) WITH CHECK ({write})",
        f"CREATE POLICY {table}_remove ON {table} FOR DELETE USING ({write})",
    ]


def company_policy(table: str) -> list[str]:
    """Row security by company alone, for the kernel's own tables."""
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY {table}_company ON {table} USING ({_COMPANY}) WITH CHECK ({_COMPANY})",
    ]


@dataclass(frozen=True)
class Scope:
    """Which rows a transaction may see and write. `all` is HQ: the whole company."""

    company_id: UUID | None = None
    all: bool = False
    read_orgs: tuple[UUID, ...] = ()
    write_orgs: tuple[UUID, ...] = ()

    def write_orgs_apart(self, orgs: Iterable[UUID]) -> bool:
        """Whether none of `orgs` is among those that may be written."""
        return set(self.write_orgs).isdisjoint(orgs)

    def covers(self, other: Scope) -> bool:
        """Whether all that `other` may write, this one may as well."""
        return self.all or (not other.all and set(other.write_orgs) <= set(self.write_orgs))

    @classmethod
    def together(cls, scopes: Sequence[Scope]) -> Scope:
        """What any of `scopes`, all of one company, sees and writes."""
        company_id = scopes[0].company_id
        if any(scope.all for scope in scopes):
            return cls(company_id=company_id, all=True)
        return cls(
            company_id=company_id,
            read_orgs=tuple({unit: None for scope in scopes for unit in scope.read_orgs}),
            write_orgs=tuple({unit: None for scope in scopes for unit in scope.write_orgs}),
        )

    def settings(self) -> dict[str, str]:
        return {
            "company": str(self.company_id) if self.company_id else "",
            "all": "on" if self.all else "off",
            "read_orgs": _array(self.read_orgs),
            "write_orgs": _array(self.write_orgs),
        }


NOTHING = Scope()


def _array(ids: tuple[UUID, ...]) -> str:
    return "{" + ",".join(map(str, ids)) + "}"


SET_SCOPE = text(
    "SELECT set_config('app.company', :company, true), set_config('app.all', :all, true),"
    " set_config('app.read_orgs', :read_orgs, true),"
    " set_config('app.write_orgs', :write_orgs, true)"
)


class ScopedSession(Session):
    """A session whose transactions are bound to `info["scope"]`, to nothing when it is absent.

    None says that the first statement binds it, because the scope is what it finds out.
    """


@event.listens_for(ScopedSession, "after_begin")
def _bind_scope(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    # Where cloud.kernel.hot finds it: asking the session each time would cost as much as a read.
    session.info["driver"] = connection.connection.driver_connection
    if transaction.nested:
        return
    # Set always, also to nothing: inside a test's outer transaction the last scope lives on.
    scope: Scope | None = session.info.get("scope", NOTHING)
    if scope is not None:
        connection.execute(SET_SCOPE, scope.settings())


@event.listens_for(ScopedSession, "after_transaction_end")
def _let_go(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop("driver", None)


async def bind_scope(session: AsyncSession, scope: Scope) -> None:
    """Bind a transaction that began without a scope."""
    await session.execute(SET_SCOPE, scope.settings())


Sessions = async_sessionmaker[AsyncSession]


def make_engine(url: str, *, pool_size: int = 8) -> AsyncEngine:
    """An engine for a plain `postgresql://` address."""
    engine = create_async_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=15,
        pool_recycle=600,
    )
    event.listen(engine.sync_engine, "checkout", _refuse_dead)
    return engine


def _refuse_dead(adapted: Any, record: Any, proxy: Any) -> None:
    """Have the pool connect anew when the server has hung up, without asking it each time.

    An idle connection has nothing to say: what can be read from it is its end, or what came before.
    """
    del record, proxy
    waiting = select.poll()
    waiting.register(adapted.driver_connection.fileno(), select.POLLIN)
    if waiting.poll(0):
        raise DisconnectionError


def is_away(error: BaseException) -> bool:
    """Whether the database is not there to answer, and not a statement of ours wrong.

    The driver tells a lost or refused connection without a state, or with one of class 08 or 57P.
    """
    if isinstance(error, PoolTimeout | DisconnectionError | OSError):
        return True
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, psycopg.Error):
        return False
    if cause.sqlstate is None:
        return isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
    return cause.sqlstate.startswith(("08", "57P"))


def joined_sessions(connection: AsyncConnection) -> Sessions:
    """Sessions of one connection whose commits are savepoints: all of it holds, or nothing, with
    the connection's own transaction. Deferred constraints are asked at each of these commits."""
    return async_sessionmaker(
        connection,
        class_=AsyncSession,
        sync_session_class=ScopedSession,
        join_transaction_mode="create_savepoint",
        expire_on_commit=False,
        info={"is_joined": True},
    )


def make_sessions(engine: AsyncEngine) -> Sessions:
    return async_sessionmaker(
        engine, class_=AsyncSession, sync_session_class=ScopedSession, expire_on_commit=False
    )
