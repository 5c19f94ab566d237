"""The flow under test: a count per sample, a hop to its case, and an effect for every file.

    FileLanded (sample)  ->  count-files   ->  CaseMemberReady (case), its round is the count
    CaseMemberReady      ->  answer-files  ->  a call or a job  ->  FileChecksummed (sample)

What the outside world did for an effect is random and kept there; the outcome carries its checksum,
so that an outcome of something else is told from the one that there must be.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from pydantic import Field

from genoflow.events import topics
from genoflow.events.case_member_ready import CaseMemberReady
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.file_checksummed import FileChecksummed
from genoflow.events.file_landed import FileLanded
from genoflow.events.read_set_file import ReadSetFile
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.job_outcome import read_outcome
from genoflow.processors.ports import Attempt, JobOrder
from genoflow.processors.processor import Call, Job, Processor, State
from tests.faults.inputs import case_of, is_job
from tests.faults.outside import BUCKET

POISON = "poison"  # an etag that the decider refuses until a person has mended it
CALL_SECONDS = 0.005  # what a near service takes: long enough to die in


class Counted(State):
    """The files of a sample that were seen, in the order in which they came."""

    seen: tuple[int, ...] = ()


def number_of(event: FileLanded) -> int:
    """The number of a file, from its name."""
    return int(event.object_key.rpartition("/")[2].partition(".")[0])


def count(state: Counted, event: FileLanded) -> Decision:
    """Hand the file to its case, with how many there were; a repetition changes nothing."""
    if number_of(event) in state.seen:
        return NOTHING
    return count_all(state, event)


def count_all(state: Counted, event: FileLanded) -> Decision:
    """The same without a look at repetitions: for a build that has to be found out."""
    if event.etag == POISON:
        raise Parked(f"{event.object_key}: is poisoned; requeue it with a mended etag")
    assert event.sample_id is not None
    file = ReadSetFile(
        read_set_id=event.sample_id, role="R1", bucket=event.bucket, object_key=event.object_key,
        version_id=event.version_id, size_bytes=number_of(event), sha256="0" * 64,
    )  # fmt: skip
    ready = CaseMemberReady(
        case_id=case_of(event.sample_id), sample_id=event.sample_id, role="single",
        round=len(state.seen) + 1, verdict="passed", verdict_event_id=event.envelope.event_id,
        files=(file,),
    )  # fmt: skip
    return Decision(events=(ready,))


def counted(state: Counted, event: FileLanded) -> Counted:
    """Remember the file."""
    number = number_of(event)
    return state if number in state.seen else Counted(seen=(*state.seen, number))


class Answered(State):
    """The last round of each sample of a case that was answered."""

    rounds: dict[str, int] = Field(default_factory=dict)


class File(Arguments):
    """Which file to work on, and for which sample."""

    sample_id: str
    file: ReadSetFile


def answer(state: Answered, event: CaseMemberReady) -> Decision:
    """Open one effect for each file, those of one sample in one lane."""
    if event.round <= state.rounds.get(event.sample_id, 0):
        return NOTHING
    [file] = event.files
    name = "assay" if is_job(file.size_bytes) else "measure"
    arguments = File(sample_id=event.sample_id, file=file)
    return Decision(effects=(Effect(name, arguments, lane=event.sample_id),))


def answered(state: Answered, event: CaseMemberReady) -> Answered:
    """Remember the round."""
    rounds = {**state.rounds, event.sample_id: event.round}
    return state if event.round <= state.rounds.get(event.sample_id, 0) else Answered(rounds=rounds)


def _outcome(said: File, done: bytes) -> Sequence[Event]:
    file = said.file
    return [
        FileChecksummed(
            subject_topic=topics.SAMPLE.name, subject_key=said.sample_id, bucket=file.bucket,
            object_key=file.object_key, version_id=file.version_id, size_bytes=file.size_bytes,
            md5=hashlib.md5(done, usedforsecurity=False).hexdigest(),
            sha256=hashlib.sha256(done).hexdigest(), declared=False,
        )
    ]  # fmt: skip


async def measure(said: File, attempt: Attempt) -> Sequence[Event]:
    """Ask the outside world what it did for this effect, and let it do it where it did nothing."""
    store = attempt.ports.store
    assert store is not None
    name = attempt.effect_id
    await store.put(BUCKET, f"attempts/{name}/{secrets.token_hex(8)}", b"", {})
    await asyncio.sleep(CALL_SECONDS)
    await store.put_if_absent(BUCKET, mark_key(name), secrets.token_hex(8).encode())
    done = await store.get(BUCKET, mark_key(name))
    assert done is not None
    return _outcome(said, done)


def mark_key(effect_id: UUID) -> str:
    """Where the outside world keeps what it did for an effect."""
    return f"marks/{effect_id}"


def collect(said: File, body: bytes) -> Sequence[Event]:
    """The outcome of a job."""
    return _outcome(said, read_outcome(body).output.encode())


def order(said: File) -> JobOrder:
    """What the launcher is told: it runs the same program for every file."""
    return JobOrder(("assay", said.file.object_key))


COUNT_FILES = Processor(
    "count-files",
    reads=topics.SAMPLE,
    on=(FileLanded,),
    emits=(CaseMemberReady,),
    decide=count,
    evolve=counted,
    state=Counted,
    about="counts the files of a sample",
)

ANSWER_FILES = Processor(
    "answer-files",
    reads=topics.CASE,
    on=(CaseMemberReady,),
    emits=(),
    decide=answer,
    evolve=answered,
    state=Answered,
    effects=(
        Call("measure", arguments=File, emits=(FileChecksummed,), perform=measure),
        Job("assay", arguments=File, emits=(FileChecksummed,), order=order, collect=collect),
    ),
    about="works on each file outside",
)

FLOW = (COUNT_FILES, ANSWER_FILES)


def flow(state_version: int, *, takes_repetitions: bool = False) -> tuple[Processor, ...]:
    """The flow as a release has it; its states are folded anew where the number is higher."""
    first = replace(COUNT_FILES, decide=count_all) if takes_repetitions else COUNT_FILES
    return tuple(replace(row, state_version=state_version) for row in (first, ANSWER_FILES))
