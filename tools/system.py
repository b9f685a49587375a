"""What the tests need from Debian: installed as root, else told in one line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

FONTS = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")


def missing() -> list[str]:
    programs = {
        "chromium": "chromium",
        "mbpoll": "mbpoll",
        "gcc": "gcc",
        "pdftotext": "poppler-utils",
    }
    found = [package for program, package in programs.items() if shutil.which(program) is None]
    if not Path("/usr/include/modbus/modbus.h").exists():
        found.append("libmodbus-dev")
    if not FONTS.exists():
        found.append("fonts-noto-cjk")
    if "gcc" in found:
        found.append("libc6-dev")
    return found


def main() -> int:
    wanted = missing()
    if not wanted:
        return 0
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *wanted]
    unattended = ["env", "DEBIAN_FRONTEND=noninteractive"]
    if os.geteuid() != 0:
        sys.stderr.write(
            f"tests that need them are skipped; to run them, as root: {' '.join(install)}\n"
        )
        return 0
    for step in (["apt-get", "update", "-q"], install):
        subprocess.run([*unattended, *step], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
