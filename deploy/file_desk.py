"""Whose a file of nobody is, held against what the log says of the file and of the sample.

What is assigned lands on its sample's key right after: its place, version and size are
those that the store gave when it landed for nobody. The object and its metadata stay as they are,
so a crawl that sees it again reports the first landing once more, which is the same fact.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib.metadata import version
from uuid import uuid5

from genoflow.api.desks import Append, Says, Wanted
from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.envelope import Producer
from genoflow.events.errors import Contradicted, NotThere, Refused
from genoflow.events.event import Event
from genoflow.events.file_assigned import FileAssigned
from genoflow.events.file_landed import FileLanded, unassigned_key
from genoflow.events.file_quarantined import FileQuarantined
from genoflow.events.log.port import EventLog
from genoflow.events.subjects import Subjects
from genoflow.projections.asking.file import File, Files, take
from genoflow.projections.asking.sample import Sample, sample_of
from genoflow.projections.words import listed

SHOWN = "`genoflow file list` shows the files that wait for a sample"


async def assigned(subjects: Subjects, wanted: Wanted, says: Says, at: datetime) -> list[Event]:
    """The assignment and the landing that follows; none where it stands so, else Refused."""
    file = await _waiting(subjects, wanted)
    landing = file.landed
    assert landing is not None
    story = (await subjects.events_of(topics.SAMPLE, [wanted.sample_id]))[wanted.sample_id]
    said = file.assigned or says(_fact(landing, wanted, story), landing)
    whose = {"sample_id": said.sample_id, "read_set_id": said.read_set_id, "lane": said.lane}
    again = FileLanded(**dict(landing) | whose | {"role": said.role, "instrument_run_id": None})
    by = Producer(service="file-desk", version=version("genoflow"))
    follows = said.follow(again, by=by, occurred_at=at, actor=said.envelope.actor)
    if file.assigned is None:
        return [said, follows]
    # It was assigned like this before. Whoever did may have died before the file landed.
    has_landed = any(one.envelope.event_id == follows.envelope.event_id for one in story)
    return [] if has_landed else [follows]


async def assign(subjects: Subjects, facts: Sequence[Event], append: Append) -> None:
    """Append the assignment, then the landing; Contradicted where another one stands before."""
    # Two may assign one file at once, and its place among the unassigned says who was first: every
    # reader takes that one. A file that landed for both would be read as the material of both.
    for said in facts:
        await append(said)
        if isinstance(said, FileAssigned):
            first = await _first(subjects, said)
            if first.envelope.event_id != said.envelope.event_id:
                raise Contradicted(
                    f"{said.bucket}/{said.object_key}: {first.envelope.actor.id} has just said "
                    f"that it belongs to {first.sample_id}; look at it, nothing landed"
                )


async def _first(subjects: Subjects, said: FileAssigned) -> FileAssigned:
    events = (await subjects.events_of(topics.SAMPLE, [said.key]))[said.key]
    same = (one for one in events if isinstance(one, FileAssigned))
    return next(one for one in same if one.version_id == said.version_id)


def _fact(landing: FileLanded, wanted: Wanted, story: Sequence[Event]) -> FileAssigned:
    named = f"{wanted.sample_id}/{wanted.read_set_id}/{wanted.role}"
    return FileAssigned(
        bucket=landing.bucket,
        object_key=landing.object_key,
        version_id=landing.version_id,
        sample_id=wanted.sample_id,
        read_set_id=wanted.read_set_id,
        role=wanted.role,
        lane=_lane(sample_of(wanted.sample_id, story), wanted),
        request_id=str(uuid5(landing.envelope.event_id, named)),
        reason=wanted.reason,
    )


async def _waiting(subjects: Subjects, wanted: Wanted) -> File:
    bucket, _, rest = wanted.place.removeprefix("s3://").partition("/")
    if not rest:
        raise Refused(f"{wanted.place}: is no BUCKET/KEY; {SHOWN}")
    keys = {unassigned_key(bucket, rest), unassigned_key(bucket, rest.rpartition("@")[0] or rest)}
    files: Files = {}
    for events in (await subjects.events_of(topics.SAMPLE, keys)).values():
        for number, event in enumerate(events):
            if isinstance(event, FileLanded | FileAssigned | FileQuarantined):
                take(files, topics.SAMPLE, event, number)
    place = f"{bucket}/{rest}"
    found = [f for f in files.values() if place in (str(f.name), f"{bucket}/{f.name.object_key}")]
    if not found:
        raise NotThere(f"{wanted.place}: no file waits for a sample under this name; {SHOWN}")
    return _one(wanted, found)


def _one(wanted: Wanted, found: Iterable[File]) -> File:
    versions = list(found)
    open_ones = [one for one in versions if one.is_unassigned and one.landed is not None]
    if not open_ones:
        before = versions[-1].assigned
        if before is None:
            raise Contradicted(
                f"{wanted.place}: is in quarantine: {versions[-1].row.reason}; it is nobody's"
            )
        if (before.sample_id, before.read_set_id, before.role) == (
            wanted.sample_id, wanted.read_set_id, wanted.role,
        ):  # fmt: skip
            return versions[-1]
        raise Contradicted(
            f"{wanted.place}: belongs to {before.sample_id} already, as {before.role} of read set "
            f"{before.read_set_id} ({before.reason.rstrip('.')}); where that is wrong, send the "
            f"file for the right sample: genoflow reads send {wanted.sample_id}"
        )
    if len(open_ones) > 1:
        names = listed(str(one.name) for one in open_ones)
        raise Refused(f"{wanted.place}: {len(open_ones)} versions wait; name one of them: {names}")
    return open_ones[0]


def _lane(sample: Sample, wanted: Wanted) -> int | None:
    """The lane of the slot that the file takes; Refused where the read set has no such one."""
    known = sample.read_sets.get(wanted.read_set_id)
    if known is None or known.invalidated is not None:
        names = listed(one.name for one in sample.active) or "none"
        raise Refused(
            f"{wanted.sample_id}: has no read set {wanted.read_set_id} that counts; those that do: "
            f"{names}. Name one of them, or make one: genoflow reads send {wanted.sample_id}"
        )
    slots = [one for one in known.registered.expected_files if one.role == wanted.role]
    if not slots:
        roles = listed(sorted({one.role for one in known.registered.expected_files}))
        raise Refused(
            f"{wanted.sample_id}: read set {known.name} has no {wanted.role}, but {roles}; name "
            f"the role that the file has there"
        )
    fitting = [one.lane for one in slots if wanted.lane in (None, one.lane)]
    if len(fitting) != 1:
        lanes = listed(str(one.lane) for one in slots)
        raise Refused(
            f"{wanted.sample_id}: read set {known.name} has its {wanted.role} in lane {lanes}; say "
            f"which with --lane"
        )
    return fitting[0]


class LogFiles:
    """FileDesk over the log."""

    def __init__(self, log: EventLog) -> None:
        self._subjects = LogSubjects(log)

    async def assign(self, wanted: Wanted, says: Says, at: datetime, append: Append) -> None:
        """Say it, and let the file land for its sample, unless it stands so."""
        await assign(self._subjects, await assigned(self._subjects, wanted, says, at), append)
