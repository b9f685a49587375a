"""The headers that every answer carries, also the answer to a bug."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders

CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self';"
    " frame-ancestors 'self'"
)


def harden(headers: MutableHeaders, *, path: str, request_id: str) -> None:
    headers["X-Request-Id"] = request_id
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers.setdefault("Content-Security-Policy", CSP)
    if path.startswith("/api/"):
        headers.setdefault("Cache-Control", "no-store")
