"""What the tower knows, folded from the log: one record at a time, each once, in any company.

Everything stands in values under keys, which are the rows of the tower's table. A key names the
partition that its value was folded from, and each value carries the last offset that it holds, so
a record that comes again is left out by exactly the values that have it. Figures of several
partitions are added up when somebody asks.

What is written of a batch is written in this order: figures, subjects, place. A subject says what
a record means for the figures (how long a wait was); so a subject that is ahead finds its figures
ahead, too, wherever a death cut the writing off. The place comes last: reading goes on there. What
is said of quality stands in values of its own (`quality.py`), which need none of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from genoflow.events.event import Event
from genoflow.events.log.recorded import Recorded
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.run_charged import RunCharged
from genoflow.processors.watchtower.burn import KINDS as OF_MONEY
from genoflow.processors.watchtower.burn import Burn, Money, Purse, burn_of, charge_of, names_of
from genoflow.processors.watchtower.kept import (
    RANK,
    Figures,
    Group,
    Key,
    Place,
    Reached,
    Subject,
    Value,
    Wait,
)
from genoflow.processors.watchtower.panes import (
    BY_NAME,
    EVERYTHING,
    SIZES,
    Pane,
    Size,
    is_kept,
    pane_of,
    summed,
)
from genoflow.processors.watchtower.quality import Quality
from genoflow.processors.watchtower.sketch import Sketch
from genoflow.processors.watchtower.stages import BY_NAME as STAGES_BY_NAME
from genoflow.processors.watchtower.stages import (
    BY_TOPIC,
    CLOSINGS,
    DIMENSIONS,
    WITHDRAWALS,
    Stage,
    about,
)

# A producer's clock may be ahead of the log's by so much; beyond it, the log's is believed.
AHEAD = timedelta(minutes=5)
SEEN_MAX = 20  # of one subject; what is appended twice comes right behind its first
# Of one subject at a time. A wait takes 150 bytes, so a thousand are 150 kB of the megabyte that a
# record may have. What comes beyond is counted and not timed.
WAITS_MAX = 1_000
# Ends of one subject that came before their begin, such as files before their read set. A cached
# task never began, so there may be many: 100 take 8 kB.
EARLY_MAX = 100
# Of how long a stage takes, the newest count: at a thousand all weigh half, so half of what is
# known is at most a thousand lengths old.
LEARNED_MAX = 1_000
QUIET = timedelta(days=7)  # a subject that nobody waits for and that said nothing is let go


@dataclass(slots=True)
class Outcome:
    """What one record means for the figures of one stage."""

    began: int = 0
    ended: int = 0
    failed: int = 0
    retried: int = 0
    seconds: tuple[float, ...] = ()


Outcomes = dict[str, Outcome]  # by stage
F = TypeVar("F", Figures, Money, Purse, Reached)


class Ended(NamedTuple):
    """A wait that is over, and what ended it."""

    stage: Stage
    item: str
    wait: Wait
    by: Event


class Tower:
    """Everything that was folded; it reads no clock and no log."""

    def __init__(self) -> None:
        self.values: dict[Key, Value] = {}
        self._changed: dict[Key, None] = {}
        self.quality = Quality(self.values, self._changed)
        self.ended: list[Ended] = []  # waits with open alerts that are over, for who says so

    # -- what is kept

    def restore(self, key: Key, value: Value) -> None:
        """Take a value as it was kept."""
        self.values[key] = value
        self.quality.restore(key, value)

    def take_changes(self) -> list[tuple[Key, Value | None]]:
        """What changed since the last call, in the order of writing; None for what is gone."""
        keys = sorted(self._changed, key=lambda key: RANK[key.kind])
        self._changed.clear()
        return [(key, self.values.get(key)) for key in keys]

    def positions(self) -> dict[Place, int]:
        """The next offset of each partition that was read."""
        return {
            (key.topic, key.partition): value.at + 1
            for key, value in self.values.items()
            if isinstance(value, Reached)
        }

    # -- folding

    def fold(self, record: Recorded) -> Subject | None:
        """Take one record; its subject, unless it held the record before.

        Each value that holds it already stays as it is.
        """
        event, topic, partition, offset = (
            record.event, record.topic, record.partition, record.offset,
        )  # fmt: skip
        taken = record.recorded_at.timestamp()
        key = Key("subject", topic, partition, event.key)
        subject: Subject = self._get(key, Subject)
        is_new = subject.at < offset
        if is_new:
            stages = BY_TOPIC.get(topic, ())
            if isinstance(event, OF_MONEY) and str(event.envelope.event_id) not in subject.seen:
                self._spend(event, (topic, partition), offset, taken)
            outcomes = _told(subject, stages, event, _time(record), self.ended)
            subject.at, subject.taken = offset, max(subject.taken, taken)
            self._changed[key] = None
            self._count(outcomes, subject.about, (topic, partition), offset, taken)
        self.quality.fold(record, _time(record).timestamp(), taken)
        self.pass_by((topic, partition), offset, taken)
        return subject if is_new else None

    def pass_by(self, place: Place, offset: int, taken: float) -> None:
        """Note that a partition was read up to here, whatever stood there."""
        if (reached := self._lacking(Key("place", *place), Reached, offset)) is not None:
            reached.newest = max(reached.newest, taken)

    def _count(
        self, outcomes: Outcomes, known: Mapping[str, str], place: Place, offset: int, taken: float
    ) -> None:
        if not outcomes:
            return
        for size in SIZES:
            names = [EVERYTHING]
            if size.has_dimensions:
                names += [f"{name}={known[name]}" for name in DIMENSIONS if name in known]
            for name in names:
                rest = f"{size.name}|{pane_of(size, taken)}|{name}"
                self._add(Key("pane", *place, rest), outcomes, offset)
        for stage, outcome in outcomes.items():
            if outcome.seconds:
                rest = f"{stage}|{known.get('pipeline', '')}|{known.get('assay', '')}"
                self._learn(Key("learned", *place, rest), stage, outcome, offset)

    def _add(self, key: Key, outcomes: Outcomes, offset: int) -> None:
        if (figures := self._lacking(key, Figures, offset)) is not None:
            for stage, outcome in outcomes.items():
                figures.tally(stage).take(
                    outcome.began, outcome.ended, outcome.failed, outcome.retried, outcome.seconds
                )

    def _learn(self, key: Key, stage: str, outcome: Outcome, offset: int) -> None:
        if (figures := self._lacking(key, Figures, offset)) is not None:
            learned = figures.tally(stage).seconds
            for seconds in outcome.seconds:
                learned.add(seconds)
            if learned.count >= LEARNED_MAX:
                learned.fade(0.5)

    def _spend(self, event: Event, place: Place, offset: int, taken: float) -> None:
        if (purse := self._lacking(Key("purse", *place, event.key), Purse, offset)) is not None:
            purse.take(event)
        if not isinstance(event, RunCharged):
            return
        for name in names_of(event.key, taken):
            if (money := self._lacking(Key("money", *place, name), Money, offset)) is not None:
                money.millionths += charge_of(event)

    def group(self, name: str) -> Group:
        """The group of this name, to be changed; tell `note` of it."""
        found: Group = self._get(group_key(name), Group)
        return found

    def _lacking(self, key: Key, kind: type[F], offset: int) -> F | None:
        """The value under a key, to take the record of this offset; None where it holds it."""
        value: F = self._get(key, kind)
        if value.at >= offset:
            return None
        value.at = offset
        self._changed[key] = None
        return value

    def _get(self, key: Key, kind: type[Any]) -> Any:
        found = self.values.get(key)
        if found is None:
            found = self.values[key] = kind()
        return found

    # -- asking

    def pane(self, size: Size, begins: Iterable[int], name: str = EVERYTHING) -> Pane:
        """What was counted in these panes together, over all partitions."""
        rests = {f"{size.name}|{begin}|{name}" for begin in begins}
        return summed(
            value.pane
            for key, value in self.values.items()
            if isinstance(value, Figures) and key.kind == "pane" and key.rest in rests
        )

    def panes(self) -> Iterator[tuple[Size, int, str, Pane]]:
        """Every pane that is kept: its size, its begin, its dimension, over all partitions."""
        grouped: dict[str, list[Pane]] = {}
        for key, value in self.values.items():
            if isinstance(value, Figures) and key.kind == "pane":
                grouped.setdefault(key.rest, []).append(value.pane)
        for rest, found in grouped.items():
            size, begins, name = rest.split("|", 2)
            yield BY_NAME[size], int(begins), name, summed(found)

    def learned(self, stage: str, pipeline: str = "", assay: str = "") -> Sketch:
        """How long this stage takes, by what ended on all partitions."""
        rest, whole = f"{stage}|{pipeline}|{assay}", Sketch()
        for key, value in self.values.items():
            if isinstance(value, Figures) and key.kind == "learned" and key.rest == rest:
                whole.merge(value.tally(stage).seconds)
        return whole

    def spent(self) -> dict[str, dict[tuple[str, int], int]]:
        """Millionths of a dollar that were charged, by dimension, then by size and begin."""
        found: dict[str, dict[tuple[str, int], int]] = {}
        for key, value in self.values.items():
            if isinstance(value, Money):
                size, begins, name = key.rest.split("|", 2)
                panes, place = found.setdefault(name, {}), (size, int(begins))
                panes[place] = panes.get(place, 0) + value.millionths
        return found

    def burns(self, now: float) -> list[Burn]:
        """What each project has spent of its month by now, those that burn fastest first."""
        spent = self.spent()
        found = [
            burn_of(key.rest, purse, spent.get(f"project={key.rest}", {}), now)
            for key, purse in self.values.items()
            if isinstance(purse, Purse)
        ]
        return sorted(found, key=lambda one: (-(one.rate or 0.0), one.project))

    def subjects(self) -> Iterator[tuple[Key, Subject]]:
        """Every subject that is known."""
        for key, value in self.values.items():
            if isinstance(value, Subject):
                yield key, value

    # -- letting go

    def tidy(self, now: float) -> None:
        """Let go of panes that are old, and of subjects that nobody waits for."""
        for key, value in list(self.values.items()):
            if key.kind in ("pane", "money"):
                size, begins, _ = key.rest.split("|", 2)
                is_old = not is_kept(BY_NAME[size], int(begins), now)
            else:
                is_old = isinstance(value, Subject) and _is_quiet(value, now)
            if is_old:
                del self.values[key]
                self._changed[key] = None
        self.quality.tidy(now)

    def note(self, key: Key, *, is_gone: bool = False) -> None:
        """Write this value again: it was changed by who looked at it, or is wanted no more."""
        if is_gone:
            del self.values[key]
        self._changed[key] = None


def group_key(name: str) -> Key:
    """Where a group is kept; it is folded from no partition, and stands in the first."""
    return Key("group", "", 0, name)


def _time(record: Recorded) -> datetime:
    """When the fact was true, as far as its producer's clock can be believed."""
    told, taken = record.event.envelope.occurred_at, record.recorded_at
    return taken if told > taken + AHEAD else told


