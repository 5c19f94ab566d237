"""What a real S3 server tells over a real broker: all of it, or what of it was not lost."""

from __future__ import annotations

import asyncio
import io
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from boto3.s3.transfer import TransferConfig

from genoflow.deploy.settings import Settings
from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin
from genoflow.processors.adapters.kafka_messages import KafkaMessages
from genoflow.processors.adapters.s3_shelves import S3Shelves
from genoflow.processors.adapters.system_clock import SystemClock
from genoflow.processors.intake.heard import Message
from genoflow.processors.intake.landing import ROLE, SAMPLE
from genoflow.processors.intake.notices import read
from genoflow.processors.intake.notifications import StorePorch
from genoflow.processors.intake.reconcile import Crawl, reconcile
from tests.servers import Bucket
from tests.shelves import porch_over

TOPIC = Settings().notifications_topic
TOLD_ON = (topics.SAMPLE, topics.SEQUENCING_RUN, topics.PARKED)
SECONDS_MAX = 60.0
ACTIONS = 60
FILES = ("in/a.gz", "in/b c+ü%25.gz", "in/d.bam", "runs/R1/files/x.bcl")
MIB = 1024**2


@pytest.fixture
def versioned(s3_bucket: Bucket) -> Bucket:
    s3_bucket.client.put_bucket_versioning(
        Bucket=s3_bucket.name, VersioningConfiguration={"Status": "Enabled"}
    )
    return s3_bucket


@asynccontextmanager
async def log_of(address: str, prefix: str) -> AsyncIterator[KafkaLog]:
    async with KafkaLog(address, prefix=prefix, partitions=2) as log:
        async with TopicAdmin(log, partitions=2) as admin:
            await admin.apply(TOLD_ON)
        yield log


@dataclass
class Ear:
    """A porch on a log of its own, to which some messages do not come."""

    log: KafkaLog
    porch: StorePorch
    shelves: S3Shelves
    bucket: str
    losses: random.Random
    loss: float
    lost: int = 0
    parked: list[Event] = field(default_factory=list)

    async def hear(self, messages: Sequence[Message]) -> None:
        some = [one for one in messages if self.losses.random() >= self.loss]
        self.lost += len(messages) - len(some)
        if some:
            told = await self.porch.take(some)
            self.parked += told.parked

    async def crawl(self) -> Crawl:
        return await reconcile(self.porch, self.shelves, self.bucket)

    async def facts(self) -> list[tuple[str, str, str]]:
        found = []
        for topic in TOLD_ON:
            async for record in self.log.read_topic(topic.name):
                event = record.event
                # A version has another time in versitygw once a newer one has come.
                said = {**event.payload(), "last_modified_at": None}
                found.append((event.type(), str(event.envelope.event_id), str(said)))
        return found


def act(bucket: Bucket, story: random.Random) -> None:
    """Do something to a file: write it in one of four ways, or put a mark before it."""
    client, key = bucket.client, story.choice(FILES)
    metadata = {SAMPLE: story.choice(["S1", "S2"]), ROLE: "R1"} if story.random() < 0.8 else {}
    match story.randrange(8):
        case 0:
            body, parts = io.BytesIO(b"x" * (5 * MIB + 1)), TransferConfig(multipart_threshold=MIB)
            extra = {"Metadata": metadata}
            client.upload_fileobj(body, bucket.name, key, ExtraArgs=extra, Config=parts)
        case 1:
            client.put_object(Bucket=bucket.name, Key="in/from.gz", Body=b"from")
            source = {"Bucket": bucket.name, "Key": "in/from.gz"}
            client.copy_object(
                Bucket=bucket.name, Key=key, CopySource=source, Metadata=metadata,
                MetadataDirective="REPLACE",
            )  # fmt: skip
        case 2:
            client.delete_object(Bucket=bucket.name, Key=key)
        case 3:
            names = [{"Key": key}, {"Key": "in/a.gz"}]
            client.delete_objects(Bucket=bucket.name, Delete={"Objects": names})
        case _:
            client.put_object(Bucket=bucket.name, Key=key, Body=b"reads", Metadata=metadata)


async def until_all_is_heard(messages: KafkaMessages, bucket: Bucket, *ears: Ear) -> None:
    """Read on until the notice of a last object of this bucket has come by."""
    last = f"out/last-{random.random()}"
    bucket.client.put_object(Bucket=bucket.name, Key=last, Body=b"")
    deadline = asyncio.get_running_loop().time() + SECONDS_MAX
    while asyncio.get_running_loop().time() < deadline:
        found = await messages.poll(0.5)
        for ear in ears:
            await ear.hear(found)
        await messages.done(found)
        if any(one.place.key == last for m in found for one in read(m.body)):
            return
    raise AssertionError(f"not within {SECONDS_MAX} s: the notice of {last}")


