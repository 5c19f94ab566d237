"""A broker that stops answering in the middle of an append: said to be unknown, harmless twice."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from genoflow.deploy.addresses import resolve
from genoflow.deploy.local.stack import LocalStack
from genoflow.events import topics
from genoflow.events.errors import LogUnavailable, OutcomeUnknown
from genoflow.events.file_landed import FileLanded
from genoflow.events.log import kafka
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin
from genoflow.events.subscribe import Subscription
from tests.examples import example
from tests.servers import embedded_settings

PARTITIONS = topics.PARTITIONS_EMBEDDED
# More than a healthy append takes on a busy machine, less than anybody waits for.
APPEND_SECONDS_MAX = 2


async def test_an_append_that_hangs_is_repeated_and_is_one_event_for_readers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = embedded_settings(tmp_path)
    first, hung, last = (example(FileLanded, seed) for seed in (1, 2, 3))
    async with LocalStack(settings, ("kafka",)) as stack:
        broker = stack.status.services["kafka"].pid
        assert broker is not None
        address = resolve(settings, needed=("kafka",)).kafka
        async with KafkaLog(address, partitions=PARTITIONS) as log:
            async with TopicAdmin(log, partitions=PARTITIONS) as admin:
                await admin.apply(topics.TOPICS)
            await log.append(first)
            monkeypatch.setattr(kafka, "APPEND_SECONDS_MAX", APPEND_SECONDS_MAX)
            await _stand_still(broker)
            try:
                with pytest.raises(OutcomeUnknown, match="append the same event again") as unknown:
                    await log.append(hung)
            finally:
                os.kill(broker, signal.SIGCONT)
            assert hung.key in str(unknown.value)
            monkeypatch.undo()
            await log.append(hung)
            await log.append(last)
            taken = []
            async with (
                asyncio.timeout(60),
                Subscription(log, name=None, types=(FileLanded,)) as subscription,
            ):
                async for delivery in subscription:
                    taken.append(delivery.event)
                    if len(taken) == 3:
                        break
            assert sorted(taken, key=repr) == sorted([first, hung, last], key=repr)
            standing = [r.event_id async for r in log.read_topic(topics.SAMPLE.name)]
            standing += [r.event_id async for r in log.read_topic(topics.SEQUENCING_RUN.name)]
            assert set(standing) == {str(e.envelope.event_id) for e in (first, hung, last)}


async def _stand_still(pid: int) -> None:
    """A signal is heard later than it is sent: until then a thread may answer one more request."""
    os.kill(pid, signal.SIGSTOP)
    async with asyncio.timeout(60):
        while any(_runs(thread) for thread in Path(f"/proc/{pid}/task").iterdir()):
            await asyncio.sleep(0.01)


def _runs(thread: Path) -> bool:
    try:
        stat = (thread / "stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return False  # it has ended
    return stat.rpartition(")")[2].split()[0] != "T"


async def test_a_broker_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async with KafkaLog("127.0.0.1:1", partitions=PARTITIONS) as log:
        with pytest.raises(LogUnavailable, match=r"127\.0\.0\.1:1: no broker answers.*genoflow up"):
            await log.append(example(FileLanded, 1))
