"""The verdict on a played cohort, by rules that know nothing of how the flow is built.

* every sample has the verdict that its fate and its orders ask for, and no second one
* every case whose members are good has one request, one submission, one end; no other has any
* a fact is told to a subscription under one id, and each telling has one end
* no fact stands twice, and none before the one that caused it
* key by key, the facts are those of a run without faults
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from tests.whole.cohort import Cohort

EXAMPLES_MAX = 5
# When they come, and how often, depends on the time that a run takes; what follows does not.
OF_TIME = ("DeadlineSet", "DeadlineCancelled", "DeadlinePassed", "SubjectSilent")
# A try that a receiver refused, and whether a letter went out twice, are the world's.
OF_CHANCE = ("NotificationFailed",)
# What tells of a try and not of its result; a manifest names its run.
TOLD_OF_TRIES = (
    "found_already", "attempt", "duration_seconds", "response_code", "manifest_sha256",
)  # fmt: skip
NAMES = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # made from what came first
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d[:.\d]*(Z|\+00:00)?( UTC)?"
    r"|(?<=')\d{4}-\d\d(?=')"  # the month that is charged
)
ANY = "*"


class Fact(NamedTuple):
    """A record, as a reader of the log sees it."""

    topic: str
    key: str
    partition: int
    offset: int
    kind: str
    event_id: UUID
    causation_id: UUID | None
    by: str  # the service that says so
    payload: Mapping[str, Any]


@dataclass(slots=True)
class Finding:
    """What was found; all numbers but the first two and the last are nought, or it is broken."""

    facts: int = 0
    expected: int = 0
    lost: int = 0
    duplicates: int = 0
    out_of_order: int = 0
    double_effects: int = 0
    wrong_states: int = 0
    left_open: int = 0
    hanging: int = 0
    parked: int = 0
    examples: list[str] = field(default_factory=list)

    def note(self, what: str) -> None:
        """Keep an example of each kind."""
        kind = what.partition(":")[0]
        if sum(line.startswith(f"{kind}:") for line in self.examples) < EXAMPLES_MAX:
            self.examples.append(what)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not self.examples


class Reader(Protocol):
    """Decodes a record by the released schemas."""

    def event(self, value: bytes) -> tuple[str, dict[str, Any]]:
        """The type of a record and its fields."""


def fact_of(
    reader: Reader, topic: str, key: str, partition: int, offset: int, value: bytes
) -> Fact:
    """A record as the verdict reads it, without any code of the product."""
    kind, payload = reader.event(value)
    envelope = payload.pop("envelope")
    cause = envelope["causation_id"]
    return Fact(
        topic, key, partition, offset, kind, UUID(str(envelope["event_id"])),
        None if cause is None else UUID(str(cause)), envelope["producer"]["service"], payload,
    )  # fmt: skip


def judge(cohort: Cohort, facts: Iterable[Fact], calm: Mapping[str, Counter[str]]) -> Finding:
    """What is wrong with these facts, beside those of a run without faults."""
    facts = list(facts)
    found = Finding(facts=len(facts))
    of_kind: dict[str, list[Fact]] = defaultdict(list)
    for fact in once(facts, found):
        of_kind[fact.kind].append(fact)
    found.parked = len(of_kind["EventParked"])
    for fact in of_kind["EventParked"]:
        found.wrong_states += 1
        found.note(f"parked: {fact.key}: {fact.payload.get('error')}")
    _order(found, facts)
    _verdicts(found, cohort, of_kind)
    _runs(found, cohort, of_kind)
    _notifications(found, of_kind)
    _same(found, calm, plain(facts))
    return found


def once(facts: Iterable[Fact], found: Finding) -> list[Fact]:
    """The facts without repetitions; only a porch may repeat itself."""
    seen: set[tuple[str, UUID]] = set()
    kept = []
    for fact in facts:
        name = fact.topic, fact.event_id
        if name in seen and fact.by != "tests":
            found.duplicates += 1
            found.note(f"duplicate: {fact.kind} {fact.key} {fact.event_id}")
        elif name not in seen:
            kept.append(fact)
        seen.add(name)
    return kept


def _order(found: Finding, facts: Iterable[Fact]) -> None:
    place = {(fact.topic, fact.partition, fact.event_id): fact.offset for fact in facts}
    for fact in facts:
        if fact.causation_id is None:
            continue
        cause = place.get((fact.topic, fact.partition, fact.causation_id))
        if cause is not None and cause > fact.offset:
            found.out_of_order += 1
            found.note(f"order: {fact.kind} {fact.key} stands before its cause")


def _verdicts(found: Finding, cohort: Cohort, of_kind: Mapping[str, list[Fact]]) -> None:
    said: dict[str, list[str]] = defaultdict(list)
    for fact in of_kind.get("QcPassed", ()):
        said[fact.key].append("QcPassed")
    for fact in of_kind.get("QcFailed", ()):
        said[fact.key].append(f"QcFailed {fact.payload['reason_code']}")
    for name, wanted in cohort.verdicts().items():
        if said[name] != [one for one in (wanted,) if one]:
            found.wrong_states += 1
            found.note(f"verdict: sample {name}: {said[name]}, and not {wanted}")


def _runs(found: Finding, cohort: Cohort, of_kind: Mapping[str, list[Fact]]) -> None:
    for kind in ("CaseReady", "RunRequested", "RunSubmitted", "RunSucceeded"):
        times = Counter(str(fact.payload["case_id"]) for fact in of_kind.get(kind, ()))
        for case in cohort.cases:
            if times[case.name] != int(case.is_run):
                found.double_effects += 1
                found.note(f"run: {case.name}: {times[case.name]} times {kind}")
    exits = Counter(fact.key for fact in of_kind.get("RunExited", ()))
    for run, count in exits.items():
        if count > 1:
            found.double_effects += 1
            found.note(f"run: {run} exited {count} times")


def _notifications(found: Finding, of_kind: Mapping[str, list[Fact]]) -> None:
    plans = Counter(fact.payload["source_event_id"] for fact in of_kind["NotificationPlanned"])
    ids: dict[tuple[Any, str], set[Any]] = defaultdict(set)
    for fact in of_kind.get("NotificationQueued", ()):
        ids[fact.payload["source_event_id"], fact.key].add(fact.payload["notification_id"])
    second = [name for name, count in plans.items() if count > 1]
    second += [name for name, some in ids.items() if len(some) > 1]
    for name in second:
        found.double_effects += 1
        found.note(f"notification: {name} was planned twice, or has a second id")
    ends = Counter(fact.payload["notification_id"] for fact in of_kind.get("NotificationSent", ()))
    ends.update(
        fact.payload["notification_id"]
        for fact in of_kind.get("NotificationFailed", ())
        if fact.payload["is_final"]
    )
    for some in ids.values():
        for name in some:
            if ends[name] != 1:
                found.double_effects += 1
                found.note(f"notification: {name} has {ends[name]} ends")


def plain(facts: Iterable[Fact]) -> dict[str, Counter[str]]:
    """For each key what was said of it, without times and without ids that follow from an order."""
    kept: dict[str, Counter[str]] = defaultdict(Counter)
    seen: set[tuple[str, UUID]] = set()
    for fact in facts:
        name = fact.topic, fact.event_id
        if fact.kind in OF_TIME or fact.kind in OF_CHANCE or name in seen:
            continue
        seen.add(name)
        said = _blank(f"{fact.kind} {_bare(fact.payload)}")
        kept[_blank(f"{fact.topic} {fact.key}")][said] += 1
    return dict(kept)


def _blank(text: str) -> str:
    return NAMES.sub(ANY, text)


def _bare(said: Any) -> Any:
    if isinstance(said, UUID | datetime):
        return ANY
    if isinstance(said, Mapping):
        return {name: _bare(value) for name, value in said.items() if name not in TOLD_OF_TRIES}
    return [_bare(one) for one in said] if isinstance(said, list | tuple) else said


def _same(
    found: Finding, calm: Mapping[str, Counter[str]], stormy: Mapping[str, Counter[str]]
) -> None:
    found.expected = sum(some.total() for some in calm.values())
    for key in calm.keys() | stormy.keys():
        wanted, given = calm.get(key, Counter()), stormy.get(key, Counter())
        missing, extra = wanted - given, given - wanted
        found.lost += missing.total()
        if missing or extra:
            found.wrong_states += 1
            found.note(f"state: {key}: without {_first(missing)}, with {_first(extra)}")


def _first(some: Counter[str]) -> str:
    return f"{next(iter(some), 'nothing'):.300}"
