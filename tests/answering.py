"""Facts that answer an earlier one of their subject: by chance alone they would never agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genoflow.events.demultiplex_completed import DemultiplexCompleted
from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.event import E, Event
from genoflow.events.sample_sheet_amended import SampleSheetAmended
from genoflow.events.sample_sheet_attached import SampleSheetAttached


def answering(event: E, before: Sequence[Event]) -> E:
    """The same fact as an answer to what came before it under its key, where it is one."""
    if isinstance(event, DemultiplexCompleted):
        asked = [one for one in before if isinstance(one, DemultiplexRequested)]
        newest = max(asked, key=lambda one: one.attempt, default=None)
        if newest is not None:
            sheets = (e for e in before if isinstance(e, SampleSheetAttached | SampleSheetAmended))
            revision = max((one.revision for one in sheets), default=1)
            return _changed(event, **_of(newest, event), sheet_revision=revision)
    return event


def _of(asked: DemultiplexRequested, event: DemultiplexCompleted) -> dict[str, Any]:
    library = event.libraries[0]
    of_rows = [
        library.model_copy(
            update={
                "sample_id": row.sample_id,
                "library_id": row.library_id,
                "lane": row.lane,
                "read_set_id": f"{row.library_id}.{asked.attempt}" if number else None,
            }
        )
        for number, row in enumerate(asked.rows)
    ]
    return {"attempt": asked.attempt, "libraries": tuple(of_rows)}


def _changed(event: E, **fields: Any) -> E:
    return type(event)(**dict(event) | fields).enveloped(event.envelope)
