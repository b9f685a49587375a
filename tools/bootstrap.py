"""Makes .venv from the lock files, with nothing but Debian's own python3 and apt-get.

Debian ships python3 without ensurepip. Its pip wheel is then unpacked from the package
python3-pip-whl, without root; pip installs uv from its lock, and uv installs the rest.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT))

from cloud.embedded.debian import unpack_package  # noqa: E402 - the checkout is not installed yet
from cloud.embedded.errors import SetupError  # noqa: E402

VENV = CHECKOUT / ".venv"
TOOLS = CHECKOUT / ".tools"
UV = TOOLS / "uv" / "bin" / "uv"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lock", type=Path, help="requirements/runtime.txt or requirements/dev.txt")
    lock = parser.parse_args().lock
    try:
        install(lock)
    except SetupError as error:
        sys.stderr.write(f"wuye: {error}\n")
        return 2
    except subprocess.CalledProcessError as error:
        sys.stderr.write(f"wuye: {error}\n")
        return 1
    return 0


def install(lock: Path) -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - run by whatever python3 the machine has
        raise SetupError(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}")
    python = VENV / "bin" / "python"
    if not python.exists():
        run(sys.executable, "-m", "venv", "--without-pip", str(VENV))
    if not UV.exists():
        uv_lock = str(CHECKOUT / "requirements" / "uv.txt")
        run(
            *(sys.executable, str(find_pip()), "install", "-qq", "--require-hashes"),
            *("--no-deps", "--target", str(TOOLS / "uv"), "-r", uv_lock),
        )
    sys.stdout.write(f"installing {lock.name} into {VENV.name}\n")
    sys.stdout.flush()
    into = ("--quiet", "--python", str(python), "--compile-bytecode")
    run(str(UV), "pip", "install", *into, "--require-hashes", "-r", str(lock), env=uv_env())
    run(
        *(str(UV), "pip", "install", *into, "--no-deps", "--no-build-isolation"),
        *("--offline", "--editable", str(CHECKOUT)),
        env=uv_env(),
    )


def find_pip() -> Path:
    """A pip that runs from its wheel."""
    places = [Path("/usr/share/python-wheels"), TOOLS / "pip" / "usr/share/python-wheels"]
    try:
        import ensurepip  # noqa: PLC0415 - Debian leaves it out
    except ImportError:
        pass
    else:
        places.append(Path(ensurepip.__file__).parent / "_bundled")
    found = newest_pip(places)
    if found is None:
        TOOLS.mkdir(exist_ok=True)
        unpack_package("python3-pip-whl", TOOLS / "pip")
        found = newest_pip(places)
    if found is None:
        raise SetupError("there is no pip: as root, `apt-get install python3-venv`")
    return found / "pip"


def newest_pip(places: list[Path]) -> Path | None:
    wheels = sorted(wheel for place in places for wheel in place.glob("pip-*.whl"))
    return wheels[-1] if wheels else None


def uv_env() -> dict[str, str]:
    """uv does not read pip's configuration: hand its index over, and the machine's certificates."""
    given = os.environ  # noqa: TID251 - handed on as it is
    handed = dict(given, UV_SYSTEM_CERTS="1", UV_NO_PROGRESS="1")
    asked = subprocess.run(
        [sys.executable, str(find_pip()), "config", "get", "global.index-url"],
        capture_output=True,
        check=False,
        text=True,
    )
    if asked.returncode == 0 and asked.stdout.strip():
        handed.setdefault("UV_DEFAULT_INDEX", asked.stdout.strip())
    return handed


def run(*argv: str, env: dict[str, str] | None = None) -> None:
    subprocess.run(argv, check=True, env=env)


if __name__ == "__main__":
    sys.exit(main())
