"""Files: a row for each version, where it is, what was found in it, and what it waits for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from genoflow.events import topics
from genoflow.events.file_rejected import FileRejected
from genoflow.events.log.port import Vector
from genoflow.events.log.recorded import Recorded
from genoflow.events.validated import Validated
from genoflow.projections.as_of import relation
from genoflow.projections.file_findings import FINDINGS, rows_of
from genoflow.projections.file_state import A_PERSON, USES, FileRow, KnownFiles, take
from genoflow.projections.model import ReadModel
from genoflow.projections.paging import LIMIT_DEFAULT, Found, Where, counts, one, page
from genoflow.projections.row import Row, Table
from genoflow.projections.samples import CASES, SAMPLES
from genoflow.projections.store import Connection

FILES = Table(
    "files", FileRow, ("file_id",),
    indexes=(
        "(state, file_id)", "(sample_id)", "(read_set_id)", "(instrument_run_id)",
        "(upload_id)", "(landed_at, upload_id)", "(landed_by)", "using hash (object_key)",
    ),
)  # fmt: skip

# What those who upload are told of the state of their file.
COMPLETED, FAILED, PROCESSING, UPLOADED = "completed", "failed", "processing", "uploaded"
STATUS = f"""
case when state = 'valid' then '{COMPLETED}'
    when state in ('rejected', 'mismatched', 'quarantined') or
        waits_for = '{A_PERSON}' then '{FAILED}'
    when state = 'tried' then '{PROCESSING}'
    else '{UPLOADED}' end
"""
WITH_STATUS = f"files.*, {STATUS} as status"
OFFSET_MAX = 10_000  # rows before a page, each read and thrown away: some 10 ms


class Files(ReadModel[KnownFiles]):
    """One row a version and the subject that it landed for; an assigned one has two."""

    name = "files"
    about = "every version of a file: place, checksums, state, and what it waits for"
    version = 3
    reads = (topics.SAMPLE, topics.SEQUENCING_RUN)
    tables = (FILES, FINDINGS)

    def begin(self, _: str) -> KnownFiles:
        """No file is known."""
        return {}

    def project(self, state: KnownFiles, record: Recorded) -> Iterable[Row]:
        """The row of the file that the event speaks of, and what was found in it."""
        event = record.event
        if type(event) in USES:
            row = take(state, record.topic, event)
            yield row
            if isinstance(event, Validated | FileRejected):
                yield from rows_of(row.file_id, event)


async def file_of(
    connection: Connection, file_id: UUID, *, at: Vector | None = None
) -> Found | None:
    """One version of a file."""
    return await one(connection, FILES, Where().add("file_id = {}", file_id), at)


async def list_files(
    connection: Connection,
    *,
    state: str | None = None,
    duplicate: str | None = None,
    sample: str | None = None,
    read_set: str | None = None,
    project: str | None = None,
    case: str | None = None,
    run: str | None = None,
    named: tuple[str, str] | None = None,
    waits_since: datetime | None = None,
    after: Sequence[UUID] | None = None,
    limit: int = LIMIT_DEFAULT,
    at: Vector | None = None,
) -> list[Found]:
    """Files in the order of their ids; `named` is a bucket and a key, `run` is an instrument's.

    With `waits_since`, those that wait for something since then or longer.
    """
    where = _asked(at, state, sample, project, case, run).add("read_set_id = {}", read_set)
    where.add("duplicate = {}", duplicate)
    if named is not None:
        where.add("bucket = {} and object_key = {}", *named)
    where.add("waits_for is not null and since <= {}", waits_since)
    select = f"select files.* from {relation(FILES, at)}"
    return await page(connection, select, where, ("file_id",), after=after, limit=limit)


async def count_files(
    connection: Connection,
    *,
    sample: str | None = None,
    project: str | None = None,
    case: str | None = None,
    run: str | None = None,
    at: Vector | None = None,
) -> dict[str, int]:
    """How many versions are in each state."""
    return await counts(connection, FILES, _asked(at, None, sample, project, case, run), at)


async def count_validations(connection: Connection, bounds_seconds: Sequence[float]) -> list[Found]:
    """Verdicts by format: `number`, `total_seconds`, and how many were `within` each bound."""
    within = ", ".join(
        f"count(*) filter (where validation_seconds <= {float(one)!r})" for one in bounds_seconds
    )
    rows = await connection.fetch(
        f"select format, count(*) as number, sum(validation_seconds) as total_seconds, "
        f"array[{within}] as within from {relation(FILES)} "
        f"where validation_seconds is not null group by format order by format nulls last"
    )
    return [dict(row) for row in rows]


def _asked(
    at: Vector | None,
    state: str | None,
    sample: str | None,
    project: str | None,
    case: str | None,
    run: str | None,
) -> Where:
    samples, cases = relation(SAMPLES, at), relation(CASES, at)
    return (
        Where()
        .add("state = {}", state)
        .add("sample_id = {}", sample)
        .add("instrument_run_id = {}", run)
        .add(f"sample_id in (select sample_id from {cases} where case_id = {{}})", case)
        .add(
            f"sample_id in (select sample_id from {samples} where project_id = {{}} "
            f"union select sample_id from {cases} where project_id = {{}})",
            project, project,
        )
    )  # fmt: skip


async def upload_of(
    connection: Connection, upload_id: UUID, *, by: str | None = None, at: Vector | None = None
) -> Found | None:
    """What became of an upload, or of one `by` an account, also where a person named its sample."""
    where = _brought(at, by).add("upload_id = {}", upload_id)
    found = await one(connection, FILES, where, at, columns=WITH_STATUS)
    if found is None or found["state"] != "assigned":
        return found
    again = (
        Where()
        .add("object_key = {} and bucket = {}", found["object_key"], found["bucket"])
        .add("version_id = {} and sample_id = {}", found["version_id"], found["assigned_to"])
    )
    landed = await one(connection, FILES, again, at, columns=WITH_STATUS)
    return found if landed is None else landed | {"upload_id": upload_id}


def _brought(at: Vector | None, by: str | None) -> Where:
    # By its version: a person who names the sample of a file lets it land once more.
    return Where().add(
        "(bucket, object_key, version_id) in (select bucket, object_key, version_id "
        f"from {relation(FILES, at)} where landed_by = {{}})",
        by,
    )


async def version_of(
    connection: Connection,
    bucket: str,
    object_key: str,
    version_id: str,
    *,
    at: Vector | None = None,
) -> Found | None:
    """A version of a file that landed for a sample, by its place in the store."""
    where = Where().add("object_key = {} and bucket = {}", object_key, bucket)
    where.add("version_id = {} and state <> 'assigned'", version_id)
    return await one(connection, FILES, where, at, columns=WITH_STATUS)
