"""What is charted: from the values of samples to one value of a sequencing run, and to words.

A run is the unit. Its samples share a flow cell, a loading and a day, so they are no more
independent than one, and a chart of samples would take a bad day for hundreds of bad samples. Its
value is the median of its samples of one assay, so one bad sample moves it little.

| what | from |
|---|---|
| values of reads | QcMetricsRecorded: good ones and bad ones; QcPassed has the good ones alone |
| values of results | ResultsCollected: likewise, before anybody judges them |
| the run and the lanes of a sample | ReadSetRegistered, by the read sets that were measured |
| instrument, chemistry, flow cell | SequencingRunStarted of that run |
| assay | QcRequested of that round, or RunRequested of that pipeline run |

A sample whose reads come from several runs (a top-up) is of no one of them. Where its yield and its
Q30 are told for each read set, they count for the runs of these; the rest is charted nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from statistics import median
from typing import NamedTuple, Protocol
from uuid import UUID

from genoflow.events.identity import external_id
from genoflow.events.qc_metrics_recorded import QcMetricsRecorded
from genoflow.events.types import Part
from genoflow.processors.qc_metrics import number
from genoflow.processors.watchtower.charts import Alarm, Rule, Scale, Sides

READS, RESULTS = "reads", "results"
YIELD = "bases"  # what is added over read sets; of a share the mean is by these weights
# The metrics of `events/metric_registry.py` that are charted. Depth of reads is their yield over a
# constant, so coverage is that of results. More duplicates and more foreign reads are worse; fewer
# are what everybody works for, so those two are told one way. A Q30 or a yield that rises is told:
# a flow cell loaded otherwise, or another version of a program, looks like that.
CHARTED = (
    Rule("q30_fraction", READS, "fraction", Scale.LOGIT, Sides.BOTH, 1e-6, 0.001),
    Rule("bases", READS, "bases", Scale.LOG, Sides.BOTH, 1.0, 0.001),
    Rule("mean_coverage", RESULTS, "x", Scale.LOG, Sides.BOTH, 0.01, 0.001),
    Rule("ti_tv", RESULTS, "ratio", Scale.LOG, Sides.BOTH, 0.001, 0.001),
    Rule("duplicate_fraction", RESULTS, "fraction", Scale.LOGIT, Sides.UP, 1e-4, 0.01),
    # Below some thousandths an estimate of contamination is noise: there the scale is flat.
    Rule("contamination", RESULTS, "fraction", Scale.LOGIT, Sides.UP, 0.002, 0.02),
)
RULES: Mapping[tuple[str, str], Rule] = {(one.of, one.metric): one for one in CHARTED}
CUSUM = "cusum"  # a rule's other chart, ewma, is told in its alerts, and alarms nobody
UNKNOWN = "unknown"  # a run whose RunParameters name no chemistry has charts of its own
SETTLE_SECONDS = 86_400  # a run whose samples say nothing new for a day has said all that it will
FIGURES_MAX = 20  # of an alert: ten numbers of the chart, and ten lanes; no flow cell has more
Figure = tuple[str, float, str, float | None]  # name, value, unit, limit


class OfLane(Part):
    """What a sample gave in one lane."""

    lane: int
    value: float


class OfSample(Part):
    """What one sample says of a run, and in its lanes where that is told."""

    sample_id: str
    version: int  # the round of QC; 1 for results: the first of a sample's orders counts
    value: float
    lanes: tuple[OfLane, ...] = ()


class Told(NamedTuple):
    """One value of one sample, and of which run and for which assay it is."""

    instrument_run_id: str
    of: str
    metric: str
    assay: str
    sample: OfSample


class ChartName(Part):
    """Which chart: instrument, chemistry and assay, and the metric of reads or of results."""

    of: str
    metric: str
    instrument_id: str
    chemistry: str
    assay: str

    @property
    def key(self) -> str:
        """The name as one word; a bar in a part of it cannot make two charts one."""
        parts = (self.of, self.metric, self.instrument_id, self.chemistry, self.assay)
        return "|".join(part.replace("%", "%25").replace("|", "%7C") for part in parts)

    @property
    def chart_id(self) -> UUID:
        """The name as an id, by which people and events name it."""
        return external_id(
            "QualityChart", self.of, self.metric, self.instrument_id, self.chemistry, self.assay
        )


class RunValues(Part):
    """The samples of one run, of one metric and one assay: they become one value of a chart."""

    samples: tuple[OfSample, ...] = ()


class ReadSet(Protocol):
    """Where reads come from."""

    @property
    def instrument_run_id(self) -> str | None:
        """The run that read them; none for material that was delivered."""

    @property
    def lane(self) -> int | None:
        """The lane, where that is known."""


class Result(Protocol):
    """A value that a pipeline run told."""

    @property
    def metric(self) -> str:
        """What it is."""

    @property
    def measured_on(self) -> str | None:
        """The sample, where it is of one."""

    @property
    def value(self) -> float:
        """The value."""


def of_reads(
    recorded: QcMetricsRecorded, assay: str, read_sets: Mapping[str, ReadSet]
) -> tuple[Told, ...]:
    """The charted values of a sample's reads; none where its read sets are of no run."""
    apart: dict[str, dict[str, float]] = {}
    for one in recorded.measurements:
        if one.read_set_id is not None:
            apart.setdefault(one.metric, {})[one.read_set_id] = one.value
    whole = {one.metric: one.value for one in recorded.measurements if one.read_set_id is None}
    names = _by_run(recorded.read_set_ids, read_sets)
    told = []
    for (of, metric), (run, mine) in product(RULES, names.items()):
        values = apart.get(metric, {})
        if of != READS or metric not in whole:
            continue
        if len(names) == 1:
            value: float | None = whole[metric]
            values = values or {name: whole[metric] for name in mine[:1] if len(mine) == 1}
        else:  # several runs
            value = _of_these(metric, mine, apart)
        if value is not None and run is not None:
            sample = OfSample(
                sample_id=recorded.sample_id,
                version=recorded.round,
                value=value,
                lanes=_lanes(mine, values, read_sets),
            )
            told.append(Told(run, of, metric, assay, sample))
    return tuple(told)


