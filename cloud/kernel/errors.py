"""Refusals that a caller can understand.

* AppError                 a refusal the caller can act on; never a bug
  + NotFound         404   absent, or outside the caller's scope: the two look alike
  + Unauthenticated  401   nobody is logged in
  + Forbidden        403   visible, but the caller lacks the permission
  + Conflict         409   the state of the record does not allow the operation
  + Unprocessable    422   the payload alone shows that it makes no sense
  + TooMany          429   asked too often
  + Unavailable      503   a part of the platform is not there; asking again later is right

Specific errors live beside the function that raises them. `message` is the English text with named
parameters in braces; the Chinese text stands in the module's locale file under `error.<code>`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True)
class FieldError:
    """One wrong field. `path` is dotted: "allocations.0.amount"."""

    path: str
    code: str
    params: dict[str, Any] = field(default_factory=dict)


class AppError(Exception):
    status: ClassVar[int] = 500
    code: ClassVar[str] = "app-error"
    message: ClassVar[str] = "The request was refused."

    def __init__(self, *, fields: tuple[FieldError, ...] = (), **params: Any) -> None:
        self.params = params
        self.fields = fields
        super().__init__(self.message.format_map(params) if params else self.message)

    def __init_subclass__(cls) -> None:
        cls.code = re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()


class NotFound(AppError):
    status = 404
    message = "There is no such record, or it is not yours to see."


class Unauthenticated(AppError):
    status = 401
    message = "Log in first."


class Forbidden(AppError):
    status = 403
    message = "You may not do this."


class PermissionMissing(Forbidden):
    message = "You do not have the permission “{permission}”. Ask an administrator for it."


class PasswordDue(Forbidden):
    message = "Choose a password of your own first."


class Conflict(AppError):
    status = 409
    message = "The record is not in a state that allows this."


class StaleVersion(Conflict):
    message = "Somebody changed this in the meantime. Reload it and try again."


class Unprocessable(AppError):
    status = 422
    message = "Some of what was sent makes no sense."


class TooMany(AppError):
    status = 429
    message = "Too many attempts. Try again later."


class Unavailable(AppError):
    status = 503
    message = "This part of the platform is not available now. Try again in a moment."


class RefusedElsewhere(AppError):
    """A refusal that a site host gave: it keeps its status, code and parameters on the way."""

    def __init__(
        self,
        *,
        status: int,
        code: str,
        text: str,
        params: dict[str, Any],
        fields: tuple[FieldError, ...] = (),
    ) -> None:
        super().__init__(fields=fields)
        self.params = params
        self.remote_status = status
        self.remote_code = code
        self.text = text


def status_of(error: AppError) -> int:
    return error.remote_status if isinstance(error, RefusedElsewhere) else error.status


def code_of(error: AppError) -> str:
    return error.remote_code if isinstance(error, RefusedElsewhere) else error.code


def text_of(error: AppError) -> str:
    """The English template, with its parameters still in braces."""
    return error.text if isinstance(error, RefusedElsewhere) else error.message
