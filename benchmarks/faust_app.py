"""A Faust app for an anchor, configured for throughput as far as Faust has words for it."""

from __future__ import annotations

from typing import Any, Protocol

import faust

BATCH_BYTES = 262_144
SESSION_SECONDS = 10
RAW: dict[str, Any] = {"key_type": bytes, "value_type": bytes, "key_serializer": "raw"}


class Told(Protocol):
    """What an errand says of the app itself."""

    @property
    def address(self) -> str:
        """Where the broker is."""

    @property
    def name(self) -> str:
        """The group's."""

    @property
    def partitions(self) -> int:
        """Of every topic."""

    @property
    def folder(self) -> str:
        """For what it keeps."""


def at_least_once(told: Told) -> Any:
    """The app; its exactly once repeats events when a worker dies, and was not measured here."""
    return faust.App(
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
