"""The same stage as a Faust agent, its state in a table with a changelog.

    python -m benchmarks.stage_faust ERRAND

It runs on an installation of its own (locks/anchors.txt). It delivers at least once: its exactly
once repeats events when a worker dies, and was not measured here.
"""

from __future__ import annotations

from typing import Any

import faust

from benchmarks.stage_answer import Errand, answer, decoded, errand, evolved

BATCH_BYTES = 262_144
SESSION_SECONDS = 10


def application(told: Errand) -> Any:
    """The agent, configured for throughput as far as Faust has words for it."""
    app = faust.App(
        told.name,
        broker=f"kafka://{told.address}",
        store="memory://",
        datadir=told.folder,
        topic_partitions=told.partitions,
        topic_allow_declare=False,  # they exist; it would declare them with settings of its own
        topic_disable_leader=True,
        processing_guarantee="at_least_once",
        producer_max_batch_size=BATCH_BYTES,
        producer_linger=0.005,
        broker_session_timeout=SESSION_SECONDS,
        consumer_auto_offset_reset="earliest",
        stream_wait_empty=False,
        web_enabled=False,
    )
    raw: Any = {"key_type": bytes, "value_type": bytes, "key_serializer": "raw"}
    source = app.topic(told.source, value_serializer="raw", **raw)
    target = app.topic(told.target, value_serializer="raw", **raw)
    table = app.Table("landed", partitions=told.partitions, key_type=bytes)

    async def stage(stream: Any) -> None:
        async for key, value in stream.items():
            values = decoded(told, value)
            after = table[key] = evolved(table.get(key), values)
            await target.send(key=key, value=answer(told, after, values))

    app.agent(source)(stage)
    return app


if __name__ == "__main__":
    faust.Worker(application(errand()), loglevel="WARNING").execute_from_commandline()