def _is_quiet(subject: Subject, now: float) -> bool:
    return not (subject.waits or subject.alerts) and subject.taken < now - QUIET.total_seconds()


def _told(
    subject: Subject, stages: Iterable[Stage], event: Event, at: datetime, ended: list[Ended]
) -> Outcomes:
    """Change what is known of the subject, and say what this means for the figures."""
    event_id, kind, when = str(event.envelope.event_id), type(event), at.timestamp()
    if event_id in subject.seen:
        return {}
    subject.seen = [*subject.seen, event_id][-SEEN_MAX:]
    subject.about |= about(event)
    subject.last = (event_id, event.type(), when)
    outcomes: Outcomes = {}
    for stage in stages:
        if kind in stage.ends or kind in stage.fails:
            outcomes[stage.name] = _over(subject, stage, event, when, ended)
    if kind in CLOSINGS or kind in WITHDRAWALS:
        _close(subject, event, ended)
    for stage in stages:
        if kind in stage.begins:
            outcome = outcomes.setdefault(stage.name, Outcome())
            for item in stage.begins[kind](event):
                outcome.began += 1
                early = subject.early.pop((stage.name, item), None)
                if early is not None and (item or when <= early):
                    continue  # its end has come; a stage of the whole subject may come again
                if len(subject.waits) < WAITS_MAX:
                    subject.waits.setdefault((stage.name, item), Wait(when, event_id, event.type()))
    return outcomes


