"""What changes with anything that is told of a run: so long is an answer about it kept."""

from __future__ import annotations

from collections.abc import Sequence

from genoflow.projections.runs import RUNS
from genoflow.projections.store import Connection

UNDER_WAY = ("requested", "submitted", "running", "exited")
_VERSIONS = f"""
select r.run_id, (select build from gf.builds where model = 'runs' and state = 'live')
    || '@' || r.log_offset || coalesce('/' || u.run_id || '@' || u.log_offset, '')
    || case when r.tasks_expected is null and r.state = any($2::text[])
        then '/' || floor(extract(epoch from now()) / 60) else '' end as version
from live.{RUNS.name} r left join lateral (
    select e.run_id, e.log_offset from live.{RUNS.name} e
    where r.tasks_expected is null and e.tasks_expected is not null and e.pipeline = r.pipeline
        and e.pipeline_version = r.pipeline_version and e.members = r.members
    order by e.ended_at desc, e.run_id limit 1
) u on true
where r.run_id = any($1::text[])
"""


async def run_versions(connection: Connection, run_ids: Sequence[str]) -> dict[str, str]:
    """What changes with anything that is told of each of these runs, of those that are known.

    That is the run's own row and, while it is under way, the row of the run by which it is judged,
    and the minute: what is foretold of it changes with the time alone.
    """
    rows = await connection.fetch(_VERSIONS, list(run_ids), list(UNDER_WAY))
    return {row["run_id"]: row["version"] for row in rows}
