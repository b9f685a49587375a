"""How far the fuzzing goes."""

import os

EXAMPLES = int(os.environ.get("WUYE_FUZZ_EXAMPLES", "3"))
