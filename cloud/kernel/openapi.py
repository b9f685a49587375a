"""The OpenAPI document: what the routes declare, and the refusals that each of them may give."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

READING = {
    401: "Nobody is logged in",
    403: "The caller lacks the permission, or the page's token",
    404: "Absent, or outside the caller's scope",
    422: "The payload alone shows that it makes no sense",
    503: "A part of the platform is away; asking again later is right",
}
WRITING = READING | {
    409: "The state of the record does not allow it",
    411: "The body came without its length",
    413: "The body is too large",
    429: "Asked too often",
}
_BODY = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def document(app: FastAPI) -> dict[str, Any]:
    """Made once. Every refusal is problem+json, so it is described once and referred to."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, routes=app.routes)
        made["components"]["responses"] = {
            f"Refusal{status}": {"description": text, "content": _BODY}
            for status, text in WRITING.items()
        }
        for operations in made["paths"].values():
            for method, operation in operations.items():
                for status in READING if method == "get" else WRITING:
                    operation["responses"][str(status)] = {
                        "$ref": f"#/components/responses/Refusal{status}"
                    }
        app.openapi_schema = made
    return app.openapi_schema
