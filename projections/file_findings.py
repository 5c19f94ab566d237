"""What validation found in files: a row for each finding that its verdict names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from genoflow.events.file_finding import FILE_FINDINGS_MAX
from genoflow.events.file_rejected import FileRejected
from genoflow.events.log.port import Vector
from genoflow.events.validated import Validated
from genoflow.projections.as_of import relation
from genoflow.projections.paging import Found, Where, page
from genoflow.projections.row import Row, Table, as_text
from genoflow.projections.store import Connection


@dataclass(frozen=True, slots=True)
class FileFindingRow(Row):
    """One rule that a version of a file breaks, and where."""

    file_id: UUID
    number: int  # the worst is 1
    sample_id: str
    code: str
    severity: str
    message: str
    line: int | None
    record: int | None
    byte: int | None


FINDINGS = Table(
    "file_findings", FileFindingRow, ("file_id", "number"), is_append_only=True,
    indexes=("(code)",),
)  # fmt: skip


def rows_of(file_id: UUID, event: Validated | FileRejected) -> Iterator[FileFindingRow]:
    """The rows of a verdict."""
    for number, one in enumerate(event.findings, start=1):
        yield FileFindingRow(
            file_id, number, event.sample_id, one.code, one.severity, as_text(one.message),
            one.line, one.record, one.byte,
        )  # fmt: skip


async def findings_of(
    connection: Connection, file_id: UUID, *, at: Vector | None = None
) -> Sequence[Found]:
    """What was found in one version of a file, the worst first."""
    select = f"select * from {relation(FINDINGS, at)}"
    where = Where().add("file_id = {}", file_id)
    return await page(connection, select, where, ("number",), after=None, limit=FILE_FINDINGS_MAX)
