"""A replay of decisions: the recorded log through a decider, and what it decides otherwise.

    what is recorded      events of this processor by their cause, traces of its effects
    the walk              the records that it took, in the order in which it took them
    the decider           this code, or that of another revision; its state follows the log
    the comparison        its answers beside what is recorded

State is folded from the log and not from the answers, so one difference leads to no other. Nothing
is fenced, no effect is done, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from genoflow.deploy.replay.compare import Comparison, Difference
from genoflow.deploy.replay.decider import Decider, How, Plain
from genoflow.deploy.replay.recorded import Digests, Share, Told, payloads, read_told
from genoflow.deploy.replay.walk import Taken, Walk
from genoflow.events.codec import Codec
from genoflow.events.errors import MalformedEvent, Refused
from genoflow.events.log.port import EventLog, Vector
from genoflow.events.log.recorded import Recorded
from genoflow.processors.processor import Processor

BATCH_RECORDS = 200  # of 1 kB: what goes to a decider at once, and comes back from it
SUBJECTS_KEPT_MAX = 10_000  # of one group, in a report for programs: 300 kB

Progress = Callable[[int, int], None]  # records so far, and how many there are
Change = Callable[[Recorded], Recorded]  # what is put in the place of a record


class Teller(Protocol):
    """Decides on records, here or in another process."""

    about: Plain

    async def take(self, batch: Sequence[tuple[Recorded, How]]) -> list[Plain]:
        """The answers to these records, in their order; UnknownSchema names the place."""


class Here:
    """The decider of this code, in this process."""

    def __init__(self, row: Processor, codec: Codec) -> None:
        self._decider = Decider(row, codec)
        self.about = self._decider.about()

    async def take(self, batch: Sequence[tuple[Recorded, How]]) -> list[Plain]:
        """The answers to these records, in their order."""
        return [self._decider.take(record, how) for record, how in batch]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be compared with the log."""

    since: datetime | None = None  # what was taken before only counts for the state
    change: Change | None = None  # a profile in the place of another one
    progress: Progress = lambda _done, _of: None


@dataclass(frozen=True, slots=True)
class Group:
    """Differences of one kind in the same fields."""

    kind: str
    what: str
    count: int
    subjects: tuple[str, ...]
    examples: tuple[Difference, ...]


@dataclass(slots=True)
class Report:
    """What came of a replay."""

    processor: str
    records: int = 0  # on the topic, up to where the processor stands
    taken: int = 0  # of them, those that were decided on
    decisions: int = 0  # events and effects that the decider answered with
    recorded: int = 0  # events that the log holds of the processor
    untold: int = 0
    changed: int | None = None  # records in whose place another one was put, where it was asked
    is_cut: bool = False  # too much is different: it ended early
    differences: list[Difference] = field(default_factory=list)

    def groups(self, examples: int) -> list[Group]:
        """The differences by kind and by what changed, most frequent first."""
        found: dict[tuple[str, str], list[Difference]] = {}
        for one in self.differences:
            found.setdefault((one.kind, one.what), []).append(one)
        groups = [
            Group(
                kind, what, len(some),
                tuple(sorted({one.subject for one in some})), tuple(some[:examples]),
            )
            for (kind, what), some in found.items()
        ]  # fmt: skip
        return sorted(groups, key=lambda group: (-group.count, group.kind, group.what))


class _Asked(NamedTuple):
    """A record that waits to be decided on."""

    taken: Taken
    how: How
    is_read: bool  # the decider takes its type; what another release decided on it still counts


async def replay(log: EventLog, row: Processor, teller: Teller, codec: Codec, wish: Wish) -> Report:
    """Replay what a processor took, and report what is decided otherwise."""
    if teller.about["reads"] != row.reads.name:
        raise Refused(
            f"{row.name}: reads {teller.about['reads']} at that revision and {row.reads.name} "
            f"here, so what is recorded are answers to something else; compare with a revision "
            f"that reads the same"
        )
    digests = Digests(without_echoes=wish.change is not None)
    told = await read_told(log, row, digests)
    comparison = Comparison(
        row.name, told, digests, codec.registry, effects=teller.about["effects"]
    )
    run = _Run(log, row, teller, codec, wish, told, comparison)
    report = await run.run()
    wanted = {said.place for said in comparison.missing()}
    report.differences = comparison.finish(await payloads(log, wanted))
    report.taken, report.decisions = comparison.taken, comparison.decisions
    report.recorded, report.untold = told.events, comparison.untold
    return report


class _Run:
    """One replay on its way."""

    def __init__(
        self,
        log: EventLog,
        row: Processor,
        teller: Teller,
        codec: Codec,
        wish: Wish,
        told: Told,
        comparison: Comparison,
    ) -> None:
        self._log = log
        self._row = row
        self._teller = teller
        self._types = frozenset(teller.about["types"])
        self._walk = Walk(log, row, codec)
        self._wish = wish
        self._told = told
        self._comparison = comparison
        self._report = Report(row.name, changed=None if wish.change is None else 0)
        self._of = sum(share.stop - share.start for share in told.shares.values())
        self._batch: list[_Asked] = []

    async def run(self) -> Report:
        """Go through every partition."""
        since: Vector = {}
        if self._wish.since is not None:
            since = await self._log.offsets_at(self._row.reads.name, self._wish.since)
        for number, share in sorted(self._told.shares.items()):
            await self._partition(number, share, since.get((self._row.reads.name, number), 0))
            if self._report.is_cut:
                break
        return self._report

    async def _partition(self, number: int, share: Share, since: int) -> None:
        before = self._report.records
        async with aclosing(self._walk.taken(number, share)) as walked:
            async for one in walked:
                if isinstance(one, int):
                    self._report.records = before + one - share.start
                    continue
                asked = self._asked(one, since)
                if asked is not None:
                    self._batch.append(asked)
                if len(self._batch) >= BATCH_RECORDS:
                    await self._decide()
                    if self._comparison.is_full:
                        self._report.is_cut = True
                        return
        await self._decide()
        self._report.records = before + share.stop - share.start
        self._wish.progress(self._report.records, self._of)

    def _asked(self, taken: Taken, since: int) -> _Asked | None:
        try:
            is_read = taken.record.type in self._types
        except MalformedEvent:
            is_read = True  # the decider says why it is none, as it did when it was parked
        if taken.trigger < since:
            return _Asked(taken, How.FOLD, True) if is_read and not taken.was_parked else None
        return _Asked(taken, How.TRY if taken.was_parked else How.DECIDE, is_read)

    async def _decide(self) -> None:
        batch, self._batch = self._batch, []
        records = [(self._changed(one.taken.record), one.how) for one in batch if one.is_read]
        told = iter(await self._teller.take(records) if records else ())
        for one in batch:
            answer = next(told) if one.is_read else {}
            if one.how is not How.FOLD:
                self._comparison.take(one.taken, answer)
        self._wish.progress(self._report.records, self._of)

    def _changed(self, record: Recorded) -> Recorded:
        if self._wish.change is None:
            return record
        changed = self._wish.change(record)
        self._report.changed = (self._report.changed or 0) + (changed is not record)
        return changed
