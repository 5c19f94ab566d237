"""Export and import against both adapters: nothing is lost, nothing is half done."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from genoflow.events import topics
from genoflow.events.codec import HEADER_CORRELATION, Codec
from genoflow.events.errors import DamagedFile, MalformedEvent, Refused, TopicMissing, UnknownSchema
from genoflow.events.log import transfer
from genoflow.events.log.container import ContainerReader, ContainerWriter, LogRecord
from genoflow.events.log.filters import Filter
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.port import EventLog
from genoflow.events.log.recorded import HEADER_POSITION, HEADER_RECORDED_AT, Raw, Recorded
from genoflow.events.log.transfer import export, import_
from genoflow.events.registry import Registry, released
from tests.contracts.logs import landed

PARTITIONS = topics.PARTITIONS_EMBEDDED
SAMPLE = topics.SAMPLE.name
NewLog = Callable[[], Awaitable[EventLog]]


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(released())


@pytest.fixture(params=["memory", "kafka"])
async def new_log(request: pytest.FixtureRequest) -> AsyncIterator[NewLog]:
    """Makes empty logs."""
    async with AsyncExitStack() as opened:

        async def memory() -> EventLog:
            return await opened.enter_async_context(MemoryLog())

        async def kafka() -> EventLog:
            log = KafkaLog(
                request.getfixturevalue("kafka_address"),
                prefix=f"t{secrets.token_hex(4)}.", partitions=PARTITIONS,
            )  # fmt: skip
            await opened.enter_async_context(log)
            async with TopicAdmin(log, partitions=PARTITIONS) as admin:
                await admin.apply(topics.TOPICS)
            return log

        yield memory if request.param == "memory" else kafka


async def filled(log: EventLog) -> EventLog:
    """Every kind of record that can stand on a log."""
    await log.append_bulk([landed(f"S{n % 9}", n) for n in range(120)])
    await log.append_atomically([landed("S1", 200), landed("S2", 201)])
    await log.append(landed("S1", 5))  # a repetition
    value, headers = Codec(released()).encode(landed("S3", 300))
    await log.append_raw(
        SAMPLE, partition_of(b"S3", PARTITIONS),
        [
            Raw(b"S3", value, (), 0),  # of a foreign writer
            Raw(b"S3", None, (("why", b"gone"),), 0),
            Raw(b"S3", value, (*headers, ("x", b"1"), ("x", b"2"), ("x", b"")), 0),
            Raw(b"S3", value, (*headers, (HEADER_POSITION, b"not a position")), 0),
        ],
    )  # fmt: skip
    await log.append_raw(SAMPLE, 2, [Raw(None, value, (), 0), Raw(None, None, (), 0)])
    return log


async def everything(log: EventLog, topic: str = SAMPLE) -> list[Recorded]:
    return [record async for record in log.read_topic(topic)]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def records_in(path: Path) -> list[LogRecord]:
    with path.open("rb") as source:
        return list(ContainerReader(source, path.name))


def write_file(path: Path, records: list[LogRecord], registry: Registry | None = None) -> Path:
    with ContainerWriter(registry or released()) as writer, path.open("wb") as sink:
        for record in records:
            writer.add(record)
        writer.finish(sink)
    return path


async def test_three_generations_of_a_log_give_the_same_file(
    new_log: NewLog, codec: Codec, tmp_path: Path
) -> None:
    log = await filled(await new_log())
    first = await export(log, tmp_path / "0.avro", codec=codec)
    assert first.records == 120 + 2 + 1 + 4 + 2
    assert first.sha256 == sha256(tmp_path / "0.avro")
    for generation in (1, 2):
        log = await new_log()
        done = await import_(log, tmp_path / f"{generation - 1}.avro", codec=codec)
        assert done == (first.records, first.records, 0)
        found = await export(log, tmp_path / f"{generation}.avro", codec=codec)
        assert found == first


async def test_an_import_keeps_bytes_order_and_the_first_place(
    new_log: NewLog, codec: Codec, tmp_path: Path
) -> None:
    old, new = await filled(await new_log()), await new_log()
    await export(old, tmp_path / "a.avro", codec=codec)
    await import_(new, tmp_path / "a.avro", codec=codec)
    before, after = await everything(old), await everything(new)
    for number in range(PARTITIONS):
        ours = [record for record in before if record.partition == number]
        theirs = [record for record in after if record.partition == number]
        for one, other in zip(ours, theirs, strict=True):
            assert (one.key_bytes, one.value) == (other.key_bytes, other.value)
            assert (*one.headers, *other.headers[-2:]) == tuple(other.headers)
            assert dict(other.headers[-2:]) == {
                HEADER_RECORDED_AT: str(one.timestamp_ms).encode(),
                HEADER_POSITION: str(one.position).encode(),
            }


async def test_records_stand_in_the_order_in_which_they_were_recorded(
    new_log: NewLog, codec: Codec, tmp_path: Path
) -> None:
    await export(await filled(await new_log()), tmp_path / "a.avro", codec=codec)
    order = [(row.recorded_at_ms, row.position) for row in records_in(tmp_path / "a.avro")]
    assert order == sorted(order)


async def test_bytes_that_this_release_cannot_read_are_moved_as_they_are(
    new_log: NewLog, codec: Codec, tmp_path: Path
) -> None:
    log = await new_log()
    unknown = Raw(b"S1", b"\x00\x7f\xff\xff\xffof a later release", (("ce_type", b"x.Later"),), 0)
    await log.append_raw(SAMPLE, 0, [unknown, Raw(b"S1", b"no event at all", (), 0)])
    first = await export(log, tmp_path / "a.avro", codec=codec)
    other = await new_log()
    with pytest.raises(UnknownSchema, match=r"a.avro: record 0 \(.*deploy the schemas first"):
        await import_(other, tmp_path / "a.avro", codec=codec)
    assert await everything(other) == []
    assert await import_(other, tmp_path / "a.avro", codec=codec, as_is=True) == (2, 2, 0)
    assert await export(other, tmp_path / "b.avro", codec=codec) == first
    assert await import_(other, tmp_path / "a.avro", codec=codec, as_is=True) == (2, 0, 2)


async def test_a_second_import_skips_what_is_there(
    new_log: NewLog, codec: Codec, tmp_path: Path
) -> None:
    await export(await filled(await new_log()), tmp_path / "a.avro", codec=codec)
    log = await new_log()
    await log.append(landed("S7", 7))
    count = len(records_in(tmp_path / "a.avro"))
    assert await import_(log, tmp_path / "a.avro", codec=codec) == (count, count - 1, 1)
    assert await import_(log, tmp_path / "a.avro", codec=codec) == (count, 0, count)
    assert len(await everything(log)) == count


async def test_a_log_with_records_of_two_origins_exports_the_same_after_a_move(
    new_log: NewLog, codec: Codec, tmp_path: Path
) -> None:
    other, log, third = await new_log(), await new_log(), await new_log()
    await other.append_bulk([landed(f"S{n % 5}", n) for n in range(40)])
    await export(other, tmp_path / "a.avro", codec=codec)
    await log.append_bulk([landed(f"S{n % 5}", n) for n in range(100, 140)])
    await import_(log, tmp_path / "a.avro", codec=codec)
    await log.append_bulk([landed(f"S{n % 5}", n) for n in range(200, 240)])
    whole = await export(log, tmp_path / "b.avro", codec=codec)
    await import_(third, tmp_path / "b.avro", codec=codec)
    assert await export(third, tmp_path / "c.avro", codec=codec) == whole


async def test_a_dry_run_appends_nothing(new_log: NewLog, codec: Codec, tmp_path: Path) -> None:
    log = await new_log()
    await log.append(landed("S1", 1))
    await export(log, tmp_path / "a.avro", codec=codec)
    other = await new_log()
    assert await import_(other, tmp_path / "a.avro", codec=codec, dry_run=True) == (1, 1, 0)
    assert await everything(other) == []


async def test_an_export_takes_what_the_filter_takes(
    new_log: NewLog, codec: Codec, tmp_path: Path
) -> None:
    log = await new_log()
    await log.append_bulk([landed(f"S{n % 3}", n) for n in range(9)])
    await asyncio.sleep(0.02)  # the log counts milliseconds: the two times must differ
    last = landed("S1", 100)
    await log.append(last)
    value, _ = codec.encode(landed("S2", 300))
    raw = [Raw(b"S2", value, ((HEADER_CORRELATION, b"no id"),), 0), Raw(b"S2", b"rubbish", (), 0)]
    await log.append_raw(SAMPLE, 0, raw)
    found = [record for record in await everything(log) if record.key == "S1"]
    end = found[-1].recorded_at

    async def count(chosen: Filter) -> int:
        path = tmp_path / f"{uuid.uuid4()}.avro"
        return (await export(log, path, (SAMPLE,), chosen, codec=codec)).records

    assert await count(Filter()) == 12
    assert await count(Filter(subjects=frozenset({"S1"}))) == 4
    assert await count(Filter(types=frozenset({"FileLanded"}))) == 11
    assert await count(Filter(types=frozenset({"QcPassed"}))) == 0
    assert await count(Filter(correlation_id=last.envelope.correlation_id)) == 1
    assert await count(Filter(since=end)) == 3
    assert await count(Filter(until=end)) == 9
    assert await count(Filter(until=end, subjects=frozenset({"S1", "S2"}))) == 6


async def test_times_are_those_of_the_first_recording(
    new_log: NewLog, codec: Codec, tmp_path: Path
) -> None:
    old, new = await new_log(), await new_log()
    await old.append(landed("S1", 1))
    [record] = await everything(old)
    await asyncio.sleep(0.02)  # the import has to be later by a millisecond
    await export(old, tmp_path / "a.avro", codec=codec)
    await import_(new, tmp_path / "a.avro", codec=codec)
    until = Filter(until=record.recorded_at + timedelta(milliseconds=1))
    assert (await export(new, tmp_path / "b.avro", (SAMPLE,), until, codec=codec)).records == 1
    since = Filter(since=record.recorded_at + timedelta(milliseconds=1))
    assert (await export(new, tmp_path / "c.avro", (SAMPLE,), since, codec=codec)).records == 0


async def good(log: EventLog, codec: Codec, tmp_path: Path) -> Path:
    await log.append_bulk([landed("S1", n) for n in range(20)])
    await export(log, tmp_path / "good.avro", codec=codec)
    return tmp_path / "good.avro"


async def test_one_bad_record_stops_the_whole_import(
    new_log: NewLog, codec: Codec, tmp_path: Path
) -> None:
    path = await good(await new_log(), codec, tmp_path)
    log = await new_log()
    records = records_in(path)
    damaged = (records[17].value or b"")[:-1]
    bad = {
        r"bad.avro: record 17 \(gf.sample.v1\[.\]@17\): .*not those that were sealed": (
            records[17]._replace(value=damaged), MalformedEvent,
        ),
        "record 17 .*no such event": (
            records[17]._replace(value=damaged, headers=()), MalformedEvent,
        ),
        "record 17 .*its topic is not declared here": (
            records[17]._replace(topic="gf.other.v1"), Refused,
        ),
    }  # fmt: skip
    for message, (record, kind) in bad.items():
        file = write_file(tmp_path / "bad.avro", [*records[:17], record, *records[18:]])
        with pytest.raises(kind, match=message):
            await import_(log, file, codec=codec)
        assert await everything(log) == []


async def test_a_damaged_file_is_refused_before_anything_is_appended(
    new_log: NewLog, codec: Codec, tmp_path: Path
) -> None:
    path = await good(await new_log(), codec, tmp_path)
    log = await new_log()
    data = path.read_bytes()
    damaged = {"cut": data[:-30], "other": b"text", "flip": data[:-40] + data[-39:]}
    for name, content in damaged.items():
        file = tmp_path / f"{name}.avro"
        file.write_bytes(content)
        with pytest.raises(DamagedFile, match=f"{name}.avro: .*take the file from another copy"):
            await import_(log, file, codec=codec)
    with pytest.raises(Refused, match=r"no.avro: No such file"):
        await import_(log, tmp_path / "no.avro", codec=codec)
    assert await everything(log) == []


async def test_an_export_never_replaces_a_file_and_leaves_no_part(
    new_log: NewLog, codec: Codec, tmp_path: Path
) -> None:
    log = await new_log()
    path = await good(log, codec, tmp_path)
    before = path.read_bytes()
    with pytest.raises(Refused, match=r"good.avro: exists"):
        await export(log, path, codec=codec)
    assert path.read_bytes() == before
    with pytest.raises(TopicMissing, match=r"gf\.none\.v1"):
        await export(log, tmp_path / "x.avro", ("gf.none.v1",), codec=codec)
    with pytest.raises(Refused, match=r"/no/x.avro: No such file or directory"):
        await export(log, tmp_path / "no" / "x.avro", codec=codec)
    assert [file.name for file in tmp_path.iterdir()] == ["good.avro"]


async def test_too_many_records_to_look_for_repetitions_are_refused(
    codec: Codec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "TOKENS_MAX", 10)
    async with MemoryLog() as log, MemoryLog() as empty:
        path = await good(log, codec, tmp_path)
        with pytest.raises(Refused, match="repetitions can be looked for among 10"):
            await import_(log, path, codec=codec)
        assert await import_(empty, path, codec=codec) == (20, 20, 0)


async def test_a_log_with_more_partitions_exports_the_same(codec: Codec, tmp_path: Path) -> None:
    async with MemoryLog(partitions=4) as four, MemoryLog(partitions=16) as sixteen:
        await four.append_bulk([landed(f"S{n % 30}", n) for n in range(300)])
        first = await export(four, tmp_path / "a.avro", codec=codec)
        await import_(sixteen, tmp_path / "a.avro", codec=codec)
        assert await export(sixteen, tmp_path / "b.avro", codec=codec) == first
