"""Takes the pictures of the running platform's screens, as one of its demo accounts."""

import subprocess
import sys

from cloud.embedded.data_dir import find_holder
from cloud.embedded.files import read_json
from cloud.kernel.settings import Settings

ROLE = "admin"


def main() -> int:
    settings = Settings()
    place = settings.data_dir.absolute()
    if find_holder(place) is None:
        sys.stderr.write("the pictures are taken of a running platform: `make up` first\n")
        return 2
    accounts = {one["role"]: one for one in read_json(place / "demo-accounts.json")}
    base = read_json(place / "status.json")["urls"]["office"]
    return subprocess.call(
        [
            *(sys.executable, "tests/browser/shots.py", "--base", base),
            *("--login", accounts[ROLE]["login"], "--password", accounts[ROLE]["password"]),
            *sys.argv[1:],
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
