"""Questions to a host and its answers as signed JSON lines, for hosts that are plain processes."""

from __future__ import annotations

import hmac
import json
from dataclasses import asdict
from typing import Any
from uuid import UUID

from cloud.kernel.errors import (
    AppError,
    FieldError,
    RefusedElsewhere,
    code_of,
    status_of,
    text_of,
)
from cloud.kernel.sites import Ask

LINE_MAX = 1024 * 1024
_DIGEST = "sha256"


class NotSigned(Exception):
    """The line is not from somebody who knows the platform's secret."""


def sign(secret: str, message: dict[str, Any]) -> bytes:
    body = json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()
    return hmac.new(secret.encode(), body, _DIGEST).hexdigest().encode() + b" " + body + b"\n"


def verify(secret: str, line: bytes) -> dict[str, Any]:
    """Raises NotSigned."""
    digest, _, body = line.rstrip(b"\n").partition(b" ")
    expected = hmac.new(secret.encode(), body, _DIGEST).hexdigest().encode()
    if not hmac.compare_digest(digest, expected):
        raise NotSigned
    message: dict[str, Any] = json.loads(body)
    return message


def pack_ask(ask: Ask) -> dict[str, Any]:
    packed = asdict(ask)
    return {**packed, "site_id": str(ask.site_id), "principal_id": str(ask.principal_id)}


def unpack_ask(message: dict[str, Any]) -> Ask:
    return Ask(
        site_id=UUID(message["site_id"]),
        function=message["function"],
        payload=message["payload"],
        principal_id=UUID(message["principal_id"]),
        request_id=message["request_id"],
        timeout_s=message["timeout_s"],
    )


def pack_refusal(error: AppError) -> dict[str, Any]:
    return {
        "status": status_of(error),
        "code": code_of(error),
        "text": text_of(error),
        "params": {key: _plain(value) for key, value in error.params.items()},
        "fields": [
            {
                "path": field.path,
                "code": field.code,
                "params": {key: _plain(value) for key, value in field.params.items()},
            }
            for field in error.fields
        ],
    }


def unpack_refusal(packed: dict[str, Any]) -> RefusedElsewhere:
    return RefusedElsewhere(
        status=packed["status"],
        code=packed["code"],
        text=packed["text"],
        params=packed["params"],
        fields=tuple(FieldError(**field) for field in packed["fields"]),
    )


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | bool | None) else str(value)
