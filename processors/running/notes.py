"""What an attempt leaves in its folder for whoever asks again: whose it is, and how it began.

Tasks that have ended stand in the engine's trace. That the run has begun the engine says only once,
so this is kept beside it until the folder goes, which is when all news stand on the log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from genoflow.processors.running.nextflow import rows_of

ENGINE = "engine"  # below the folder of the run, where the engine works
TRACE = "trace.tsv"
NOTE = "attempt.json"


class Begun(BaseModel):
    """What the engine said when it began, and when."""

    model_config = ConfigDict(frozen=True)

    engine_version: str
    at: datetime
    body: str  # the payload of weblog, as it came


class Note(BaseModel):
    """Which job works in this folder, and how it began, where that was said."""

    model_config = ConfigDict(frozen=True)

    job_id: UUID
    begun: Begun | None = None


@dataclass(frozen=True, slots=True)
class Notes:
    """All that a folder says of a job."""

    begun: Begun | None
    rows: Sequence[Mapping[str, str]]  # of the trace


def note_job(folder: Path, job_id: UUID) -> None:
    """From now on the folder is this job's; the trace of an earlier one goes before."""
    (folder / ENGINE / TRACE).unlink(missing_ok=True)
    _write(folder, Note(job_id=job_id))


def note_begin(folder: Path, job_id: UUID, engine_version: str, body: bytes, at: datetime) -> None:
    """Keep what the engine said when it began."""
    text = body.decode(errors="replace")
    _write(
        folder, Note(job_id=job_id, begun=Begun(engine_version=engine_version, at=at, body=text))
    )


def is_begin(body: bytes) -> bool:
    """Whether a payload says that a run has begun."""
    try:
        said = json.loads(body)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("event") == "started"


def _write(folder: Path, note: Note) -> None:
    new = folder / f"{NOTE}.new"
    new.write_text(note.model_dump_json(), encoding="utf-8")
    new.replace(folder / NOTE)


def read_notes(folder: Path, job_id: UUID) -> Notes | None:
    """What the folder says of this job; None where it is another one's, or is gone."""
    try:
        note = Note.model_validate_json((folder / NOTE).read_bytes())
        if note.job_id != job_id:
            return None
        return Notes(note.begun, [*rows_of(folder / ENGINE / TRACE)])
    except (OSError, ValidationError):
        return None
