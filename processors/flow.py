"""What follows from what: every writer and every reader of events, on one screen."""

from __future__ import annotations

from dataclasses import dataclass

from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_opened import CaseOpened
from genoflow.events.catalogue import EVENTS
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.sample_registered import SampleRegistered
from genoflow.events.sample_sheet_amended import SampleSheetAmended
from genoflow.events.sample_sheet_attached import SampleSheetAttached
from genoflow.events.sample_sheet_refused import SampleSheetRefused
from genoflow.events.sequencing_run_completed import SequencingRunCompleted
from genoflow.events.sequencing_run_failed import SequencingRunFailed
from genoflow.events.sequencing_run_mirrored import SequencingRunMirrored
from genoflow.events.sequencing_run_started import SequencingRunStarted
from genoflow.processors.checksum_files import CHECKSUM_FILES
from genoflow.processors.clock import CLOCKS
from genoflow.processors.join_case import JOIN_CASE
from genoflow.processors.processor import Processor
from genoflow.processors.validate_files import VALIDATE_FILES
from genoflow.processors.watch_silence import WATCH_SILENCE


@dataclass(frozen=True, slots=True)
class Porch:
    """Brings facts of the outside world onto the log."""

    name: str
    emits: tuple[type[Event], ...]
    about: str


@dataclass(frozen=True, slots=True)
class ReadModel:
    """Keeps a view of the log in Postgres; it never answers with an event."""

    name: str
    on: tuple[type[Event], ...]
    about: str


Row = Porch | Processor | ReadModel

FLOW: tuple[Row, ...] = (
    Porch(
        "generated-run",
        emits=(
            SequencingRunStarted,
            SampleSheetAttached,
            SequencingRunCompleted,
            SampleRegistered,
            ReadSetRegistered,
            FileLanded,
        ),
        about="a seeded sequencing run, for the demonstration",
    ),
    Porch(
        "sequencer-watcher",
        emits=(
            SequencingRunStarted,
            SampleSheetAttached,
            SampleSheetRefused,
            SampleSheetAmended,
            SequencingRunCompleted,
            SequencingRunFailed,
            SequencingRunMirrored,
        ),
        about="takes in what instruments write: runs, sheets, and every file",
    ),
    Porch(
        "orders",
        emits=(CaseOpened, CaseClosed),
        about="orders of people and of their systems, checked before they are cases",
    ),
    JOIN_CASE,
    CHECKSUM_FILES,
    WATCH_SILENCE,
    VALIDATE_FILES,
    *CLOCKS,
    ReadModel("timeline", on=EVENTS, about="what happened to a subject, in order"),
)


PROCESSORS: dict[str, Processor] = {row.name: row for row in FLOW if isinstance(row, Processor)}
