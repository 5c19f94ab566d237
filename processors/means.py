"""What all tasks of a worker share."""

from __future__ import annotations

from dataclasses import dataclass

from genoflow.events.codec import Codec
from genoflow.events.log.port import EventLog
from genoflow.events.spans import Spans
from genoflow.processors.reach import Reach
from genoflow.processors.runner import Runner


@dataclass(frozen=True, slots=True)
class Means:
    """The log, how its bytes are read, who does effects, and which program this is."""

    log: EventLog
    codec: Codec
    runner: Runner
    version: str
    revision: str
    reach: Reach
    spans: Spans | None = None  # who is told of what its transactions wrote
