"""The unprivileged system account that Postgres and the broker run as when we are root."""

import os
import pwd
import stat
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from cloud.embedded.errors import SetupError

ACCOUNT_NAME = "wuye"
SYSTEM_HOME = Path("/var/lib/wuye")
_CREATE_ATTEMPTS = 5


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int


def service_account() -> Account | None:
    """None when we are not root: everything then runs as the caller."""
    if os.geteuid() != 0:
        return None
    for _ in range(_CREATE_ATTEMPTS):
        found = _find_account()
        if found is not None:
            return found
        # Another start may create it at the same time; useradd then fails on its lock.
        subprocess.run(
            [
                "useradd",
                "--system",
                "--user-group",
                "--no-create-home",
                "--home-dir",
                str(SYSTEM_HOME),
                "--shell",
                "/usr/sbin/nologin",
                ACCOUNT_NAME,
            ],
            check=False,
            capture_output=True,
        )
        time.sleep(0.2)
    raise SetupError(
        f"could not create the system user '{ACCOUNT_NAME}' that Postgres needs (it refuses to run "
        f"as root). Create it with: useradd --system --no-create-home {ACCOUNT_NAME}"
    )


def _find_account() -> Account | None:
    try:
        entry = pwd.getpwnam(ACCOUNT_NAME)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def is_reachable(path: Path, account: Account | None) -> bool:
    """Whether the account may walk through every parent of `path`."""
    if account is None:
        return True
    for parent in path.resolve().parents:
        if not parent.exists():
            continue
        status = parent.stat()
        bit = stat.S_IXUSR if status.st_uid == account.uid else stat.S_IXOTH
        if not status.st_mode & bit:
            return False
    return True


def make_enterable(folder: Path) -> None:
    """Creates a folder at or below SYSTEM_HOME that every account may walk through, and those
    above it: also under a umask that closes what is new, and where an earlier start closed them."""
    for each in reversed((folder, *folder.parents)):
        if each == SYSTEM_HOME or SYSTEM_HOME in each.parents:
            each.mkdir(parents=True, exist_ok=True)
            each.chmod(stat.S_IMODE(each.stat().st_mode) | 0o711)


def own(path: Path, account: Account | None) -> None:
    if account is not None:
        os.chown(path, account.uid, account.gid)
