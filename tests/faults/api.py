"""The scenario `api`: thousands of requests drawn from the OpenAPI document, right and wrong ones.

The API stands over the rows of a cohort and of made-up events of every kind. Each answer has to be
one that the document describes, none may be a failure of the service, and nobody is let in who has
not said who he is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.faults.database import Database

if TYPE_CHECKING:
    from tests.openapi_cases import Tally

Say = Callable[[str], None]
NAME = "api"
CASES = 20_000
CASES_SMALL = 500
SECONDS_MAX = 3_600.0  # 20,000 took 11 and 21 minutes on two cores that others used, too
FOUND_SHARE_MIN = 0.25  # of all answers: who only knocks at locked doors proves little


async def play_alone(cases: int, seed: int, home: Path, say: Say) -> dict[str, Any]:
    """Play it on a Postgres of its own, which ends with it."""
    # Seconds of imports, which others who only look at the numbers need not wait for.
    from tests.openapi_cases import report
    from tests.openapi_run import play_all, room

    database, begun = Database(home / "database"), time.monotonic()
    try:
        await database.start()
        async with room(database.address) as door:
            say(f"the API over its rows; {cases:,} cases, seed {seed}")
            tally = await play_all(door, cases=cases, seed_=seed, seconds=SECONDS_MAX)
    finally:
        await database.kill()
    (home / "findings.txt").write_text(report(tally) + "\n", encoding="utf-8")
    return row_of(tally) | {"seconds": round(time.monotonic() - begun), "seed": seed}


def row_of(tally: Tally) -> dict[str, Any]:
    """What was asked and answered, as numbers."""
    statuses = {str(status): count for status, count in sorted(tally.statuses.items())}
    refused = sum(count for status, count in tally.statuses.items() if 400 <= status < 500)
    return {
        "cases": tally.cases, "routes": tally.routes, "routes_asked": len(tally.by_route),
        "found_something": tally.found_something, "refused": refused, "behind": tally.behind,
        "strangers": tally.strangers, "unchanged": tally.unchanged, "statuses": statuses,
        "findings": sorted(tally.findings),
    }  # fmt: skip


def is_held(row: Mapping[str, Any]) -> bool:
    """Whether every answer was a described one, and enough of them found something."""
    enough = row["found_something"] >= FOUND_SHARE_MIN * row["cases"]
    return enough and not row["findings"] and row["routes_asked"] == row["routes"]
