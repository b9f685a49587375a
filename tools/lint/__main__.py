"""`python -m tools.lint`: every rule over every file; answers 1 when one complains."""

from __future__ import annotations

import sys

from tools.lint.house import complaints_of_the_checkout


def main() -> int:
    found = complaints_of_the_checkout()
    for line in found:
        print(line)
    print(f"{len(found)} complaints" if found else "the house rules hold")
    return 1 if found else 0


sys.exit(main())
