"""A requested demultiplexing is run as a job, and ends as a fact: completed, or failed and why."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from uuid import UUID

from pydantic import ValidationError

from genoflow.events import topics
from genoflow.events.demultiplex_completed import DemultiplexCompleted
from genoflow.events.demultiplex_failed import DemultiplexFailed
from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.event import Event
from genoflow.events.sequencing_run_mirrored import SequencingRunMirrored
from genoflow.processors.decision import NOTHING, Decision, Effect, effect_id
from genoflow.processors.demultiplexing.manifest import Failed, Manifest, Request, tail_of
from genoflow.processors.job_outcome import OUTPUT_BYTES_MAX, JobOutcome, read_outcome
from genoflow.processors.ports import JobOrder
from genoflow.processors.processor import Job, Processor, State

NAME = "demultiplex"
EFFECT = "demultiplex"
# The program ends its tool after a day; what is left are transfers of 2 TB at 50 MB/s, 11 h.
SECONDS_MAX = 2 * 86_400
KILLED = 9  # the signal with which a system ends what takes too much memory
SHELLS_SAY = 128  # and the number of the signal


class Demultiplexing(State):
    """Which attempt is wanted, and where the lists of the run's files are."""

    attempt: int = 0
    opened_by: UUID | None = None
    manifests: tuple[tuple[str, str], ...] = ()  # checksum and key


def decide(state: Demultiplexing, event: DemultiplexRequested) -> Decision:
    """Run the newest attempt; an older one that still runs is wanted no more."""
    if event.attempt <= state.attempt:
        return NOTHING
    request = Request(
        requested=DemultiplexRequested(**dict(event)),
        manifest_key=dict(state.manifests).get(event.manifest_sha256),
    )
    older = () if state.opened_by is None else (effect_id(state.opened_by, NAME, EFFECT),)
    return Decision(effects=(Effect(EFFECT, request),), closes=older)


def evolve(state: Demultiplexing, event: Event) -> Demultiplexing:
    """Remember the newest attempt, and every list."""
    if isinstance(event, SequencingRunMirrored):
        listed = (event.manifest_sha256, event.manifest_key)
        if listed in state.manifests:
            return state
        return state.model_copy(update={"manifests": (*state.manifests, listed)})
    assert isinstance(event, DemultiplexRequested)
    if event.attempt <= state.attempt:
        return state
    return state.model_copy(update={"attempt": event.attempt, "opened_by": event.envelope.event_id})


def order(arguments: Request) -> JobOrder:
    """The program that reads the request on its standard input."""
    program = (sys.executable, "-m", "genoflow.deploy.demultiplex")
    return JobOrder(
        program,
        arguments.model_dump_json().encode(),
        labels=(("genoflow:sequencing-run", arguments.requested.instrument_run_id),),
        seconds_max=SECONDS_MAX,
    )


def collect(arguments: Request, body: bytes) -> Sequence[Event]:
    """What the manifest says; without a whole one it has failed, whatever the exit code is."""
    outcome = read_outcome(body)
    manifest, fault = _manifest(outcome)
    asked = arguments.requested
    same = {
        "instrument_run_id": asked.instrument_run_id,
        "attempt": asked.attempt,
        "sheet_revision": asked.sheet_revision,
    }
    if manifest is not None and manifest.completed is not None and outcome.exit_code == 0:
        flow_cell = asked.flow_cell_id
        return [DemultiplexCompleted(**same, flow_cell_id=flow_cell, **dict(manifest.completed))]
    failed = manifest.failed if manifest is not None else None
    failed = failed or _without_manifest(outcome, fault)
    return [DemultiplexFailed(**same, tool=asked.adapter, **dict(failed))]


def _manifest(outcome: JobOutcome) -> tuple[Manifest | None, str]:
    if outcome.output_size_bytes > OUTPUT_BYTES_MAX:
        return None, f"its manifest has {outcome.output_size_bytes:,} bytes and 1 MiB is taken"
    if not outcome.output.strip():
        return None, "it printed no manifest"
    try:
        return Manifest.model_validate_json(outcome.output), ""
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in fault["loc"]) or "the whole"
        return None, f"its manifest cannot be read ({where}: {fault['msg']})"


def _without_manifest(outcome: JobOutcome, fault: str) -> Failed:
    tail = tail_of(outcome.error_tail)
    code = outcome.exit_code
    number = -code if code < 0 else code - SHELLS_SAY if code > SHELLS_SAY else 0
    if number == KILLED:
        return Failed(
            reason_code="out of memory",
            reason="the program was killed (signal 9), as a system does where memory runs out; "
            "give the machine more memory or the program less work at once, then "
            "`genoflow demultiplex again`",
            error_tail=tail,
        )
    if number > 0:
        return Failed(
            reason_code="tool failed",
            reason=f"the program was ended by signal {number} before it was done; see who ended "
            f"it, then `genoflow demultiplex again`",
            error_tail=tail,
        )
    if code == 0:
        return Failed(
            reason_code="output missing",
            reason=f"the program ended with exit code 0, but {fault or 'says no success'}; read "
            f"the end of what it wrote and mend it, then `genoflow demultiplex again`",
            exit_code=0,
            error_tail=tail,
        )
    return Failed(
        reason_code="tool failed",
        reason=f"the program ended with exit code {code}; read the end of what it wrote and mend "
        f"it, then `genoflow demultiplex again`",
        exit_code=code if 0 < code <= 255 else None,
        error_tail=tail,
    )


DEMULTIPLEX = Processor(
    NAME,
    reads=topics.SEQUENCING_RUN,
    on=(DemultiplexRequested,),
    folds=(SequencingRunMirrored,),
    emits=(),
    decide=decide,
    evolve=evolve,
    state=Demultiplexing,
    effects=(
        Job(
            EFFECT,
            arguments=Request,
            emits=(DemultiplexCompleted, DemultiplexFailed),
            order=order,
            collect=collect,
            seconds_max=SECONDS_MAX,
        ),
    ),
    about="tells the reads of a run apart, by the newest sheet",
)
