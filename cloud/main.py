"""The composition root: the one file that knows every module, and what each role runs."""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.metadata import version
from operator import attrgetter
from pathlib import Path

import psycopg
import structlog
import uvicorn
import yaml
from alembic import command
from alembic.config import Config
from fastapi import APIRouter, FastAPI
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import SQLModel

from actors import edge_configs, process_host, ray_host
from actors.client import SitesClient
from actors.functions import bus_of_host
from actors.gateway_passwords import GatewayPasswords
from actors.live_feed import LiveFeed
from cloud.kernel import audit, health, logs, retention
from cloud.kernel.clock import utc_now
from cloud.kernel.context import system_principal
from cloud.kernel.db import Scope, joined_sessions, make_engine, make_sessions, uuid7
from cloud.kernel.events import Bus
from cloud.kernel.exports import api as exports_api
from cloud.kernel.exports import jobs as exports_jobs
from cloud.kernel.files import Files
from cloud.kernel.i18n import load_texts
from cloud.kernel.imports import api as imports_api
from cloud.kernel.jobs import HEARTBEAT_S, SILENT_S, Job, Work, make_worker, rescue_stalled
from cloud.kernel.permissions import Catalog, Vocabulary
from cloud.kernel.registry import Function, Module, check_manifests
from cloud.kernel.relay import Relay
from cloud.kernel.roles import ensure_roles
from cloud.kernel.runtime import Runtime
from cloud.kernel.seeding import Seeding
from cloud.kernel.settings import Endpoints, Settings, load_endpoints
from cloud.kernel.sites import NoSites, Sites
from cloud.kernel.timers import run_timers
from cloud.kernel.ui import api as ui_api
from cloud.kernel.ui.render import Pages
from cloud.kernel.web import Office, api_routes, make_app
from cloud.modules.accounts import service as accounts
from cloud.modules.accounts.module import MODULE as ACCOUNTS
from cloud.modules.accounts.queries import AccountsAuthenticator
from cloud.modules.charging.module import MODULE as CHARGING
from cloud.modules.customers.module import MODULE as CUSTOMERS
from cloud.modules.devices.module import MODULE as DEVICES
from cloud.modules.headquarters.module import MODULE as HEADQUARTERS
from cloud.modules.ledger.module import MODULE as LEDGER
from cloud.modules.metering.module import MODULE as METERING
from cloud.modules.organization.module import MODULE as ORGANIZATION
from cloud.modules.receiving.module import MODULE as RECEIVING
from cloud.modules.resources.module import MODULE as RESOURCES
from cloud.modules.vehicles.module import MODULE as VEHICLES

MODULES: tuple[Module, ...] = (
    ORGANIZATION,
    ACCOUNTS,
    RESOURCES,
    CUSTOMERS,
    DEVICES,
    LEDGER,
    METERING,
    VEHICLES,
    CHARGING,
    RECEIVING,
    HEADQUARTERS,
)

ROOT = Path(__file__).resolve().parent
CHECKOUT = ROOT.parent
OFFICE = ROOT / "web" / "dist" / "office"
COMMUNITY = CHECKOUT / "demo" / "community.yaml"

log = structlog.get_logger()


def metadata() -> MetaData:
    """All tables; importing the modules above has registered their models."""
    return SQLModel.metadata


def vocabulary() -> frozenset[str]:
    """Every permission there is."""
    return frozenset(
        permission.value for module in MODULES for permission in module.permissions or ()
    )


def catalog() -> Catalog:
    """The same by module, with their names."""
    return Catalog.of(
        [
            Vocabulary(
                module=module.name,
                title=module.title,
                permissions=[permission.value for permission in module.permissions or ()],
                subjects=module.subjects,
            )
            for module in MODULES
        ]
    )


def all_jobs() -> tuple[Job, ...]:
    return (
        audit.SEAL,
        retention.FORGET,
        *exports_jobs.JOBS,
        *(job for module in MODULES for job in module.jobs),
    )


def functions() -> tuple[Function, ...]:
    """Everything that a site can be asked."""
    return tuple(function for module in MODULES for function in module.functions)


def runtime(
    *, settings: Settings, endpoints: Endpoints, url: str | None = None, sites: Sites | None = None
) -> Runtime:
    """What a process of any role stands on. Raises BrokenManifest for a broken module list."""
    check_manifests(MODULES)
    sessions = make_sessions(make_engine(url or endpoints.database.app_url.get_secret_value()))
    folders = [ROOT / "kernel" / "locale"]
    folders += [ROOT / "modules" / module.name / "locale" for module in MODULES]
    folders.append(CHECKOUT / "dashboards" / "locale")
    searches = [source for module in MODULES for source in module.searches]
    return Runtime(
        settings=settings,
        endpoints=endpoints,
        sessions=sessions,
        bus=Bus(pair for module in MODULES for pair in module.handlers),
        authenticator=AccountsAuthenticator(sessions),
        texts=load_texts(folders),
        sites=sites or NoSites(),
        files=Files(settings.data_dir),
        version=version("wuye"),
        catalog=catalog(),
        searches=tuple(sorted(searches, key=attrgetter("rank"))),
    )


