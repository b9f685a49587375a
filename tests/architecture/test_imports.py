"""The contracts of .importlinter hold, and each breaks when a file crosses its line."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.lint.source import ROOT

CONFIG = ROOT / ".importlinter"

# A checkout in small that keeps every contract: file → what it imports.
SKELETON = {
    "cloud/main.py": "cloud.modules.accounts.module",
    "cloud/cli.py": "cloud.embedded.part",
    "cloud/embedded/part.py": "cloud.kernel.settings",
    "cloud/kernel/settings.py": "",
    "cloud/kernel/context.py": "cloud.kernel.settings cloud.kernel.events",
    "cloud/kernel/events.py": "cloud.kernel.context",
    "cloud/kernel/jobs.py": "cloud.kernel.context",
    "cloud/migrations/env.py": "",
    "cloud/modules/organization/models.py": "cloud.kernel.context",
    "cloud/modules/organization/service.py": "cloud.modules.organization.models",
    "cloud/modules/organization/api.py": "cloud.modules.organization.service",
    "cloud/modules/organization/handlers.py": "cloud.modules.organization.service",
    "cloud/modules/organization/module.py": "cloud.modules.organization.api",
    "cloud/modules/accounts/service.py": "cloud.modules.organization.service",
    "cloud/modules/accounts/module.py": "cloud.modules.accounts.service",
    "actors/site.py": "cloud.modules.accounts.service",
    "actors/host.py": "actors.site",
    "dashboards/energy.py": "cloud.kernel.context",
    "protocols/modbus/driver.py": "protocols.points",
    "protocols/points.py": "",
    "protocols/uplink/codec.py": "protocols.points",
    "edge_agent/poller.py": "protocols.modbus.driver",
    "edge_agent/outbox.py": "",
    "simulators/meters.py": "",
}
SKELETON |= {
    f"cloud/modules/{name}/module.py": ""
    for name in (
        *("resources", "customers", "devices", "ledger", "metering", "charging", "receiving"),
        *("vehicles", "headquarters"),
    )
}

# Contract → the file that crosses its line, and what it imports to do so.
CROSSINGS = {
    "Top-level direction": ("cloud/kernel/jobs.py", "cloud.modules.accounts.service"),
    "The edge and the wire ship without the cloud": ("edge_agent/outbox.py", "sqlalchemy"),
    "Simulators share no code with what they test": ("simulators/meters.py", "protocols.points"),
    "What up starts reads the settings and knows nothing of the business": (
        "cloud/embedded/part.py",
        "cloud.kernel.context",
    ),
    "Only the command line starts the embedded parts": ("cloud/main.py", "cloud.embedded.part"),
    "Business modules form an order": (
        "cloud/modules/organization/service.py",
        "cloud.modules.accounts.service",
    ),
    "Inside a module": (
        "cloud/modules/organization/models.py",
        "cloud.modules.organization.service",
    ),
    "Nobody imports another module's edge": (
        "cloud/modules/accounts/service.py",
        "cloud.modules.organization.api",
    ),
    "Dashboards know the kernel only": (
        "dashboards/energy.py",
        "cloud.modules.accounts.service",
    ),
    "Dashboards reach data through the kernel's analytics": ("dashboards/energy.py", "duckdb"),
    "The kernel knows the uplink, no other protocol": (
        "cloud/kernel/jobs.py",
        "protocols.modbus.driver",
    ),
    "The cloud never imports the edge or the simulators": ("actors/host.py", "edge_agent.outbox"),
    "No cycles among siblings": ("actors/site.py", "actors.host"),
}


def linted(folder: Path) -> subprocess.CompletedProcess[str]:
    script = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [script, CONFIG, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(folder), "PATH": ""},
    )


def grow(folder: Path, files: dict[str, str]) -> None:
    for name, imported in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"import {one}\n" for one in imported.split()]
        path.write_text("".join(lines))
    for name in files:
        package = (folder / name).parent
        while package != folder:
            (package / "__init__.py").touch()
            package = package.parent


def verdicts(output: str) -> dict[str, str]:
    found = re.findall(r"^(.+?) (KEPT|BROKEN)(?: \(.*\))?$", output, re.MULTILINE)
    return {name.strip(): verdict for name, verdict in found}


class TestTheContracts:
    def test_hold_in_the_checkout(self) -> None:
        result = linted(ROOT)

        assert result.returncode == 0, result.stdout
        assert set(verdicts(result.stdout)) == CROSSINGS.keys()

    def test_hold_in_the_small_checkout(self, tmp_path: Path) -> None:
        grow(tmp_path, SKELETON)

        assert set(verdicts(linted(tmp_path).stdout).values()) == {"KEPT"}

    def test_each_breaks_at_its_own_crossing(self, tmp_path: Path) -> None:
        files = dict(SKELETON)
        for path, imported in CROSSINGS.values():
            files[path] = f"{files[path]} {imported}"
        grow(tmp_path, files)

        assert verdicts(linted(tmp_path).stdout) == dict.fromkeys(CROSSINGS, "BROKEN")

    @pytest.mark.parametrize(
        "stray", ["cloud/modules/accounts/utils.py", "cloud/modules/parking/service.py"]
    )
    def test_a_file_or_a_module_that_has_no_place(self, tmp_path: Path, stray: str) -> None:
        grow(tmp_path, {**SKELETON, stray: ""})

        assert linted(tmp_path).returncode != 0
