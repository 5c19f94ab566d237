"""What a launcher and a job of it tell each other through the object store, below effects/<id>/.

    order       what is to be run; it is there before anybody is asked to run it
    claim       the id of the one job that does it: its first act, and nobody writes over it
    job         the id of a job that the launcher has seen
    cancelled   nobody wants it any more
    outcome     how it ended
    moving.<n>  a queue: there a job is about to be submitted, since its urgency has changed
    moved.<n>   the job that was, and its queue: from now on the only one that may claim it

A job that waits is moved by another one in another queue. Who may claim is then decided by the
claim itself: what the launcher writes there says that the claim is `claim.<n>` from now on, which
moved.<n> alone may take. Where a job was faster, the launcher finds its id and leaves it there.

A claim is written before `cancelled` is looked for, and `cancelled` before a claim is. So of a job
that claims and somebody who cancels at least one sees the other, whatever a list of jobs shows.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from pydantic import Field, ValidationError

from genoflow.events.errors import Parked
from genoflow.events.types import Part
from genoflow.processors.job_outcome import outcome_key
from genoflow.processors.ports import JobOrder, ObjectGone, ObjectStore

ORDER, CLAIM, JOB, CANCELLED = "order", "claim", "job", "cancelled"
MOVING, MOVED = "moving", "moved"
NOBODY = "nobody"  # claims what no job shall claim any more
ELSEWHERE = "elsewhere"  # stands in a claim behind which there is another one


class Noted(NamedTuple):
    """A job of which a note tells."""

    job_id: str
    noted_at: datetime


class _Move(Part):
    """A move as its object holds it."""

    job_id: str
    queue: str


class Placed(NamedTuple):
    """A job that was submitted to take the place of another one."""

    job_id: str
    queue: str
    noted_at: datetime


class _Written(Part):
    """An order as its object holds it."""

    program: tuple[str, ...] = Field(min_length=1)
    document: str  # as base64


@dataclass(frozen=True, slots=True)
class JobNotes:
    """The notes of one effect."""

    store: ObjectStore
    bucket: str
    effect_id: UUID

    async def keep_order(self, order: JobOrder) -> bool:
        """Leave what is to be run; False where an earlier try has left it."""
        document = base64.b64encode(order.document).decode()
        written = _Written(program=order.program, document=document)
        return await self._put(ORDER, written.model_dump_json())

    async def order(self) -> JobOrder | None:
        """What is to be run; Parked where it cannot be read."""
        body = await self.store.get(self.bucket, self._key(ORDER))
        if body is None:
            return None
        try:
            written = _Written.model_validate_json(body)
            return JobOrder(written.program, base64.b64decode(written.document, validate=True))
        except (ValidationError, ValueError) as error:
            raise Parked(
                f"s3://{self.bucket}/{self._key(ORDER)}: is no order of a launcher ({error}); see "
                f"who else writes below effects/"
            ) from error

    async def claimed(self, job_id: str) -> bool:
        """Claim it for this job; whether it is this job's, now or since an earlier try."""
        number = 0
        while True:
            may = number == 0 or job_id in {NOBODY, await self._moved_to(number)}
            if may and await self._put(_claim(number), job_id):
                return True
            holder = await self._text(_claim(number))
            if holder != ELSEWHERE:
                return holder == job_id
            number += 1

    async def claim(self) -> Noted | None:
        """The one job that has claimed it; None where none has."""
        number = 0
        while (found := await self._noted(_claim(number))) and found.job_id == ELSEWHERE:
            number += 1
        return found

    async def begin_move(self, number: int, queue: str) -> bool:
        """Say that a job is about to be submitted there; False where an earlier try has."""
        return await self._put(f"{MOVING}.{number}", queue)

    async def is_moving(self, number: int) -> bool:
        """Whether an earlier try may have submitted a job for this move."""
        return await self._text(f"{MOVING}.{number}") is not None

    async def keep_move(self, number: int, job_id: str, queue: str) -> None:
        """Note the job that is to take the place of those before it; the first noted stays."""
        move = _Move(job_id=job_id, queue=queue)
        await self._put(f"{MOVED}.{number}", move.model_dump_json())

    async def moves(self) -> list[Placed]:
        """The jobs that were to take the place of others, the newest last."""
        found: list[Placed] = []
        while (noted := await self._noted(f"{MOVED}.{len(found) + 1}")) is not None:
            move = _Move.model_validate_json(noted.job_id)
            found.append(Placed(move.job_id, move.queue, noted.noted_at))
        return found

    async def close_before(self, number: int) -> bool:
        """Let no job claim any more but that of this move; False where one has claimed before."""
        for name in map(_claim, range(number)):
            if not (await self._put(name, ELSEWHERE) or await self._text(name) == ELSEWHERE):
                return False
        return True

    async def keep_job(self, job_id: str) -> None:
        """Note that there is this job; the first that was noted stays."""
        await self._put(JOB, job_id)

    async def job(self) -> Noted | None:
        """The job that was noted; None where none was seen."""
        return await self._noted(JOB)

    async def cancel(self) -> None:
        """Say that nobody wants it any more."""
        await self._put(CANCELLED, "")

    async def is_cancelled(self) -> bool:
        """Whether nobody wants it any more."""
        return await self.store.get(self.bucket, self._key(CANCELLED)) is not None

    async def has_outcome(self) -> bool:
        """Whether it has ended, and said how."""
        return await self.store.get(self.bucket, outcome_key(self.effect_id)) is not None

    async def leave(self, outcome: bytes) -> None:
        """Say how it ended, unless that is said."""
        await self.store.put_if_absent(self.bucket, outcome_key(self.effect_id), outcome)

    async def _moved_to(self, number: int) -> str | None:
        body = await self._text(f"{MOVED}.{number}")
        return None if body is None else _Move.model_validate_json(body).job_id

    async def _text(self, name: str) -> str | None:
        body = await self.store.get(self.bucket, self._key(name))
        return None if body is None else body.decode()

    async def _put(self, name: str, text: str) -> bool:
        return await self.store.put_if_absent(self.bucket, self._key(name), text.encode())

    async def _noted(self, name: str) -> Noted | None:
        body = await self.store.get(self.bucket, self._key(name))
        if body is None:
            return None
        try:
            head = await self.store.head(self.bucket, self._key(name))
        except ObjectGone:
            return None  # whoever removes what is old was faster
        return Noted(body.decode(), head.last_modified_at)

    def _key(self, name: str) -> str:
        return f"effects/{self.effect_id}/{name}"


def _claim(number: int) -> str:
    return f"{CLAIM}.{number}" if number else CLAIM
