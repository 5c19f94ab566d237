"""Rows of the audit trail without events, in a real Postgres: those that the usual way makes."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import pytest

from genoflow.events.catalogue import EVENTS
from genoflow.events.codec import HEADER_ID, HEADER_SEAL, SEAL
from genoflow.events.errors import UnknownSchema
from genoflow.events.event import Event
from genoflow.events.file_rejected import FileRejected
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.recorded import Raw
from genoflow.events.task_completed import TaskCompleted
from genoflow.events.topics import SAMPLE
from genoflow.native import batch
from genoflow.projections import runner
from genoflow.projections.audit_trail import AuditTrail
from genoflow.projections.runner import bring_up
from genoflow.projections.store import forget_all
from genoflow.projections.straight import RECORDS_AT_ONCE
from tests.examples import example
from tests.heard import joined, rows_of
from tests.partition import CODEC

RELATIONS = ("live.events", "gf.set_aside", "gf.positions")
SEEDS = 4  # of each type: more than one piece of a stream in every partition
GOOD = RECORDS_AT_ONCE + 50  # before the one that is not: some of them are on their way by then

Headers = list[tuple[str, bytes | None]]
Change = Callable[[bytes, Headers], tuple[bytes | None, Headers]]


@pytest.fixture(autouse=True)
def straight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Go this way by the twin, too, where no extension was built."""
    monkeypatch.setattr(runner, "COMPILED", True)


