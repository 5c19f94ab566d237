"""Quality folded from the log, and runs charted once all of them is told.

The samples of a run lie in many partitions and on two topics, and a chart is of the whole lab. So
there are two steps. What is said is folded into values of its own partition, each record once. A
run is charted behind that, from all partitions together, when nothing more of it is to come; the
chart carries the names of the runs that it holds. What a run was made of is let go a day later:
by then the chart stands in the table, or its keeper has ended.

A run is settled at a moment that the log alone decides: with the value that makes it whole, or a
day behind the last one, if the next is later still. Runs are charted in the order of these moments,
so whoever reads the log again finds the same alarms.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any, NamedTuple

from genoflow.events.log.recorded import Recorded
from genoflow.processors.watchtower.charts import fold, restarted
from genoflow.processors.watchtower.kept import Key, Value
from genoflow.processors.watchtower.quality_kept import (
    Held,
    KeptChart,
    OfReadSet,
    OrderQuality,
    Raised,
    Restart,
    RunQuality,
    SampleQuality,
    Word,
)
from genoflow.processors.watchtower.quality_told import READERS
from genoflow.processors.watchtower.runs import (
    RULES,
    SETTLE_SECONDS,
    ChartName,
    RunValues,
    by_lane,
    chart_of,
    is_due,
    of_results,
    value_of,
    with_sample,
)

# Behind it the chart stands in the changelog: what is not sent after 30 s ends its keeper.
LET_GO_SECONDS = 86_400
# Results come weeks behind the reads. A sample that is read again after a quarter says nothing of
# the instrument that it was sequenced on.
FORGET_SECONDS = 90 * 86_400
TIDY_SECONDS = 3_600.0
# What one transaction wrote to several partitions is read within a second or two. Behind this, the
# runs whose moment came before have been read, and are charted before.
BEHIND_SECONDS = 5.0
LATE_MAX = 100  # names of late samples; a chart is a value of one record


class Group(NamedTuple):
    """What was told of one metric and one assay of a sequencing run that is not charted."""

    name: ChartName
    run: str
    started: float
    flow_cell: str
    words: tuple[Word, ...]  # in the order in which they came
    expected: int  # samples; 0 where nobody knows


class Due(NamedTuple):
    """A run that can be charted."""

    moment: float
    group: Group
    values: RunValues
    cause: str  # the event that said the last of them


class Quality:
    """The part of a tower that is about quality; it shares its values."""

    def __init__(self, values: dict[Key, Value], changed: dict[Key, None]) -> None:
        self._values, self._changed = values, changed
        self._samples: dict[str, Key] = {}
        self._runs: dict[str, Key] = {}
        self._charts: dict[Key, None] = {}
        self._restarts: dict[Key, None] = {}
        self._pending: dict[Key, None] = {}  # samples and orders with values that wait
        self._tidied = 0.0

    # -- folding

    def restore(self, key: Key, value: Value) -> None:
        """Find this value again when it is asked for."""
        if isinstance(value, SampleQuality):
            self._samples[key.rest] = key
            if value.words:
                self._pending[key] = None
        elif isinstance(value, OrderQuality) and value.results:
            self._pending[key] = None
        elif isinstance(value, RunQuality):
            self._runs[key.rest] = key
        elif isinstance(value, KeptChart):
            self._charts[key] = None
        elif isinstance(value, Restart):
            self._restarts[key] = None

    def fold(self, record: Recorded, when: float, taken: float) -> None:
        """Take one record, unless its value holds it; when it was true, and when recorded."""
        reader = READERS.get(type(record.event))
        if reader is None:
            return
        key = Key(reader.kind, record.topic, record.partition, record.event.key)
        value: Any = self._values.get(key)
        if value is None:
            value = self._values[key] = reader.makes()
        if value.at >= record.offset:
            return
        value.at = record.offset
        reader.takes(value, record.event, when, taken)
        self._changed[key] = None
        self.restore(key, value)

    # -- what waits

    def groups(self) -> list[Group]:
        """What was told of runs that are not charted, and what is late is noted with its chart."""
        found: dict[tuple[str, str], tuple[ChartName, list[Word]]] = {}
        for key in list(self._pending):
            value = self._values.get(key)
            words, waits = self._words(value)
            for word in words:
                run = self._run(word.told.instrument_run_id)
                if run is None:
                    waits = True  # its start stands on another topic
                    continue
                name = chart_of(word.told, run.instrument, run.chemistry)
                if not self._is_done(word, name, run):
                    waits = True
                    found.setdefault((word.told.instrument_run_id, name.key), (name, []))[1].append(
                        word
                    )
            if not waits:
                del self._pending[key]
        return [self._group(run, name, words) for (run, _), (name, words) in found.items()]

    def _words(self, value: Value | None) -> tuple[list[Word], bool]:
        """What a value says, and whether it would say more once other values are known."""
        if isinstance(value, SampleQuality):
            return list(value.words.values()), False
        if not isinstance(value, OrderQuality):
            return [], False
        read_sets: dict[str, OfReadSet] = {}
        for sample in value.members:
            known = self._values.get(self._samples.get(sample, _NOWHERE))
            read_sets |= known.read_sets if isinstance(known, SampleQuality) else {}
        told = of_results(value.results, value.assay, value.members, read_sets)
        wants = {name for names in value.members.values() for name in names}
        is_whole = wants <= read_sets.keys()
        return [Word(one, value.told_at, value.cause) for one in told], not is_whole

    def _run(self, name: str) -> RunQuality | None:
        found = self._values.get(self._runs.get(name, _NOWHERE))
        return found if isinstance(found, RunQuality) and found.instrument else None

    def _is_done(self, word: Word, name: ChartName, run: RunQuality) -> bool:
        kept = self.kept(name)
        if kept is None:
            return False
        run_id, sample = word.told.instrument_run_id, word.told.sample.sample_id
        held = kept.held.get(run_id)
        if held is None:
            return run.started <= kept.begins
        if word.at > held.moment and sample not in held.late and len(held.late) < LATE_MAX:
            kept.held[run_id] = held._replace(late=(*held.late, sample))
            self._changed[chart_key(name)] = None
        return True

    def _group(self, run_id: str, name: ChartName, words: list[Word]) -> Group:
        run = self._run(run_id)
        assert run is not None
        expected = sum(self._may_be_of(sample, name.assay) for sample in run.samples)
        in_order = tuple(sorted(words, key=lambda one: (one.at, one.cause)))
        return Group(name, run_id, run.started, run.flow_cell, in_order, expected)

    def _may_be_of(self, sample: str, assay: str) -> bool:
        known = self._values.get(self._samples.get(sample, _NOWHERE))
        assays = known.assays.values() if isinstance(known, SampleQuality) else ()
        return not assays or assay in assays

    # -- charting

    def due(self, now: float) -> list[Due]:
        """The runs that can be charted now, in their order."""
        old = now - BEHIND_SECONDS
        found = [one for group in self.groups() if (one := settled(group, old))]
        return sorted(found, key=lambda one: (one.moment, one.group.run, one.group.name.key))

    def kept(self, name: ChartName) -> KeptChart | None:
        """The chart of this name, where a run was charted."""
        found = self._values.get(chart_key(name))
        return found if isinstance(found, KeptChart) else None

    def charts(self) -> Iterator[KeptChart]:
        """Every chart."""
        for key in self._charts:
            value = self._values.get(key)
            if isinstance(value, KeptChart):
                yield value

    def note(self, name: ChartName) -> None:
        """Write this chart again: who looked at it has changed it."""
        self._changed[chart_key(name)] = None

    def take(self, due: Due, now: float) -> KeptChart:
        """The chart with this run, which it may hold already."""
        group = due.group
        kept = self._chart(group.name)
        if group.run in kept.held or group.started <= kept.begins:
            return kept
        value = value_of(due.values)
        rule = RULES[group.name.of, group.name.metric]
        kept.chart, alarm = fold(kept.chart, group.run, value, rule)
        kept.held[group.run] = Held(value, due.moment, now)
        if alarm is not None:
            kept.raised[alarm.direction] = Raised(
                alarm, due.moment, due.cause, group.flow_cell, by_lane(due.values)
            )
        for way, sums in (("up", kept.chart.up), ("down", kept.chart.down)):
            if not sums.is_raised:
                kept.raised.pop(way, None)
        self.note(group.name)
        return kept

    def restarts(self) -> list[Restart]:
        """What people said of charts, and what these do not hold yet."""
        found = []
        for key in self._restarts:
            value = self._values.get(key)
            if isinstance(value, Restart) and value.name is not None:
                kept = self.kept(value.name)
                if kept is None or kept.restart != value.by:
                    found.append(value)
        return found

    def begin_anew(self, restart: Restart) -> KeptChart:
        """The chart, empty: it takes the runs that start from here on."""
        assert restart.name is not None
        kept = self._chart(restart.name)
        kept.chart, kept.raised = restarted(kept.chart), {}
        kept.restart, kept.begins = restart.by, restart.when
        self.note(restart.name)
        return kept

    def _chart(self, name: ChartName) -> KeptChart:
        found = self.kept(name)
        if found is None:
            found = self._values[chart_key(name)] = KeptChart(name)
            self._charts[chart_key(name)] = None
        return found

    # -- letting go

    def tidy(self, now: float) -> None:
        """Let go of what charts hold for a day, and of what nothing was said of for a quarter."""
        if now < self._tidied + TIDY_SECONDS:
            return
        self._tidied = now
        wanted = {group.run for group in self.groups()} | {
            run
            for kept in self.charts()
            for run, held in kept.held.items()
            if now <= held.charted_at + LET_GO_SECONDS
        }
        for key, value in list(self._values.items()):
            if isinstance(value, KeptChart):
                self._forget_runs(key, value, now)
            elif isinstance(value, SampleQuality | OrderQuality):
                self._let_go(key, value, now)
            elif isinstance(value, RunQuality) and value.newest + FORGET_SECONDS < now:
                self._let_run_go(key, wanted)

    def _let_run_go(self, key: Key, wanted: Container[str]) -> None:
        if key.rest not in wanted:
            del self._runs[key.rest]
            self._drop(key)

    def _forget_runs(self, key: Key, kept: KeptChart, now: float) -> None:
        """A run's name is held for as long as anything is known of the run, and beyond."""
        old = now - FORGET_SECONDS - LET_GO_SECONDS
        gone = [
            run
            for run, held in kept.held.items()
            if held.charted_at < old and run not in self._runs
        ]
        for run in gone:
            del kept.held[run]
            self._changed[key] = None

    def _let_go(self, key: Key, value: SampleQuality | OrderQuality, now: float) -> None:
        words, is_open = self._words(value)
        wanted = [word for word in words if not self._is_held_long(word, now)]
        is_old = value.newest + FORGET_SECONDS < now
        known = [word for word in wanted if self._run(word.told.instrument_run_id)]
        if is_old and not known:
            if isinstance(value, SampleQuality):
                del self._samples[key.rest]
            self._drop(key)
        elif isinstance(value, SampleQuality):
            if len(wanted) < len(value.words):
                value.words = {(one.told.instrument_run_id, one.told.metric): one for one in wanted}
                self._changed[key] = None
        elif words and not wanted and not is_open:
            self._drop(key)

    def _is_held_long(self, word: Word, now: float) -> bool:
        run = self._run(word.told.instrument_run_id)
        if run is None:
            return False
        kept = self.kept(chart_of(word.told, run.instrument, run.chemistry))
        if kept is None:
            return False
        held = kept.held.get(word.told.instrument_run_id)
        if held is None:
            return run.started <= kept.begins
        return held.charted_at + LET_GO_SECONDS < now

    def _drop(self, key: Key) -> None:
        del self._values[key]
        self._pending.pop(key, None)
        self._changed[key] = None


_NOWHERE = Key("", "", 0)


def chart_key(name: ChartName) -> Key:
    """Where a chart is kept; it is folded from no partition, and stands in the first."""
    return Key("chart", "", 0, name.key)


def settled(group: Group, now: float) -> Due | None:
    """When all of a run was told, and what had been told by then; None while it waits."""
    values = RunValues()
    words = [word for word in group.words if word.at <= now]
    nexts = [*(word.at for word in words[1:]), now]
    for word, following in zip(words, nexts, strict=False):
        values = with_sample(values, word.told.sample)
        if is_due(values, group.expected, 0.0):
            return Due(word.at, group, values, word.cause)
        if is_due(values, group.expected, following - word.at):
            return Due(word.at + SETTLE_SECONDS, group, values, word.cause)
    return None
