"""Debian packages unpacked into a folder of ours, without root and without touching the system."""

import secrets
import shutil
import subprocess
from pathlib import Path

from cloud.embedded import processes
from cloud.embedded.errors import SetupError
from cloud.embedded.processes import Command

_APT_TIMEOUT_S = 120
_CONFIGURATION = """\
Dir::State::lists "{work}/lists";
Dir::Cache "{work}/cache";
Dir::State::status "/var/lib/dpkg/status";
Acquire::Languages "none";
Acquire::Retries "2";
Debug::NoLocking "1";
APT::Sandbox::User "root";
"""


def unpack_package(name: str, folder: Path) -> None:
    """Fills `folder` with the package and whatever it needs that is not installed, or fails."""
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise SetupError(f"this is not a Debian system: install {name} and put it on the PATH")
    work = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    try:
        root = work / "root"
        for part in (root, work / "lists/partial", work / "cache/archives/partial", work / "debs"):
            part.mkdir(parents=True)
        configuration = work / "apt.conf"
        configuration.write_text(_CONFIGURATION.format(work=work))
        _apt(configuration, work / "debs", "update")
        wanted = _apt(
            *(configuration, work / "debs", "install"),
            *("--no-install-recommends", "--print-uris", "-y", name),
        )
        packages = [
            line.split()[1].split("_")[0] for line in wanted.splitlines() if line.startswith("'")
        ]
        _apt(configuration, work / "debs", "download", *packages)
        for package in sorted((work / "debs").glob("*.deb")):
            subprocess.run(["dpkg", "-x", package, root], check=True, capture_output=True)
        for path in (root, *root.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
        shutil.rmtree(folder, ignore_errors=True)
        root.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _apt(configuration: Path, directory: Path, *arguments: str) -> str:
    command = Command(
        argv=("apt-get", "-q", *arguments),
        environment={"APT_CONFIG": str(configuration), "LC_ALL": "C"},
        directory=directory,
    )
    try:
        ended = processes.run_briefly(command, timeout_s=_APT_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise SetupError(f"apt-get {arguments[0]} did not answer in {_APT_TIMEOUT_S} s") from error
    if ended.returncode != 0:
        raise SetupError(
            f"apt-get {arguments[0]} failed:\n{ended.stderr.decode(errors='replace').strip()}"
        )
    return ended.stdout.decode(errors="replace")
