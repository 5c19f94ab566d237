"""A worker's process looks for garbage seldom, and still finds it."""

from __future__ import annotations

import subprocess
import sys

CYCLES = """
import gc
from genoflow.deploy.garbage import YOUNG_OBJECTS, settle
settle()
assert gc.isenabled()
print(gc.get_freeze_count() > 1_000, gc.get_threshold()[0] == YOUNG_OBJECTS)
found = []
gc.callbacks.append(lambda phase, info: found.append(info["collected"]))
for number in range(3 * YOUNG_OBJECTS):
    cycle = [number]
    cycle.append(cycle)
print(sum(found) > YOUNG_OBJECTS)
"""


def test_what_is_loaded_is_left_alone_and_cycles_are_found() -> None:
    said = subprocess.run(
        [sys.executable, "-c", CYCLES], capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout.split() == ["True", "True", "True"]
