"""Constructs adapters from settings: the one file where ports meet their implementations."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genoflow.deploy.addresses import Addresses, resolve
from genoflow.deploy.buckets import browsers_rule
from genoflow.deploy.observed.spans import spans_of
from genoflow.deploy.settings import Settings
from genoflow.events.envelope import Producer
from genoflow.events.errors import Refused
from genoflow.events.topics import PARTITIONS_DEFAULT, PARTITIONS_EMBEDDED, Topic, declared

if TYPE_CHECKING:
    from genoflow.events.log.kafka import KafkaLog
    from genoflow.events.log.kafka_topics import TopicAdmin
    from genoflow.events.log.port import EventLog
    from genoflow.processors.adapters.children import ChildPool
    from genoflow.processors.intake.heard import Messages, Shelves
    from genoflow.processors.intake.notifications import StorePorch
    from genoflow.processors.intake.run_folders import RunFolders, SummingStore
    from genoflow.processors.intake.scan_verdicts import VerdictPorch
    from genoflow.processors.intake.sweeper import Sweeper
    from genoflow.processors.intake.transfer import Transfer
    from genoflow.processors.intake.watch import Limits
    from genoflow.processors.intake.watcher import Watcher
    from genoflow.processors.ports import Ports
    from genoflow.processors.processor import Processor

CONNECT_SECONDS = 60.0  # to a Postgres that starts: asyncpg's own limit
PART_BYTES = 64 * 1024**2  # 10,000 parts are S3's limit: files of up to 640 GB
FLOW = "genoflow.processors.flow:FLOW"  # what a child process imports, by name


def partitions_of(settings: Settings) -> int:
    """How many partitions every keyed topic of this deployment has."""
    return settings.partitions or (PARTITIONS_DEFAULT if settings.kafka else PARTITIONS_EMBEDDED)


def open_log(settings: Settings, *, restoring: bool = False) -> KafkaLog:
    """The event log of this deployment; use it in `async with`.

    While a restore is under way, it is there for the restore itself and nobody else.
    """
    # A job starts its engine before it has anything to say: this loads every event.
    from genoflow.events.log.kafka import KafkaLog  # noqa: PLC0415

    address, partitions = resolve(settings, needed=("kafka",)).kafka, partitions_of(settings)
    return KafkaLog(
        address, prefix=settings.topic_prefix, partitions=partitions, restoring=restoring,
        spans=spans_of(settings.traces, settings.environment),
    )  # fmt: skip


def topic_admin(settings: Settings, log: KafkaLog) -> TopicAdmin:
    """The admin side of the log; use it in `async with`."""
    from genoflow.events.log.kafka_topics import TopicAdmin  # noqa: PLC0415 -- few commands need it

    return TopicAdmin(log, partitions=partitions_of(settings))


def every_topic() -> tuple[Topic, ...]:
    """Every topic of a deployment, the changelogs of all processors of the flow among them."""
    from genoflow.processors.flow import PROCESSORS  # noqa: PLC0415 -- loads every decider

    return declared(processor.changelog for processor in PROCESSORS.values())


def worker_ports(settings: Settings, processors: Iterable[Processor], log: EventLog) -> Ports:
    """What the effects of these processors are done with; no object store where none needs it."""
    from genoflow.deploy.catalog import LogCatalog  # noqa: PLC0415
    from genoflow.deploy.lims import open_lims  # noqa: PLC0415
    from genoflow.deploy.subject import LogSubjects  # noqa: PLC0415
    from genoflow.deploy.subscriptions import LogSubscriptions  # noqa: PLC0415
    from genoflow.processors.adapters.s3 import S3ByteStore, S3Store  # noqa: PLC0415
    from genoflow.processors.adapters.s3_archive import S3Archive  # noqa: PLC0415
    from genoflow.processors.adapters.s3_headings import S3Headings  # noqa: PLC0415
    from genoflow.processors.adapters.s3_parts import S3Parts  # noqa: PLC0415
    from genoflow.processors.adapters.s3_remover import S3Remover  # noqa: PLC0415
    from genoflow.processors.adapters.system_clock import SystemClock  # noqa: PLC0415
    from genoflow.processors.ports import Deployment, Ports  # noqa: PLC0415
    from genoflow.processors.processor import Kind  # noqa: PLC0415

    kinds = {effect.kind for processor in processors for effect in processor.effects}
    if kinds <= {Kind.TIMER}:
        return Ports(clock=SystemClock())
    from genoflow.deploy import open_channels  # noqa: PLC0415
    from genoflow.deploy.launching import open_launcher  # noqa: PLC0415
    from genoflow.deploy.open_sources import open_sources  # noqa: PLC0415

    bucket = settings.work_bucket
    client = open_s3(settings)
    store = S3Store(client)
    subjects = LogSubjects(log)
    launcher = open_launcher(settings, store)
    if Kind.JOB in kinds:
        ensure_bucket(client, bucket)
    return Ports(
        clock=SystemClock(),
        store=store,
        parts=S3Parts(client),
        remover=S3Remover(client, SystemClock()),
        launcher=launcher,
        outcome_bucket=bucket,
        catalog=LogCatalog(log),
        deployment=Deployment(
            demultiplexer=settings.demultiplexer,
            reads_bucket=settings.raw_bucket,
            launcher=settings.launcher,
            results_bucket=settings.results_bucket,
            run_attempts_max=settings.run_attempts_max,
            public_url=settings.public_url,
        ),
        mail=open_channels.open_mail(settings),
        webhooks=open_channels.open_webhooks(settings),
        publisher=open_channels.open_publisher(
            lambda where: aws_client(settings, "sns", repeats=1, region=where)
        ),
        chat=open_channels.open_chat(settings),
        lims=open_lims(settings),
        subscriptions=LogSubscriptions(log, subjects),
        subjects=subjects,
        archive=S3Archive(client),
        headings=S3Headings(S3ByteStore(client)),
        sources=open_sources(settings, log, subjects, launcher, store),
    )


def ensure_bucket(client: Any, bucket: str) -> None:
    """Create a bucket where it is missing; nobody else makes those that are only ours."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 -- few commands need it

    from genoflow.processors.adapters.s3_errors import at, code_and_status  # noqa: PLC0415

    with at(bucket, ""):
        try:
            client.head_bucket(Bucket=bucket)
        except ClientError as error:
            if code_and_status(error)[1] != 404:
                raise
        else:
            return
        region = client.meta.region_name
        place = {} if region == "us-east-1" else {"LocationConstraint": region}
        how = {"CreateBucketConfiguration": place} if place else {}
        try:
            client.create_bucket(Bucket=bucket, **how)
        except ClientError as error:
            if code_and_status(error)[0] != "BucketAlreadyOwnedByYou":  # another worker's start
                raise


