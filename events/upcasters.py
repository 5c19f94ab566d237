"""From an older major to the next: handlers know only the newest shape.

A row is `(type, major it was written with): values -> values of the next major`. Minors need none:
Avro's own resolution fills their defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Upcast = Callable[[dict[str, Any]], dict[str, Any]]

UPCASTERS: Mapping[tuple[str, int], Upcast] = {}