@pytest.fixture(params=["as installed", "the twin"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once with what set-up could build, and once with the twin."""
    if request.param == "the twin":
        monkeypatch.setattr(batch, "_rust", None)


@pytest.fixture
def no_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever does not go straight fails the test."""

    async def refused(*_: object) -> None:
        raise AssertionError("this batch went the usual way")

    monkeypatch.setattr(runner, "apply_together", refused)


async def made(connection: Any, log: MemoryLog) -> list[list[Any]]:
    """All rows of the audit trail of this log, and what was set aside of it."""
    await bring_up(log, CODEC, connection, [AuditTrail()])
    found = [await rows_of(connection, relation) for relation in RELATIONS]
    await forget_all(connection)
    return found


async def made_usually(connection: Any, log: MemoryLog) -> list[list[Any]]:
    """The same, with an event built for every row."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "COMPILED", False)
        patch.setattr(runner, "apply_ready", None)  # nobody calls it
        return await made(connection, log)


def everything() -> list[Event]:
    """Events of every type, with whatever a text, a number and a moment may be."""
    return [example(model, seed) for seed in range(SEEDS) for model in EVENTS]


async def logged(log: MemoryLog, events: Sequence[Event]) -> None:
    """Append these to one partition each of their topics."""
    for event in events:
        await log.append(event)


@pytest.mark.usefixtures("engine")
async def test_events_of_every_type_give_the_rows_that_the_usual_way_gives(
    connection: Any, request: pytest.FixtureRequest
) -> None:
    async with MemoryLog(partitions=1) as log:
        await logged(log, everything())
        usual = await made_usually(connection, log)
        request.getfixturevalue("no_other_way")
        assert await made(connection, log) == usual
    assert (len(usual[0]), usual[1]) == (SEEDS * len(EVENTS), [])


@pytest.mark.usefixtures("engine", "no_other_way")
async def test_what_postgres_has_is_what_the_events_say(connection: Any) -> None:
    events = {event.envelope.event_id: event for event in everything()}
    async with MemoryLog(partitions=1) as log:
        await logged(log, list(events.values()))
        await bring_up(log, CODEC, connection, [AuditTrail()])
    rows = await connection.fetch("select *, md5(subject)::uuid as named from live.events")
    assert len(rows) == len(events)
    for row in rows:
        event = events[row["event_id"]]
        envelope = event.envelope
        assert (row["type"], row["subject"], row["subject_id"], row["occurred_at"]) == (
            envelope.type, event.key, row["named"], envelope.occurred_at,
        )  # fmt: skip
        assert (row["correlation_id"], row["causation_id"]) == (
            envelope.correlation_id, envelope.causation_id,
        )  # fmt: skip
        assert (row["actor_kind"], row["actor_id"]) == (envelope.actor.kind, envelope.actor.id)
        assert (row["producer"], row["producer_version"]) == (
            envelope.producer.service, envelope.producer.version,
        )  # fmt: skip
        assert json.loads(row["payload"]) == event.model_dump(mode="json")
        assert CODEC.decode(row["value"], row["seal"]) == event


def _with(headers: Headers, name: str, value: bytes | None) -> Headers:
    return [(key, value if key == name else old) for key, old in headers]


def _without(headers: Headers, name: str) -> Headers:
    return [one for one in headers if one[0] != name]


def _sealed(value: bytes, headers: Headers) -> tuple[bytes, Headers]:
    return value, _with(headers, HEADER_SEAL, SEAL.pack(zlib.crc32(value)))


def _large_run_id(value: bytes, headers: Headers) -> tuple[bytes, Headers]:
    at = value.index(RUN_ID)
    return _sealed(value[:at] + RUN_ID.upper() + value[at + len(RUN_ID) :], headers)


def _id_as(make: Callable[[UUID], str]) -> Change:
    def change(value: bytes, headers: Headers) -> tuple[bytes, Headers]:
        known = dict(headers)[HEADER_ID]
        assert known is not None
        return value, _with(headers, HEADER_ID, make(UUID(known.decode())).encode())

    return change


TASK = example(TaskCompleted, 1)
RUN_ID = str(TASK.run_id).encode()
SIX_LETTERS = example(FileRejected, 1).model_copy(update={"reason": r"not \u0000 but its letters"})
FACT = joined("odd")
ODD: dict[str, tuple[Event, Change]] = {
    "no seal": (FACT, lambda value, headers: (value, _without(headers, HEADER_SEAL))),
    "a broken seal": (FACT, lambda value, headers: (value, _with(headers, HEADER_SEAL, b"1234"))),
    "a short seal": (FACT, lambda value, headers: (value, _with(headers, HEADER_SEAL, b"1"))),
    "no id": (FACT, lambda value, headers: (value, _without(headers, HEADER_ID))),
    "an empty id": (FACT, lambda value, headers: (value, _with(headers, HEADER_ID, None))),
    "an id in braces": (FACT, _id_as(lambda known: f"{{{known}}}")),
    "an id in large letters": (FACT, _id_as(lambda known: str(known).upper())),
    "an id without dashes": (FACT, _id_as(lambda known: known.hex)),
    "an id with spaces": (FACT, _id_as(lambda known: f"{known.hex}    ")),
    "an id with its dashes elsewhere": (FACT, _id_as(lambda known: f"----{known.hex}")),
    "no value": (FACT, lambda _, headers: (None, headers)),
    "a cut value": (FACT, lambda value, headers: _sealed(value[:-3], headers)),
    "more behind it": (FACT, lambda value, headers: _sealed(value + b"\0", headers)),
    "an id of a run in large letters": (TASK, _large_run_id),
    "letters that are replaced": (SIX_LETTERS, lambda value, headers: (value, headers)),
}


@pytest.mark.parametrize("name", ODD)
async def test_a_batch_with_an_odd_record_comes_to_the_same_rows(
    connection: Any, name: str
) -> None:
    event, change = ODD[name]
    value, headers = CODEC.encode(event)
    odd = Raw(event.key.encode(), *change(value, list(headers)), 0)
    async with MemoryLog(partitions=1) as log:
        await logged(log, [joined(f"s{number}") for number in range(GOOD)])
        await log.append_raw(SAMPLE.name, 0, [odd])
        await logged(log, [joined("last")])
        usual = await made_usually(connection, log)
        assert await made(connection, log) == usual
    assert len(usual[0]) + len(usual[1]) == GOOD + 2


async def test_a_key_that_no_text_column_takes_comes_to_the_same_rows(connection: Any) -> None:
    async with MemoryLog(partitions=1) as log:
        await logged(log, [joined(f"s{number}") for number in range(GOOD)])
        for key in (b"\xff\x00\xc3", None, "ä" * 3_000, ""):
            octets = key.encode() if isinstance(key, str) else key
            await log.append_raw(SAMPLE.name, 0, [Raw(octets, *CODEC.encode(joined("k")), 0)])
        usual = await made_usually(connection, log)
        assert await made(connection, log) == usual
    assert len(usual[0]) == GOOD + 3  # no key and an empty one are one subject


async def test_a_repetition_leaves_the_row_that_is_there(connection: Any) -> None:
    facts = [joined(f"s{number}") for number in range(GOOD)]
    async with MemoryLog(partitions=1) as log:
        await logged(log, facts)
        await bring_up(log, CODEC, connection, [AuditTrail()])
        before = await rows_of(connection, "live.events")
        await logged(log, [joined(f"t{number}") for number in range(GOOD)] + facts)
        await bring_up(log, CODEC, connection, [AuditTrail()])
        after = await rows_of(connection, "live.events")
    assert (len(after), set(before) <= set(after)) == (2 * GOOD, True)


async def test_an_edition_that_nobody_here_knows_stops_both_ways(connection: Any) -> None:
    value, headers = CODEC.encode(FACT)
    unknown = _sealed(b"\0\x7f\xff\xff\xff" + value[5:], list(headers))
    async with MemoryLog(partitions=1) as log:
        await logged(log, [joined(f"s{number}") for number in range(GOOD)])
        await log.append_raw(SAMPLE.name, 0, [Raw(b"k", *unknown, 0)])
        for bring in (made, made_usually):
            with pytest.raises(UnknownSchema):
                await bring(connection, log)
            assert await rows_of(connection, "live.events") == []
