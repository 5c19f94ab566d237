"""Notices through SQS and through a rule of EventBridge, as moto stands for them.

moto's own notices lack what S3's have: a bucket's name no version and no sequencer of the object,
EventBridge's always the same two, and no mark of deletion is told at all. So what has to be told
in full is put into the queue, and onto the bus, as Amazon documents it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from genoflow.deploy.scanning import open_scanner
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import (
    aws_client,
    open_messages,
    open_s3,
    open_store_porch,
    open_verdict_porch,
)
from genoflow.events import topics
from genoflow.events.errors import Parked, Refused, Retry
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.processors.intake.heard import Message
from genoflow.processors.intake.landing import ROLE, SAMPLE
from genoflow.processors.intake.notifications import Told

OF_S1 = {SAMPLE: "S1", ROLE: "R1"}
POLLS_MAX = 20


@dataclass(slots=True)
class Queue:
    """A deployment on AWS with a bucket that keeps versions, and a queue."""

    settings: Settings
    log: MemoryLog
    s3: Any
    sqs: Any
    url: str
    arn: str

    @property
    def bucket(self) -> str:
        return self.settings.raw_bucket

    def put(self, key: str) -> str:
        answer = self.s3.put_object(Bucket=self.bucket, Key=key, Body=b"x", Metadata=OF_S1)
        return str(answer["VersionId"])

    async def hear(self, source: str = "sqs") -> list[Told]:
        """What all messages that wait lead to; each is done with."""
        porch, _ = open_store_porch(self.settings, self.log)
        heard: list[Told] = []
        async with open_messages(self.settings, source) as messages:
            for _ in range(POLLS_MAX):
                found = await messages.poll(0)
                if not found:
                    break
                heard.append(await porch.take(found))
                await messages.done(found)
        return heard

    async def events(self) -> list[Event]:
        names = (topics.SAMPLE.name, topics.PARKED.name)
        return [record.event for name in names async for record in self.log.read_topic(name)]


@pytest.fixture
async def queue(aws_settings: Settings, suffix: str) -> AsyncIterator[Queue]:
    s3, sqs = open_s3(aws_settings), aws_client(aws_settings, "sqs")
    s3.create_bucket(Bucket=aws_settings.raw_bucket)
    s3.put_bucket_versioning(
        Bucket=aws_settings.raw_bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    url = sqs.create_queue(QueueName=f"q-{suffix}")["QueueUrl"]
    asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    settings = aws_settings.model_copy(update={"notifications_queue": url})
    async with MemoryLog() as log:
        yield Queue(settings, log, s3, sqs, url, asked["Attributes"]["QueueArn"])
    s3.close()
    sqs.close()


async def test_what_a_bucket_tells_a_queue_lands_and_leaves_the_queue(queue: Queue) -> None:
    queue.s3.put_bucket_notification_configuration(
        Bucket=queue.bucket,
        NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": queue.arn, "Events": ["s3:ObjectCreated:*"]}]
        },
    )
    versions = [queue.put("in/a.gz") for _ in range(12)]
    upload = queue.s3.create_multipart_upload(Bucket=queue.bucket, Key="in/b", Metadata=OF_S1)
    part = {"Bucket": queue.bucket, "Key": "in/b", "UploadId": upload["UploadId"]}
    tag = queue.s3.upload_part(**part, PartNumber=1, Body=b"x")["ETag"]
    queue.s3.complete_multipart_upload(
        **part, MultipartUpload={"Parts": [{"ETag": tag, "PartNumber": 1}]}
    )
    heard = await queue.hear()
    assert sum(told.messages for told in heard) == 15, "a test event, and parts twice"
    events = [event.payload() for event in await queue.events()]
    assert [one["version_id"] for one in events if one["object_key"] == "in/a.gz"] == versions
    assert [one["size_bytes"] for one in events if one["object_key"] == "in/b"] == [1]
    assert await queue.hear() == []


def removed(queue: Queue, key: str, sequencer: str) -> dict[str, Any]:
    return {
        "eventName": "ObjectRemoved:DeleteMarkerCreated", "eventTime": "2026-03-01T10:00:00.000Z",
        "s3": {
            "bucket": {"name": queue.bucket}, "object": {"key": key, "sequencer": sequencer},
        },
    }  # fmt: skip


async def test_a_mark_in_the_store_is_told_whatever_the_order_of_its_messages(queue: Queue) -> None:
    version = queue.put("in/a b.gz")
    queue.s3.delete_object(Bucket=queue.bucket, Key="in/a b.gz")
    for sequencer in ("0055AED6DCD9", "0055AED6DC"):
        body = {"Records": [removed(queue, "in/a+b.gz", sequencer)]}
        queue.sqs.send_message(QueueUrl=queue.url, MessageBody=json.dumps(body))
    await queue.hear()
    found = [(event.type(), event.payload()["version_id"]) for event in await queue.events()]
    assert found == [("FileLanded", version), ("FileDeleted", version)]


async def test_what_a_rule_of_eventbridge_hands_to_the_queue_lands(
    queue: Queue, suffix: str
) -> None:
    bus = aws_client(queue.settings, "events")
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [queue.bucket]}}}
    bus.put_rule(Name=f"r-{suffix}", EventPattern=json.dumps(pattern))
    bus.put_targets(Rule=f"r-{suffix}", Targets=[{"Id": "1", "Arn": queue.arn}])
    version = queue.put("in/a+b ü.gz")
    for bucket in (queue.bucket, "another"):
        detail = {
            "version": "0", "bucket": {"name": bucket}, "reason": "PutObject",
            "object": {"key": "in/a+b ü.gz", "size": 1, "version-id": version, "sequencer": "00A"},
        }  # fmt: skip
        entry = {"Source": "aws.s3", "DetailType": "Object Created", "Detail": json.dumps(detail)}
        answer = bus.put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0
    bus.close()
    heard = await queue.hear("eventbridge")
    assert sum(told.messages for told in heard) == 1, "the rule is for one bucket"
    (event,) = await queue.events()
    assert (event.key, event.payload()["version_id"]) == ("S1", version)


async def test_what_moto_itself_puts_on_the_bus_is_taken_too(queue: Queue, suffix: str) -> None:
    """Its version does not exist: a message is only told where to look."""
    bus = aws_client(queue.settings, "events")
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [queue.bucket]}}}
    bus.put_rule(Name=f"m-{suffix}", EventPattern=json.dumps(pattern))
    bus.put_targets(Rule=f"m-{suffix}", Targets=[{"Id": "1", "Arn": queue.arn}])
    bus.close()
    queue.s3.put_bucket_notification_configuration(
        Bucket=queue.bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    version = queue.put("in/a.gz")
    await queue.hear("eventbridge")
    assert [event.payload()["version_id"] for event in await queue.events()] == [version]


async def test_a_message_that_is_not_understood_leaves_the_queue_for_the_log(queue: Queue) -> None:
    queue.sqs.send_message(QueueUrl=queue.url, MessageBody="hello ü")
    (told,) = await queue.hear()
    (parked,) = told.parked
    assert (parked.value, parked.source, parked.place) == ("hello ü".encode(), "sqs", queue.url)
    assert await queue.hear() == []
    assert [event.type() for event in await queue.events()] == ["NoticeParked"]


async def test_a_message_stays_in_the_queue_until_it_is_done(queue: Queue) -> None:
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"VisibilityTimeout": "0"})
    queue.put("in/a.gz")
    body = {"Records": [removed(queue, "in/a.gz", "01")]}
    queue.sqs.send_message(QueueUrl=queue.url, MessageBody=json.dumps(body))
    async with open_messages(queue.settings, "sqs") as messages:
        seen: list[Message] = []
        for _ in range(2):  # the first reader dies
            (one,) = await messages.poll(0)
            seen.append(one)
        assert seen[0].message_id == seen[1].message_id
        await messages.done([seen[1]])
        assert await messages.poll(0) == []


async def test_a_queue_that_is_not_there_or_not_named_says_how_to_name_it(queue: Queue) -> None:
    gone = queue.settings.model_copy(update={"notifications_queue": f"{queue.url}-gone"})
    async with open_messages(gone, "sqs") as messages:
        with pytest.raises(Refused, match=r"no such queue; name the one .*GENOFLOW_NOTI"):
            await messages.poll(0)
    nobody = queue.settings.model_copy(update={"aws_endpoint": "http://127.0.0.1:9"})
    async with open_messages(nobody, "sqs") as messages:
        with pytest.raises(Retry, match="see that it runs"):
            await messages.poll(0)
    unnamed = queue.settings.model_copy(update={"notifications_queue": ""})
    with pytest.raises(Refused, match="set GENOFLOW_NOTIFICATIONS_QUEUE"):
        async with open_messages(unnamed, "eventbridge"):
            pass


# -- verdicts of a virus scanner that looks into the bucket by itself


def result(bucket: str, key: str, version: str, status: str, *threats: str) -> dict[str, Any]:
    """A verdict as GuardDuty's page on its events shows it."""
    return {
        "version": "0", "detail-type": "GuardDuty Malware Protection Object Scan Result",
        "source": "aws.guardduty", "account": "123456789012", "time": "2026-03-01T10:00:00Z",
        "region": "us-east-1", "resources": [],
        "detail": {
            "schemaVersion": "1.0", "scanStatus": "COMPLETED", "resourceType": "S3_OBJECT",
            "s3ObjectDetails": {
                "bucketName": bucket, "objectKey": key, "eTag": "e", "versionId": version,
                "s3Throttled": False,
            },
            "scanResultDetails": {
                "scanResultStatus": status, "threats": [{"name": one} for one in threats] or None,
            },
        },
    }  # fmt: skip


