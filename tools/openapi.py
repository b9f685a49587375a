"""Writes the OpenAPI document without a database: `python -m tools.openapi FILE`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from cloud.kernel.openapi import document as document_of
from cloud.kernel.settings import Endpoints, Settings
from cloud.main import compose, runtime

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


def document() -> str:
    """The document as committed: keys in order, one line each, so that a change reads as one."""
    endpoints = Endpoints.model_validate(
        {
            "http": {"host": "127.0.0.1", "port": 1},
            "database": dict.fromkeys(("owner_url", "app_url", "host_url"), NOWHERE),
            "mqtt": {
                "host": "127.0.0.1",
                "port_gateways": 1,
                "port_platform": 1,
                "platform_user": "",
                "platform_password": "",
            },
            "secret_key": "none",
        }
    )
    app = compose(runtime(settings=Settings(), endpoints=endpoints))
    return json.dumps(document_of(app), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document(), encoding="utf-8")
