"""The outside world of the flow under test: files that survive every worker.

* marks/EFFECT: what a service did for this effect, written once and never replaced
* attempts/EFFECT/…: every try, whatever came of it
* jobs/EFFECT: a job that was begun
* effects/EFFECT/outcome: what the job left
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from genoflow.processors.job_outcome import outcome_key
from genoflow.processors.ports import JobOrder, JobState, ObjectGone, ObjectHead

BUCKET = "outside"
# The directory of a job is its claim: whoever makes it works, everybody else leaves.
JOB = """
mkdir "$1" 2>/dev/null || exit 0
sleep 0.3
mkdir -p "$2"
printf '{"exit_code":0,"output":"%s"}' "$3" > "$2/unfinished"
mv "$2/unfinished" "$2/outcome"
"""


class Clock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FileStore:
    """An object store in a directory; what is written once is never written over."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _path(self, key: str) -> Path:
        return self.root / key

    async def put(
        self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]
    ) -> ObjectHead:
        await self.put_if_absent(bucket, key, body)
        return await self.head(bucket, key)

    async def head(self, bucket: str, key: str) -> ObjectHead:
        path = self._path(key)
        try:
            kept = path.stat()
        except FileNotFoundError as error:
            gone = f"{bucket}/{key}: there is no such object; put it there"
            raise ObjectGone(gone) from error
        at = datetime.fromtimestamp(kept.st_mtime, UTC)
        return ObjectHead(bucket, key, "null", kept.st_size, "none", at, {})

    async def get(self, bucket: str, key: str) -> bytes | None:
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return None

    async def put_if_absent(self, bucket: str, key: str, body: bytes) -> bool:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        unfinished.write_bytes(body)
        try:
            os.link(unfinished, path)  # whole or not there, and never in place of another
        except FileExistsError:
            return False
        finally:
            unfinished.unlink()
        return True

    async def copy(
        self, bucket: str, key: str, version_id: str, to_key: str, metadata: Mapping[str, str]
    ) -> ObjectHead:
        raise NotImplementedError("nothing in the flow under test copies an object")


class ShellLauncher:
    """Jobs in sessions of their own: no worker's death ends one, and none is begun twice."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def find(self, effect_id: UUID) -> JobState:
        if (self._root / outcome_key(effect_id)).exists():
            return JobState.ENDED
        begun = (self._root / "jobs" / str(effect_id)).exists()
        return JobState.RUNNING if begun else JobState.UNKNOWN

    async def launch(self, effect_id: UUID, order: JobOrder) -> None:
        jobs = self._root / "jobs"
        jobs.mkdir(exist_ok=True)
        outcome = (self._root / outcome_key(effect_id)).parent
        words = shlex.quote(secrets.token_hex(8))
        job = await asyncio.create_subprocess_exec(
            *("/bin/sh", "-c", JOB, "job", str(jobs / str(effect_id)), str(outcome), words),
            start_new_session=True,
        )
        await job.wait()

    async def cancel(self, effect_id: UUID) -> None:
        raise NotImplementedError("nothing in the flow under test cancels a job")