def _over(subject: Subject, stage: Stage, event: Event, when: float, ended: list[Ended]) -> Outcome:
    """What ended, well or not, and how long it took where its begin was seen."""
    has_failed = type(event) in stage.fails
    items = (stage.fails if has_failed else stage.ends)[type(event)](event)
    if has_failed and stage.is_retried(event):
        outcome = Outcome(retried=len(items))
        if stage.goes_on:
            return outcome
    elif has_failed:
        outcome = Outcome(failed=len(items))
    else:
        outcome = Outcome(ended=len(items))
    lengths = []
    for item in items:
        wait = subject.waits.pop((stage.name, item), None)
        if wait is not None:
            lengths.append(max(0.0, when - wait.since))
            if wait.alerts:
                ended.append(Ended(stage, item, wait, event))
        else:
            subject.early[stage.name, item] = when
            if len(subject.early) > EARLY_MAX:
                del subject.early[next(iter(subject.early))]
    outcome.seconds = tuple(lengths)
    return outcome


def _close(subject: Subject, event: Event, ended: list[Ended]) -> None:
    """Nobody waits any more for what will not come; nothing is measured of it."""
    for name, wait in list(subject.waits.items()):
        stage, item = name
        if isinstance(event, ReadSetInvalidated) and (
            stage != "land" or not item.startswith(f"{event.read_set_id} ")
        ):
            continue
        del subject.waits[name]
        if wait.alerts:
            ended.append(Ended(STAGES_BY_NAME[stage], item, wait, event))
