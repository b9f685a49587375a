"""Settings: the only reader of the environment, and of the file in which `up` leaves addresses."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What a person may set. Names are stable: they are documented in the README."""

    model_config = SettingsConfigDict(env_prefix="WUYE_", extra="ignore")

    http_host: str = "127.0.0.1"
    http_port: int = 8000
    data_dir: Path = Path(".data")
    database_url: SecretStr | None = None
    mqtt_url: SecretStr | None = None
    ray_address: str | None = None
    demo: bool = True
    demo_password: SecretStr | None = None
    log: Literal["text", "json"] = "text"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class HttpEndpoint(_Part):
    host: str
    port: int


class DatabaseEndpoint(_Part):
    """Three roles: owner migrates, app serves people, host also fills partitions."""

    owner_url: SecretStr
    app_url: SecretStr
    host_url: SecretStr


class BrokerEndpoint(_Part):
    host: str
    port_gateways: int
    port_platform: int
    platform_user: str
    platform_password: SecretStr


class RayEndpoint(_Part):
    address: str
    token_path: Path
    temp_dir: Path


class SimulatorsEndpoint(_Part):
    """Where the demo's buses are, by "site code/bus code"."""

    ports: dict[str, int]


class Endpoints(_Part):
    """`<data dir>/runtime.json` (0600): where everything that `up` started is to be found."""

    http: HttpEndpoint
    database: DatabaseEndpoint
    mqtt: BrokerEndpoint
    ray: RayEndpoint | None = None
    simulators: SimulatorsEndpoint | None = None
    dashboards: HttpEndpoint | None = None
    secret_key: SecretStr


class NotRunning(Exception):
    """There is no runtime.json in the data directory: the platform has not been started."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} does not exist: start the platform with `make up` first")


def load_endpoints(data_dir: Path) -> Endpoints:
    """Raises NotRunning when `up` has not written the file yet."""
    path = data_dir / "runtime.json"
    if not path.exists():
        raise NotRunning(path)
    return Endpoints.model_validate_json(path.read_text())
