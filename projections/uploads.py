"""Uploads: a row for each file that somebody began to send, and the list of all that came."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from genoflow.events import topics
from genoflow.events.envelope import Envelope
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.port import Vector
from genoflow.events.log.recorded import Recorded
from genoflow.events.upload_abandoned import UploadAbandoned
from genoflow.events.upload_initiated import UploadInitiated
from genoflow.projections.as_of import relation
from genoflow.projections.files import FILES, OFFSET_MAX
from genoflow.projections.model import ReadModel
from genoflow.projections.paging import LIMIT_DEFAULT, LIMIT_MAX, Found, Where, one
from genoflow.projections.row import Row, Table
from genoflow.projections.store import Connection

INITIATED, LANDED, ABANDONED = "initiated", "landed", "abandoned"


@dataclass(frozen=True, slots=True)
class UploadRow(Row):
    """A file that somebody began to send."""

    upload_id: UUID
    sample_id: str
    state: str  # INITIATED, LANDED or ABANDONED
    since: datetime
    reason: str | None
    bucket: str
    object_key: str
    version_id: str | None
    store_upload_id: str | None
    filename: str
    size_bytes: int
    part_bytes: int | None
    checksum_algorithm: str
    format: str
    role: str
    read_set_id: str
    lane: int | None
    project_id: str | None
    sequencing_platform: str | None
    library_prep: str | None
    sequenced_on: str | None
    declared_md5: str | None
    declared_sha256: str
    initiated_at: datetime
    initiated_by: str  # whoever sends it, or for whom a program does
    completed_at: datetime | None


UPLOADS = Table(
    "uploads", UploadRow, ("upload_id",),
    indexes=(
        "(initiated_at, upload_id) where state <> 'landed'", "(initiated_by, state)",
        "(sample_id)", "using hash (object_key)",
    ),
)  # fmt: skip
KnownUploads = dict[UUID, UploadRow]

# What those who upload are told: the words of an upload that is open or was given up, then those
# of a file that is there.
WORDS = (
    "initiated", "uploaded", "validating", "completed", "validation_failed", "error", "failed",
)  # fmt: skip
OPEN_STATUS = f"case when state = '{INITIATED}' then 'initiated' else 'failed' end"
FILE_STATUS = """
case when state = 'valid' then 'completed'
    when state in ('rejected', 'mismatched', 'quarantined') then 'validation_failed'
    when waits_for = 'a person' then 'error'
    when state = 'tried' then 'validating'
    else 'uploaded' end
