"""What a request would lead to: the task's own code, on the state that its changelog holds.

Nothing is fenced and nothing is written. The task is the very one that the worker runs; it is
handed the request as if it stood at the end of the topic.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from importlib.metadata import version

from genoflow.deploy.parked import Parking
from genoflow.events.codec import Codec
from genoflow.events.envelope import Producer
from genoflow.events.errors import Refused, StateMismatch
from genoflow.events.event import Event
from genoflow.events.event_parked import EventParked
from genoflow.events.log.changelog import Folding
from genoflow.events.log.port import EventLog
from genoflow.events.log.recorded import Recorded
from genoflow.processors.ledger import Ledger, OpenEffect, read_ledger
from genoflow.processors.processor import Processor
from genoflow.processors.step import Request
from genoflow.processors.task import Task

QUEUE_EVENTS_MAX = 10_000  # of one key: a minute of deciding, and more than anybody reads


@dataclass(slots=True)
class Foretold:
    """What the worker would do on a request, unless something else comes before it."""

    taken: int = 0  # events of the key that go through, the parked one among them
    is_all: bool = True  # the key's queue was followed to its end
    ignored: str = ""  # why the worker would leave the request alone
    appended: list[Event] = field(default_factory=list)
    opened: list[OpenEffect] = field(default_factory=list)
    closed: list[OpenEffect] = field(default_factory=list)
    parked: EventParked | None = None  # what would stop it again


async def read_task_ledger(
    log: EventLog, row: Processor, partition: int
) -> tuple[Ledger, int | None]:
    """What the changelog of a task says now, and where it goes on; nobody is fenced by it."""
    place = (row.changelog.name, partition)
    start = {place: (await log.starts(place[0]))[place]}
    stop = {place: (await log.ends(place[0]))[place]}
    folding = Folding(f"{place[0]}[{partition}]")
    async with aclosing(log.read(start, stop)) as records:
        async for record in records:
            folding.take([(record.key_bytes or b"", record.value)])
    restored = folding.restored()
    return read_ledger(f"{place[0]}[{partition}]", restored.state), restored.position


class Rehearsal:
    """Rehearses requests in order, each on the state that the one before it left."""

    def __init__(self, log: EventLog, codec: Codec, rows: Mapping[str, Processor]) -> None:
        self._log = log
        self._codec = codec
        self._rows = rows
        self._tasks: dict[tuple[str, int], tuple[Task, int]] = {}

    async def play(self, parking: Parking, request: Request) -> Foretold:
        """What would follow from this request."""
        task, end = await self._task(parking)
        value, headers = self._codec.encode(request)
        address = parking.address
        record = Recorded(
            address.topic, address.partition, end, 0,
            request.key.encode(), value, headers, self._codec,
        )  # fmt: skip
        self._tasks[address.processor, address.partition] = task, end + 1
        found = Foretold()
        drain = task.take(record)
        if drain is not None:
            queued = self._log.read(
                {(address.topic, address.partition): drain.start},
                {(address.topic, address.partition): end},
            )
            async with aclosing(queued) as records:
                async for waiting in records:
                    if waiting.key_bytes != drain.key:
                        continue
                    if found.taken >= QUEUE_EVENTS_MAX:
                        found.is_all = False
                        break
                    if not task.take_queued(drain, waiting):
                        task.stuck_again(drain)
                        break
                    found.taken += 1
                else:
                    task.drained(drain)
        self._read_step(task, found)
        if drain is None and not (found.opened or found.closed):
            found.ignored = _why_ignored(task, parking)
        return found

    @staticmethod
    def _read_step(task: Task, found: Foretold) -> None:
        step = task.step()
        found.parked = next((e for e in step.events if isinstance(e, EventParked)), None)
        found.appended = [event for event in step.events if event is not found.parked]
        found.opened, found.closed = step.opened, step.closed

    async def _task(self, parking: Parking) -> tuple[Task, int]:
        address = parking.address
        known = self._tasks.get((address.processor, address.partition))
        if known is not None:
            return known
        row = row_of(self._rows, parking)
        ledger, position = await read_task_ledger(self._log, row, address.partition)
        stamp = ledger.stamp
        if stamp is not None and stamp.state_version != row.state_version:
            raise StateMismatch(
                f"{row.changelog.name}[{address.partition}]: its state is of version "
                f"{stamp.state_version} and this code has {row.state_version}, so what would "
                f"follow cannot be told; start a worker of this release first"
            )
        task = Task(
            row, address.partition,
            producer=Producer(service=row.name, version=version("genoflow")),
            codec=self._codec, ledger=ledger, position=position or 0,
        )  # fmt: skip
        ends = await self._log.ends(address.topic)
        return task, ends[address.topic, address.partition]


def row_of(rows: Mapping[str, Processor], parking: Parking) -> Processor:
    """The processor that parked it; Refused where this release has none of that name."""
    row = rows.get(parking.address.processor)
    if row is None:
        raise Refused(
            f"{parking.address.processor}: is no processor of this release; use the release that "
            f"has it, version {parking.fact.processor_version} parked this"
        )
    return row


def _why_ignored(task: Task, parking: Parking) -> str:
    address = parking.address
    if address.effect_id is not None:
        return "its effect is not parked any more"
    head = task.parked.get(parking.fact.subject_key.encode())
    if head is None:
        return "its key is not parked any more"
    return f"its key waits for {address.topic}[{address.partition}]@{head.named} first"