def asking_runtime(settings: Settings, endpoints: Endpoints) -> Runtime:
    """For roles that ask sites: web and worker."""
    running = runtime(settings=settings, endpoints=endpoints)
    running.sites = SitesClient(
        running.sessions, secret=endpoints.secret_key.get_secret_value(), ray=endpoints.ray
    )
    return running


def host_runtime(data_dir: Path) -> Runtime:
    """What a site host stands on: its own login, and a bus that keeps commands until COMMIT."""
    settings = Settings(data_dir=data_dir)
    endpoints = load_endpoints(data_dir)
    url = process_host.host_url(endpoints.database)
    running = runtime(settings=settings, endpoints=endpoints, url=url)
    running.bus = bus_of_host(pair for module in MODULES for pair in module.handlers)
    return running


def work_of(running: Runtime) -> Work:
    return Work(
        sessions=running.sessions,
        bus=running.bus,
        authenticator=running.authenticator,
        sites=running.sites,
        texts=running.texts,
        files=running.files,
        pages=running.pages,
    )


def routers() -> list[APIRouter]:
    """Those of the kernel and of every module."""
    own = [health.router, ui_api.router, exports_api.router, imports_api.router]
    return own + [router for module in MODULES for router in module.routers]


def declared_pages(running: Runtime) -> Pages:
    """All pages and the menu. Raises BrokenPage."""
    return Pages(
        routes=api_routes(routers()),
        declared=(page for module in MODULES for page in module.pages),
        menu=(entry for module in MODULES for entry in module.menu),
        texts=running.texts,
    )


def compose(running: Runtime) -> FastAPI:
    """The web application with every module's routes, pages and menu. Raises BrokenPage."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await app.state.live.close()
        await relay.close()
        await running.sessions.kw["bind"].dispose()

    app = make_app(running, routers(), lifespan=lifespan)
    app.state.live = LiveFeed(running.endpoints.mqtt)
    app.state.gateway_passwords = GatewayPasswords(
        running.settings.data_dir, running.endpoints.mqtt
    )
    running.pages = declared_pages(running)
    relay = Relay(running.endpoints)
    relay.mount(app)
    Office(OFFICE).mount(app)
    return app


def upgrade() -> None:
    """Make the database's roles and bring it to the newest revision, as its owner; then offer the
    people's roles what the release adds to them."""
    settings = Settings()
    endpoints = load_endpoints(settings.data_dir)
    migrate(
        endpoints.database.owner_url.get_secret_value(),
        app_password=_password(endpoints.database.app_url.get_secret_value()),
        host_password=_password(endpoints.database.host_url.get_secret_value()),
    )
    asyncio.run(offer_permissions(runtime(settings=settings, endpoints=endpoints)))


def migrate(owner_url: str, *, app_password: str, host_password: str) -> None:
    ensure_roles(owner_url, app_password=app_password, host_password=host_password)
    command.upgrade(alembic_config(owner_url), "head")
    with psycopg.connect(owner_url) as owner:
        owner.execute("SELECT kernel_rebase()")  # when a dump was restored into another cluster


async def offer_permissions(running: Runtime) -> None:
    """Let the built-in roles of every company follow the release."""
    work = work_of(running)
    for company_id in await audit.companies(work):
        scope = Scope(company_id=company_id, all=True)
        async with work.unit(system_principal(company_id, org_id=company_id, scope=scope)) as ctx:
            await accounts.offer_permissions(ctx, vocabulary=vocabulary())
    await running.sessions.kw["bind"].dispose()


