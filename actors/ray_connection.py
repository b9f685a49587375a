"""Joining the platform's own Ray as a driver: by its address and token, and never another one."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from cloud.kernel.settings import RayEndpoint

NAMESPACE = "wuye"


def prepare(endpoint: RayEndpoint) -> None:
    """Set what Ray reads from the environment when it is first imported: call it before."""
    os.environ.update(  # noqa: TID251 - Ray takes its token from nowhere else
        {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(Path(endpoint.token_path).absolute()),
            "RAY_USAGE_STATS_ENABLED": "0",
            # Despite its name: 127.0.0.1 stays itself, not the machine's address.
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        }
    )


def connect(endpoint: RayEndpoint) -> None:
    """Join as a driver, once in a process; blocks for about a second."""
    prepare(endpoint)
    import ray  # noqa: PLC0415 - takes 130 MB: only where hosts run in it

    if not ray.is_initialized():
        ray.init(
            address=endpoint.address,
            namespace=NAMESPACE,
            log_to_driver=False,
            logging_level=logging.ERROR,
            configure_logging=False,
        )