def ensure_raw_bucket(settings: Settings) -> None:
    """Where files land in the embedded store, with versions; another store's are its owner's."""
    if settings.s3 is not None:
        return
    with contextlib.closing(open_s3(settings)) as client:
        ensure_bucket(client, settings.raw_bucket)
        client.put_bucket_versioning(  # each time: a start may have died before it
            Bucket=settings.raw_bucket, VersioningConfiguration={"Status": "Enabled"}
        )
        if settings.cors_origins:
            allow_browsers(client, settings.raw_bucket, settings.cors_origins)


def allow_browsers(client: Any, bucket: str, origins: Sequence[str]) -> None:
    """Let scripts of these pages send parts straight to the bucket, by links that we signed."""
    from genoflow.processors.adapters.s3_errors import at  # noqa: PLC0415

    rule = browsers_rule(origins)
    with at(bucket, ""):
        client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})


def open_children(processors: Iterable[Processor]) -> ChildPool | None:
    """Where effects on bytes are done, in children with these very settings; none without any."""
    from genoflow.processors.processor import Kind  # noqa: PLC0415

    if all(e.kind is not Kind.BYTES for processor in processors for e in processor.effects):
        return None
    from genoflow.processors.adapters.children import ChildPool  # noqa: PLC0415

    return ChildPool((sys.executable, "-m", "genoflow.deploy.child", FLOW))


