"""The verdict: what stands on the kept log, beside what a run without faults would have left.

    python -m tests.faults.verdict --kafka ADDRESS --prefix P. --room DIR --out FILE

It is a program of its own. It shares no code with the product: it reads with confluent-kafka
(read_committed) and fastavro by the released schemas, makes the list of inputs anew from the seed,
and folds it by its own few lines. Exit code 1 where anything is lost, too much, or out of order.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from uuid import UUID, uuid5

import fastavro
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from tests.faults.inputs import BUCKET, Landed, case_of, make, read

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
NAMESPACE = UUID("05aee22c-adb8-5341-9835-189106469463")  # uuid5(NAMESPACE_DNS, "genoflow")
SAMPLES, CASES, PARKED = "gf.sample.v1", "gf.case.v1", "gf.parked.v1"
COUNTS, ANSWERS = "gf.changelog.count-files.sample.v1", "gf.changelog.answer-files.case.v1"
READ_SECONDS_MAX = 90.0  # without a record: the broker ends what was left open within 20 s
EXAMPLES_MAX = 5


class Row(NamedTuple):
    """A committed record."""

    partition: int
    offset: int
    key: str
    value: bytes | None


@dataclass
class Verdict:
    """The numbers, and the first few of each kind by name."""

    seed: int
    expected: int = 0  # facts that have to stand: one hop and one outcome for every file
    lost: int = 0
    duplicates: int = 0  # a fact twice, or one that a run without faults does not make
    out_of_order: int = 0
    effects: int = 0
    double_effects: int = 0  # more than one outcome, or not the one of what was done
    wrong_states: int = 0
    left_open: int = 0  # effects and keys that still wait at the end
    hanging: int = 0  # partitions whose end no reader of committed records reaches
    parked: int = 0
    attempts: int = 0  # tries in the outside world: more than effects, since workers died in them
    examples: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        wrong = self.lost + self.duplicates + self.out_of_order + self.double_effects
        return wrong + self.wrong_states + self.left_open + self.hanging == 0

    def note(self, what: str) -> None:
        """Keep an example."""
        kind = what.partition(":")[0]
        if sum(line.startswith(f"{kind}:") for line in self.examples) < EXAMPLES_MAX:
            self.examples.append(what)


class Notes(Protocol):
    """Where a partition is noted that cannot be read to its end."""

    hanging: int

    def note(self, what: str) -> None:
        """Keep an example."""


def committed(verdict: Notes, kafka: str, topic: str) -> list[Row]:
    """Every committed record of a topic, read until the end that it has without transactions."""
    return committed_of(verdict, kafka, [topic])[topic]


def committed_of(verdict: Notes, kafka: str, topics: Sequence[str]) -> dict[str, list[Row]]:
    """The same of several topics at once."""
    settings = {"bootstrap.servers": kafka, "group.id": "verdict", "enable.auto.commit": False}
    blunt = Consumer({**settings, "isolation.level": "read_uncommitted"})
    known = blunt.list_topics(timeout=10).topics
    ends = {
        (topic, number): blunt.get_watermark_offsets(TopicPartition(topic, number), timeout=10)[1]
        for topic in topics
        for number in known[topic].partitions
    }
    blunt.close()
    consumer = Consumer({**settings, "isolation.level": "read_committed"})
    consumer.assign([TopicPartition(*place, OFFSET_BEGINNING) for place in ends])
    rows: dict[str, list[Row]] = {topic: [] for topic in topics}
    left = {place for place, end in ends.items() if end}
    deadline = time.monotonic() + READ_SECONDS_MAX
    while left:
        if time.monotonic() > deadline:
            verdict.hanging += len(left)
            verdict.note(f"hanging: {sorted(left)} has a transaction that never ends")
            break
        messages = consumer.consume(10_000, timeout=0.2)
        if messages:
            deadline = time.monotonic() + READ_SECONDS_MAX
        for message in messages:
            if message.error():
                continue  # brokers come and go: it is asked again until the time is over
            topic, partition, offset = message.topic(), message.partition(), message.offset()
            assert topic is not None
            assert partition is not None
            assert offset is not None
            key = (message.key() or b"").decode()
            rows[topic].append(Row(partition, offset, key, message.value()))
        places = consumer.position([TopicPartition(*place) for place in left])
        at = {(place.topic, place.partition): place.offset for place in places}
        left = {place for place in left if at[place] < ends[place]}
    consumer.close()
    return {
        topic: sorted(some, key=lambda row: (row.partition, row.offset))
        for topic, some in rows.items()
    }


class Schemas:
    """The released schemas by the id that stands before each record."""

    def __init__(self) -> None:
        lock = json.loads((SCHEMAS / "ids.lock").read_text(encoding="utf-8"))
        self._named = {row["id"]: (row["type"], row["version"]) for row in lock["editions"]}
        self._parsed: dict[int, Any] = {}

    def event(self, value: bytes) -> tuple[str, dict[str, Any]]:
        """The type of a record and its fields."""
        number = int.from_bytes(value[1:5], "big")
        kind, version = self._named[number]
        if number not in self._parsed:
            stem = "".join(f"_{c.lower()}" if c.isupper() else c for c in kind).lstrip("_")
            text = (SCHEMAS / f"{stem}.v{version}.avsc").read_text(encoding="utf-8")
            self._parsed[number] = fastavro.parse_schema(json.loads(text))
        body = io.BytesIO(value[5:])
        found = fastavro.schemaless_reader(body, self._parsed[number], None)
        assert isinstance(found, dict)
        return kind, found


class Expected(NamedTuple):
    """What one file leads to."""

    landed: Landed
    round: int
    landed_id: UUID
    ready_id: UUID
    outcome_id: UUID
    effect_id: UUID


def _name(*parts: str) -> str:
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def expected(rows: Sequence[Landed]) -> Iterator[Expected]:
    """The fold of a run without faults: rounds in the order in which files come first."""
    rounds: dict[str, int] = {}
    seen: set[str] = set()
    for row in rows:
        if row.object_key in seen:
            continue
        seen.add(row.object_key)
        number = rounds[row.sample] = rounds.get(row.sample, 0) + 1
        landed = uuid5(NAMESPACE, _name("FileLanded", BUCKET, row.object_key, "1"))
        hop = ("CaseMemberReady", case_of(row.sample), row.sample, str(number))
        ready = uuid5(landed, _name("count-files", *hop))
        said = ("FileChecksummed", row.sample, BUCKET, row.object_key, "1")
        outcome = uuid5(ready, _name("answer-files", *said))
        effect = "assay" if row.is_job else "measure"
        effect_id = uuid5(NAMESPACE, f"{ready}/answer-files/{effect}/")
        yield Expected(row, number, landed, ready, outcome, effect_id)


def judge_facts(
    verdict: Verdict, kind: str, wanted: dict[UUID, Expected], found: list[tuple[int, Any]]
) -> None:
    """Each wanted fact stands exactly once, and those of a sample stand in its order."""
    times = Counter(UUID(fact["envelope"]["event_id"].hex) for _, fact in found)
    verdict.expected += len(wanted)
    for name, row in wanted.items():
        if name not in times:
            verdict.lost += 1
            verdict.note(f"lost: {kind} of {row.landed.object_key}, round {row.round}")
    for name, count in times.items():
        over = count - 1 if name in wanted else count
        if over:
            verdict.duplicates += over
            verdict.note(f"duplicate: {kind} {name}, {count} times, wanted: {name in wanted}")
    last: dict[str, int] = defaultdict(int)
    for offset, fact in found:
        known = wanted.get(UUID(fact["envelope"]["event_id"].hex))
        if known is None:
            continue
        sample, number = known.landed.sample, known.round
        if number < last[sample]:
            verdict.out_of_order += 1
            verdict.note(f"order: {kind} {known.landed.object_key} at offset {offset}")
        last[sample] = max(number, last[sample])


def judge_effects(
    verdict: Verdict, wanted: Sequence[Expected], outcomes: list[tuple[int, Any]], outside: Path
) -> None:
    """One outcome for each effect, and it tells what the outside world did."""
    verdict.effects = len(wanted)
    told: dict[UUID, list[str]] = defaultdict(list)
    for _, fact in outcomes:
        told[UUID(str(fact["envelope"]["effect_id"]))].append(fact["sha256"])
    for row in wanted:
        sums = told.pop(row.effect_id, [])
        done = _done(outside, row)
        right = done is not None and hashlib.sha256(done).hexdigest() in sums
        if len(sums) > 1 or (sums and not right):
            verdict.double_effects += 1
            verdict.note(f"effect: {row.effect_id} of {row.landed.object_key}: {len(sums)}")
    verdict.double_effects += len(told)
    attempts = outside / "attempts"
    if attempts.exists():
        verdict.attempts = sum(1 for _ in attempts.glob("*/*"))


def _done(outside: Path, row: Expected) -> bytes | None:
    if row.landed.is_job:
        path = outside / "effects" / str(row.effect_id) / "outcome"
        if not path.exists():
            return None
        output = json.loads(path.read_bytes())["output"]
        assert isinstance(output, str)
        return output.encode()
    path = outside / "marks" / str(row.effect_id)
    return path.read_bytes() if path.exists() else None


def judge_states(verdict: Verdict, kafka: str, prefix: str, wanted: Sequence[Expected]) -> None:
    """The states on the changelogs are those of the fold, and nothing waits."""
    seen: dict[str, list[int]] = defaultdict(list)
    rounds: dict[str, dict[str, int]] = defaultdict(dict)
    for row in wanted:
        seen[row.landed.sample].append(row.landed.number)
        rounds[case_of(row.landed.sample)][row.landed.sample] = row.round
    for topic, field_name, right in ((COUNTS, "seen", seen), (ANSWERS, "rounds", rounds)):
        last: dict[str, bytes] = {}
        for record in committed(verdict, kafka, prefix + topic):
            if record.value is None:
                last.pop(record.key, None)
            else:
                last[record.key] = record.value
        waiting = [key for key in last if key.startswith(("effect/", "parked/"))]
        verdict.left_open += len(waiting)
        for key in waiting[:1]:
            verdict.note(f"left open: {topic} {key}")
        kept = {
            key.removeprefix("state/"): json.loads(value)[field_name]
            for key, value in last.items()
            if key.startswith("state/")
        }
        wrong = [k for k in kept.keys() | right.keys() if kept.get(k) != right.get(k)]
        verdict.wrong_states += len(wrong)
        for key in wrong[:1]:
            verdict.note(f"state: {topic} {key}: {kept.get(key)!r:.200}")


def judge(kafka: str, prefix: str, room: Path) -> Verdict:
    """Read the kept log and compare."""
    seed, rows = read(room / "inputs.jsonl")
    events = sum(not row.again for row in rows)
    assert rows == make(seed, events, sum(row.poisoned for row in rows)), "another list of inputs"
    verdict = Verdict(seed)
    wanted = list(expected(rows))
    schemas = Schemas()
    facts: dict[str, list[tuple[int, Any]]] = defaultdict(list)
    for topic in (SAMPLES, CASES, PARKED):
        for row in committed(verdict, kafka, prefix + topic):
            assert row.value is not None
            kind, fact = schemas.event(row.value)
            facts[kind].append((row.offset, fact))
    by_landed = {row.landed_id: row for row in wanted}
    landed: dict[UUID, tuple[int, Any]] = {}
    for offset, fact in facts["FileLanded"]:  # reported twice is no fault of ours
        landed.setdefault(UUID(fact["envelope"]["event_id"].hex), (offset, fact))
    judge_facts(verdict, "FileLanded", by_landed, list(landed.values()))
    verdict.expected = 0
    judge_facts(
        verdict, "CaseMemberReady", {r.ready_id: r for r in wanted}, facts["CaseMemberReady"]
    )
    outcomes = facts["FileChecksummed"]
    judge_facts(verdict, "FileChecksummed", {r.outcome_id: r for r in wanted}, outcomes)
    judge_effects(verdict, wanted, outcomes, room / "outside")
    parked = Counter(fact["envelope"]["event_id"] for _, fact in facts["EventParked"])
    verdict.parked = len(parked)
    verdict.duplicates += parked.total() - len(parked)
    judge_states(verdict, kafka, prefix, wanted)
    return verdict


def main() -> int:
    """Judge, write the numbers, and say whether anything was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kafka", required=True)
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--room", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path)
    options = parser.parse_args()
    verdict = judge(options.kafka, options.prefix, options.room)
    options.out.write_text(json.dumps(asdict(verdict), indent=1) + "\n", encoding="utf-8")
    print(json.dumps(asdict(verdict)))
    return 0 if verdict.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
