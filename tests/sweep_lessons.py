"""What makes the histories of retention meet: few files, short rules, and holds that end."""

from __future__ import annotations

import random
from typing import Any

from genoflow.events import topics
from genoflow.events.deletion_proposed import DeletionProposed
from genoflow.events.event import Event
from genoflow.events.file_assigned import FileAssigned
from genoflow.events.file_landed import FileLanded
from genoflow.events.legal_hold_placed import LegalHoldPlaced
from genoflow.events.legal_hold_released import LegalHoldReleased
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.results_published import ResultsPublished
from genoflow.events.stored_version import StoredVersion
from genoflow.processors.processor import Processor
from tests.examples import example

FREQUENT = 0.6  # of the events are proposals or landings, or they would hardly meet
KEYS = ("a", "b")


def taught(row: Processor, event: Event, source: random.Random) -> Event:
    """The event as the histories of these rows have it."""
    of_run = row.reads is topics.RUN
    if source.random() < FREQUENT or isinstance(event, FileAssigned):
        files = ResultsPublished if of_run else FileLanded
        event = example(source.choice((DeletionProposed, files)), source.randrange(10**9))
    if isinstance(event, LegalHoldPlaced) and source.random() < FREQUENT:
        event = example(LegalHoldReleased, source.randrange(10**9))
    return type(event)(**dict(event) | _narrowed(event, of_run, source)).enveloped(event.envelope)


def _narrowed(event: Event, of_run: bool, source: random.Random) -> dict[str, Any]:
    place = {"bucket": "store", "object_key": source.choice(KEYS), "version_id": "1"}
    if isinstance(event, FileLanded):
        return {**place, "role": "R1"}
    if isinstance(event, ResultsCollected | ResultsPublished):
        return {"files": (event.files[0].model_copy(update=place),)}
    if isinstance(event, DeletionProposed):
        named = source.choice(("results", "unpublished")) if of_run else "reads"
        return {"file_class": named, "keep_days": 1, "files": (StoredVersion(**place),)}
    if isinstance(event, LegalHoldPlaced | LegalHoldReleased):
        return {"hold_id": "court"}
    return {}
