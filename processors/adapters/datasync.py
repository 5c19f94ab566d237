"""Run folders by AWS DataSync: one execution of a task for each run, and a comparison behind it.

StartTaskExecution takes no token of the caller. So an execution is told by what it includes, the
folder of its run, and looked for before one is begun. DataSync's own success is not enough: each
file is read once more on both sides before the run counts as mirrored.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from genoflow.events.errors import Refused, Retry
from genoflow.processors.adapters.s3_errors import code_and_status, meaning
from genoflow.processors.intake.mirror import Changed, Mirror, read_whole, sealed
from genoflow.processors.intake.run_folders import FileSeen, RunFolders, Shown, SummingStore

_LOG = logging.getLogger(__name__)
POLL_SECONDS = 5.0  # an execution takes minutes to hours
STOP_SECONDS = 0.2  # how soon it is heard that the watcher is to end
RUNNING = ("QUEUED", "INITIALIZING", "LAUNCHING", "PREPARING", "TRANSFERRING", "VERIFYING")
SUCCESS = "SUCCESS"
FILTER = "SIMPLE_PATTERN"
SPECIAL = frozenset("|*\\")  # what a pattern gives a meaning
OPTIONS = {"VerifyMode": "ONLY_FILES_TRANSFERRED", "TransferMode": "CHANGED"}
S3_SCHEME = "s3://"


@dataclass(frozen=True, slots=True)
class Execution:
    """What DataSync says of one execution."""

    arn: str
    status: str
    includes: str
    started_at: datetime | None
    files: tuple[int, int] = (0, 0)  # transferred, and how many there are to transfer
    fault: str = ""

    @property
    def is_over(self) -> bool:
        """Whether it will not change any more."""
        return self.status not in RUNNING


class DataSync:
    """Transfer by one task, whose source is the share and whose destination is the bucket."""

    def __init__(
        self,
        client: Any,
        task_arn: str,
        folders: RunFolders,
        store: SummingStore,
        *,
        poll_seconds: float = POLL_SECONDS,
        tell: Callable[[str], None] = _LOG.info,
    ) -> None:
        self._client = client
        self._task = task_arn
        self._folders = folders
        self._store = store
        self._poll_seconds = poll_seconds
        self._tell = tell
        self._over: dict[str, Execution] = {}  # they change no more, so they are asked about once

    def mirror(
        self, run_id: str, shown: Shown, again: Callable[[], Shown], stopping: Callable[[], bool]
    ) -> Mirror | Changed:
        """Find or begin the execution of this folder, wait for its success, compare every file."""
        folder = shown.name.rpartition("/")[2]
        if SPECIAL & set(folder):
            raise Refused(f"{shown.uri}: DataSync takes no folder with |, * or \\ in its name")
        bucket, root = self._destination()
        found = self._find(f"/{folder}", shown.changed_at)
        arn = found.arn if found is not None else self._begin(f"/{folder}")
        self._until_success(folder, arn, stopping)
        prefix = f"{root}{folder}/"

        def one(path: str, seen: FileSeen) -> str | None:
            if stopping():
                raise Retry(f"{folder}: the comparison was interrupted; the next look begins it")
            return self._compared(shown.name, path, seen, bucket, f"{prefix}{path}")

        return sealed(one, self._store, bucket, prefix, run_id, shown, again)

    def _compared(self, name: str, path: str, seen: FileSeen, bucket: str, key: str) -> str | None:
        try:
            read = read_whole(self._folders, name, path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Retry(f"{name}/{path}: {error}; see that its share is there") from error
        if read.size_bytes != seen.size_bytes:
            return None
        held = self._store.summed(bucket, key)
        if held is None or (held.size_bytes, held.sha256) != (read.size_bytes, read.sha256):
            raise Retry(
                f"s3://{bucket}/{key}: {'is not there' if held is None else 'is another file'} "
                f"after DataSync's success; look at the task's filters and at who else writes "
                f"there; nothing goes on with this run"
            )
        return read.sha256

    def _find(self, includes: str, written_at: datetime) -> Execution | None:
        """The execution that goes on for this folder, or that began after its last file."""
        found: list[Execution] = []
        for arn in self._listed():
            one = self._described(arn)
            began_behind = one.started_at is not None and one.started_at >= written_at
            holds = not one.is_over or (one.status == SUCCESS and began_behind)
            if one.includes == includes and holds:
                found.append(one)
        return max(found, key=lambda one: (one.is_over, one.started_at or written_at), default=None)

    def _listed(self) -> Iterator[str]:
        more: dict[str, str] = {}
        while True:
            with self._at():
                answer = self._client.list_task_executions(TaskArn=self._task, **more)
            yield from (one["TaskExecutionArn"] for one in answer.get("TaskExecutions", []))
            if not answer.get("NextToken"):
                return
            more = {"NextToken": answer["NextToken"]}

    def _begin(self, includes: str) -> str:
        with self._at():
            try:
                answer = self._client.start_task_execution(
                    TaskArn=self._task,
                    Includes=[{"FilterType": FILTER, "Value": includes}],
                    OverrideOptions=OPTIONS,
                )
            except ClientError as error:
                if code_and_status(error)[0] == "InvalidRequestException":
                    raise Retry(
                        f"{self._task}: takes no execution for {includes} now ({error}); the next "
                        f"look tries again"
                    ) from error
                raise
        return str(answer["TaskExecutionArn"])

    def _until_success(self, folder: str, arn: str, stopping: Callable[[], bool]) -> None:
        said = ""
        while True:
            now = self._described(arn)
            text = f"{folder}: DataSync {now.status.lower()}, {now.files[0]:,} of {now.files[1]:,}"
            if text != said:
                self._tell(f"{text} files")
            said = text
            if now.status == SUCCESS:
                return
            if now.is_over:
                raise Retry(
                    f"{arn}: ended as {now.status}{now.fault}; mend what it names, the next look "
                    f"begins another"
                )
            until = time.monotonic() + self._poll_seconds
            while time.monotonic() < until:
                if stopping():
                    raise Retry(f"{folder}: DataSync goes on; the next look finds it")
                time.sleep(min(STOP_SECONDS, self._poll_seconds))

    def _described(self, arn: str) -> Execution:
        if arn in self._over:
            return self._over[arn]
        with self._at():
            answer = self._client.describe_task_execution(TaskExecutionArn=arn)
        result, started = answer.get("Result") or {}, answer.get("StartTime")
        fault = f" ({result.get('ErrorCode')}: {result.get('ErrorDetail', '')})"
        found = Execution(
            arn,
            answer["Status"],
            "|".join(one["Value"] for one in answer.get("Includes", [])),
            started.astimezone(UTC) if started else None,
            (answer.get("FilesTransferred", 0), answer.get("EstimatedFilesToTransfer", 0)),
            fault if result.get("ErrorCode") else "",
        )
        if found.is_over:
            self._over[arn] = found
        return found

    def _destination(self) -> tuple[str, str]:
        with self._at():
            task = self._client.describe_task(TaskArn=self._task)
            place = self._client.describe_location_s3(LocationArn=task["DestinationLocationArn"])
        bucket, _, root = str(place["LocationUri"]).removeprefix(S3_SCHEME).partition("/")
        return bucket, f"{root.strip('/')}/" if root.strip("/") else ""

    @contextmanager
    def _at(self) -> Iterator[None]:
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise meaning(error, self._task) from error
