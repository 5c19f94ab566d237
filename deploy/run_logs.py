"""What a run and its tasks wrote: on this machine, in the object store, or on the log of events.

An engine's log stands in the folder that the attempts of a run share, and goes with it when the run
has left all that it owes. What the program complained of stands with its job for a week, and its
end on the log for ever. A task's files stand where its news say that it worked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from genoflow.deploy.attempt_folder import RUNS
from genoflow.deploy.launching import jobs_folder
from genoflow.events.errors import NotThere
from genoflow.events.event import Event
from genoflow.events.run_exited import RunExited
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.task_completed import TaskCompleted
from genoflow.events.task_failed import TaskFailed
from genoflow.events.task_news import TaskNews
from genoflow.processors.adapters.local_job import STDERR, WORK
from genoflow.processors.published import place_of
from genoflow.processors.running.names import job_name

ENGINE_LOG = Path("engine/.nextflow.log")
OF_TASKS = (".command.log", ".command.err")  # the first holds both of its streams, where it is
TASKS = Path("engine/tasks")  # in folders that begin with the hash of the task
PIECE_BYTES_MAX = 1024**2
TAIL_BYTES = 64 * 1024  # of what stands in the object store: its end is what is asked for


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The object store, where tasks have hosts of their own."""

    work_uri: str  # below which their work stands; empty where none of them has
    find: Callable[[str, str], tuple[str, bytes] | None]  # the end of a log below a prefix


@dataclass(frozen=True, slots=True)
class Found:
    """Where something was written, or what was kept of it."""

    place: str
    path: Path | None = None  # on this machine: it can be followed
    text: str = ""

    def pieces(self, offset: int) -> Iterator[str]:
        """What stands there behind this many bytes."""
        if self.path is None:
            yield from [self.text] if not offset else []
            return
        with self.path.open("rb") as file:
            file.seek(offset)
            while piece := file.read(PIECE_BYTES_MAX):
                yield piece.decode(errors="replace")

    @property
    def size_bytes(self) -> int:
        """How much is there; of what cannot grow all of it is there at once."""
        return self.path.stat().st_size if self.path is not None and self.path.exists() else 0


def of_run(home: Path, key: str, story: Sequence[Event]) -> Found:
    """What the engine of a run wrote, the newest that is still there; NotThere where nothing is."""
    submitted = [one for one in story if isinstance(one, RunSubmitted)]
    folder = home.resolve() / RUNS / key / ENGINE_LOG
    jobs = [jobs_folder(home) / one.job_id / STDERR for one in reversed(submitted)]
    for path in (folder, *jobs):
        if path.is_file() and path.stat().st_size:
            return Found(str(path), path)
    for event in reversed(story):
        if isinstance(event, RunExited | RunFailed) and event.error_tail:
            return Found(f"the end of it, from {event.type()}", text=event.error_tail)
    how = f"{submitted[-1].launcher} job {submitted[-1].job_id}" if submitted else "no job yet"
    raise NotThere(
        f"run {key}: nothing that it wrote is on this machine or on the log ({how}); ask on the "
        f"machine that runs it, or see what its launcher keeps"
    )


def of_task(home: Path, key: str, story: Sequence[Event], name: str, elsewhere: Elsewhere) -> Found:
    """What a task wrote in its newest try; NotThere names the tasks that there are."""
    news = [one for one in story if isinstance(one, TaskNews)]
    mine = [one for one in news if name in (one.task_name, one.process, one.task_id)]
    if not mine:
        known = ", ".join(dict.fromkeys(one.task_name for one in news)) or "none yet"
        raise NotThere(f"run {key}: has no task {name!r}; those that there are: {known}")
    for event in reversed(mine):
        if found := _here(home, key, event) or _in_store(event, elsewhere):
            return found
    for event in reversed(mine):
        if isinstance(event, TaskFailed) and event.error_tail:
            return Found("the end of it, from TaskFailed", text=event.error_tail)
    raise NotThere(
        f"task {name} of run {key}: what it wrote is not there any more, or not here; `genoflow "
        f"run logs {key}` has what its engine wrote"
    )


def _here(home: Path, key: str, event: TaskNews) -> Found | None:
    """In the folder that its news name, else where engines put tasks on this machine."""
    named = _work_uri(event)
    folders = [] if named is None or place_of(named) else [Path(unquote(urlsplit(named).path))]
    shared, own = home.resolve() / RUNS / key, jobs_folder(home) / event.job_id / WORK
    for place in (shared, own):
        folders += sorted((place / TASKS).glob(f"{event.task_id}*"))
    for path in (folder / name for folder in folders for name in OF_TASKS):
        if path.is_file() and path.stat().st_size:
            return Found(str(path), path)
    return None


def _in_store(event: TaskNews, elsewhere: Elsewhere) -> Found | None:
    named = _work_uri(event)
    place = place_of(named) if named is not None else None
    if place is None:
        uri = f"{elsewhere.work_uri}/{job_name(event.run_id, event.attempt)}/{event.task_id}"
        place = place_of(uri) if elsewhere.work_uri else None
    found = elsewhere.find(*place) if place is not None else None
    return Found(found[0], text=found[1].decode(errors="replace")) if found else None


def _work_uri(event: TaskNews) -> str | None:
    return event.work_uri if isinstance(event, TaskCompleted | TaskFailed) else None


def in_store(client: Any, bucket: str, prefix: str) -> tuple[str, bytes] | None:
    """The end of what a task wrote below this prefix, by a boto3 client, and where it stands."""
    listed = client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    keys = {one["Key"].rpartition("/")[2]: one for one in listed if one["Size"]}
    for name in OF_TASKS:
        if (one := keys.get(name)) is not None:
            answer = client.get_object(Bucket=bucket, Key=one["Key"], Range=f"bytes=-{TAIL_BYTES}")
            return f"s3://{bucket}/{one['Key']}", answer["Body"].read()
    return None
