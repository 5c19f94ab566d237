"""What makes the histories of retention meet: few files, short rules, and holds that end."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from genoflow.events import topics
from genoflow.events.deletion_proposed import DeletionProposed
from genoflow.events.demultiplex_completed import DemultiplexCompleted
from genoflow.events.demultiplex_reopened import DemultiplexReopened
from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.event import Event
from genoflow.events.file_assigned import FileAssigned
from genoflow.events.file_landed import FileLanded
from genoflow.events.legal_hold_placed import LegalHoldPlaced
from genoflow.events.legal_hold_released import LegalHoldReleased
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.results_published import ResultsPublished
from genoflow.events.sample_sheet_amended import SampleSheetAmended
from genoflow.events.sample_sheet_attached import SampleSheetAttached
from genoflow.events.sequencing_run_mirrored import SequencingRunMirrored
from genoflow.events.stored_version import StoredVersion
from genoflow.events.topics import Topic
from genoflow.processors.processor import Processor
from tests.examples import example
from tests.partition import MOMENT

FREQUENT = 0.6  # of the events are proposals or landings, or they would hardly meet
KEYS = ("a", "b")
TELLS: Mapping[Topic, tuple[type[Event], ...]] = {
    topics.SAMPLE: (FileLanded,),
    topics.RUN: (ResultsPublished,),
    topics.SEQUENCING_RUN: (
        FileLanded, SequencingRunMirrored, DemultiplexRequested, DemultiplexCompleted,
    ),
}  # fmt: skip
CLASSES: Mapping[Topic, tuple[str, ...]] = {
    topics.SAMPLE: ("reads", "reads", "delivery"),
    topics.RUN: ("results", "unpublished"),
    topics.SEQUENCING_RUN: ("undetermined", "run_folder", "run_folder"),
}


def taught(row: Processor, event: Event, source: random.Random) -> Event:
    """The event as the histories of these rows have it."""
    if source.random() < FREQUENT or isinstance(event, FileAssigned):
        kinds = (DeletionProposed, source.choice(TELLS[row.reads]))
        event = example(source.choice(kinds), source.randrange(10**9))
    if isinstance(event, LegalHoldPlaced) and source.random() < FREQUENT:
        event = example(LegalHoldReleased, source.randrange(10**9))
    return type(event)(**dict(event) | _narrowed(event, row.reads, source)).enveloped(
        event.envelope
    )


def _narrowed(event: Event, topic: Topic, source: random.Random) -> dict[str, Any]:
    place = {"bucket": "store", "object_key": source.choice(KEYS), "version_id": "1"}
    if isinstance(event, FileLanded):
        return {**place, "role": "R1"}
    if isinstance(event, ResultsCollected | ResultsPublished):
        return {"files": (event.files[0].model_copy(update=place),)}
    if isinstance(event, DeletionProposed):
        named = source.choice(CLASSES[topic])
        if named in ("run_folder", "delivery"):
            place["object_key"] = f"folder/{place['object_key']}"
        days = {"keep_days": 1, "put_at": MOMENT, "files": (StoredVersion(**place),)}
        return {"file_class": named, **days}
    if isinstance(event, LegalHoldPlaced | LegalHoldReleased):
        return {"hold_id": "court"}
    return _of_folder(event, source)


def _of_folder(event: Event, source: random.Random) -> dict[str, Any]:
    if isinstance(event, SequencingRunMirrored):
        sums = source.choice(("0" * 64, "0" * 64, "1" * 64))
        return {"bucket": "store", "prefix": "folder/", "manifest_sha256": sums}
    if isinstance(event, DemultiplexRequested | DemultiplexCompleted | DemultiplexReopened):
        number = {} if isinstance(event, DemultiplexReopened) else {"sheet_revision": 1}
        return {"attempt": source.choice((1, 1, 2)), **number}
    if isinstance(event, SampleSheetAttached | SampleSheetAmended):
        return {"revision": 1}
    return {}
