"""The sweeper: a porch that looks at the time of day, and says which rules of retention are due.

It deletes nothing. What it proposes is decided in the order of the sample or the run that it is
about, by the same rules as here. It keeps what retention has to know of every sample and run, some
two kilobytes each, and reads only what is new on the log. It sees every key, so it looks for what
no one subject's order has: holds of the samples of a run, reads that are not whole yet, and inputs
of runs that go on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, Container, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from genoflow.events import topics
from genoflow.events.deletion_proposed import PROPOSED_FILES_MAX, DeletionProposed
from genoflow.events.envelope import Actor, Producer
from genoflow.events.errors import MalformedEvent
from genoflow.events.event import Event, begin
from genoflow.events.identity import external_id
from genoflow.events.log.port import EventLog, Vector
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.retention_published import RetentionPublished
from genoflow.events.retention_rule import DELIVERY, RUN_FOLDER, WORK
from genoflow.events.run_requested import RunRequested
from genoflow.events.stored_version import StoredVersion, name_of
from genoflow.processors import retention
from genoflow.processors.intake.delivered import Copies
from genoflow.processors.intake.due import Due, Key, rules_for
from genoflow.processors.intake.heard import Shelves
from genoflow.processors.ports import Clock
from genoflow.processors.retained import Subject
from genoflow.processors.sequencing_over import OF_READS, Reads

SWEEPER = "retention-sweeper"
TOLD: tuple[type[Event], ...] = (
    *retention.OF_SAMPLE, *retention.OF_RUN, *retention.OF_SEQUENCING_RUN, *retention.ANSWERS,
    *OF_READS, DeletionProposed,
)  # fmt: skip
READ = frozenset(kind.type() for kind in TOLD)
SWEPT = (topics.SAMPLE, topics.RUN, topics.SEQUENCING_RUN)
# By topic: the class of which the store says which files there are.
LISTED = {topics.RUN.name: WORK, topics.SEQUENCING_RUN.name: RUN_FOLDER}


@dataclass(slots=True)
class Look:
    """What is due at one time, and what would be but for something that speaks for it."""

    proposals: list[DeletionProposed] = field(default_factory=list)
    waiting: int = 0  # files that were proposed, and of which nobody has said yet what came of it
    held: dict[Key, tuple[str, ...]] = field(default_factory=dict)
    in_use: int = 0  # files that a run takes which is not over
    unsaid: int = 0  # copies that were handed over, and whose names may be of persons

    @property
    def files(self) -> int:
        """How many files are due."""
        return sum(len(one.files) for one in self.proposals)


class Sweeper:
    """Looks when it is told to, and appends what it found when it is told to."""

    def __init__(
        self, log: EventLog, shelves: Shelves, copies: Copies, *, work_bucket: str, clock: Clock,
        by: Producer,
    ) -> None:  # fmt: skip
        self._log = log
        self._shelves = shelves
        self._copies = copies
        self._work_bucket = work_bucket
        self._clock = clock
        self._by = by
        self._at: Vector = {}
        self._known: dict[Key, Subject] = {}
        self._empty: dict[Key, datetime | None] = {}  # where nothing was left then
        self._inputs: dict[str, frozenset[str]] = {}  # by run: what it takes
        self._reads = Reads()
        self._read_by: dict[str, set[str]] = defaultdict(set)  # by instrument's run: its samples

    async def look(self, documents: Sequence[RetentionPublished]) -> Look:
        """What these documents, in the order in which they came into force, let go now."""
        await self._catch_up()
        now, found = self._clock.now(), Look()
        taken = self._taken()
        copies = await self._delivered(documents, now)
        found.unsaid = self._copies.unsaid
        for subject in dict.fromkeys((*self._known, *copies)):
            state = self._known.get(subject, Subject())
            if state.holds:
                found.held[subject] = state.holds
                continue
            due = [one async for one in self._due(subject, state, documents, now)]
            due += copies.get(subject, ())
            free = [one for one in due if name_of(one.file) not in taken]
            found.in_use += len(due) - len(free)
            held = self._held_by(subject, state) if free else ()
            if held:
                found.held[subject] = held
                continue
            for proposal in self._proposals(subject, state, free, now):
                if proposal.envelope.event_id in state.seen:
                    found.waiting += len(proposal.files)
                else:
                    found.proposals.append(proposal)
        return found

    async def propose(self, proposals: Iterable[DeletionProposed]) -> int:
        """Append them; how many."""
        count = 0
        for proposal in proposals:
            await self._log.append_again(proposal)
            count += 1
        return count

    async def _catch_up(self) -> None:
        ends: Vector = {}
        starts: Vector = {}
        for topic in SWEPT:
            ends |= await self._log.ends(topic.name)
            starts |= self._at or await self._log.starts(topic.name)
        async with aclosing(self._log.read(starts, ends)) as records:
            async for record in records:
                if record.type not in READ:
                    continue
                try:
                    event = record.event
                except MalformedEvent:
                    continue  # each processor of the topic parks it; it tells us nothing
                self._take(event)
        self._at = ends

    def _take(self, event: Event) -> None:
        subject = (event.topic, event.key)
        self._reads.take(event)
        if isinstance(event, ReadSetRegistered) and event.instrument_run_id is not None:
            self._read_by[event.instrument_run_id].add(event.key)
        if isinstance(event, OF_READS):
            return
        self._known[subject] = retention.evolve(self._known.get(subject, Subject()), event)
        if isinstance(event, RunRequested):
            self._inputs[event.key] = frozenset(
                name_of(file) for member in event.members for file in member.files
            )

    def _taken(self) -> frozenset[str]:
        """What runs take that are not over; no decider of a sample knows of them."""
        open_ones = (
            names
            for run_id, names in self._inputs.items()
            if not self._known[topics.RUN.name, run_id].is_over
        )
        return frozenset().union(*open_ones)

    def _samples_of(self, subject: Key, state: Subject) -> list[Subject]:
        names = set(state.sample_ids)
        if subject[0] == topics.SEQUENCING_RUN.name:
            names |= self._read_by.get(subject[1], set())  # those of no sheet: relabelled ones
        found = (self._known.get((topics.SAMPLE.name, one)) for one in sorted(names))
        return [one for one in found if one is not None]

    def _held_by(self, subject: Key, state: Subject) -> tuple[str, ...]:
        return tuple(name for one in self._samples_of(subject, state) for name in one.holds)

    def _assays_of(self, subject: Key, state: Subject) -> tuple[str, ...]:
        """A run of an instrument is of all assays of its samples."""
        if subject[0] != topics.SEQUENCING_RUN.name:
            return state.assays
        samples = self._samples_of(subject, state)
        return tuple(dict.fromkeys(assay for one in samples for assay in one.assays))

    async def _due(
        self, subject: Key, state: Subject, documents: Sequence[RetentionPublished], now: datetime
    ) -> AsyncGenerator[Due, None]:
        rules = rules_for(self._assays_of(subject, state), documents)
        spared = _spared(state, now)
        for kept in state.files:
            if kept.file_class not in rules or kept.name in spared:
                continue
            document, rule = rules[kept.file_class]
            due = retention.due_at(state, kept, rule.keep_days)
            is_fetched = kept.fetched_until is not None and kept.fetched_until > now
            if due is not None and due <= now and not is_fetched:
                yield Due(kept.file, rule, document)
        listed = LISTED.get(subject[0])
        if listed not in rules or self._reads.unsettled(state):
            return
        document, rule = rules[listed]
        due = retention.work_due_at(state, rule.keep_days)
        if due is not None and due <= now and self._empty.get(subject) != state.last_at:
            files = await self._listed(state, spared)
            if not files and not spared:
                self._empty[subject] = state.last_at  # not listed again until the run has news
            for file in files:
                if name_of(file) not in spared:
                    yield Due(file, rule, document)

    async def _listed(self, state: Subject, spared: Container[str]) -> list[StoredVersion]:
        found: list[StoredVersion] = []
        for place in state.work_places:
            bucket, _, prefix = place.partition("/")
            bucket = bucket or self._work_bucket
            if place in spared:
                continue
            async with aclosing(self._shelves.crawl(bucket, prefix)) as shelves:
                async for shelf in shelves:
                    found += [
                        StoredVersion(
                            bucket=bucket, object_key=shelf.place.key, version_id=one.version_id
                        )
                        for one in shelf.kept
                        if not one.is_marker
                    ]
        return [file for file in found if retention.is_work_of(state, file)]

    async def _delivered(
        self, documents: Sequence[RetentionPublished], now: datetime
    ) -> dict[Key, list[Due]]:
        found: dict[Key, list[Due]] = defaultdict(list)
        days = [
            rule.keep_days for one in documents for rule in one.rules if rule.file_class == DELIVERY
        ]
        if not days:
            return found
        known = {kept.name for state in self._known.values() for kept in state.files}
        older = self._copies.older(timedelta(days=min(days)), now, known)
        async with aclosing(older) as copies:
            async for subject, file, put_at in copies:
                state = self._known.get(subject, Subject())
                rules = rules_for(self._assays_of(subject, state), documents)
                if DELIVERY not in rules or name_of(file) in _spared(state, now):
                    continue
                document, rule = rules[DELIVERY]
                if put_at + timedelta(days=rule.keep_days) <= now:
                    found[subject].append(Due(file, rule, document, put_at))
        return found

    def _proposals(
        self, subject: Key, state: Subject, due: Sequence[Due], now: datetime
    ) -> Iterator[DeletionProposed]:
        by_rule: dict[tuple[str, str, str], list[Due]] = defaultdict(list)
        for one in due:
            by_rule[one.document.document_id, one.document.version, one.rule.name].append(one)
        for some in by_rule.values():
            for begins in range(0, len(some), PROPOSED_FILES_MAX):
                yield self._proposal(
                    subject, state, some[begins : begins + PROPOSED_FILES_MAX], now
                )

    def _proposal(
        self, subject: Key, state: Subject, due: Sequence[Due], now: datetime
    ) -> DeletionProposed:
        rule, document = due[0].rule, due[0].document
        # Asked again it is the same proposal, until it was refused: then it is another one.
        words = (document.document_id, document.version, rule.name, str(state.refusals))
        # Where a store keeps no versions, what is put there again has the same name.
        names = (f"{name_of(one.file)}{one.put_at or ''}" for one in due)
        put_at = max((one.put_at for one in due if one.put_at), default=None)
        fact = DeletionProposed(
            subject_topic=subject[0],
            subject_key=subject[1],
            document_id=document.document_id,
            document_version=document.version,
            rule=rule.name,
            file_class=rule.file_class,
            keep_days=rule.keep_days,
            files=tuple(one.file for one in due),
            sample_ids=state.sample_ids if subject[0] == topics.RUN.name else (),
            put_at=put_at,
            request_id=str(external_id("DeletionProposed", *words, *names)),
        )
        actor = Actor(kind="service", id=SWEEPER)
        return begin(fact, occurred_at=now, actor=actor, by=self._by)


def _spared(state: Subject, now: datetime) -> frozenset[str]:
    """What is not asked for now: files by their names, and folders by where they begin."""
    return frozenset(one.name for one in state.spared if one.until is None or one.until > now)