def open_watcher(
    settings: Settings, log: KafkaLog, roots: Sequence[Path], limits: Limits
) -> Watcher:
    """The porch of the sequencer over these directories; its runs are copied to the raw bucket."""
    from boto3.s3.transfer import TransferConfig  # noqa: PLC0415 -- only the watcher copies files

    from genoflow.processors.adapters.directories import Directories  # noqa: PLC0415
    from genoflow.processors.adapters.s3_runs import S3RunStore  # noqa: PLC0415
    from genoflow.processors.adapters.system_clock import SystemClock  # noqa: PLC0415
    from genoflow.processors.intake.illumina.folder import Illumina  # noqa: PLC0415
    from genoflow.processors.intake.privacy import PrivacyGuard  # noqa: PLC0415
    from genoflow.processors.intake.told import LogOfRuns  # noqa: PLC0415
    from genoflow.processors.intake.watch import WATCHER  # noqa: PLC0415
    from genoflow.processors.intake.watcher import Watcher  # noqa: PLC0415

    guard = PrivacyGuard(settings.person_patterns)
    vendor = Illumina(guard.finds)
    parts = TransferConfig(
        multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=2
    )
    folders, store = Directories(roots, vendor), S3RunStore(open_s3(settings), parts)
    return Watcher(
        LogOfRuns(log), folders, vendor, store,
        bucket=settings.raw_bucket, guard=guard, clock=SystemClock(), limits=limits,
        by=Producer(service=WATCHER, version=version("genoflow")),
        transfer=_transfer(settings, folders, store),
    )  # fmt: skip


def _transfer(settings: Settings, folders: RunFolders, store: SummingStore) -> Transfer | None:
    """DataSync, where the settings say so; none is the watcher's own copy."""
    if settings.transfer == "copy":
        return None
    if settings.datasync_task is None:
        raise Refused(
            "GENOFLOW_TRANSFER is datasync, and no task is named; set GENOFLOW_DATASYNC_TASK to "
            "the ARN of the one from the instruments' share to the raw bucket"
        )
    from genoflow.processors.adapters.datasync import DataSync  # noqa: PLC0415

    return DataSync(aws_client(settings, "datasync"), settings.datasync_task, folders, store)


def open_store_porch(
    settings: Settings, log: EventLog, bucket: str | None = None
) -> tuple[StorePorch, Shelves]:
    """The porch of the object store over the raw bucket or another, and the store's own history."""
    from genoflow.processors.adapters.s3_shelves import S3Shelves  # noqa: PLC0415
    from genoflow.processors.adapters.system_clock import SystemClock  # noqa: PLC0415
    from genoflow.processors.intake.notifications import PORCH, Scope, StorePorch  # noqa: PLC0415
    from genoflow.processors.intake.privacy import PrivacyGuard  # noqa: PLC0415

    shelves = S3Shelves(open_s3(settings))
    porch = StorePorch(
        log, shelves, scope=Scope((bucket or settings.raw_bucket,), settings.landing_left_out),
        guard=PrivacyGuard(settings.person_patterns), clock=SystemClock(),
        by=Producer(service=PORCH, version=version("genoflow")),
    )  # fmt: skip
    return porch, shelves