def of_results(
    measured: Iterable[Result],
    assay: str,
    members: Mapping[str, tuple[str, ...]],
    read_sets: Mapping[str, ReadSet],
) -> tuple[Told, ...]:
    """The charted values of results, each of the one run that read its sample.

    Members are the samples of the pipeline run, with the read sets that it took of each.
    """
    told = []
    for one in measured:
        runs = _by_run(members.get(one.measured_on or "", ()), read_sets)
        if (RESULTS, one.metric) not in RULES or len(runs) != 1:
            continue
        ((run, mine),) = runs.items()
        if run is not None:
            alone = {mine[0]: one.value} if len(mine) == 1 else {}
            sample = OfSample(
                sample_id=str(one.measured_on),
                version=1,
                value=one.value,
                lanes=_lanes(mine, alone, read_sets),
            )
            told.append(Told(run, RESULTS, one.metric, assay, sample))
    return tuple(told)


def _by_run(
    names: Iterable[str], read_sets: Mapping[str, ReadSet]
) -> dict[str | None, tuple[str, ...]]:
    """The read sets of each run; under None those that are of no run, or not known."""
    found: dict[str | None, tuple[str, ...]] = {}
    for name in names:
        known = read_sets.get(name)
        run = known.instrument_run_id if known else None
        found[run] = (*found.get(run, ()), name)
    return found


def _of_these(
    metric: str, names: Iterable[str], apart: Mapping[str, Mapping[str, float]]
) -> float | None:
    """The value over some of a sample's read sets, as the union's is made; None where not told."""
    bases = {name: apart.get(YIELD, {}).get(name) for name in names}
    values = {name: apart.get(metric, {}).get(name) for name in names}
    pairs = [
        (value, weight)
        for value, weight in zip(values.values(), bases.values(), strict=True)
        if value is not None and weight is not None
    ]
    whole = sum(weight for _, weight in pairs)
    if len(pairs) < len(values) or not whole:
        return None
    return whole if metric == YIELD else sum(value * weight for value, weight in pairs) / whole


