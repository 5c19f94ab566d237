"""Notices of S3 through SQS: directly, through SNS, or through a rule of EventBridge."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from genoflow.events.errors import Refused
from genoflow.processors.adapters.s3_errors import code_and_status, meaning
from genoflow.processors.intake.heard import Message

AT_ONCE_MAX = 10  # SQS hands over and deletes no more in one request
WAIT_SECONDS_MAX = 20.0  # SQS's own limit of one long poll
NO_QUEUE = ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue")


class SqsMessages:
    """Messages of one queue; each is hidden from others until it is deleted or its time is over."""

    def __init__(self, client: Any, queue_url: str, source: str) -> None:
        self._client = client
        self._queue = queue_url
        self._source = source
        self._receipts: dict[str, str] = {}

    async def poll(self, timeout_seconds: float) -> Sequence[Message]:
        """The next messages, at most ten; in no order."""
        wait = int(min(timeout_seconds, WAIT_SECONDS_MAX))
        answer = await asyncio.to_thread(self._receive, wait)
        self._receipts = {one["MessageId"]: one["ReceiptHandle"] for one in answer}
        return [
            Message(self._source, self._queue, one["MessageId"], one["Body"].encode())
            for one in answer
        ]

    def _receive(self, wait_seconds: int) -> list[dict[str, Any]]:
        with self._at():
            answer = self._client.receive_message(
                QueueUrl=self._queue, MaxNumberOfMessages=AT_ONCE_MAX, WaitTimeSeconds=wait_seconds
            )
        found: list[dict[str, Any]] = answer.get("Messages", [])
        return found

    async def done(self, messages: Sequence[Message]) -> None:
        """Delete them; one that SQS does not delete comes again, which changes nothing."""
        if messages:
            await asyncio.to_thread(self._delete, [one.message_id for one in messages])

    def _delete(self, names: list[str]) -> None:
        entries = [
            {"Id": str(number), "ReceiptHandle": self._receipts[name]}
            for number, name in enumerate(names)
        ]
        with self._at():
            self._client.delete_message_batch(QueueUrl=self._queue, Entries=entries)

    async def again(self) -> None:
        """Nothing to do: what is not deleted comes again when the queue's own time is over."""

    @contextmanager
    def _at(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            if code_and_status(error)[0] in NO_QUEUE:
                raise Refused(
                    f"{self._queue}: there is no such queue; name the one that the bucket tells "
                    f"in GENOFLOW_NOTIFICATIONS_QUEUE"
                ) from error
            raise meaning(error, self._queue) from error
        except BotoCoreError as error:
            raise meaning(error, self._queue) from error