def alembic_config(owner_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("sqlalchemy.url", owner_url.replace("%", "%%"))
    return config


def _password(url: str) -> str:
    return str(conninfo_to_dict(url).get("password", ""))


def seed() -> None:
    """Seed the demo company once, and write the gateways' configurations each time.

    A database that already has a company is left alone; ports change with every start.
    """
    settings = Settings()
    endpoints = load_endpoints(settings.data_dir)
    asyncio.run(seed_company(settings, endpoints))
    write_edge_configs(settings, endpoints)


async def seed_company(settings: Settings, endpoints: Endpoints) -> None:
    """All of the demo company in one transaction: a start that is cut off leaves nothing half."""
    running = runtime(settings=settings, endpoints=endpoints)
    engine: AsyncEngine = running.sessions.kw["bind"]
    try:
        async with engine.begin() as connection:
            known = await connection.execute(text("SELECT kernel_companies()"))
            if known.first() is None:
                running.sessions = joined_sessions(connection)
                running.authenticator = AccountsAuthenticator(running.sessions)
                await _seed_modules(running)
    finally:
        await engine.dispose()


async def _seed_modules(running: Runtime) -> None:
    seeding = make_seeding(running, password=demo_password(running.settings))
    for module in MODULES:
        if module.seed is not None:
            log.info("seed.module", module=module.name)
            await module.seed(seeding)
    write_private(
        running.settings.data_dir / "demo-accounts.json",
        json.dumps(seeding.accounts, ensure_ascii=False, indent=1),
    )


def make_seeding(running: Runtime, *, password: str) -> Seeding:
    company_id = uuid7()
    scope = Scope(company_id=company_id, all=True)
    return Seeding(
        work=work_of(running),
        principal=system_principal(
            company_id, org_id=company_id, scope=scope, permissions=vocabulary()
        ),
        community=yaml.safe_load(COMMUNITY.read_text(encoding="utf-8")),
        now=utc_now() - timedelta(seconds=1),
        password=password,
        vocabulary=vocabulary(),
    )


def demo_password(settings: Settings) -> str:
    given = settings.demo_password
    return given.get_secret_value() if given else secrets.token_urlsafe(9)


def write_private(path: Path, content: str) -> None:
    """Replace a file that only its owner may read."""
    fresh = path.with_name(path.name + ".new")
    with open(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123 - the mode must hold from the first byte
        file.write(content)
    fresh.replace(path)


def run(role: str) -> None:
    """Run one role until SIGTERM."""
    settings = Settings()
    logs.configure(settings.log, role)
    endpoints = load_endpoints(settings.data_dir)
    tame_collector()
    roles = {
        "web": _run_web,
        "worker": _run_worker,
        "host": _run_host,
        "dashboards": _run_dashboards,
    }
    roles[role](settings, endpoints)


def tame_collector() -> None:
    """Keep the garbage collector off what never dies: modules, models, routes.

    With its defaults it walks all of them for every few thousand rows that a run computes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _run_web(settings: Settings, endpoints: Endpoints) -> None:
    uvicorn.run(
        compose(asking_runtime(settings, endpoints)),
        host=endpoints.http.host,
        port=endpoints.http.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=3,
    )


def _run_worker(settings: Settings, endpoints: Endpoints) -> None:
    asyncio.run(_work(asking_runtime(settings, endpoints)))


def _run_dashboards(settings: Settings, endpoints: Endpoints) -> None:
    # Panel takes 80 MB that no other process needs.
    site = importlib.import_module("dashboards.site")
    assert endpoints.dashboards is not None
    uvicorn.run(
        site.compose(runtime(settings=settings, endpoints=endpoints)),
        host=endpoints.dashboards.host,
        port=endpoints.dashboards.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
    )


def _run_host(settings: Settings, endpoints: Endpoints) -> None:
    """The hosts of all sites: in Ray where it runs, else this process is the only one."""
    if endpoints.ray is None:
        process_host.serve(host_runtime(settings.data_dir), functions())
    else:
        ray_host.supervise(
            endpoints.ray, data_dir=settings.data_dir, runtime=host_runtime, functions=functions
        )


def write_edge_configs(settings: Settings, endpoints: Endpoints) -> list[Path]:
    """The gateways' configurations, from the database; answers the files."""
    return asyncio.run(write_configs(settings, endpoints))


async def write_configs(settings: Settings, endpoints: Endpoints) -> list[Path]:
    running = runtime(settings=settings, endpoints=endpoints)
    written = await edge_configs.write_edge_configs(running)
    await running.sessions.kw["bind"].dispose()
    return written


async def _work(running: Runtime) -> None:
    url = running.endpoints.database.app_url.get_secret_value()
    running.pages = declared_pages(running)
    app = make_worker(url, work_of(running), all_jobs())
    async with app.open_async(), asyncio.TaskGroup() as group:
        timers = group.create_task(run_timers(running.sessions, all_jobs()))
        rescue = group.create_task(rescue_stalled(app))
        await app.run_worker_async(
            concurrency=4,
            install_signal_handlers=True,
            update_heartbeat_interval=HEARTBEAT_S,
            stalled_worker_timeout=SILENT_S,
        )
        timers.cancel()
        rescue.cancel()
