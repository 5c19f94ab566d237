"""Reaching a broker: within a limit, and with one clear error where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiokafka.errors import KafkaConnectionError, KafkaError, NoError
from aiokafka.protocol.metadata import MetadataRequest

from genoflow.events.errors import LogUnavailable

CONNECT_SECONDS_MAX = 10  # a broker on the way up answers in 3 to 9 s


async def connect(
    address: str, start: Callable[[], Awaitable[object]], stop: Callable[[], Awaitable[object]]
) -> None:
    """Start a client, or stop it again and say that no broker answers."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS_MAX):
            await start()
    except (KafkaConnectionError, TimeoutError) as error:
        await stop()
        raise LogUnavailable(
            f"kafka at {address}: no broker answers; start one with `genoflow up` "
            f"or name another in GENOFLOW_KAFKA"
        ) from error
    except BaseException:  # cancelled, say: a client that was half started is in nobody's hand
        await stop()
        raise


async def partitions_of(client: Any, topics: Sequence[str]) -> dict[str, int]:
    """How many partitions each of these topics has; what is not there is left out, and not made.

    aiokafka's own question is for every topic of the cluster: thousands where deployments share
    one, and a worker asks for sixty.
    """
    question = MetadataRequest([*topics], allow_auto_topic_creation=False)
    refusal: Exception | None = None
    for broker in client._client.cluster.brokers():
        try:
            answer = await client._client.send(broker.nodeId, question)
        except (KafkaError, TimeoutError) as error:
            refusal = error  # another one may know
            continue
        return {name: len(found) for code, name, _, found in answer.topics if code == NoError.errno}
    raise KafkaError("no broker tells of its topics") from refusal


async def know(client: Any, topic: str) -> None:
    """Have the leaders of a topic at hand before its offsets are asked for.

    aiokafka would find that it misses them, ask, and pause for 0.1 s: 8 s for a worker's topics.
    """
    inner = client._client
    if inner.cluster.partitions_for_topic(topic) is None:
        await inner.add_topic(topic)
    if inner.cluster.partitions_for_topic(topic) is None:
        await inner.force_metadata_update()  # an earlier question was under way, without it


async def stop_consumer(client: Any) -> None:
    """Stop a consumer to its end, also while a broker is away.

    aiokafka cancels fetches that wait to be tried again, and lets that cancellation out as if it
    were ours; the task that stops it would end without a word.
    """
    try:
        await client.stop()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        fetches = list(client._fetcher._pending_tasks)
        for fetch in fetches:
            fetch.cancel()
        await asyncio.gather(*fetches, return_exceptions=True)
        await client._client.close()


def heard(sent: asyncio.Future[Any]) -> asyncio.Future[Any]:
    """The same send; its failure counts as heard even if another one was raised in its place.

    When a producer is fenced, every send of its transaction fails and the first one is raised.
    """
    sent.add_done_callback(lambda future: future.cancelled() or future.exception())
    return sent


def hear_the_rest(producer: Any) -> None:
    """Count as heard what a fenced producer says besides the error that was raised.

    It fails each batch that was not sent and the transaction on its own, and nobody asks those.
    """
    batches = producer._message_accumulator._batches.values()
    unasked = [batch._drain_waiter for waiting in batches for batch in waiting]
    for future in (producer._txn_manager.wait_for_transaction_end(), *unasked):
        if future is not None and future.done() and not future.cancelled():
            future.exception()
