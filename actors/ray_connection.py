"""Joining the platform's own Ray as a driver: by its address and token, and never another one."""

from __future__ import annotations

import os
from pathlib import Path

from cloud.kernel.settings import RayEndpoint

NAMESPACE = "wuye"


def connect(endpoint: RayEndpoint) -> None:
    """Once in a process; blocks for about a second. Ray reads the environment on import."""
    environment = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(Path(endpoint.token_path).absolute()),
        "RAY_USAGE_STATS_ENABLED": "0",
        # Despite its name: 127.0.0.1 stays itself and is not replaced by the machine's address.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    }
    os.environ.update(environment)  # noqa: TID251 - the only way to tell Ray its token
    import ray  # noqa: PLC0415 - takes 130 MB: only where hosts run in it

    if not ray.is_initialized():
        ray.init(
            address=endpoint.address,
            namespace=NAMESPACE,
            log_to_driver=False,
            logging_level="ERROR",
            configure_logging=False,
        )