async def test_verdicts_stand_beside_what_landed_and_what_cannot_be_taken_is_kept(
    queue: Queue,
) -> None:
    clean, infected, odd = (queue.put(f"in/{name}.gz") for name in ("clean", "infected", "odd"))
    sent = queue.put("reads/sent.gz")  # it lands by whoever wrote it, and that is not yet told
    queue.s3.put_object(Bucket=queue.bucket, Key="runs/r1/RunInfo.xml", Body=b"x")
    bodies = [
        result(queue.bucket, "in/clean.gz", clean, "NO_THREATS_FOUND"),
        result(queue.bucket, "in/infected.gz", infected, "THREATS_FOUND", "EICAR-Test-File"),
        result(queue.bucket, "in/infected.gz", infected, "THREATS_FOUND", "EICAR-Test-File"),
        result(queue.bucket, "in/odd.gz", odd, "UNSUPPORTED"),
        result(queue.bucket, "reads/sent.gz", sent, "NO_THREATS_FOUND"),
        result(queue.bucket, "in/gone.gz", "v0", "NO_THREATS_FOUND"),
        {"detail-type": "GuardDuty Malware Protection Resource Status Active", "detail": {}},
        {"detail-type": "Something else", "detail": {}},
    ]
    for body in bodies:
        queue.sqs.send_message(QueueUrl=queue.url, MessageBody=json.dumps(body))
    porch = open_verdict_porch(queue.settings, queue.log)
    async with open_messages(queue.settings, "eventbridge", queue.url) as messages:
        while found := await messages.poll(0):
            await porch.take(found)
            await messages.done(found)
    events = await queue.events()
    of_files = {(one.type(), one.payload().get("object_key")) for one in events}
    assert of_files == {
        ("FileLanded", "in/clean.gz"), ("FileCleared", "in/clean.gz"),
        ("FileLanded", "in/infected.gz"), ("FileQuarantined", "in/infected.gz"),
        ("FileLanded", "in/odd.gz"), ("FileCleared", "reads/sent.gz"), ("NoticeParked", None),
    }  # fmt: skip
    assert {one.key for one in events if one.type() in ("FileCleared", "FileQuarantined")} == {"S1"}
    twice = [one.envelope.event_id for one in events if one.type() == "FileQuarantined"]
    assert len(set(twice)) == 1, "the same fact, whoever tells it"
    [locked, *_] = [one.payload() for one in events if one.type() == "FileQuarantined"]
    assert locked["threats"] == ["EICAR-Test-File"]
    parked = sorted(one.payload()["reason"] for one in events if one.type() == "NoticeParked")
    assert "no verdict" in parked[0] or "no verdict" in parked[1]
    assert any("GuardDuty could not scan it: UNSUPPORTED" in one for one in parked)


async def test_a_tag_of_the_object_says_its_verdict_too(queue: Queue) -> None:
    scanner = open_scanner(queue.settings.model_copy(update={"scanner": "guardduty"}))
    assert scanner is not None
    version = queue.put("in/a.gz")

    def tagged(status: str) -> None:
        tags = {"TagSet": [{"Key": "GuardDutyMalwareScanStatus", "Value": status}]}
        queue.s3.put_object_tagging(
            Bucket=queue.bucket, Key="in/a.gz", VersionId=version, Tagging=tags
        )

    place = queue.bucket, "in/a.gz", version
    assert scanner.scan(place, iter(())) is None, "its verdict is still to come"
    tagged("NO_THREATS_FOUND")
    found = scanner.scan(place, iter(()))
    assert found is not None
    assert (found.scanner, found.threats) == ("guardduty", ())
    tagged("THREATS_FOUND")
    found = scanner.scan(place, iter(()))
    assert found is not None
    assert found.threats
    tagged("ACCESS_DENIED")
    with pytest.raises(Parked, match="could not scan it: ACCESS_DENIED"):
        scanner.scan(place, iter(()))
