"""Files that lie in an archive of the store: asked back, and waited for.

A restore is asked for once: the store is looked at before, and says of each version whether one is
under way. It takes hours, so nobody waits in a process; a deadline says when to look again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from genoflow.events.archived_file import ArchivedFile
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.errors import Parked
from genoflow.events.run_file_restored import RunFileRestored
from genoflow.events.run_inputs_awaited import RunInputsAwaited
from genoflow.events.run_inputs_restored import RunInputsRestored
from genoflow.events.run_requested import RunRequested
from genoflow.events.stored_version import name_of
from genoflow.processors.ports import UNVERSIONED, Archive, Attempt, ObjectGone, ObjectHead
from genoflow.processors.processor import State
from genoflow.processors.published import place_of

# A run may take 7 days (JOB_SECONDS_MAX); the other 3 are for waiting until it begins.
RESTORED_DAYS = 10
# What is left of an older restore is enough for a run; with less, it is made longer.
LEFT_AT_LEAST = timedelta(days=7)
# By Amazon's words for its Standard retrieval: 3 to 5 h, and within 12 h from the deep ones.
HOURS = {"GLACIER": 5, "ARCHIVE_ACCESS": 5, "DEEP_ARCHIVE": 12, "DEEP_ARCHIVE_ACCESS": 12}
HOURS_OF_OTHERS = 12
AGAIN = timedelta(hours=1)  # after the first look: the store says no hour
LOOKS_MAX = 49  # the first, and two days of hours: then a person is asked
AT_ONCE = 16  # a head takes 30 ms on AWS, so 10,000 files take 19 s of a call's 60

Waiting = RunInputsAwaited | RunInputsRestored | RunFileRestored | DeadlinePassed


class Looked(State):
    """What looks at the archive found, as far as a run waits for it."""

    asked_by: UUID | None = None  # the event that opened the effect which looks at it
    look: int = 0  # the newest that found something to wait for
    look_due_at: datetime | None = None  # the next one
    waits_for: tuple[str, ...] = ()  # files that the newest look did not find restored


def looked(
    state: Looked, event: Waiting, attempt: dict[str, object], processor: str
) -> dict[str, object]:
    """What this changes: it waits, looks once more, or begins its first `attempt`."""
    if isinstance(event, RunInputsRestored):
        return {**attempt, "attempt": 1, "waits_for": ()}
    if isinstance(event, RunInputsAwaited):
        if event.look <= state.look:
            return {}
        names = tuple(name_of(one) for one in event.files)
        return {"look": event.look, "look_due_at": event.expected_by, "waits_for": names}
    asked: dict[str, object] = {
        "asked_by": event.envelope.event_id, "look_due_at": None, "waits_for": (),
    }  # fmt: skip
    if isinstance(event, RunFileRestored):
        others = tuple(one for one in state.waits_for if one != name_of(event))
        is_last = bool(state.waits_for) and not others
        return asked if is_last else {"waits_for": others}
    is_ours = event.processor == processor and event.due_at == state.look_due_at
    return asked if is_ours else {}


def next_look(event: RunInputsAwaited, processor: str, deadline: str) -> DeadlineSet:
    """When this processor looks at what it waits for again."""
    return DeadlineSet(
        subject_topic=event.topic,
        subject_key=event.key,
        processor=processor,
        deadline=deadline,
        purpose=f"the restore of {len(event.files)} files from their archive",
        due_at=event.expected_by,
    )


def archive_of(attempt: Attempt) -> Archive:
    """The archive that this worker can ask, or a reason for a person to wire one."""
    if attempt.ports.archive is None:
        raise Parked("restore: this worker has no archive; wire one")
    return attempt.ports.archive


def expected_by(files: Iterable[ArchivedFile], look: int, now: datetime) -> datetime:
    """When to look again: as long as the slowest archive takes, and then each hour."""
    if look > 1:
        return now + AGAIN
    return now + timedelta(
        hours=max(HOURS.get(one.storage_class, HOURS_OF_OTHERS) for one in files)
    )


async def in_archives(archive: Archive, files: Sequence[ArchivedFile]) -> list[ArchivedFile]:
    """Those of these that lie in an archive, with its name, whether restored by now or not.

    What is not there at all is left out: whoever reads it says so.
    """
    heads = await _heads(archive, files)
    return [
        one.model_copy(update={"storage_class": head.archived_in})
        for one, head in zip(files, heads, strict=True)
        if head is not None and head.archived_in is not None
    ]


async def not_restored(
    archive: Archive, files: Sequence[ArchivedFile], look: int, now: datetime
) -> list[ArchivedFile]:
    """Those that cannot be read yet; a restore is asked for where nobody has asked for it.

    Parked where they were looked at for two days longer than the store takes.
    """
    waiting: list[ArchivedFile] = []
    for one, head in zip(files, await _heads(archive, files), strict=True):
        if head is None:
            continue
        ends_soon = head.restored_until is not None and head.restored_until - now < LEFT_AT_LEAST
        if head.is_readable and not ends_soon:
            continue
        if not head.is_restoring:
            await archive.restore(head, RESTORED_DAYS)
        if not head.is_readable:
            waiting.append(one)
    if waiting and look >= LOOKS_MAX:
        first = waiting[0]
        raise Parked(
            f"s3://{name_of(first)}: is not restored from "
            f"{first.storage_class} after {look} looks ({len(waiting)} such files); see what the "
            f"store says of it, then requeue it"
        )
    return waiting


async def _heads(archive: Archive, files: Sequence[ArchivedFile]) -> list[ObjectHead | None]:
    at_once = asyncio.Semaphore(AT_ONCE)

    async def head(one: ArchivedFile) -> ObjectHead | None:
        async with at_once:
            try:
                return await archive.head(one.bucket, one.object_key, one.version_id)
            except ObjectGone:
                return None

    return [*await asyncio.gather(*(head(one) for one in files))]


def inputs_of(asked: RunRequested) -> list[ArchivedFile]:
    """Every file in the store that a run reads; of which archive, nobody knows yet."""
    found = [
        ArchivedFile(
            bucket=file.bucket,
            object_key=file.object_key,
            version_id=file.version_id,
            storage_class="UNKNOWN",
            sample_id=member.sample_id,
        )
        for member in asked.members
        for file in member.files
    ]
    uris = [file.uri for file in asked.reference_files]
    named = (place_of(uri or "") for uri in dict.fromkeys((*uris, asked.target_set_uri)))
    found += [
        ArchivedFile(bucket=bucket, object_key=key, version_id=UNVERSIONED, storage_class="UNKNOWN")
        for bucket, key in filter(None, named)
    ]
    return found
