"""One worker of the flow under test, which dies or stops where it is told to.

    python -m tests.faults.worker_main --kafka ADDRESS --prefix P. --room DIR …

An order is a file `armed/<point>` in the room, with a number and a signal in it: the worker that
passes the point for the so many'th time takes the file away and sends itself the signal. So any
worker that comes by is hit, and exactly one.

`--without` leaves out a part of the protocol, here and nowhere in the product.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import logging
import os
import secrets
import signal
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer

from genoflow.deploy.local.leash import PR_SET_PDEATHSIG
from genoflow.events.event import Event
from genoflow.events.log.changelog import records
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_task import KafkaTask
from genoflow.events.log.recorded import Raw
from genoflow.events.topics import PARTITIONS_EMBEDDED
from genoflow.processors import task_loop
from genoflow.processors.ports import Ports
from genoflow.processors.processor import Processor
from genoflow.processors.reach import Reach
from genoflow.processors.runner import Children, Runner
from genoflow.processors.worker import PASSING, Identity, Worker
from tests.faults.outside import BUCKET, Clock, FileStore, ShellLauncher
from tests.faults.subject import flow

INSIDE = "inside-transaction"  # all is sent and nothing is committed: between two words of the log
HALF = "half-written"  # where there are no transactions: the events stand, the position does not
EXIT_PASSING = 75
EXIT_LASTING = 1
# Small steps, so that the places between two of them are passed with a few hundred events.
RECORDS_MAX = 8
REBUILD_CHANGES = 5
PARTS = ("transactions", "fencing", "adoption", "dedupe")


class Orders:
    """What is to happen to whoever passes a point."""

    def __init__(self, room: Path) -> None:
        self._armed = room / "armed"
        self._passed: Counter[str] = Counter()
        self.adopting = False

    def reach(self, point: str) -> None:
        """Pass a point, if nothing waits there."""
        if point in ("before-adopt", "after-adopt"):
            self.adopting = point == "before-adopt"
        path = self._armed / point
        if not path.exists():
            self._passed[point] = 0
            return
        try:
            times, number = path.read_text(encoding="utf-8").split()
            self._passed[point] += 1
            if self._passed[point] < int(times):
                return
            path.rename(self._armed / f"{point}.taken.{os.getpid()}")
        except (FileNotFoundError, ValueError):
            return  # another worker was faster, or the order is only half written
        os.kill(os.getpid(), signal.Signals(int(number)))


def small_steps() -> None:
    """Let every step be small."""
    task_loop.BATCH_RECORDS_MAX = RECORDS_MAX
    task_loop.REBUILD_CHANGES_MAX = REBUILD_CHANGES


def watch_transactions(reach: Reach) -> None:
    """Make the inside of a transaction a point like the others."""
    commit: Callable[..., Any] = AIOKafkaProducer.commit_transaction

    async def watched(producer: AIOKafkaProducer) -> None:
        reach(INSIDE)
        await commit(producer)

    AIOKafkaProducer.commit_transaction = watched


def without_transactions(reach: Reach) -> None:
    """Events first, then changes and position: two writes, and a moment between them."""

    async def commit(
        task: KafkaTask,
        events: Sequence[Event],
        changes: Mapping[bytes, bytes | None],
        position: int,
    ) -> None:
        log = task._log
        for event in events:
            await log.append(event)
        if events:
            reach(HALF)
        kept = [Raw(key, value, (), 0) for key, value in records(changes, position)]
        await log.append_raw(task._changelog, task._partition, kept)

    KafkaTask.commit = commit  # type: ignore[assignment,method-assign]


def without_fencing() -> None:
    """Each session has transactional ids of its own, so it ends nobody."""
    begin = KafkaTask.__init__

    def named_anew(task: KafkaTask, *arguments: Any) -> None:
        begin(task, *arguments)
        task._name += f"-{secrets.token_hex(4)}"

    KafkaTask.__init__ = named_anew  # type: ignore[assignment,method-assign]


def without_adoption(orders: Orders) -> None:
    """What is open when a task is taken over stays open and is never done."""
    begin = Runner.open

    def unless_adopted(runner: Runner, *arguments: Any) -> None:
        if not orders.adopting:
            begin(runner, *arguments)

    Runner.open = unless_adopted  # type: ignore[assignment,method-assign]


async def work(options: argparse.Namespace) -> None:
    """Work at the small flow until SIGTERM."""
    orders = Orders(options.room)
    small_steps()
    if options.without == "transactions":
        without_transactions(orders.reach)
    elif options.without == "fencing":
        without_fencing()
    elif options.without == "adoption":
        without_adoption(orders)
    outside = options.room / "outside"
    ports = Ports(
        clock=Clock(), store=FileStore(outside), launcher=ShellLauncher(outside),
        outcome_bucket=BUCKET,
    )  # fmt: skip
    rows = flow(options.state_version, takes_repetitions=options.without == "dedupe")
    await work_at(options, orders, rows, ports)


async def work_at(
    options: argparse.Namespace,
    orders: Orders,
    rows: Sequence[Processor],
    ports: Ports,
    children: Children | None = None,
) -> None:
    """Work at these rows until SIGTERM, under orders."""
    watch_transactions(orders.reach)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    log = KafkaLog(
        options.kafka, prefix=options.prefix, partitions=PARTITIONS_EMBEDDED,
        session_seconds=options.session_seconds,
    )  # fmt: skip
    worker = Worker(
        log, log.codec, rows, ports, reach=orders.reach, children=children,
        identity=Identity(f"{options.name}-{os.getpid()}", f"0.{options.state_version}"),
    )  # fmt: skip
    await worker.run(stop)
    await log.close()


async def until_done(work: Awaitable[None]) -> int:
    """Work, and leave without another word to the broker after an error."""
    try:
        await work
    except BaseException as error:  # whatever it is, the process leaves with it
        passing = isinstance(error, PASSING)
        print(f"left: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        if not passing:
            logging.getLogger("worker").exception("unforeseen")
        os._exit(EXIT_PASSING if passing else EXIT_LASTING)
    return 0


def die_with_the_driver() -> None:
    """End with whoever started us, also while stopped."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def main(begin: Callable[[argparse.Namespace], Awaitable[None]] = work) -> int:
    """Read the options and work."""
    die_with_the_driver()
    parser = argparse.ArgumentParser()
    parser.add_argument("--kafka", required=True)
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--room", required=True, type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--session-seconds", type=int, default=6)
    parser.add_argument("--state-version", type=int, default=1)
    parser.add_argument("--without", choices=PARTS)
    options = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(name)s %(message)s", level=logging.WARNING)
    return asyncio.run(until_done(begin(options)))


if __name__ == "__main__":
    sys.exit(main())
