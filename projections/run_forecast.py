"""When a run will begin and end, by the rows of runs like it that went before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from genoflow.events.log.port import Vector
from genoflow.projections.as_of import relation
from genoflow.projections.estimates import HISTORY_MAX, Estimate, Past, Unknown, span, span_after
from genoflow.projections.paging import Found
from genoflow.projections.run_tasks import TASKS
from genoflow.projections.run_versions import UNDER_WAY
from genoflow.projections.runs import RUNS
from genoflow.projections.store import Connection
from genoflow.projections.within import Within

WAITING = UNDER_WAY[:2]
TO_BE_SUBMITTED = "to be submitted"

# Attempts that went on from another are left out: they are shorter than a run is.
_LIKE = f"""
with e as (
    select run_id, input_bytes, started_at, ended_at from {{runs}}
    where tasks_expected is not null and pipeline = $1 and pipeline_version = $2 and members = $3
        and retries = 0 and started_at is not null
    order by ended_at desc, run_id limit {HISTORY_MAX}
)
select e.input_bytes, extract(epoch from e.ended_at - e.started_at)::double precision as whole,
    extract(epoch from e.ended_at - done.ended_at)::double precision as rest
from e left join lateral (
    select tasks.ended_at from {{tasks}}
    where tasks.run_id = e.run_id and tasks.state = 'completed' and tasks.ended_at is not null
    order by tasks.ended_at offset greatest($4 - 1, 0) limit 1
) done on $4 > 0
order by e.ended_at, e.run_id
"""
_WAITS = f"""
select extract(epoch from started_at - submitted_at)::double precision as seconds from {{runs}}
where launcher = $1 and priority = $2 and started_at is not null and submitted_at is not null
order by started_at desc, run_id limit {HISTORY_MAX}
"""
_LAST_DONE = """
select max(ended_at) as at from {tasks} where run_id = $1 and state = 'completed'
"""


@dataclass(frozen=True, slots=True)
class Forecast:
    """When a run is expected to begin and to end, or why nobody can say."""

    start: Estimate | Unknown
    completion: Estimate | Unknown


async def forecast(
    connection: Connection, run: Found, *, now: datetime, at: Vector | None = None
) -> Forecast:
    """What the rows say of it at this moment; of rows as they were once, nothing is foretold."""
    then = at.position if isinstance(at, Within) else at
    if then is not None:
        return _nobody("what was then is answered, and nothing is foretold of it")
    if (reason := _why_not(run)) is not None:
        return _nobody(reason)
    names = {"runs": relation(RUNS, at), "tasks": relation(TASKS, at)}
    if run["state"] in WAITING:
        return await _of_waiting(connection, names, run, now)
    begun = Unknown("it has begun")
    return Forecast(begun, await _rest(connection, names, run, now))


def _nobody(reason: str) -> Forecast:
    return Forecast(Unknown(reason), Unknown(reason))


def _why_not(run: Found) -> str | None:
    if run["state"] not in UNDER_WAY:
        if run["state"] in ("failed", "lost") and run["waits_for"] is not None:
            return "another attempt may follow, and its submission begins the estimate anew"
        return "it is over"
    if run["pipeline"] is None:
        return "nobody has told yet what was asked for"
    if run["state"] == "requested" and run["waits_for"] != TO_BE_SUBMITTED:
        return f"it waits for {run['waits_for']}, and its submission begins the estimate"
    return None


async def _of_waiting(
    connection: Connection, names: dict[str, str], run: Found, now: datetime
) -> Forecast:
    since = run["submitted_at"] or run["since"]
    rows = await connection.fetch(_WAITS.format(**names), run["launcher"], run["priority"])
    waits = [Past(row["seconds"]) for row in reversed(rows)]
    waited = _seconds(since, now)
    start = span(waits, waited=waited)
    done = run["tasks_completed"]
    history = _pasts(await _like(connection, names, run, done), "rest" if done else "whole")
    completion = span_after(waits, history, _size(run), waited)
    return Forecast(
        start if isinstance(start, Unknown) else start.since(since),
        completion if isinstance(completion, Unknown) else completion.since(since),
    )


async def _rest(
    connection: Connection, names: dict[str, str], run: Found, now: datetime
) -> Estimate | Unknown:
    """By the tasks that are left where enough runs tell it, else by the whole of those runs."""
    started, done = run["started_at"] or run["submitted_at"] or run["since"], run["tasks_completed"]
    rows = await _like(connection, names, run, done)
    if done:
        [last] = await connection.fetch(_LAST_DONE.format(**names), run["run_id"])
        since = max(started, last["at"] or started)
        rest = span(_pasts(rows, "rest"), _size(run), _seconds(since, now))
        if not isinstance(rest, Unknown):
            return rest.since(since)
    whole = span(_pasts(rows, "whole"), _size(run), _seconds(started, now))
    return whole if isinstance(whole, Unknown) else whole.since(started)


async def _like(
    connection: Connection, names: dict[str, str], run: Found, done: int
) -> Sequence[Any]:
    kind = (run["pipeline"], run["pipeline_version"], run["members"])
    return list(await connection.fetch(_LIKE.format(**names), *kind, done))


def _pasts(rows: Sequence[Any], name: str) -> list[Past]:
    return [Past(row[name], row["input_bytes"]) for row in rows if row[name] is not None]


def _size(run: Found) -> float | None:
    return float(run["input_bytes"]) if run["input_bytes"] else None


def _seconds(since: datetime, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds())
