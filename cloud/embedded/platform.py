"""The parts of the platform on one machine, in the order in which they need each other."""

import http.client
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import time_ns
from typing import Any

from cloud.embedded.broker import PLATFORM_USER, Broker, broker_home
from cloud.embedded.errors import SetupError
from cloud.embedded.files import write_json, write_private
from cloud.embedded.gateway_users import GatewayUsers
from cloud.embedded.part import Part
from cloud.embedded.ports import free_port, is_taken
from cloud.embedded.postgres import PostgresCluster, cluster_home
from cloud.embedded.processes import Command
from cloud.embedded.ray import RayHead, driver_environment
from cloud.embedded.runtime_file import broker_from_url, database_urls, load_secrets
from cloud.embedded.simulated import SimulatedMeters
from cloud.embedded.supervisor import Supervisor
from cloud.kernel.settings import Settings


class Platform:
    """Chooses addresses, writes runtime.json, and lists the parts that `wuye up` keeps running."""

    def __init__(
        self, settings: Settings, checkout: Path, *, gateway_user: Callable[[str], str]
    ) -> None:
        """`gateway_user` answers the broker's user name of a site's gateway."""
        self.settings = settings
        self.checkout = checkout
        self.data_dir = settings.data_dir.absolute()
        home = cluster_home(checkout, self.data_dir)
        self.cluster = None if settings.database_url else PostgresCluster(home)
        self.broker = (
            None if settings.mqtt_url else Broker(broker_home(home), tools=checkout / ".tools")
        )
        self.ray = None if settings.ray_address else RayHead(self.data_dir)
        self.dashboards_port = free_port()
        self.gateways = self.broker and GatewayUsers(
            self.broker, self.data_dir / "gateways.json", user_of=gateway_user
        )
        self.meters = settings.demo and SimulatedMeters(
            checkout / "demo" / "community.yaml",
            self.data_dir / "simulators",
            checkout.parent / "shared" / "data" / "meters",
        )

    @property
    def urls(self) -> dict[str, str]:
        return {"office": f"http://{self.settings.http_host}:{self.settings.http_port}"}

    def prepare(self) -> None:
        """Everything that must be right before the first process starts. Raises SetupError."""
        host, port = self.settings.http_host, self.settings.http_port
        if is_taken(host, port):
            raise SetupError(
                f"port {port} of {host} is taken: stop what uses it, "
                f"or choose another: WUYE_HTTP_PORT={port + 1} make up"
            )
        if self.cluster is not None:
            self._part_from_a_deleted_directory(self.cluster)
            self.cluster.prepare()
        if self.meters:
            self.meters.write_ports()
        write_json(self.data_dir / "runtime.json", self._runtime())

    def _part_from_a_deleted_directory(self, cluster: PostgresCluster) -> None:
        """A cluster outside the data directory must not come back after that was deleted: nobody
        would have its accounts. It is moved aside."""
        if self.data_dir in cluster.home.parents:
            return
        mark = self.data_dir / "postgres.home"
        if cluster.is_created and not mark.exists():
            cluster.heal()
            cluster.home.rename(cluster.home.with_name(f"{cluster.home.name}.left-{time_ns()}"))
        write_private(mark, f"{cluster.home}\n")

    def parts(self) -> list[Part]:
        parts = [*self._servers(), *self._roles()]
        if self.meters:
            parts += self._demo(self.meters)
        known = {part.name for part in parts}
        # What is replaced by a URL is nobody's need.
        return [_with_known_needs(part, known) for part in parts]

    def on_tick(self, supervisor: Supervisor) -> None:
        """Lets gateways in that have been enrolled since."""
        pid = supervisor.pid_of("broker") if self.gateways else None
        if self.gateways and pid is not None:
            self.gateways.refresh(pid)

    def _runtime(self) -> dict[str, Any]:
        kept = load_secrets(self.data_dir)
        given = self.settings.database_url
        owner_url = given.get_secret_value() if given else self._owner_url()
        return {
            "version": 1,
            "checkout": str(self.checkout),
            "http": {"host": self.settings.http_host, "port": self.settings.http_port},
            "database": database_urls(owner_url, kept),
            "mqtt": self._mqtt(),
            "ray": {
                "address": self.settings.ray_address or (self.ray.address if self.ray else ""),
                "token_path": str(self.data_dir / "ray.token"),
                "temp_dir": str(self.ray.temp_dir if self.ray else self.data_dir / "ray"),
            },
            "simulators": self.meters.endpoint() if self.meters else None,
            "dashboards": {"host": "127.0.0.1", "port": self.dashboards_port},
            "secret_key": kept.key,
        }

    def _owner_url(self) -> str:
        assert self.cluster is not None
        return self.cluster.owner_url

    def _mqtt(self) -> dict[str, Any]:
        if self.broker is None:
            assert self.settings.mqtt_url is not None
            return broker_from_url(self.settings.mqtt_url.get_secret_value())
        return {
            "host": "127.0.0.1",
            "port_gateways": self.broker.port_gateways,
            "port_platform": self.broker.port_platform,
            "platform_user": PLATFORM_USER,
            "platform_password": self.broker.platform_password,
        }

    def _servers(self) -> list[Part]:
        parts = []
        if self.cluster is not None:
            parts.append(
                Part(
                    name="postgres",
                    prepare=self.cluster.prepare,
                    command=self.cluster.command,
                    is_ready=self.cluster.is_ready,
                    stop_stage=0,
                    stop_timeout_s=2.5,
                )
            )
        if self.broker is not None:
            parts.append(
                Part(
                    name="broker",
                    prepare=self._prepare_broker,
                    command=self.broker.command,
                    is_ready=self.broker.is_ready,
                    stop_stage=1,
                )
            )
        if self.ray is not None:
            parts.append(
                Part(
                    name="ray",
                    prepare=self.ray.prepare,
                    command=self.ray.command,
                    is_ready=self.ray.is_ready,
                    # The first page comes first: two cores are not enough for both.
                    yields_to=frozenset({"web"}),
                    stop_stage=1,
                )
            )
        return parts

    def _roles(self) -> list[Part]:
        with_ray = frozenset({"ray"})
        migrated = frozenset({"migrate"})
        return [
            Part(
                name="migrate",
                command=lambda: self._python("cloud.cli", "db", "upgrade"),
                needs=frozenset({"postgres"}),
                is_step=True,
            ),
            Part(
                name="web",
                command=lambda: self._python("cloud.cli", "run", "web"),
                is_ready=self._web_answers,
                needs=migrated,
                falls_with=with_ray,
                stop_stage=2,
                stop_timeout_s=3.0,
                detail=self.urls["office"],
            ),
            Part(
                name="worker",
                command=lambda: self._python("cloud.cli", "run", "worker"),
                needs=migrated,
                yields_to=frozenset({"web"}),
                falls_with=with_ray,
                settle_s=2.0,
                stop_stage=2,
            ),
            Part(
                name="dashboards",
                command=lambda: self._python("cloud.cli", "run", "dashboards"),
                is_ready=lambda: _answers("127.0.0.1", self.dashboards_port),
                needs=migrated,
                # Panel takes seconds to import: the first page of the office comes first.
                yields_to=frozenset({"web"}),
                stop_stage=2,
            ),
            Part(
                name="host",
                prepare=lambda: self._ready_file("host").unlink(missing_ok=True),
                command=lambda: self._python("cloud.cli", "run", "host"),
                is_ready=lambda: self._ready_file("host").exists(),
                needs=frozenset({"migrate", "ray", "broker"}),
                falls_with=with_ray,
                stop_stage=2,
                stop_timeout_s=3.0,
            ),
        ]

    def _demo(self, meters: SimulatedMeters) -> list[Part]:
        parts = [
            Part(
                name="seed",
                command=lambda: self._python("cloud.cli", "db", "seed"),
                needs=frozenset({"migrate"}),
                is_step=True,
            ),
            Part(
                name="simulators",
                command=lambda: self._python("simulators", *meters.arguments()),
                is_ready=meters.is_ready,
                needs=frozenset({"migrate"}),
                stop_stage=2,
            ),
        ]
        return parts + [self._edge(site) for site in meters.sites]

    def _edge(self, site: str) -> Part:
        config = self.data_dir / "edge" / site / "config.yaml"
        return Part(
            name=f"edge-{site}",
            command=lambda: self._python("edge_agent", "--config", str(config)),
            settle_s=2.0,
            needs=frozenset({"seed", "simulators", "broker"}),
            stop_stage=2,
        )

    def _python(self, module: str, *arguments: str) -> Command:
        return Command(
            argv=(sys.executable, "-m", module, *arguments),
            environment={
                "WUYE_DATA_DIR": str(self.data_dir),
                "PYTHONUNBUFFERED": "1",
                **driver_environment(self.data_dir / "ray.token"),
            },
            directory=self.checkout,
        )

    def _prepare_broker(self) -> None:
        assert self.broker is not None
        self.broker.prepare()
        self._let_gateways_in()

    def _let_gateways_in(self) -> None:
        if self.gateways:
            self.gateways.write()

    def _ready_file(self, role: str) -> Path:
        return self.data_dir / "run" / f"{role}.ready"

    def _web_answers(self) -> bool:
        return _answers(self.settings.http_host, self.settings.http_port)


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _with_known_needs(part: Part, known: set[str]) -> Part:
    return replace(
        part,
        needs=part.needs & known,
        yields_to=part.yields_to & known,
        falls_with=part.falls_with & known,
    )
