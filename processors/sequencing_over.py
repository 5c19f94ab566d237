"""When the folder of an instrument's run is needed no more: it was read by its newest sheet.

A sheet that is amended, a folder that is copied anew and a demultiplexing that is asked for once
more read the folder again: from each of them on the run is not over, until the newest attempt is
completed by the newest sheet. An attempt that failed ends nothing: a person reopens it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from genoflow.events.demultiplex_completed import DemultiplexCompleted
from genoflow.events.demultiplex_reopened import DemultiplexReopened
from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.event import Event
from genoflow.events.expected_file import ExpectedFile
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.sample_sheet_amended import SampleSheetAmended
from genoflow.events.sample_sheet_attached import SampleSheetAttached
from genoflow.events.sequencing_run_mirrored import SequencingRunMirrored
from genoflow.events.validated import Validated
from genoflow.processors.retained import Subject

OF_FOLDER: tuple[type[Event], ...] = (
    SampleSheetAttached, SampleSheetAmended, SequencingRunMirrored, DemultiplexRequested,
    DemultiplexCompleted, DemultiplexReopened,
)  # fmt: skip
OF_READS: tuple[type[Event], ...] = (ReadSetRegistered, Validated, ReadSetInvalidated)
Change = dict[str, object]


def of_folder(state: Subject, event: Event) -> Change:
    """What changes of what is known of a run of an instrument."""
    match event:
        case SampleSheetAttached() | SampleSheetAmended():
            return _sheet(state, event)
        case SequencingRunMirrored() if event.manifest_sha256 != state.manifest:
            place = f"{event.bucket}/{event.prefix}"
            places = tuple(dict.fromkeys((*state.work_places, place)))
            return {"manifest": event.manifest_sha256, "work_places": places, "is_over": False}
        case DemultiplexRequested() if event.attempt > state.attempt:
            return {"attempt": event.attempt, "is_over": False}
        case DemultiplexReopened() if event.attempt == state.attempt:
            return {"is_over": False}
        case DemultiplexCompleted():
            return _completed(state, event)
    return {}


def _sheet(state: Subject, event: SampleSheetAttached | SampleSheetAmended) -> Change:
    # Who stood on an earlier sheet has reads in the folder too, under whichever name.
    samples = (*state.sample_ids, *(row.sample_id for row in event.rows))
    change: Change = {"sample_ids": tuple(dict.fromkeys(samples))}
    if event.revision > state.sheet_revision:
        change |= {"sheet_revision": event.revision, "is_over": False}
    return change


def _completed(state: Subject, event: DemultiplexCompleted) -> Change:
    if event.attempt != state.attempt or event.sheet_revision < state.sheet_revision:
        return {}
    return {
        "is_over": True,
        "last_at": event.envelope.occurred_at,
        "read_sets": tuple(one.read_set_id for one in event.libraries if one.read_set_id),
    }


@dataclass(slots=True)
class Reads:
    """Which read sets are registered and whole, as the events of their samples say."""

    _missing: dict[str, set[ExpectedFile]] = field(default_factory=dict)
    _settled: set[str] = field(default_factory=set)

    def take(self, event: Event) -> None:
        """Keep what it says; each sample's events come in their order."""
        if isinstance(event, ReadSetRegistered):
            if event.read_set_id not in self._settled:
                self._missing.setdefault(event.read_set_id, {*event.expected_files})
        elif isinstance(event, Validated) and event.read_set_id in self._missing:
            waited = self._missing[event.read_set_id]
            waited -= {one for one in waited if _is(one, event)}
            if not waited:
                self._settle(event.read_set_id)
        elif isinstance(event, ReadSetInvalidated):
            self._settle(event.read_set_id)  # nobody waits for its files any more

    def _settle(self, read_set_id: str) -> None:
        self._missing.pop(read_set_id, None)
        self._settled.add(read_set_id)

    def unsettled(self, state: Subject) -> list[str]:
        """The read sets of a run that are not registered yet, or not whole."""
        return [one for one in state.read_sets if one not in self._settled]


def _is(expected: ExpectedFile, found: Validated) -> bool:
    lane_fits = expected.lane is None or found.lane in (None, expected.lane)
    return expected.role == found.role and lane_fits
