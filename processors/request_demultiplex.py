"""A run that is complete, mirrored and has a sheet is demultiplexed; an amended sheet, anew.

So is an attempt that failed, where a person says that what made it fail is mended.
"""

from __future__ import annotations

from collections.abc import Sequence

from genoflow.events import topics
from genoflow.events.demultiplex_reopened import DemultiplexReopened
from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.event import Event
from genoflow.events.read_cycles import ReadCycles
from genoflow.events.sample_sheet_amended import SampleSheetAmended
from genoflow.events.sample_sheet_attached import SampleSheetAttached
from genoflow.events.sample_sheet_row import SampleSheetRow
from genoflow.events.sequencing_run_completed import SequencingRunCompleted
from genoflow.events.sequencing_run_failed import SequencingRunFailed
from genoflow.events.sequencing_run_mirrored import SequencingRunMirrored
from genoflow.events.sequencing_run_started import SequencingRunStarted
from genoflow.events.types import Part
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.demultiplexing.names import output_prefix
from genoflow.processors.ports import Attempt
from genoflow.processors.processor import Call, Processor, State

NAME = "request-demultiplex"


class FlowCell(Part):
    """What RunInfo says."""

    flow_cell_id: str
    reads: tuple[ReadCycles, ...]


class Sheet(Part):
    """The sheet that holds now."""

    sheet_revision: int
    sheet_sha256: str
    rows: tuple[SampleSheetRow, ...]
    override_cycles: str | None
    i5_orientation: str
    barcode_mismatches_index1: int
    barcode_mismatches_index2: int
    adapter_read1: str | None
    adapter_read2: str | None


class Mirror(Part):
    """The copy that holds now."""

    bucket: str
    prefix: str
    manifest_sha256: str


class Run(State):
    """What is there of a run."""

    flow_cell: FlowCell | None = None
    sheet: Sheet | None = None
    mirror: Mirror | None = None
    mirrors_seen: tuple[str, ...] = ()  # by the checksum of their manifests
    completed: bool = False
    failed: bool = False
    attempts: int = 0


class Plan(Arguments):
    """All that is known of a run that is ready; the deployment's choice is still missing."""

    instrument_run_id: str
    attempt: int
    flow_cell: FlowCell
    sheet: Sheet
    mirror: Mirror


Sheets = SampleSheetAttached | SampleSheetAmended


def decide(state: Run, event: Event) -> Decision:
    """Plan when the last thing that was missing comes, and again when one is replaced."""
    after = evolve(state, event)
    if after.attempts == state.attempts:
        return NOTHING
    assert after.flow_cell is not None
    assert after.sheet is not None
    assert after.mirror is not None
    plan = Plan(
        instrument_run_id=event.key,
        attempt=after.attempts,
        flow_cell=after.flow_cell,
        sheet=after.sheet,
        mirror=after.mirror,
    )
    return Decision(effects=(Effect("plan", plan),))


def evolve(state: Run, event: Event) -> Run:
    """Keep what came; a ready run that changed is one attempt more."""
    after = _with(state, event)
    ready = after.completed and not after.failed
    ready = ready and None not in (after.flow_cell, after.sheet, after.mirror)
    # A person who answers an older attempt answers nothing: another one has been made since.
    again = isinstance(event, DemultiplexReopened) and event.attempt == state.attempts
    if not ready or (after is state and not again):
        return after
    return after.model_copy(update={"attempts": state.attempts + 1})


def _with(state: Run, event: Event) -> Run:
    match event:
        case SequencingRunStarted() if state.flow_cell is None:
            cell = FlowCell(flow_cell_id=event.flow_cell_id, reads=event.reads)
            return state.model_copy(update={"flow_cell": cell})
        case SampleSheetAttached() | SampleSheetAmended() if _is_newer(state, event):
            return state.model_copy(update={"sheet": _sheet(event)})
        case SequencingRunMirrored() if event.manifest_sha256 not in state.mirrors_seen:
            mirror = Mirror(
                bucket=event.bucket, prefix=event.prefix, manifest_sha256=event.manifest_sha256
            )
            seen = (*state.mirrors_seen, event.manifest_sha256)
            return state.model_copy(update={"mirror": mirror, "mirrors_seen": seen})
        case SequencingRunCompleted() if not state.completed:
            return state.model_copy(update={"completed": True})
        case SequencingRunFailed() if not state.failed:
            return state.model_copy(update={"failed": True})
    return state


def _is_newer(state: Run, event: Sheets) -> bool:
    return state.sheet is None or event.revision > state.sheet.sheet_revision


def _sheet(event: Sheets) -> Sheet:
    return Sheet(
        sheet_revision=event.revision,
        sheet_sha256=event.sheet_sha256,
        rows=event.rows,
        override_cycles=event.override_cycles,
        i5_orientation=event.i5_orientation,
        barcode_mismatches_index1=event.barcode_mismatches_index1,
        barcode_mismatches_index2=event.barcode_mismatches_index2,
        adapter_read1=event.adapter_read1,
        adapter_read2=event.adapter_read2,
    )


async def plan(arguments: Plan, attempt: Attempt) -> Sequence[Event]:
    """Add what the deployment has chosen: from here on it stands on the log."""
    chosen = attempt.ports.deployment
    requested = DemultiplexRequested(
        instrument_run_id=arguments.instrument_run_id,
        attempt=arguments.attempt,
        adapter=chosen.demultiplexer,
        output_bucket=chosen.reads_bucket,
        output_prefix=output_prefix(arguments.instrument_run_id, arguments.attempt),
        **dict(arguments.flow_cell),
        **dict(arguments.sheet),
        **dict(arguments.mirror),
    )
    return [requested]


REQUEST_DEMULTIPLEX = Processor(
    NAME,
    reads=topics.SEQUENCING_RUN,
    on=(
        SequencingRunStarted,
        SampleSheetAttached,
        SampleSheetAmended,
        SequencingRunCompleted,
        SequencingRunMirrored,
        DemultiplexReopened,
    ),
    folds=(SequencingRunFailed,),
    emits=(),
    decide=decide,
    evolve=evolve,
    state=Run,
    effects=(Call("plan", arguments=Plan, emits=(DemultiplexRequested,), perform=plan),),
    about="asks for demultiplexing when a run is complete, mirrored and has a sheet",
)
