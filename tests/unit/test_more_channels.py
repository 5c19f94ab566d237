"""Amazon SNS against moto, and Slack against a real server: what arrives, and what is refused."""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from genoflow.deploy.settings import Settings
from genoflow.deploy.subscriptions import check_sns, check_target
from genoflow.deploy.wiring import aws_client
from genoflow.events.errors import Parked, Refused
from genoflow.events.notification_failed import NotificationFailed
from genoflow.processors.adapters.public_network import PublicNetwork
from genoflow.processors.adapters.public_post import RETRY_AFTER_SECONDS_MAX
from genoflow.processors.adapters.slack import SlackRooms
from genoflow.processors.adapters.sns import SnsPublisher
from genoflow.processors.channels import ChatMessage, Publication
from genoflow.processors.ports import Undelivered
from genoflow.projections.subscriptions import shown_target
from tests.receivers import NEVER, receiver

ID = UUID(int=9)
CODES = set(NotificationFailed.model_fields["reason_code"].metadata[0].allowed)
PHONE = "+491701234567"
OURS = ("127.0.0.1", "hooks.lab")


def publication(target: str, **fields: Any) -> Publication:
    usual: dict[str, Any] = {
        "message_id": ID, "target": target, "group": "S", "subject": "It failed\nS-1 äß",
        "body": "It failed.\n\nMore: genoflow timeline S-1\n",
    }  # fmt: skip
    return Publication(**usual | fields)


# -- Amazon SNS


class Aws:
    """SNS with a queue behind each topic, so that what was published can be read."""

    def __init__(self, settings: Settings) -> None:
        self.asked: list[str | None] = []
        self._settings = settings
        self.sns = aws_client(settings, "sns")
        self.sqs = aws_client(settings, "sqs")
        self.publisher = SnsPublisher(self._client)

    def _client(self, region: str | None) -> Any:
        self.asked.append(region)
        return aws_client(self._settings, "sns", repeats=1, region=region)

    def topic(self, *, is_fifo: bool = False) -> tuple[str, str]:
        """A topic of this test's own, and a queue that follows it."""
        name = f"alerts-{secrets.token_hex(4)}{'.fifo' if is_fifo else ''}"
        fifo = {"FifoTopic": "true"} if is_fifo else {}
        arn = self.sns.create_topic(Name=name, Attributes=fifo)["TopicArn"]
        queue = self.sqs.create_queue(
            QueueName=name, Attributes={"FifoQueue": "true"} if is_fifo else {}
        )["QueueUrl"]
        asked = {"QueueUrl": queue, "AttributeNames": ["QueueArn"]}
        place = self.sqs.get_queue_attributes(**asked)["Attributes"]["QueueArn"]
        self.sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=place)
        return arn, queue

    def read(self, queue: str) -> list[dict[str, Any]]:
        """What has come to the queue, without what is a repetition."""
        answer = self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        return [json.loads(one["Body"]) for one in answer.get("Messages", [])]


@pytest.fixture
def aws(aws_settings: Settings) -> Aws:
    return Aws(aws_settings)


async def test_a_topic_hands_on_what_is_published(aws: Aws) -> None:
    arn, queue = aws.topic()
    for _ in range(2):
        assert await aws.publisher.publish(publication(arn)) == 200
    first, second = aws.read(queue)
    assert first["Message"] == publication(arn).body
    assert first["Subject"] == "It failed S-1 ??"  # SNS takes one line of ASCII
    assert second["Message"] == first["Message"]
    assert aws.asked == [arn.split(":")[3]]  # one client, where the topic is


async def test_a_fifo_topic_drops_a_repetition_by_its_id(aws: Aws) -> None:
    arn, queue = aws.topic(is_fifo=True)
    for number in (9, 9, 10):
        await aws.publisher.publish(publication(arn, message_id=UUID(int=number)))
    assert len(aws.read(queue)) == 2


async def test_a_long_subject_is_cut(aws: Aws) -> None:
    arn, queue = aws.topic()
    await aws.publisher.publish(publication(arn, subject="x" * 300))
    [told] = aws.read(queue)
    assert told["Subject"] == "x" * 99


async def test_a_phone_is_told_the_line_alone(aws: Aws) -> None:
    from moto.sns.models import sns_backends

    assert await aws.publisher.publish(publication(PHONE, subject="S-1 is late")) == 200
    assert aws.asked == [None]  # a phone is in no region
    backends = (one for regions in sns_backends.values() for one in regions.values())
    told = [each for one in backends for each in one.sms_messages.values()]
    assert (PHONE, "S-1 is late") in told


async def refused(publisher: SnsPublisher, target: str) -> Undelivered:
    """Why a publication was not taken."""
    with pytest.raises(Undelivered) as caught:
        await publisher.publish(publication(target))
    assert caught.value.reason_code in CODES
    assert target not in str(caught.value)
    return caught.value


async def test_a_topic_that_was_deleted_is_gone(aws: Aws) -> None:
    arn, _ = aws.topic()
    aws.sns.delete_topic(TopicArn=arn)
    error = await refused(aws.publisher, arn)
    assert (error.reason_code, error.response_code, error.is_lasting) == ("gone", 404, True)


