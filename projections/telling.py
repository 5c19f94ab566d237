"""What is told of read models to who follows events' ways: which of them read which event."""

from __future__ import annotations

from collections.abc import Sequence

from genoflow.events.errors import GenoflowError
from genoflow.events.log.recorded import Recorded
from genoflow.events.spans import Spans, tell_rows
from genoflow.projections.writing import Share

# What is read later than this is read again, or by a read model that is new: nobody waits for it,
# and its trace was closed long ago.
NEWS_NS = 3_600 * 10**9


def tell_taken(spans: Spans, shares: Sequence[Share], began_ns: int) -> None:
    """Tell one span for each event that is news, with the read models that have read it.

    What cannot be read is told by nobody: it was set aside, and that is counted.
    """
    models: dict[tuple[str, int, int], list[str]] = {}
    records: dict[tuple[str, int, int], Recorded] = {}
    for share in shares:
        for batch in share.batches:
            for record in batch.records:
                if began_ns - record.timestamp_ms * 10**6 < NEWS_NS:
                    records[record.position] = record
                    models.setdefault(record.position, []).append(share.build.model.name)
    for place, record in records.items():
        try:
            event = record.event
        except GenoflowError:
            continue
        tell_rows(spans, event, record.position, models[place], began_ns)
