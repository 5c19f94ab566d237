"""The same stage on Quix Streams, exactly once, its state in RocksDB and on a changelog.

    python -m benchmarks.stage_quix ERRAND

It runs on an installation of its own (locks/anchors.txt).
"""

from __future__ import annotations

from typing import Any

from quixstreams import Application

from benchmarks.stage_answer import Errand, answer, decoded, errand, evolved

# Its own default. A checkpoint flushes, commits and waits, so a shorter interval is slower: in four
# turns on busy cores its best was 8,310 events/s with 5 s and 6,023 with 1 s. About one checkpoint
# falls into a run, and the last one is not timed, which is to its advantage.
COMMIT_SECONDS = 5.0
# As librdkafka's manual says for throughput; the partitioner is the one that Java has.
PRODUCER = {
    "partitioner": "murmur2_random",
    "linger.ms": 5,
    "batch.size": 1_000_000,
    "batch.num.messages": 10_000,
    "queue.buffering.max.messages": 1_000_000,
    "queue.buffering.max.kbytes": 1_048_576,
}


def run(told: Errand) -> None:
    """Work until the process is killed."""
    application = Application(
        told.address,
        consumer_group=told.name,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_interval=COMMIT_SECONDS,
        producer_extra_config=PRODUCER,
        state_dir=told.folder,
        loglevel="WARNING",
        auto_create_topics=True,
    )
    source = application.topic(told.source, key_deserializer="bytes", value_deserializer="bytes")
    target = application.topic(told.target, key_serializer="bytes", value_serializer="bytes")

    def stage(value: bytes, state: Any) -> bytes:
        values = decoded(told, value)
        after = evolved(state.get("landed"), values)
        state.set("landed", after)
        return answer(told, after, values)

    application.dataframe(source).apply(stage, stateful=True).to_topic(target)
    application.run()


if __name__ == "__main__":
    run(errand())
