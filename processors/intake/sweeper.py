"""The sweeper: a porch that looks at the time of day, and says which rules of retention are due.

It deletes nothing. What it proposes is decided in the order of the sample or the run that it is
about, by the same rules as here. It keeps what retention has to know of every sample and run, some
two kilobytes each, and reads only what is new on the log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime

from genoflow.events import topics
from genoflow.events.deletion_proposed import PROPOSED_FILES_MAX, DeletionProposed
from genoflow.events.envelope import Actor, Producer
from genoflow.events.errors import MalformedEvent, OutcomeUnknown
from genoflow.events.event import Event, begin
from genoflow.events.identity import external_id
from genoflow.events.log.port import EventLog, Vector
from genoflow.events.retention_published import RetentionPublished
from genoflow.events.retention_rule import WORK, RetentionRule
from genoflow.events.run_requested import RunRequested
from genoflow.events.stored_version import StoredVersion, name_of
from genoflow.processors import retention
from genoflow.processors.intake.heard import Shelves
from genoflow.processors.ports import Clock
from genoflow.processors.retention import Subject

SWEEPER = "retention-sweeper"
APPEND_TRIES = 3  # an append of unknown outcome is repeated with the same id, as the log asks
TOLD: tuple[type[Event], ...] = (
    *retention.OF_SAMPLE, *retention.OF_RUN, *retention.ANSWERS, DeletionProposed,
)  # fmt: skip
READ = frozenset(kind.type() for kind in TOLD)
Key = tuple[str, str]  # topic and key of a subject


@dataclass(frozen=True, slots=True)
class Due:
    """A file that a rule lets go, and which rule of which document says so."""

    file: StoredVersion
    rule: RetentionRule
    document: RetentionPublished


@dataclass(slots=True)
class Look:
    """What is due at one time, and what would be but for something that speaks for it."""

    proposals: list[DeletionProposed] = field(default_factory=list)
    waiting: int = 0  # files that were proposed, and of which nobody has said yet what came of it
    held: dict[Key, tuple[str, ...]] = field(default_factory=dict)
    in_use: int = 0  # files that a run takes which is not over

    @property
    def files(self) -> int:
        """How many files are due."""
        return sum(len(one.files) for one in self.proposals)


class Sweeper:
    """Looks when it is told to, and appends what it found when it is told to."""

    def __init__(
        self, log: EventLog, shelves: Shelves, *, work_bucket: str, clock: Clock, by: Producer
    ) -> None:
        self._log = log
        self._shelves = shelves
        self._work_bucket = work_bucket
        self._clock = clock
        self._by = by
        self._at: Vector = {}
        self._known: dict[Key, Subject] = {}
        self._empty: dict[Key, datetime | None] = {}  # of whose work nothing was left then
        self._inputs: dict[str, frozenset[str]] = {}  # by run: what it takes

    async def look(self, documents: Sequence[RetentionPublished]) -> Look:
        """What these documents, in the order in which they came into force, let go now."""
        await self._catch_up()
        now, found = self._clock.now(), Look()
        taken = self._taken()
        for subject, state in list(self._known.items()):
            if state.holds:
                found.held[subject] = state.holds
                continue
            due = [one async for one in self._due(subject, state, documents, now)]
            free = [one for one in due if name_of(one.file) not in taken]
            found.in_use += len(due) - len(free)
            held = self._held_by(state)
            if free and held:
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
            for left in reversed(range(APPEND_TRIES)):
                try:
                    await self._log.append(proposal)
                    break
                except OutcomeUnknown:
                    if not left:
                        raise
            count += 1
        return count

    async def _catch_up(self) -> None:
        ends: Vector = {}
        starts: Vector = {}
        for topic in (topics.SAMPLE, topics.RUN):
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

    def _held_by(self, state: Subject) -> tuple[str, ...]:
        samples = (self._known.get((topics.SAMPLE.name, one)) for one in state.sample_ids)
        return tuple(name for one in samples if one is not None for name in one.holds)

    async def _due(
        self, subject: Key, state: Subject, documents: Sequence[RetentionPublished], now: datetime
    ) -> AsyncGenerator[Due, None]:
        rules = rules_for(state.assays, documents)
        spared = {one.name for one in state.spared if one.until is None or one.until > now}
        for kept in state.files:
            if kept.file_class not in rules or kept.name in spared:
                continue
            document, rule = rules[kept.file_class]
            due = retention.due_at(state, kept, rule.keep_days)
            is_fetched = kept.fetched_until is not None and kept.fetched_until > now
            if due is not None and due <= now and not is_fetched:
                yield Due(kept.file, rule, document)
        if subject[0] != topics.RUN.name or WORK not in rules:
            return
        document, rule = rules[WORK]
        due = retention.work_due_at(state, rule.keep_days)
        if due is not None and due <= now and self._empty.get(subject) != state.last_at:
            files = await self._work_files(state)
            if not files:
                self._empty[subject] = state.last_at  # not listed again until the run has news
            for file in files:
                if name_of(file) not in spared:
                    yield Due(file, rule, document)

    async def _work_files(self, state: Subject) -> list[StoredVersion]:
        found: list[StoredVersion] = []
        for place in state.work_places:
            bucket, _, prefix = place.partition("/")
            bucket = bucket or self._work_bucket
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
        names = (name_of(one.file) for one in due)
        fact = DeletionProposed(
            subject_topic=subject[0],
            subject_key=subject[1],
            document_id=document.document_id,
            document_version=document.version,
            rule=rule.name,
            file_class=rule.file_class,
            keep_days=rule.keep_days,
            files=tuple(one.file for one in due),
            sample_ids=state.sample_ids,
            request_id=str(external_id("DeletionProposed", *words, *names)),
        )
        actor = Actor(kind="service", id=SWEEPER)
        return begin(fact, occurred_at=now, actor=actor, by=self._by)


def rules_for(
    assays: Sequence[str], documents: Sequence[RetentionPublished]
) -> dict[str, tuple[RetentionPublished, RetentionRule]]:
    """The rule of each class of files and its document; of several assays, what keeps longest.

    A class that one of the assays has no rule for is kept for ever, and so is a file whose assay
    no document is for. Of several documents for one assay the last to come into force counts.
    """
    chosen = [_document_for(one, documents) for one in assays] or [_document_for("", documents)]
    rules: dict[str, tuple[RetentionPublished, RetentionRule]] = {}
    if any(one is None for one in chosen):
        return rules
    each = [
        {rule.file_class: (document, rule) for rule in document.rules}
        for document in chosen
        if document is not None
    ]
    for name in set.intersection(*({*one} for one in each)):
        rules[name] = max((one[name] for one in each), key=lambda pair: pair[1].keep_days)
    return rules


def _document_for(assay: str, documents: Sequence[RetentionPublished]) -> RetentionPublished | None:
    named = [one for one in documents if assay in one.assays]
    others = [one for one in documents if not one.assays]
    found = named or others
    return found[-1] if found else None
