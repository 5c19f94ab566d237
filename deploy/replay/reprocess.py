"""Asks for work again about many subjects, each by the rules of its desk, none of them twice.

1. The subjects come from the read models, at a stated position.
2. The desk decides by the log, as it is now, what may be asked about each.
3. Requests are appended a hundred at a time. Their ids come from the position, the subject and the
   reason, and what the log holds already is left out: after a kill the same command goes on.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from genoflow.deploy import demultiplex_desk, qc_desk, run_desk
from genoflow.deploy.people import append_together
from genoflow.deploy.replay.chosen import RUNS, SAMPLES, SEQUENCING_RUNS, Rows, Selection, Subject
from genoflow.deploy.replay.progress import Progress
from genoflow.events import topics
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.identity import external_id
from genoflow.events.log.port import EventLog
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.run_requested import RunRequested
from genoflow.events.subjects import Subjects
from genoflow.events.top_up_requested import TopUpRequested
from genoflow.events.topics import Topic
from genoflow.processors.qc_rules import Verdict

BATCH_MAX = 100  # of one transaction: 100 requests of 1 kB, some 20 ms
CHUNK_MAX = 400  # subjects of one look at a topic: 400 runs of 50 tasks have 80,000 events


@dataclass(frozen=True, slots=True)
class Kind:
    """Work that can be asked for again, and where its subjects are found."""

    word: str
    about: str
    rows: Rows
    topic: Topic


KINDS = {
    one.word: one
    for one in (
        Kind("run", "runs that failed or were cancelled, once more", RUNS, topics.RUN),
        Kind(
            "demultiplex", "demultiplexing that failed, once more by the same sheet",
            SEQUENCING_RUNS, topics.SEQUENCING_RUN,
        ),
        Kind("top-up", "more reads of samples that failed QC", SAMPLES, topics.SAMPLE),
    )
}  # fmt: skip
# What somebody may look for here, and why the log has no request for it.
ELSEWHERE = {
    "qc": "reads are judged when they change: ask for more with `top-up`, or let a round pass with "
    "`genoflow qc override`; `genoflow replay decide judge-reads` shows what would be decided now",
    "validate": "a file is validated when it lands: send it again with `genoflow reads send`; what "
    "could not be taken goes on with `genoflow parked requeue`",
}


def kind_named(word: str) -> Kind:
    """The work of this name; Refused, with the way there is, where none can be asked for."""
    if word in ELSEWHERE:
        raise Refused(f"{word}: nobody asks for it again; {ELSEWHERE[word]}")
    if word not in KINDS:
        raise Refused(f"{word!r}: is no work to ask for again; there is {', '.join(KINDS)}")
    return KINDS[word]


@dataclass(frozen=True, slots=True)
class Said:
    """Who asks, why, and when."""

    reason: str
    person: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked about one subject, or why nothing is."""

    subject: Subject
    fact: Event | None
    refusal: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be appended for a selection, subject by subject."""

    kind: Kind
    selection: Selection
    requests: tuple[Request, ...]

    @property
    def facts(self) -> list[Event]:
        """The requests, in the order of their subjects."""
        return [one.fact for one in self.requests if one.fact is not None]

    def groups(self) -> list[tuple[str, list[Request]]]:
        """Those that are asked about by how they stand, then those that are not by why not."""
        found: dict[tuple[bool, str], list[Request]] = {}
        for one in self.requests:
            found.setdefault((one.fact is None, _why(one)), []).append(one)
        return [(words, some) for (_, words), some in sorted(found.items(), key=_largest_first)]


def _largest_first(item: tuple[tuple[bool, str], list[Request]]) -> tuple[bool, int, str]:
    (is_refused, words), some = item
    return is_refused, -len(some), words


def _why(one: Request) -> str:
    if one.refusal is None:
        return ": ".join(part for part in (one.subject.state, one.subject.reason) if part)
    # A desk begins with its subject, which differs in each: what remains is the same for many.
    words = one.refusal.replace(one.subject.key, "…")
    return f"not asked for: {words}"


async def planned(
    subjects: Subjects, kind: Kind, selection: Selection, said: Said, progress: Progress
) -> Plan:
    """Ask the desk about every subject; what it refuses is kept with its reason."""
    requests: list[Request] = []
    of = len(selection.subjects)
    asked: list[RunRequested] = []
    if kind.word == "run":
        asked = await _runs_beside(subjects, {one.key for one in selection.subjects})
    for start in range(0, of, CHUNK_MAX):
        some = selection.subjects[start : start + CHUNK_MAX]
        known = await _known(subjects, kind, [one.key for one in some], asked)
        for one in some:
            requests.append(await _request(known, kind, selection.position, one, said))
            progress(len(requests), of)
    return Plan(kind, selection, tuple(requests))


async def append(
    log: EventLog, plan: Plan, person_patterns: Sequence[str], progress: Progress
) -> int:
    """Append the requests, a hundred of them whole or not at all; returns how many."""
    facts = plan.facts
    for start in range(0, len(facts), BATCH_MAX):
        some = facts[start : start + BATCH_MAX]
        await append_together(log, some, person_patterns, dry_run=False)
        progress(start + len(some), len(facts))
    return len(facts)


def request_id(position: str, subject: str, reason: str) -> str:
    """Of the request about a subject: the same one for the same selection and reason."""
    return str(external_id("reprocess", position, subject, reason))


async def _request(
    known: Known, kind: Kind, position: str, subject: Subject, said: Said
) -> Request:
    try:
        fact = await _fact(known, kind, position, subject.key, said)
    except Refused as refusal:
        return Request(subject, None, str(refusal))
    return Request(subject, fact, None)


async def _fact(known: Known, kind: Kind, position: str, key: str, said: Said) -> Event:
    story = (await known.events_of(kind.topic, [key]))[key]
    if kind.word == "demultiplex":
        return demultiplex_desk.reopened(
            key, story, reason=said.reason, person=said.person, at=said.at
        )
    if kind.word == "top-up":
        of_quality = [one for one in story if isinstance(one, Verdict | TopUpRequested)]
        return qc_desk.topped_up(
            key, of_quality, reason=said.reason, reads=None, library_id=None,
            person=said.person, at=said.at,
        )  # fmt: skip
    fact = await run_desk.again(
        known, key, reason=said.reason, person=said.person, at=said.at,
        request_id=request_id(position, key, said.reason),
    )  # fmt: skip
    of_case = (await known.events_of(topics.CASE, [fact.case_id]))[fact.case_id]
    asked = [e for e in of_case if isinstance(e, RerunRequested) and e.run_id == fact.run_id]
    if asked:
        when = asked[-1].envelope.occurred_at
        raise Refused(
            f"run {key}: was asked for again at {when:%Y-%m-%d %H:%M:%SZ}, and no run has followed "
            f"yet; `genoflow case why {fact.case_id}` says what it waits for"
        )
    return fact


class Known:
    """Subjects that were read from the log at once, so that a desk asks no topic for each."""

    def __init__(self, requests: Sequence[RunRequested]) -> None:
        self._requests = requests
        self._stories: dict[tuple[str, str], list[Event]] = {}

    async def read(self, subjects: Subjects, topic: Topic, keys: Collection[str]) -> None:
        """Keep the stories of these subjects."""
        found = await subjects.events_of(topic, keys)
        self._stories |= {(topic.name, key): story for key, story in found.items()}

    async def events_of(self, topic: Topic, keys: Collection[str]) -> dict[str, list[Event]]:
        """The stories of these subjects, which were read before."""
        return {key: self._stories[topic.name, key] for key in keys}

    async def every(self, _topic: Topic, *_types: type[Event]) -> AsyncGenerator[Event, None]:
        """The requests for runs of the cases that are asked about."""
        for one in self._requests:
            yield one


async def _runs_beside(subjects: Subjects, keys: Collection[str]) -> list[RunRequested]:
    """What asked for these runs, and for the other runs of their cases."""
    cases = {one.case_id async for one in _requests(subjects) if one.key in keys}
    return [one async for one in _requests(subjects) if one.case_id in cases]


async def _requests(subjects: Subjects) -> AsyncGenerator[RunRequested, None]:
    async with aclosing(subjects.every(topics.RUN, RunRequested)) as requests:
        async for one in requests:
            if isinstance(one, RunRequested):
                yield one


async def _known(
    subjects: Subjects, kind: Kind, keys: Collection[str], asked: Sequence[RunRequested]
) -> Known:
    """What the desk will ask about these subjects, in one look at each topic."""
    cases = {one.case_id for one in asked if one.key in {*keys}}
    beside = [one for one in asked if one.case_id in cases]
    known = Known(beside)
    await known.read(subjects, kind.topic, {*keys, *(one.key for one in beside)})
    await known.read(subjects, topics.CASE, cases)
    return known
