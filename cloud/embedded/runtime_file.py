"""`runtime.json` and `status.json`: where everything runs, and how it is."""

import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from cloud.embedded.errors import SetupError
from cloud.embedded.files import read_json, write_json
from cloud.embedded.part import PartState

APP_ROLE = "wuye_app"
HOST_ROLE = "wuye_host"


@dataclass(frozen=True)
class Secrets:
    """Made at the first start and kept, since sessions and roles hang on them."""

    key: str
    app_password: str
    host_password: str


def load_secrets(data_dir: Path) -> Secrets:
    path = data_dir / "secrets.json"
    if not path.exists():
        write_json(
            path,
            {
                "key": secrets.token_urlsafe(48),
                "app_password": secrets.token_urlsafe(24),
                "host_password": secrets.token_urlsafe(24),
            },
        )
    return Secrets(**read_json(path))


def database_urls(owner_url: str, kept: Secrets) -> dict[str, str]:
    return {
        "owner_url": owner_url,
        "app_url": _as_role(owner_url, APP_ROLE, kept.app_password),
        "host_url": _as_role(owner_url, HOST_ROLE, kept.host_password),
    }


def _as_role(url: str, role: str, password: str) -> str:
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{password}@{place}"))


def broker_from_url(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme not in ("mqtt", "tcp") or parts.hostname is None or not parts.username:
        raise SetupError("WUYE_MQTT_URL must read mqtt://user:password@host:port")
    port = parts.port or 1883
    return {
        "host": parts.hostname,
        "port_gateways": port,
        "port_platform": port,
        "platform_user": unquote(parts.username),
        "platform_password": unquote(parts.password or ""),
    }


def write_status(
    data_dir: Path, *, status: str, states: dict[str, PartState], urls: dict[str, str]
) -> None:
    write_json(
        data_dir / "status.json",
        {
            "pid": os.getpid(),
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "status": status,
            "parts": {name: vars(state) for name, state in states.items()},
            "urls": urls,
        },
        durable=False,
    )