class Answering:
    """A client that answers with an error, as boto3 raises it."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def publish(self, **_: str) -> Any:
        raise self._error


def said(code: str, status: int) -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": f"{PHONE} no"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, "Publish")


@pytest.mark.parametrize(
    ("error", "reason_code", "code", "is_lasting"),
    [
        (said("OptedOut", 400), "gone", 400, True),
        (said("InvalidParameter", 400), "refused", 400, True),
        (said("AuthorizationError", 403), "refused", 403, False),
        (said("Throttling", 400), "server error", 400, False),
        (said("InternalError", 500), "server error", 500, False),
        (EndpointConnectionError(endpoint_url="https://sns"), "no answer", None, False),
    ],
)
async def test_every_other_answer_of_sns_has_its_reason(
    error: Exception, reason_code: str, code: int | None, is_lasting: bool
) -> None:
    found = await refused(SnsPublisher(lambda _: Answering(error)), PHONE)
    assert (found.reason_code, found.response_code) == (reason_code, code)
    assert found.is_lasting is is_lasting


async def test_a_worker_without_keys_says_so() -> None:
    publisher = SnsPublisher(lambda _: Answering(NoCredentialsError()))
    with pytest.raises(Parked, match="give the worker keys that may publish"):
        await publisher.publish(publication(PHONE))


# -- Slack


def rooms(*addresses: str, allowed: Sequence[str] = OURS, seconds_max: float = 10) -> SlackRooms:
    """Slack; every name has these addresses."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        if not addresses:
            raise socket.gaierror("no such name")
        return addresses

    network = PublicNetwork(allowed, resolve=resolve)
    return SlackRooms(allowed_hosts=allowed, network=network, seconds_max=seconds_max)


async def not_said(chat: SlackRooms, url: str) -> Undelivered:
    """Why a message was not taken."""
    with pytest.raises(Undelivered) as caught:
        await chat.say(ChatMessage(url, "It failed"))
    assert caught.value.reason_code in CODES
    assert url not in str(caught.value)
    return caught.value


async def test_a_room_is_told_a_text_that_is_no_mention() -> None:
    async with receiver() as there:
        url = f"http://hooks.lab:{there.port}/services/T0/B0/secret"
        assert await rooms("127.0.0.1").say(ChatMessage(url, "<!channel> a & b\nä")) == 200
    [request] = there.requests
    assert request.line == "POST /services/T0/B0/secret HTTP/1.1"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.body) == {"text": "&lt;!channel&gt; a &amp; b\nä"}


@pytest.mark.parametrize(
    ("code", "reason_code", "is_lasting"),
    [
        (404, "gone", True), (410, "gone", True), (400, "refused", False), (403, "refused", False),
        (302, "refused", False), (500, "server error", False),
    ],
)  # fmt: skip
async def test_every_other_answer_of_slack_has_its_reason(
    code: int, reason_code: str, is_lasting: bool
) -> None:
    async with receiver(code) as there:
        error = await not_said(rooms("127.0.0.1"), there.url)
    assert (error.response_code, error.reason_code) == (code, reason_code)
    assert error.is_lasting is is_lasting


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30.0), ("0", 0.0), ("9" * 30, RETRY_AFTER_SECONDS_MAX), ("soon", None),
        ("-5", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)  # fmt: skip
async def test_slack_says_when_it_wants_to_be_asked_again(
    header: str, seconds: float | None
) -> None:
    async with receiver(429, f"retry-after: {header}\r\n") as there:
        error = await not_said(rooms("127.0.0.1"), there.url)
    assert (error.response_code, error.is_lasting) == (429, False)
    assert error.retry_after_seconds == seconds


async def test_slack_that_does_not_answer_is_not_waited_for() -> None:
    async with receiver(NEVER) as there:
        error = await not_said(rooms("127.0.0.1", seconds_max=0.2), there.url)
    assert (error.reason_code, error.response_code) == ("no answer", None)
    error = await not_said(rooms(), "https://nowhere.example/services/T0")
    assert error.reason_code == "no answer"


async def test_no_room_is_inside() -> None:
    async with receiver() as there:
        for addresses, url in (
            (("10.0.0.1",), f"https://hooks.example:{there.port}/"),
            (("93.184.216.34",), f"http://hooks.example:{there.port}/"),
        ):
            error = await not_said(rooms(*addresses, allowed=()), url)
            assert (error.reason_code, error.is_lasting) == ("address not allowed", True)
    assert there.connections == 0


# -- addresses


@pytest.mark.parametrize(
    "target",
    [PHONE, "arn:aws:sns:eu-central-1:123456789012:alerts", "+12025550123",
     "arn:aws-cn:sns:cn-north-1:123456789012:a_b-c.fifo"],
)  # fmt: skip
def test_a_topic_or_a_phone_is_taken(target: str) -> None:
    assert check_sns(target) == target
    assert check_target("sns", target, (), "sns_target") == target


@pytest.mark.parametrize(
    "target",
    ["0170 1234567", "+0123456789", "+49170", "arn:aws:sqs:eu-central-1:123456789012:alerts",
     "arn:aws:sns:eu-central-1:12345:alerts", "arn:aws:sns:eu-central-1:123456789012:a b",
     "https://sns.example", "+491701234567\n"],
)  # fmt: skip
def test_another_address_of_sns_is_refused(target: str) -> None:
    with pytest.raises(Refused, match=r"--sns: is neither the ARN of a topic .* nor a number"):
        check_sns(target)


def test_an_address_that_is_a_secret_is_never_shown_whole() -> None:
    url = "https://hooks.slack.com/services/T000/B000/abcdWXYZ"
    assert shown_target("slack", url) == "https://hooks.slack.com/…WXYZ"
    assert shown_target("email", "a@b.org") == "a@b.org"
    assert shown_target("webhook", url) == url
    assert shown_target(None, None) is None
    for channel in ("slack", "webhook"):
        with pytest.raises(Refused, match="--x: is not https"):
            check_target(channel, "http://hooks.example/h", (), "--x")
