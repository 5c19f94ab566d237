"""Ten types of events that interleave on five topics, of subjects that come and go.

Fifty subjects of each type are busy at a time. Each has thirty events in turn with the others, then
others follow: a sample has its days, and a log holds many. Texts are hard ones, a third of their
letters beyond ASCII. The same number gives the same events.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count as numbers
from itertools import islice
from uuid import UUID

from genoflow.events.catalogue import EVENTS
from genoflow.events.event import Event
from tests.examples import example

TYPES = (
    "FileLanded", "Validated", "QcPassed", "RunSubmitted", "TaskCompleted", "ResultsPublished",
    "SampleRegistered", "CaseOpened", "FileChecksummed", "NotificationQueued",
)  # fmt: skip
SUBJECTS_OF_TYPE = 50
EVENTS_OF_SUBJECT = 30
SEED = 20_260_301


def interleaved(count: int) -> Iterator[Event]:
    """So many events, each with ids of its own; no two that follow each other are of one type."""
    return islice(_endless(), count)


def _endless() -> Iterator[Event]:
    models = {model.type(): model for model in EVENTS}
    chance = random.Random(SEED)
    for block in numbers():
        seeds = range(block * SUBJECTS_OF_TYPE, (block + 1) * SUBJECTS_OF_TYPE)
        subjects = [example(models[name], seed) for seed in seeds for name in TYPES]
        for _ in range(EVENTS_OF_SUBJECT):
            for event in subjects:
                ids = {name: _id(chance) for name in ("event_id", "correlation_id")}
                yield event.enveloped(event.envelope.model_copy(update=ids))


def _id(chance: random.Random) -> UUID:
    return UUID(int=chance.getrandbits(128), version=4)