def _lanes(
    names: Iterable[str],
    values: Mapping[str, float],
    read_sets: Mapping[str, ReadSet],
) -> tuple[OfLane, ...]:
    lanes = {name: read_sets[name].lane for name in names if name in values and name in read_sets}
    return tuple(
        OfLane(lane=lane, value=values[name]) for name, lane in lanes.items() if lane is not None
    )


def chart_of(told: Told, instrument_id: str, chemistry: str | None) -> ChartName:
    """The chart to which a value belongs, by what is known of its run's start."""
    return ChartName(
        of=told.of,
        metric=told.metric,
        instrument_id=instrument_id,
        chemistry=chemistry or UNKNOWN,
        assay=told.assay,
    )


def with_sample(values: RunValues, sample: OfSample) -> RunValues:
    """The run's values with those of this sample: a later round takes an earlier one's place.

    The same again, and an older round, change nothing.
    """
    before = next((one for one in values.samples if one.sample_id == sample.sample_id), None)
    if before is not None and before.version >= sample.version:
        return values
    others = tuple(one for one in values.samples if one.sample_id != sample.sample_id)
    return RunValues(samples=(*others, sample))


def is_due(values: RunValues, samples_expected: int, silent_seconds: float) -> bool:
    """Whether the run can be charted: all of its samples are told, or no more come.

    Expected are the samples of this assay that its demultiplexing gave reads; 0 where nobody knows.
    """
    if not values.samples:
        return False
    return 0 < samples_expected <= len(values.samples) or silent_seconds >= SETTLE_SECONDS


def value_of(values: RunValues) -> float:
    """The run's value: the median over its samples."""
    return median(one.value for one in values.samples)


def by_lane(values: RunValues) -> dict[int, float]:
    """The median of each lane, over what samples gave there."""
    found: dict[int, list[float]] = {}
    for one in values.samples:
        for part in one.lanes:
            found.setdefault(part.lane, []).append(part.value)
    return {lane: median(found[lane]) for lane in sorted(found)}


def in_words(alarm: Alarm, name: ChartName, flow_cell: str) -> str:
    """What a person is told: which level, since when, by how much, and what is normal."""
    rule = RULES[name.of, name.metric]
    way = "risen" if alarm.direction == "up" else "fallen"
    return (
        f"{name.metric} of {name.of} has {way} on {name.instrument_id} ({name.chemistry}, "
        f"{name.assay}) by {abs(alarm.shift_sigmas):.1f} sigma since run {alarm.first_run}: "
        f"{alarm.runs_shifted} runs up to {alarm.run}, which has {number(alarm.value)} on flow "
        f"cell {flow_cell}. Normal is {number(alarm.centre)} {rule.unit}, one sigma from "
        f"{number(alarm.low)} to {number(alarm.high)}, learned from {alarm.runs} runs. Mend it, or "
        f"restart the chart if this is the new normal."
    )


def in_figures(alarm: Alarm, name: ChartName, lanes: Mapping[int, float]) -> tuple[Figure, ...]:
    """The numbers of the chart that says so, and the median of each lane of the last run."""
    rule = RULES[name.of, name.metric]
    scale = f"{rule.scale} of {rule.unit}"
    return (
        ("value", alarm.value, rule.unit, None),
        ("centre", alarm.centre, rule.unit, None),
        ("low", alarm.low, rule.unit, None),
        ("high", alarm.high, rule.unit, None),
        ("sigma", alarm.sigma, scale, None),
        ("statistic", alarm.statistic, "sigma", alarm.limit),
        ("runs", alarm.runs, "runs", None),
        ("runs_shifted", alarm.runs_shifted, "runs", None),
        ("shift", alarm.shift_sigmas, "sigma", None),
        ("level", alarm.level_sigmas, "sigma", None),
        *((f"lane {lane}", value, rule.unit, None) for lane, value in lanes.items()),
    )[:FIGURES_MAX]
