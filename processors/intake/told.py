"""What the log says of a run already: the watcher's only memory that outlives it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol
from uuid import UUID

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.log.port import EventLog, Vector
from genoflow.events.sample_sheet_amended import SampleSheetAmended
from genoflow.events.sample_sheet_attached import SampleSheetAttached
from genoflow.events.sample_sheet_refused import SampleSheetRefused
from genoflow.events.sequencing_run_completed import SequencingRunCompleted
from genoflow.events.sequencing_run_failed import SequencingRunFailed
from genoflow.events.sequencing_run_mirrored import SequencingRunMirrored
from genoflow.events.sequencing_run_started import SequencingRunStarted

# Failures that a folder can recover from: the files come after all, the disk is mounted again.
PASSING = frozenset({"files missing", "folder unreadable", "silent"})


@dataclass(frozen=True, slots=True)
class Told:
    """The facts of one run that stand on the log, folded in their order."""

    run_folder: str | None = None
    started_id: UUID | None = None
    revision: int = 0
    sheet_sha256: str | None = None
    refused: frozenset[str] = frozenset()  # checksums of sheets
    completed: tuple[int, int] | None = None  # files and bytes
    failed: frozenset[str] = frozenset()  # reason codes
    mirrored: bool = False

    @property
    def is_lost(self) -> bool:
        """Whether the run failed in a way that its folder cannot mend."""
        return bool(self.failed - PASSING)


NOTHING_TOLD = Told()


def fold(told: Told, event: Event) -> Told:
    """What is told once this event stands on the log; others than the watcher's change nothing."""
    changes: dict[str, Any] = {}
    if isinstance(event, SequencingRunStarted):
        changes = {"started_id": event.envelope.event_id, "run_folder": event.run_folder}
    elif isinstance(event, SampleSheetAttached | SampleSheetAmended):
        changes = {"revision": event.revision, "sheet_sha256": event.sheet_sha256}
    elif isinstance(event, SampleSheetRefused):
        changes = {"refused": told.refused | {event.sheet_sha256}}
    elif isinstance(event, SequencingRunCompleted):
        changes = {"completed": (event.file_count, event.total_bytes)}
    elif isinstance(event, SequencingRunFailed):
        changes = {"failed": told.failed | {event.reason_code}}
    elif isinstance(event, SequencingRunMirrored):
        changes = {"mirrored": True}
    return replace(told, **changes)


FOLDED = frozenset(
    event.type()
    for event in (
        SequencingRunStarted, SampleSheetAttached, SampleSheetAmended, SampleSheetRefused,
        SequencingRunCompleted, SequencingRunFailed, SequencingRunMirrored,
    )
)  # fmt: skip


class RunLog(Protocol):
    """The log as the watcher needs it."""

    async def catch_up(self) -> None:
        """Read what was appended since the last call, by whomever."""

    def told(self, run_id: str) -> Told:
        """What the log says of a run, as of the last call of `catch_up` or `append`."""

    async def append(self, event: Event) -> None:
        """Append one fact; it is told when this returns."""


class LogOfRuns:
    """RunLog over the topic of sequencing runs, which is read once and then followed."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._at: Vector = {}
        self._told: dict[str, Told] = {}
        self._seen: set[str] = set()

    async def catch_up(self) -> None:
        """Fold what stands between the last place and the end; a repeated id counts once."""
        topic = topics.SEQUENCING_RUN.name
        ends = await self._log.ends(topic)
        start = self._at or await self._log.starts(topic)
        async for record in self._log.read(start, ends):
            if record.type in FOLDED and record.event_id not in self._seen:
                self._seen.add(record.event_id)
                self._fold(record.event)
        self._at = ends

    def told(self, run_id: str) -> Told:
        """What is known of the run here and now."""
        return self._told.get(run_id, NOTHING_TOLD)

    async def append(self, event: Event) -> None:
        """Append it, and fold it when it comes back: two watchers then agree on the order."""
        await self._log.append(event)
        await self.catch_up()

    def _fold(self, event: Event) -> None:
        self._told[event.key] = fold(self.told(event.key), event)