def open_sweeper(settings: Settings, log: EventLog) -> Sweeper:
    """What looks which rules of retention are due."""
    from genoflow.processors.adapters.s3_shelves import S3Shelves  # noqa: PLC0415
    from genoflow.processors.adapters.system_clock import SystemClock  # noqa: PLC0415
    from genoflow.processors.intake.delivered import Copies  # noqa: PLC0415
    from genoflow.processors.intake.privacy import PrivacyGuard  # noqa: PLC0415
    from genoflow.processors.intake.sweeper import SWEEPER, Sweeper  # noqa: PLC0415

    shelves = S3Shelves(open_s3(settings))
    others = (
        settings.raw_bucket, settings.work_bucket, settings.results_bucket,
        settings.references_bucket,
    )  # fmt: skip
    bucket = None if settings.delivery_bucket in others else settings.delivery_bucket
    return Sweeper(
        log, shelves, Copies(shelves, bucket, PrivacyGuard(settings.person_patterns)),
        work_bucket=settings.work_bucket, clock=SystemClock(),
        by=Producer(service=SWEEPER, version=version("genoflow")),
    )  # fmt: skip


def open_verdict_porch(settings: Settings, log: EventLog) -> VerdictPorch:
    """The porch of a scanner that looks into the raw bucket by itself."""
    from genoflow.processors.adapters.system_clock import SystemClock  # noqa: PLC0415
    from genoflow.processors.intake.scan_verdicts import PORCH, VerdictPorch  # noqa: PLC0415

    store, shelves = open_store_porch(settings, log)
    by = Producer(service=PORCH, version=version("genoflow"))
    return VerdictPorch(store, shelves, clock=SystemClock(), by=by)


@contextlib.asynccontextmanager
async def open_messages(
    settings: Settings, source: str, queue: str | None = None
) -> AsyncIterator[Messages]:
    """Where the object store's messages come from: Kafka, or a queue of SQS."""
    from genoflow.processors.intake.notifications import PORCH  # noqa: PLC0415

    if source == "kafka":
        from genoflow.processors.adapters.kafka_messages import KafkaMessages  # noqa: PLC0415

        address = resolve(settings, needed=("kafka",)).kafka
        topic, group = settings.notifications_topic, f"{settings.topic_prefix}{PORCH}"
        async with KafkaMessages(address, topic, group) as messages:
            yield messages
        return
    from genoflow.processors.adapters.sqs_messages import SqsMessages  # noqa: PLC0415

    address = queue or settings.notifications_queue
    if not address:
        raise Refused(
            f"notifications from {source}: no queue is named; set GENOFLOW_NOTIFICATIONS_QUEUE to "
            f"the address of the SQS queue"
        )
    with contextlib.closing(aws_client(settings, "sqs")) as client:
        yield SqsMessages(client, address, source)


def aws_client(
    settings: Settings, service: str, *, repeats: int = 3, region: str | None = None
) -> Any:
    """A boto3 client of another service beside the store, with the store's keys and region."""
    import boto3  # noqa: PLC0415 -- takes 0.3 s
    from botocore.config import Config  # noqa: PLC0415

    return boto3.client(
        service,
        endpoint_url=settings.aws_endpoint,
        aws_access_key_id=settings.s3_access_key.get_secret_value(),
        aws_secret_access_key=settings.s3_secret_key.get_secret_value(),
        region_name=region or settings.s3_region,
        config=Config(
            connect_timeout=5,
            read_timeout=60,
            retries={"max_attempts": repeats, "mode": "standard"},
        ),
    )


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
            signature_version="s3v4",  # of links too: the older one names no exact time of its end
            s3={"addressing_style": "path"},
            connect_timeout=5,
            read_timeout=60,
            retries={"max_attempts": 3, "mode": "standard"},
        ),
    )


@contextlib.asynccontextmanager
async def open_postgres(
    settings: Settings, *, connect_seconds: float = CONNECT_SECONDS
) -> AsyncIterator[Any]:
    """One connection to the read models' database."""
    import asyncpg  # noqa: PLC0415 -- only commands that read a read model need it

    address = resolve(settings, needed=("postgres",)).postgres
    connection = await asyncpg.connect(address, timeout=connect_seconds)
    try:
        yield connection
    finally:
        await connection.close()


async def forget_read_models(settings: Settings) -> None:
    """Empty every read model, so that the next question builds it anew from the log."""
    from genoflow.projections.store import forget_all  # noqa: PLC0415

    async with open_postgres(settings) as connection:
        await forget_all(connection)
