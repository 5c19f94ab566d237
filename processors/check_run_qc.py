"""A run that was told apart by barcode is judged as a whole, before its samples are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genoflow.events import topics
from genoflow.events.demultiplex_completed import DemultiplexCompleted
from genoflow.events.demultiplexed_library import DemultiplexedLibrary
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.measurement import Measurement
from genoflow.events.qc_profile_published import QcProfilePublished
from genoflow.events.sequencing_run_qc_failed import SequencingRunQcFailed
from genoflow.events.sequencing_run_qc_passed import SequencingRunQcPassed
from genoflow.events.threshold import Threshold
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.ports import Attempt
from genoflow.processors.processor import Call, Processor
from genoflow.processors.qc_metrics import RUN_UNITS, broken, in_words, judged
from genoflow.processors.repeated import Remembering, is_repeated, with_this

ASSAY = "sequencing-run"  # the profile that names it holds the thresholds of runs
DEFAULTS = "sequencing-run-defaults"
DEFAULTS_VERSION = "1"
DEFAULT_THRESHOLDS = (
    # PhiX is 1 to 5 % of a run, and misread barcodes below 5 %: above 10 % somebody should look.
    # Where half the run belongs to nobody, the sheet is another run's, or i5 is turned around.
    Threshold(metric="undetermined_fraction", unit="fraction", required_max=0.5, warn_max=0.1),
    # What a run yields depends on its instrument and flow cell, so only nothing at all is wrong.
    Threshold(metric="reads_total", unit="reads", required_min=1.0),
)


class Judged(Remembering):
    """How often a run was judged."""

    round: int = 0


class Judge(Arguments):
    """What is judged."""

    instrument_run_id: str
    round: int
    measurements: tuple[Measurement, ...]
    i5_looks_reversed: bool


def decide(state: Judged, event: DemultiplexCompleted) -> Decision:
    """Judge every demultiplexing once."""
    if is_repeated(state, event):
        return NOTHING
    judge = Judge(
        instrument_run_id=event.instrument_run_id,
        round=state.round + 1,
        measurements=tuple(
            Measurement(metric=metric, value=value, unit=RUN_UNITS[metric])
            for metric, value in values_of(event).items()
        ),
        i5_looks_reversed=event.i5_looks_reversed,
    )
    return Decision(effects=(Effect("choose-run-profile", judge),))


def evolve(state: Judged, event: DemultiplexCompleted) -> Judged:
    """Count the rounds."""
    if is_repeated(state, event):
        return state
    return Judged(round=state.round + 1, seen=with_this(state, event))


def values_of(event: DemultiplexCompleted) -> dict[str, float]:
    """The metrics of a run that its demultiplexing gives."""
    libraries = event.libraries
    reads_of_sample: dict[str, int] = {}
    for one in libraries:
        reads_of_sample[one.sample_id] = reads_of_sample.get(one.sample_id, 0) + one.reads
    found: dict[str, float | None] = {
        "reads_total": float(event.reads_total),
        "undetermined_fraction": event.undetermined_fraction,
        "samples_without_reads": float(sum(not reads for reads in reads_of_sample.values())),
        "bases_total": float(sum(one.bases or 0 for one in libraries)) or None,
        "q30_fraction": _mean(libraries, "q30_fraction", "bases"),
        "perfect_index_fraction": _mean(libraries, "perfect_index_fraction", "reads"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _mean(libraries: Sequence[DemultiplexedLibrary], metric: str, weight: str) -> float | None:
    pairs = [
        (value, getattr(one, weight) or 0)
        for one in libraries
        if (value := getattr(one, metric)) is not None
    ]
    whole = sum(count for _, count in pairs)
    return sum(value * count for value, count in pairs) / whole if whole else None


async def choose_run_profile(judge: Judge, attempt: Attempt) -> Sequence[Event]:
    """Judge by the lab's own profile of runs, else by the defaults."""
    if attempt.ports.catalog is None:
        raise Parked("choose-run-profile: this worker has no catalog; wire one")
    return [verdict(judge, await attempt.ports.catalog.default_for(QcProfilePublished, ASSAY))]


def verdict(judge: Judge, profile: QcProfilePublished | None) -> Event:
    """Whether the run is good enough by this profile."""
    thresholds = profile.run_thresholds if profile else DEFAULT_THRESHOLDS
    values = {one.metric: (one.value, one.unit) for one in judge.measurements}
    measured = judged(thresholds, values)
    said: dict[str, Any] = {
        "instrument_run_id": judge.instrument_run_id,
        "round": judge.round,
        "profile": profile.document_id if profile else DEFAULTS,
        "profile_version": profile.version if profile else DEFAULTS_VERSION,
        "measured": measured,
    }
    failures = broken(measured)
    if not failures:
        return SequencingRunQcPassed(**said)
    way_on = "Its samples wait: amend the sheet, sequence again, or let single samples go on"
    if judge.i5_looks_reversed:
        way_on = (
            "Many unknown barcodes match the sheet once i5 is turned around: amend the sheet, and "
            "it is demultiplexed again"
        )
    return SequencingRunQcFailed(**said, reason=in_words(failures, way_on))


CHECK_RUN_QC = Processor(
    "check-run-qc",
    reads=topics.SEQUENCING_RUN,
    on=(DemultiplexCompleted,),
    emits=(),
    decide=decide,
    evolve=evolve,
    state=Judged,
    effects=(
        Call(
            "choose-run-profile",
            arguments=Judge,
            emits=(SequencingRunQcPassed, SequencingRunQcFailed),
            perform=choose_run_profile,
        ),
    ),
    about="judges a sequencing run as a whole, by the profile of runs or by defaults",
)
