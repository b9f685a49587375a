"""Refusals as RFC 9457 problem+json, in the caller's language; bugs as 500 with an incident id."""

from __future__ import annotations

from typing import Any

import psycopg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError, IntegrityError
from starlette.exceptions import HTTPException

from cloud.kernel.context import Principal
from cloud.kernel.db import is_away, uuid7
from cloud.kernel.errors import (
    AppError,
    Conflict,
    FieldError,
    NotFound,
    Unavailable,
    Unprocessable,
    code_of,
    status_of,
    text_of,
)
from cloud.kernel.headers import harden
from cloud.kernel.i18n import Texts, pick_locale
from cloud.kernel.permissions import Catalog

log = structlog.get_logger()

UNIQUE_VIOLATION = "23505"
FOREIGN_KEY_VIOLATION = "23503"
EXCLUSION_VIOLATION = "23P01"
ROW_SECURITY_VIOLATION = "42501"
LOCK_NOT_AVAILABLE = "55P03"
# NUL in JSON; the driver refuses it in text by itself, without a state.
NOT_STORABLE = frozenset({"22P05", "22021"})


class ProblemField(BaseModel):
    path: str
    code: str
    params: dict[str, Any]
    message: str


class Problem(BaseModel):
    """The body of every refusal."""

    type: str
    title: str
    status: int
    code: str
    params: dict[str, Any]
    errors: list[ProblemField]
    incident: str | None


class DocumentExists(Conflict):
    message = "There is already such a record. Look it up instead of adding it again."


class PeriodsOverlap(Conflict):
    message = "Another record already holds for a part of that time. Reload and look at its dates."


class ReferenceUnknown(NotFound):
    message = "The request names a record that does not exist, or that is not yours to use."


class InternalError(AppError):
    message = "Something failed on our side. Nothing was saved. Tell support the incident number."


class TextNotStorable(Unprocessable):
    message = "The text holds a character that cannot be kept. Remove it and send again."


class DatabaseAway(Unavailable):
    message = "The database is not answering. Nothing was saved; try again in a moment."


def install_problem_handlers(app: FastAPI) -> None:
    app.add_exception_handler(AppError, _refusal)
    app.add_exception_handler(RequestValidationError, _wrong_shape)
    app.add_exception_handler(IntegrityError, _violation)
    app.add_exception_handler(DBAPIError, _violation)
    app.add_exception_handler(psycopg.Error, _violation)  # of a Hot read
    app.add_exception_handler(HTTPException, _routing)
    app.add_exception_handler(Exception, _bug)


def problem(request: Request, error: AppError, incident: str | None = None) -> JSONResponse:
    texts: Texts = request.app.state.runtime.texts
    principal: Principal | None = getattr(request.state, "principal", None)
    header = request.headers.get("accept-language")
    locale = pick_locale(header, principal.locale if principal else None)
    catalog: Catalog = request.app.state.runtime.catalog
    said = error.params
    if isinstance(said.get("permission"), str):  # people read its name, programs its code
        said = {**said, "permission": catalog.name(said["permission"], texts, locale)}
    body = Problem(
        type="about:blank",
        title=texts.error(code_of(error), text_of(error), said, locale),
        status=status_of(error),
        code=code_of(error),
        params={key: _plain(value) for key, value in error.params.items()},
        errors=[
            ProblemField(
                path=field.path,
                code=field.code,
                params={key: _plain(value) for key, value in field.params.items()},
                message=_field_text(texts, error, field, locale),
            )
            for field in error.fields
        ],
        incident=incident,
    )
    return JSONResponse(
        body.model_dump(), status_code=body.status, media_type="application/problem+json"
    )


def _field_text(texts: Texts, error: AppError, field: FieldError, locale: str) -> str:
    """A field's own text, that of the refusal when it repeats its code, else the general one."""
    if field.code == code_of(error):
        return texts.error(field.code, text_of(error), {**error.params, **field.params}, locale)
    code = field.code if field.code in _FIELD_TEXTS or texts.knows(field.code) else "value_error"
    english = _FIELD_TEXTS.get(code, _FIELD_TEXTS["value_error"])
    return texts.error(code, english, field.params, locale)


_FIELD_TEXTS = {
    "value_error": "This value is not accepted.",
    "missing": "Fill this in.",
    "extra_forbidden": "There is no such field.",
    "decimal_max_places": "No more than {decimal_places} decimal places.",
    "decimal_parsing": "This is not a number.",
    "date_from_datetime_parsing": "This is not a date like 2026-11-24.",
    "date_parsing": "This is not a date like 2026-11-24.",
    "uuid_parsing": "This is not a valid reference.",
    "enum": "Choose one of {expected}.",
    "literal_error": "Choose one of {expected}.",
    "greater_than": "Must be more than {gt}.",
    "greater_than_equal": "Must be at least {ge}.",
    "less_than_equal": "Must be at most {le}.",
    "string_too_short": "Fill this in.",
    "string_too_long": "At most {max_length} characters.",
    "too_short": "Choose at least {min_length}.",
    "too_long": "Choose at most {max_length}.",
    "int_parsing": "This is not a whole number.",
}


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | bool | list | dict | None) else str(value)


async def _refusal(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AppError)
    return problem(request, error)


async def _wrong_shape(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    fields = tuple(
        FieldError(
            path=".".join(str(part) for part in wrong["loc"][1:]) or str(wrong["loc"][0]),
            code=wrong["type"],
            params={key: _plain(value) for key, value in wrong.get("ctx", {}).items()},
        )
        for wrong in error.errors()[:50]
    )
    return problem(request, Unprocessable(fields=fields))


async def _violation(request: Request, error: Exception) -> JSONResponse:
    """Constraints that a race can reach. A service translates those that it names itself."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    if state == UNIQUE_VIOLATION:
        return problem(request, DocumentExists())
    if state == EXCLUSION_VIOLATION:
        return problem(request, PeriodsOverlap())
    if state in {FOREIGN_KEY_VIOLATION, ROW_SECURITY_VIOLATION}:
        return problem(request, ReferenceUnknown())
    if state in NOT_STORABLE or (state is None and isinstance(cause, psycopg.DataError)):
        return problem(request, TextNotStorable())
    if is_away(error) or state == LOCK_NOT_AVAILABLE:
        return problem(request, DatabaseAway())
    return await _bug(request, error)


class NoSuchAddress(NotFound):
    message = "There is no such address."


class MethodNotAllowed(AppError):
    status = 405
    message = "This address does not take {method}."


async def _routing(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return problem(request, MethodNotAllowed(method=request.method))
    return problem(request, NoSuchAddress())


async def _bug(request: Request, error: Exception) -> JSONResponse:
    incident = str(uuid7())
    log.error(
        "http.request.failed",
        incident=incident,
        path=request.url.path,
        request_id=getattr(request.state, "request_id", None),
        exc_info=error,
    )
    answer = problem(request, InternalError(), incident)
    # A bug is answered outside the middleware that hardens every other answer.
    harden(answer.headers, path=request.url.path, request_id=request.state.request_id)
    return answer