"""


class Uploads(ReadModel[KnownUploads]):
    """One row an upload, from its first word on."""

    name = "uploads"
    about = "files that callers send: how they are sent, and what became of it"
    reads = (topics.SAMPLE,)
    tables = (UPLOADS,)

    def begin(self, _: str) -> KnownUploads:
        """No upload is known."""
        return {}

    def project(self, state: KnownUploads, record: Recorded) -> Iterable[Row]:
        """The row of the upload that the event speaks of, if it is one that was begun here."""
        take = _TAKES.get(type(record.event))
        changed = take(state, record.event) if take else None
        if changed is not None:
            state[changed.upload_id] = changed
            yield changed


def _begun(known: KnownUploads, event: UploadInitiated) -> UploadRow | None:
    if event.upload_id in known:
        return None
    told: dict[str, Any] = {name: getattr(event, name) for name in _TOLD if name != "sequenced_on"}
    at = event.envelope.occurred_at
    return UploadRow(
        **told, state=INITIATED, since=at, reason=None, version_id=None,
        sequenced_on=event.sequenced_on.isoformat() if event.sequenced_on else None,
        initiated_at=at, initiated_by=_whose(event.envelope), completed_at=None,
    )  # fmt: skip


_TOLD = tuple(name for name in UploadInitiated.model_fields if name in UploadRow.__slots__)


def _whose(envelope: Envelope) -> str:
    return envelope.actor.on_behalf_of or envelope.actor.id


def _landed(known: KnownUploads, event: FileLanded) -> UploadRow | None:
    place = (event.bucket, event.object_key)
    found = (one for one in known.values() if (one.bucket, one.object_key) == place)
    before = next(found, None)
    if before is None or before.state == LANDED:
        return None
    at = event.envelope.occurred_at
    return replace(
        before, state=LANDED, since=at, completed_at=at, reason=None, version_id=event.version_id
    )


def _abandoned(known: KnownUploads, event: UploadAbandoned) -> UploadRow | None:
    before = known.get(event.upload_id)
    if before is None or before.state != INITIATED:
        return None
    at = event.envelope.occurred_at
    return replace(before, state=ABANDONED, since=at, reason=event.reason)


_TAKES: Mapping[type[Event], Callable[[KnownUploads, Any], UploadRow | None]] = {
    UploadInitiated: _begun,
    FileLanded: _landed,
    UploadAbandoned: _abandoned,
}


async def begun_upload(
    connection: Connection, upload_id: UUID, *, by: str | None = None, at: Vector | None = None
) -> Found | None:
    """An upload that was begun here, or one that `by` an account was."""
    where = Where().add("upload_id = {}", upload_id).add("initiated_by = {}", by)
    return await one(connection, UPLOADS, where, at)


async def count_open(connection: Connection, by: str | None = None) -> int:
    """How many uploads are open, or are those of an account."""
    where = Where().add("state = {}", INITIATED).add("initiated_by = {}", by)
    rows = await connection.fetch(
        f"select count(*) as number from {relation(UPLOADS, None)} {where}", *where.values
    )
    return int(rows[0]["number"])


async def list_uploads(
    connection: Connection,
    *,
    status: str | None = None,
    by: str | None = None,
    offset: int = 0,
    limit: int = LIMIT_DEFAULT,
    at: Vector | None = None,
) -> list[Found]:
    """Uploads with their status, the newest first: those that are open or were given up, and files.

    `by` is the account that brought them. A file that was assigned stands where it is now.
    """
    if not 0 <= offset <= OFFSET_MAX:
        raise Refused(f"offset {offset}: is 0 to {OFFSET_MAX:,}; ask for fewer by status")
    if not 1 <= limit <= LIMIT_MAX:
        raise Refused(f"limit {limit}: a page has 1 to {LIMIT_MAX:,} rows; ask for the next one")
    files, uploads = relation(FILES, at), relation(UPLOADS, at)
    where = Where()
    named = {name: where.value(value) for name, value in
             (("status", status), ("by", by), ("rows", offset + limit), ("limit", limit),
              ("offset", offset))}  # fmt: skip
    # Each branch goes along its own index, and what is dear is done for the rows of the page alone.
    query = f"""
    select coalesce(begun.upload_id, part.upload_id) as upload_id,
        coalesce(begun.filename, part.object_key) as filename,
        part.sample_id, part.status, part.size_bytes, part.created_at, part.object_key
    from (
        (select upload_id, sample_id, bucket, object_key, size_bytes, landed_at as created_at,
            {FILE_STATUS} as status
        from {files}
        where upload_id is not null and state <> 'assigned'
            and ({named["status"]}::text is null or {FILE_STATUS} = {named["status"]})
            and ({named["by"]}::text is null
                or (bucket, object_key, version_id) in (
                    select bucket, object_key, version_id from {files}
                    where landed_by = {named["by"]})
                or (bucket, object_key) in (
                    select bucket, object_key from {uploads}
                    where initiated_by = {named["by"]}))
        order by landed_at desc, upload_id desc limit {named["rows"]})
        union all
        (select upload_id, sample_id, bucket, object_key, size_bytes, initiated_at as created_at,
            {OPEN_STATUS} as status
        from {uploads}
        where state <> '{LANDED}'
            and ({named["status"]}::text is null or {OPEN_STATUS} = {named["status"]})
            and ({named["by"]}::text is null or initiated_by = {named["by"]})
        order by initiated_at desc, upload_id desc limit {named["rows"]})
    ) as part
    left join lateral (
        select uploads.upload_id, uploads.filename from {uploads}
        where uploads.object_key = part.object_key and uploads.bucket = part.bucket limit 1
    ) as begun on true
    order by part.created_at desc, part.upload_id desc
    limit {named["limit"]} offset {named["offset"]}
    """
    rows = await connection.fetch(query, *where.values)
    return [dict(row) for row in rows]
