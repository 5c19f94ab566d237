"""Amazon SNS: a topic, which hands on to whoever follows it, or one phone, by boto3 in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from botocore import exceptions as boto

from genoflow.events.errors import Parked
from genoflow.events.printable import printable
from genoflow.processors.adapters.s3_errors import BROKEN, code_and_status
from genoflow.processors.channels import Publication
from genoflow.processors.ports import Undelivered

SUBJECT_CHARACTERS_MAX = 100  # SNS's own limits: of a subject in ASCII, and of all parts of an SMS
SMS_CHARACTERS_MAX = 1_600
ANSWER_CHARACTERS_MAX = 200  # of what the service said, to be shown
ARN = "arn:"
FIFO = ".fifo"
# The topic was deleted; whoever has the phone wants no more.
GONE = ("NotFound", "NotFoundException", "OptedOut", "OptedOutException")
KEYS = (
    "AuthorizationError", "AuthorizationErrorException", "AccessDenied", "InvalidClientTokenId",
    "SignatureDoesNotMatch", "ExpiredToken", "InvalidSecurity", "InvalidSecurityException",
)  # fmt: skip
LATER = ("Throttling", "Throttled", "ThrottledException", "ThrottlingException")

Clients = Callable[[str | None], Any]  # of a region; of the deployment's own where none is named


class SnsPublisher:
    """Publisher over boto3 clients, one a region, which are safe to share between threads."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._open: dict[str | None, Any] = {}

    async def publish(self, publication: Publication) -> int:
        """SNS's 200; Undelivered where it took nothing."""
        return await asyncio.to_thread(self._publish, publication)

    def _publish(self, publication: Publication) -> int:
        is_topic = publication.target.startswith(ARN)
        asked = _to_topic(publication) if is_topic else _to_phone(publication)
        try:
            answer = self._client(_region(publication.target)).publish(**asked)
        except boto.ClientError as error:
            raise _refused(error, publication.target) from error
        except (boto.NoCredentialsError, boto.PartialCredentialsError) as error:
            raise Parked(
                f"sns: {error}; give the worker keys that may publish, then `genoflow parked "
                f"requeue`"
            ) from error
        except BROKEN as error:
            raise Undelivered(
                f"SNS gave no answer ({type(error).__name__})", "no answer"
            ) from error
        return int(answer["ResponseMetadata"]["HTTPStatusCode"])

    def _client(self, region: str | None) -> Any:
        if region not in self._open:
            self._open[region] = self._clients(region)
        return self._open[region]


def _region(target: str) -> str | None:
    # A topic is published to where it is.
    return target.split(":")[3] if target.startswith(ARN) else None


def _to_topic(publication: Publication) -> dict[str, str]:
    asked = {
        "TopicArn": publication.target,
        "Message": publication.body,
        "Subject": _subject(publication.subject),
    }
    if publication.target.endswith(FIFO):
        asked["MessageDeduplicationId"] = str(publication.message_id)
        asked["MessageGroupId"] = publication.group
    return asked


def _to_phone(publication: Publication) -> dict[str, str]:
    return {
        "PhoneNumber": publication.target,
        "Message": publication.subject[:SMS_CHARACTERS_MAX],
    }


def _subject(text: str) -> str:
    line = " ".join(text.split()).encode("ascii", "replace").decode()
    return printable(line, "?")[: SUBJECT_CHARACTERS_MAX - 1] or "GenoFlow"


def _refused(error: boto.ClientError, target: str) -> Undelivered:
    code, status = code_and_status(error)
    said = str(error.response.get("Error", {}).get("Message", ""))
    told = f"SNS answered {code}: {said.replace(target, 'the target')[:ANSWER_CHARACTERS_MAX]}"
    if code in GONE:
        return Undelivered(told, "gone", status, is_lasting=True)
    if code in KEYS:
        return Undelivered(
            f"{told}; allow sns:Publish to the worker's keys", "refused", status
        )  # another try may find it allowed
    if code in LATER or status >= 500 or status == 429:
        return Undelivered(told, "server error", status)
    return Undelivered(told, "refused", status, is_lasting=True)
