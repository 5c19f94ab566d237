"""Constructs adapters from settings: the one file where ports meet their implementations."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from genoflow.deploy.addresses import Addresses, resolve
from genoflow.deploy.settings import Settings
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.topics import PARTITIONS_DEFAULT, PARTITIONS_EMBEDDED

if TYPE_CHECKING:
    from genoflow.events.log.kafka_topics import TopicAdmin


def partitions_of(settings: Settings) -> int:
    """How many partitions every keyed topic of this deployment has."""
    return settings.partitions or (PARTITIONS_DEFAULT if settings.kafka else PARTITIONS_EMBEDDED)


def open_log(settings: Settings) -> KafkaLog:
    """The event log of this deployment; use it in `async with`."""
    address = resolve(settings, needed=("kafka",)).kafka
    return KafkaLog(address, prefix=settings.topic_prefix, partitions=partitions_of(settings))


def open_restoring_log(settings: Settings) -> KafkaLog:
    """The same log while a restore is under way, for the restore itself and nobody else."""
    address = resolve(settings, needed=("kafka",)).kafka
    partitions = partitions_of(settings)
    return KafkaLog(address, prefix=settings.topic_prefix, partitions=partitions, restoring=True)


def topic_admin(settings: Settings, log: KafkaLog) -> TopicAdmin:
    """The admin side of the log; use it in `async with`."""
    from genoflow.events.log.kafka_topics import TopicAdmin  # noqa: PLC0415 -- few commands need it

    return TopicAdmin(log, partitions=partitions_of(settings))


def open_s3(settings: Settings) -> Any:
    """A boto3 client of the object store; safe to share between threads."""
    return s3_client(resolve(settings, needed=("s3",)))


def s3_client(addresses: Addresses) -> Any:
    """A boto3 client for these addresses, with bounded waits and retries."""
    import boto3  # noqa: PLC0415 -- takes 0.3 s, and most commands need no object store
    from botocore.config import Config  # noqa: PLC0415

    return boto3.client(
        "s3",
        endpoint_url=addresses.s3,
        aws_access_key_id=addresses.s3_access_key,
        aws_secret_access_key=addresses.s3_secret_key,
        region_name=addresses.s3_region,
        config=Config(
            s3={"addressing_style": "path"},
            connect_timeout=5,
            read_timeout=60,
            retries={"max_attempts": 3, "mode": "standard"},
        ),
    )


@contextlib.asynccontextmanager
async def open_postgres(settings: Settings) -> AsyncIterator[Any]:
    """One connection to the read models' database."""
    import asyncpg  # noqa: PLC0415 -- only commands that read a read model need it

    connection = await asyncpg.connect(resolve(settings, needed=("postgres",)).postgres)
    try:
        yield connection
    finally:
        await connection.close()


async def forget_read_models(settings: Settings) -> None:
    """Empty every read model, so that the next question builds it anew from the log."""
    from genoflow.projections.store import forget  # noqa: PLC0415
    from genoflow.projections.timeline import Timeline  # noqa: PLC0415

    async with open_postgres(settings) as connection:
        await forget(connection, Timeline())
