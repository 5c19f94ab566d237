"""Lists of all subjects of a kind from rows that are kept: no story is folded for a line of it."""

from __future__ import annotations

from genoflow.events import topics
from genoflow.projections.asking.lists import UNLISTED_SAMPLE, Page, Row
from genoflow.projections.cases import select_cases
from genoflow.projections.samples import UNLISTED
from genoflow.projections.store import Connection

# Of each subject an index leads to its newest event, whichever type it is of.
_NEWEST = """
select k.id, k.state, e.type, e.occurred_at, count(*) over () as total from ({rows}) k
cross join lateral (
    select type, occurred_at from live.events
    where log_topic = '{topic}' and subject_id = md5(k.id)::uuid order by log_offset desc limit 1
) e
"""
_FILES = """
select f.bucket || '/' || f.object_key || '@' || f.version_id as id, f.state, e.type,
    e.occurred_at, count(*) over () as total
from live.files f join live.events e on e.event_id = f.event_id and e.log_topic = f.log_topic
    and e.subject_id = md5(f.subject)::uuid
"""
_SAMPLES = "select sample_id as id, state from live.samples"
_SELECT = {
    "sample": _NEWEST.format(rows=_SAMPLES, topic=topics.SAMPLE.name),
    UNLISTED_SAMPLE: _NEWEST.format(
        rows=f"{_SAMPLES} where sheet_standing = '{UNLISTED}'", topic=topics.SAMPLE.name
    ),
    "case": _NEWEST.format(
        rows=f"select case_id as id, state from ({select_cases()}) c", topic=topics.CASE.name
    ),
    "run": _NEWEST.format(
        rows="select run_id as id, state from live.runs", topic=topics.RUN.name
    ),
    "file": _FILES,
}  # fmt: skip


async def kept_rows(connection: Connection, kind: str, limit: int) -> Page:
    """The samples, cases, runs or files with the newest events, and how many there are."""
    found = await connection.fetch(
        f"select * from ({_SELECT[kind]}) found "
        f'order by occurred_at desc, id collate "C" desc limit $1', limit,
    )  # fmt: skip
    rows = [Row(one["id"], one["state"], one["type"], one["occurred_at"]) for one in found]
    return Page(rows, found[0]["total"] if found else 0)
