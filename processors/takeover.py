"""What a task asks of the log before it goes on where another owner ended."""

from __future__ import annotations

from genoflow.events.codec import HEADER_ID, header
from genoflow.events.errors import StateMismatch
from genoflow.events.log.port import EventLog
from genoflow.processors.ledger import Ledger
from genoflow.processors.processor import Processor, Start


async def first_position(log: EventLog, processor: Processor, partition: int) -> int:
    """Where a processor begins on a partition that it has never read."""
    topic = processor.reads.name
    from_now = processor.start is Start.NOW
    return (await (log.ends(topic) if from_now else log.starts(topic)))[topic, partition]


async def compare(log: EventLog, processor: Processor, partition: int, ledger: Ledger) -> None:
    """StateMismatch where the state is newer than this code, or the topic is another one."""
    stamp = ledger.stamp
    assert stamp is not None, "a changelog with a position has a stamp: read_ledger saw to it"
    if stamp.state_version > processor.state_version:
        raise StateMismatch(
            f"{processor.changelog.name}[{partition}]: its state was folded by version "
            f"{stamp.state_version} of {processor.name} (release {stamp.code_version}) and this "
            f"code has version {processor.state_version}; deploy the newer release here too"
        )
    if stamp.last_offset is None:
        return
    found = await _id_at(log, processor.reads.name, partition, stamp.last_offset)
    if found != (stamp.last_id or ""):
        raise StateMismatch(
            f"{processor.reads.name}[{partition}]@{stamp.last_offset}: {processor.name} took event "
            f"{stamp.last_id or 'without an id'} here and the topic now holds "
            f"{found or ('none' if found is None else 'one without an id')}: it was made anew; "
            f"restore it from a backup, or delete {processor.changelog.name} to begin again from "
            f"its start"
        )


async def _id_at(log: EventLog, topic: str, partition: int, offset: int) -> str | None:
    """The id in the headers of a record, empty where it has none; None where nothing stands."""
    place = (topic, partition)
    starts, ends = await log.starts(topic), await log.ends(topic)
    if not starts[place] <= offset < ends[place]:
        return None
    records = [record async for record in log.read({place: offset}, {place: offset + 1})]
    if not records:
        return None
    return (header(records[0].headers, HEADER_ID) or b"").decode()
