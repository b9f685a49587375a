"""`wuye`: the command line of the platform."""

import importlib
import json
import os
import sys
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any
from uuid import UUID

import typer
from pydantic import ValidationError

from cloud.embedded import data_dir as folders
from cloud.embedded import up as embedded
from cloud.embedded.console import Console
from cloud.embedded.errors import SetupError
from cloud.embedded.files import read_json, write_json
from cloud.embedded.platform import Platform
from cloud.kernel.settings import NotRunning, Settings
from protocols.uplink.topics import shard_of

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
sim = typer.Typer(no_args_is_help=True, help="The simulated meters of the demo company.")
db = typer.Typer(no_args_is_help=True, help="The database.")
app.add_typer(sim, name="sim")
app.add_typer(db, name="db")


@app.command()
def up() -> None:
    """Start the platform and keep it running, in the foreground."""
    embedded.stop_with_make()
    platform = Platform(Settings(), embedded.checkout(), gateway_user=_gateway_user)
    embedded.up(platform, Console())
    sys.stdout.flush()
    # A thread may still wait for a package download; everything else has ended in order.
    os._exit(0)


def _gateway_user(site: str) -> str:
    return f"{shard_of(UUID(site))}/{site}"


@app.command()
def down() -> None:
    """Stop the platform that runs on the data directory."""
    place = Settings().data_dir.absolute()
    holder = folders.end_holder(place)
    typer.echo(f"nothing runs on {place}" if holder is None else f"stopped process {holder}")


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="As it stands in status.json.")] = False,
) -> None:
    """Show what runs, and how it is. Exit code: 0 ready, 1 not ready, 3 nothing runs."""
    place = Settings().data_dir.absolute()
    holder = folders.find_holder(place)
    found: dict[str, Any] = {"status": "stopped", "pid": None, "parts": {}, "urls": {}}
    if holder is not None and (place / "status.json").exists():
        found = read_json(place / "status.json")
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        _show(found, place)
    if found["status"] != "ready":
        raise typer.Exit(3 if holder is None else 1)


def _show(found: dict[str, Any], place: Path) -> None:
    typer.echo(f"{found['status']} on {place}")
    for name, part in found["parts"].items():
        since = datetime.fromisoformat(part["since"]).astimezone()
        restarts = f"restarts {part['restarts']}" if part["restarts"] else ""
        pid = part["pid"] or ""
        line = f"  {name:<11} {part['status']:<10} {pid:>7} {since:%H:%M:%S}  {part['detail']}"
        typer.echo(f"{line}  {restarts}".rstrip())
    for name, url in found["urls"].items():
        typer.echo(f"  {name:<11} {url}")


@app.command()
def run(role: Annotated[str, typer.Argument(help="web, worker, host or dashboards")]) -> None:
    """Run one process of the platform (what `up` starts)."""
    _roles().run(role)


def _roles() -> ModuleType:
    # Half a second and 100 MB that `up` and `status` do without.
    return importlib.import_module("cloud.main")


@db.command()
def upgrade() -> None:
    """Bring the database to the newest revision."""
    _roles().upgrade()


@db.command()
def seed() -> None:
    """Seed the demo company, once, and write the configurations of its gateways."""
    _roles().seed()


@sim.command("run")
def sim_run(
    speed: Annotated[float, typer.Option(help="How fast the meters run.")] = 1.0,
) -> None:
    """Run the simulators of a platform whose own ones are stopped, on the same ports."""
    state = _simulators_state()
    community = embedded.checkout() / "demo" / "community.yaml"
    os.execv(  # noqa: S606 - the process becomes the simulators
        sys.executable,
        [
            *(sys.executable, "-m", "simulators", "--speed", str(speed)),
            *("--community", str(community), "--state", str(state)),
            *("--ports", str(state / "ports.json")),
        ],
    )


@sim.command()
def silence(
    names: Annotated[list[str], typer.Argument(help="LT/B1 for a bus, LT/B1/3 for a device")],
) -> None:
    """Let simulated devices stop answering."""
    _set_silenced(_silenced() | set(names))


@sim.command()
def unsilence(
    names: Annotated[list[str] | None, typer.Argument(help="all when none is given")] = None,
) -> None:
    """Let silenced devices answer again."""
    _set_silenced(_silenced() - set(names) if names else set())


def _simulators_state() -> Path:
    state = Settings().data_dir.absolute() / "simulators"
    if not (state / "ports.json").exists():
        raise SetupError(f"{state} does not exist: start the platform with `make up` first")
    return state


def _silenced() -> set[str]:
    path = _simulators_state() / "silenced.json"
    return set(read_json(path)["silenced"]) if path.exists() else set()


def _set_silenced(names: set[str]) -> None:
    write_json(_simulators_state() / "silenced.json", {"silenced": sorted(names)})
    typer.echo(f"silenced: {', '.join(sorted(names)) or 'none'}")


def main() -> None:
    try:
        app()
    except ValidationError as error:
        for fault in error.errors():
            name = "_".join(str(part) for part in fault["loc"]).upper()
            typer.echo(f"wuye: WUYE_{name}: {fault['msg']}", err=True)
        sys.exit(2)
    except (SetupError, NotRunning) as error:
        typer.echo(f"wuye: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
