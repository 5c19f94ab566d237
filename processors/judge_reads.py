"""The metrics of a sample's reads are held against the profile by which they were asked for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.file_violations import FileViolations
from genoflow.events.measured import Measured
from genoflow.events.metric_names import READS_UNITS
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_metrics_recorded import QcMetricsRecorded
from genoflow.events.qc_passed import QcPassed
from genoflow.events.qc_requested import QcRequested
from genoflow.events.threshold import Threshold
from genoflow.events.types import METRICS_MAX, READS_MAX, Part
from genoflow.processors.decision import NOTHING, Decision
from genoflow.processors.materials import split_by_material
from genoflow.processors.processor import Processor
from genoflow.processors.qc_metrics import SHOWN_MAX, broken, in_words, judged
from genoflow.processors.repeated import Remembering, is_repeated, with_this
from genoflow.processors.strictness import STANDARD, STRICT, counted, not_taken, total_of

ROUNDS_OPEN_MAX = 100  # asked and not yet measured: measuring takes moments


class Asked(Part):
    """What a round requires."""

    round: int
    material: str
    size_bases: int
    thresholds: tuple[Threshold, ...]
    validation: str = STANDARD
    violating: tuple[FileViolations, ...] = ()  # under a strict profile alone


class Rounds(Remembering):
    """The rounds of one sample that wait for their metrics."""

    open: tuple[Asked, ...] = ()


def evolve(state: Rounds, event: Event) -> Rounds:
    """Keep what is asked until it is judged."""
    if is_repeated(state, event):
        return state
    assert isinstance(event, QcRequested | QcMetricsRecorded)
    still = tuple(one for one in state.open if one.round != event.round)
    if isinstance(event, QcRequested):
        asked = Asked(
            round=event.round,
            material=event.material,
            size_bases=event.target_bases or event.genome_bases,
            thresholds=event.thresholds,
            validation=event.validation,
            violating=event.violating if event.validation == STRICT else (),
        )
        still = (*still, asked)[-ROUNDS_OPEN_MAX:]
    return Rounds(open=still, seen=with_this(state, event))


def decide(state: Rounds, event: QcMetricsRecorded) -> Decision:
    """Say passed or failed, with every metric beside what was required of it."""
    asked = next((one for one in state.open if one.round == event.round), None)
    if asked is None or is_repeated(state, event):
        return NOTHING
    union = [one for one in event.measurements if one.read_set_id is None]
    values = {one.metric: (one.value, one.unit) for one in union}
    fitting, others = split_by_material(asked.thresholds, asked.material, values)
    strictly = counted(asked.validation, total_of(asked.violating))
    why = {one.metric: one.reason for one in event.unknown}
    known = (*strictly, *judged(fitting, values), *others)
    measured = (*known, *_untold(why, known))[:METRICS_MAX]
    said: dict[str, Any] = {
        "sample_id": event.sample_id,
        "round": event.round,
        "profile": event.profile,
        "profile_version": event.profile_version,
        "read_set_ids": event.read_set_ids,
        "measured": measured,
    }
    failures = broken(measured)
    if asked.violating:
        return Decision(events=(_violations(event, said, asked, failures),))
    if not fitting:
        return Decision(events=(_nothing_to_judge(event, said, asked),))
    if not failures:
        return Decision(events=(QcPassed(**said),))
    missing = reads_missing(failures, {name: v for name, (v, _) in values.items()}, asked)
    failed = QcFailed(
        **said,
        reason_code="below threshold",
        reason=in_words(failures, _way_on(event.sample_id, missing), why),
        reads_missing=missing,
    )
    return Decision(events=(failed,))


def _untold(why: Iterable[str], known: Iterable[Measured]) -> Iterable[Measured]:
    """What was looked for and cannot be told, where no threshold names it: it stands there, too."""
    named = {one.metric for one in known}
    for metric in why:
        if metric in READS_UNITS and metric not in named:
            unit = READS_UNITS[metric]
            yield Measured(metric=metric, value=0.0, unit=unit, verdict="not judged")


def _violations(
    event: QcMetricsRecorded, said: Mapping[str, Any], asked: Asked, failures: Sequence[Measured]
) -> QcFailed:
    """Files that the profile does not take: other files are another round, whatever they yield."""
    way_on = (
        f"Send what is right under the same name, or let it go on with a reason: "
        f"genoflow qc override {event.sample_id}"
    )
    return QcFailed(
        **said,
        reason_code="violations",
        reason=not_taken(event.profile, event.profile_version, asked.violating, failures, way_on),
    )


def _nothing_to_judge(event: QcMetricsRecorded, said: Mapping[str, Any], asked: Asked) -> QcFailed:
    """A verdict that rests on nothing is none: what enters as variants has a profile of its own."""
    names = ", ".join(one.metric for one in asked.thresholds[:SHOWN_MAX])
    return QcFailed(
        **said,
        reason_code="below threshold",
        reason=f"the profile {event.profile} {event.profile_version} asks for {names}, and none of "
        f"it can be told of a {asked.material}. Order it with a QC profile for {asked.material}, "
        f"or let it go on with a reason: genoflow qc override {event.sample_id}",
    )


def _way_on(sample_id: str, missing: int | None) -> str:
    override = f"let it go on with a reason: genoflow qc override {sample_id}"
    if missing is None:
        return f"More reads would not mend it: prepare the sample again, or {override}"
    return (
        f"About {missing:,} more reads would be enough: genoflow qc top-up {sample_id}; "
        f"or {override}"
    )


def reads_missing(
    failures: Iterable[Measured], values: Mapping[str, float], asked: Asked
) -> int | None:
    """How many more reads like these would be enough; None where more reads cannot mend it."""
    reads, bases = values.get("reads", 0.0), values.get("bases", 0.0)
    bases_per_read = bases / reads if reads else 0.0
    wanted: list[float] = []
    for one in failures:
        short = (one.required_min or 0.0) - one.value
        if one.verdict != "fail" or short <= 0:
            return None
        if one.metric == "reads":
            wanted.append(short)
        elif one.metric in ("bases", "mean_coverage") and bases_per_read:
            size = asked.size_bases if one.metric == "mean_coverage" else 1
            wanted.append(short * size / bases_per_read)
        else:
            return None
    return min(math.ceil(max(wanted)), READS_MAX) if wanted else None


JUDGE_READS = Processor(
    "judge-reads",
    reads=topics.SAMPLE,
    on=(QcMetricsRecorded,),
    folds=(QcRequested,),
    emits=(QcPassed, QcFailed),
    decide=decide,
    evolve=evolve,
    state=Rounds,
    about="says whether the reads of a sample are good enough, metric by metric",
)
