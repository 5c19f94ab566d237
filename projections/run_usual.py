"""What is usual for a run: what the newest run like it took, by which its progress is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from genoflow.events.log.port import Vector
from genoflow.projections.as_of import relation
from genoflow.projections.paging import Found
from genoflow.projections.row import Table
from genoflow.projections.store import Connection

_LIKE = ("pipeline", "pipeline_version", "members")
_USUAL = """
with e as {kept} (select * from {runs} where tasks_expected is not null)
select k.*, newest.* from unnest($1::text[], $2::text[], $3::bigint[])
    as k(pipeline, pipeline_version, members)
cross join lateral (
    select e.tasks_expected as tasks,
        extract(epoch from e.ended_at - coalesce(e.started_at, e.submitted_at))
            ::double precision as seconds
    from e where e.pipeline = k.pipeline and e.pipeline_version = k.pipeline_version
        and e.members = k.members
    order by e.ended_at desc, e.run_id limit 1
) newest
"""
PERCENT_MAX = 99.0  # of a run that has not succeeded


async def beside_usual(
    connection: Connection, runs: Table, found: Iterable[Found], at: Vector | None
) -> list[Found]:
    """These runs, each with its progress and what is usual for runs like it."""
    rows = list(found)
    like = {tuple(row[name] for name in _LIKE) for row in rows if row["tasks_expected"] is None}
    known = sorted(kind for kind in like if None not in kind)
    usual: dict[tuple[Any, ...], Any] = {}
    if known:
        # At a position all runs are found anew, so once; now an index leads to each.
        kept = "not materialized" if at is None else "materialized"
        for row in await connection.fetch(
            _USUAL.format(kept=kept, runs=relation(runs, at)), *map(list, zip(*known, strict=True))
        ):
            usual[tuple(row[name] for name in _LIKE)] = row
    return [_beside(row, usual.get(tuple(row[name] for name in _LIKE))) for row in rows]


async def usual_seconds(
    connection: Connection, runs: Table, like: tuple[str, str, int]
) -> float | None:
    """What the newest run of this pipeline, version and number of members took, if there is one."""
    select = _USUAL.format(kept="not materialized", runs=relation(runs, None))
    found = await connection.fetch(select, *([one] for one in like))
    return float(found[0]["seconds"]) if found and found[0]["seconds"] is not None else None


def _beside(row: Found, usual: Any) -> Found:
    is_known = row["tasks_expected"] is not None
    usual = None if is_known else usual
    tasks = usual["tasks"] if usual is not None else row["tasks_expected"]
    percent = 100.0 if is_known else None
    if usual is not None and tasks:
        percent = min(PERCENT_MAX, round(100.0 * row["tasks_completed"] / tasks, 1))
    return row | {
        "tasks_expected_or_usual": tasks, "is_estimated": usual is not None,
        "progress_percent": percent, "usual_seconds": usual["seconds"] if usual else None,
    }  # fmt: skip
