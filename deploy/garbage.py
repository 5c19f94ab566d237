"""How often a process that reads the log looks for garbage: seldom, and not in what it loaded.

Nearly all that an event leaves behind goes by counting references. The search for cycles costs a
worker a sixth of its time as Python sets it, and finds next to nothing.
"""

from __future__ import annotations

import gc

# An event makes about 40 objects that are looked through, 250 bytes each: after 1,250 events,
# 12 MB at most that wait to be found, where Python waits for 700 objects.
YOUNG_OBJECTS = 50_000
MIDDLE_ROUNDS = 20
OLD_ROUNDS = 50


def settle() -> None:
    """Call it once, when everything is loaded: what is there now is looked through no more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, MIDDLE_ROUNDS, OLD_ROUNDS)