@pytest.mark.parametrize("seed", [1, 2])
async def test_random_losses_end_with_the_very_facts_of_no_loss(
    versioned: Bucket, kafka_address: str, suffix: str, seed: int
) -> None:
    bucket, story = versioned, random.Random(seed)
    shelves = S3Shelves(bucket.client)
    async with (
        log_of(kafka_address, f"whole{suffix}.") as whole,
        log_of(kafka_address, f"lossy{suffix}.") as lossy,
        KafkaMessages(kafka_address, TOPIC, f"test{suffix}") as messages,
    ):
        all_of_it, some_of_it = (
            Ear(log, porch_over(log, shelves, SystemClock(), bucket.name), shelves, bucket.name,
                random.Random(seed), loss)
            for log, loss in ((whole, 0.0), (lossy, 0.6))
        )  # fmt: skip
        for _ in range(ACTIONS // 20):
            for _ in range(20):
                await asyncio.to_thread(act, bucket, story)
            await until_all_is_heard(messages, bucket, all_of_it, some_of_it)
        assert all_of_it.parked == some_of_it.parked == []
        crawl = await all_of_it.crawl()
        assert crawl.missing.total() == 0, "without loss a crawl finds nothing"
        wanted = await all_of_it.facts()
        assert some_of_it.lost > ACTIONS // 4
        before = await some_of_it.facts()
        crawl = await some_of_it.crawl()
        assert crawl.missing.total() == len(wanted) - len(before) > 0
        found = await some_of_it.facts()
        assert sorted(found) == sorted(wanted)
        assert len({name for _, name, _ in found}) == len(found), "nothing stands twice"
        assert {kind for kind, _, _ in found} == {"FileLanded", "FileDeleted"}
        assert not any("'runs/" in payload for _, _, payload in found)
        await _erase(bucket, messages, all_of_it, some_of_it)
        assert sorted(await some_of_it.facts()) == sorted(await all_of_it.facts())


async def _erase(bucket: Bucket, messages: KafkaMessages, whole: Ear, lossy: Ear) -> None:
    """Versions that go for good are told by one message, or by the crawl behind its loss."""
    listed = bucket.client.list_object_versions(Bucket=bucket.name, Prefix="in/")["Versions"]
    for one in listed[::3]:
        bucket.client.delete_object(Bucket=bucket.name, Key=one["Key"], VersionId=one["VersionId"])
    lossy.loss = 1.0
    await until_all_is_heard(messages, bucket, whole, lossy)
    crawl = await lossy.crawl()
    assert crawl.missing["FileDeleted"] == len(listed[::3])
    assert (await whole.crawl()).missing["FileDeleted"] == 0


async def test_what_could_not_be_taken_comes_again_to_the_same_reader(
    versioned: Bucket, kafka_address: str, suffix: str
) -> None:
    versioned.client.put_object(Bucket=versioned.name, Key="in/a.gz", Body=b"x")
    async with KafkaMessages(kafka_address, TOPIC, f"same{suffix}") as messages:
        first: list[str] = []
        deadline = asyncio.get_running_loop().time() + SECONDS_MAX
        while not first and asyncio.get_running_loop().time() < deadline:
            first = [one.place for one in await messages.poll(0.5)]
        await messages.again()  # nothing was ever done under this name
        second = [one.place for one in await messages.poll(5.0)]
        assert first[:1] == second[:1] != []
        await messages.done([])
        versioned.client.put_object(Bucket=versioned.name, Key="in/b.gz", Body=b"x")
        later = [one.place for one in await messages.poll(5.0)]
        assert not set(later) & set(second)


async def test_who_dies_before_it_is_done_hears_it_again(
    versioned: Bucket, kafka_address: str, suffix: str
) -> None:
    async with log_of(kafka_address, f"again{suffix}.") as log:
        shelves = S3Shelves(versioned.client)
        versioned.client.put_object(
            Bucket=versioned.name, Key="in/a.gz", Body=b"x", Metadata={SAMPLE: "S1", ROLE: "R1"}
        )

        async def heard() -> list[Event]:
            """What one porch appends that ends before it keeps its place."""
            porch = porch_over(log, shelves, SystemClock(), versioned.name)
            async with KafkaMessages(kafka_address, TOPIC, f"dies{suffix}") as messages:
                said, deadline = [], asyncio.get_running_loop().time() + SECONDS_MAX
                while asyncio.get_running_loop().time() < deadline:
                    found = await messages.poll(0.5)
                    said += (await porch.take(found)).appended
                    if any(n.place.bucket == versioned.name for m in found for n in read(m.body)):
                        return said
            raise AssertionError("the notice did not come")

        first = await heard()
        assert [event.key for event in first] == ["S1"]
        assert await heard() == [], "it comes again, and stands already"
