"""Links to files in the object store, signed with this deployment's own key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from genoflow.api.desks import Link, StoredFile
from genoflow.deploy.event_lines import event_of
from genoflow.events import topics
from genoflow.events.errors import NotThere, Retry, StackFault
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.port import EventLog, Vector
from genoflow.events.results_amended import ResultsAmended
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.events.run_superseded import RunSuperseded
from genoflow.processors.ports import UNVERSIONED, ObjectGone

WITHDRAWS = (ResultsAmended, ResultsRetracted, RunSuperseded)


class StoreLinks:
    """Links over a store that speaks S3; it is asked for when the first link is."""

    def __init__(self, log: EventLog, open_client: Callable[[], Any]) -> None:
        self._log = log
        self._open = open_client
        self._client: Any = None

    async def sign(self, file: StoredFile, seconds: int) -> Link:
        """A link to this version alone; NotThere where the store has no such one."""
        return await asyncio.to_thread(self._sign, file, seconds)

    def _sign(self, file: StoredFile, seconds: int) -> Link:
        from genoflow.processors.adapters.s3_errors import at  # noqa: PLC0415 -- loads boto3

        named = {"Bucket": file.bucket, "Key": file.object_key}
        if file.version_id != UNVERSIONED:
            named["VersionId"] = file.version_id
        client = self._opened()
        try:
            with at(file.bucket, file.object_key, file.version_id):
                client.head_object(**named)  # a link that leads nowhere is no answer
                url = client.generate_presigned_url("get_object", named, seconds)
        except ObjectGone as error:
            raise NotThere(
                f"s3://{file.bucket}/{file.object_key}: the store has no such version any more "
                f"({file.version_id}); bring it back from a copy of the bucket, or run it again"
            ) from error
        return Link(url, end_of(url))

    def _opened(self) -> Any:
        if self._client is None:
            try:
                self._client = self._open()
            except StackFault as error:  # the API answers everything else without a store
                raise Retry(str(error)) from error
        return self._client

    async def is_withdrawn(self, run_id: UUID, known: Vector) -> bool:
        """Whether the log tells, behind what is known, that results of this run changed."""
        name, key = topics.RUN.name, str(run_id)
        place = (name, partition_of(key.encode(), await self._log.partitions(name)))
        start = known.get(place, (await self._log.starts(name))[place])
        stop = (await self._log.ends(name))[place]
        async with aclosing(self._log.read({place: start}, {place: stop})) as records:
            async for record in records:
                if record.key == key and isinstance(event_of(record), WITHDRAWS):
                    return True
        return False


def end_of(url: str) -> datetime:
    """When the store stops to answer: it counts from the second that stands in the link."""
    said = parse_qs(urlsplit(url).query)
    begun = datetime.strptime(said["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return begun + timedelta(seconds=int(said["X-Amz-Expires"][0]))
