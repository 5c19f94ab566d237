"""What a run starts: `python -m genoflow.deploy.run_pipeline < SUBMISSION`."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from importlib.metadata import version as package_version
from pathlib import Path
from uuid import UUID

from pydantic import ValidationError

from genoflow.deploy.attempt_folder import attempt_folder, done_with
from genoflow.deploy.local.artifacts import NEXTFLOW_JARS, ensure_jars, find_java
from genoflow.deploy.local.class_archive import with_archive
from genoflow.deploy.local.jars import read_lock
from genoflow.deploy.local.observer import ensure_observer
from genoflow.deploy.price_table import prices_or_none
from genoflow.deploy.repositories import locate_in
from genoflow.deploy.settings import Settings, inherited_environment, read_settings
from genoflow.deploy.wiring import ensure_bucket, open_log, open_s3
from genoflow.events.envelope import Producer
from genoflow.events.errors import GenoflowError, Refused, Retry, StackFault
from genoflow.events.event import Event
from genoflow.processors.adapters.s3 import S3ByteStore
from genoflow.processors.adapters.s3_files import S3Uploads
from genoflow.processors.adapters.weblog_receiver import WeblogReceiver
from genoflow.processors.intake.task_news import TASK_NEWS, task_facts
from genoflow.processors.intake.weblog import told
from genoflow.processors.running.engine import NotDone
from genoflow.processors.running.manifest import EXIT_PASSES, RunManifest, Submission
from genoflow.processors.running.nextflow import Nextflow, TasksAtBatch
from genoflow.processors.running.notes import is_begin, note_begin, note_job
from genoflow.processors.running.program import PAUSES_SECONDS, Program

EXIT_DONE = 0
HEARD_MAX = 100_000  # facts that wait for the log: of 30,000 tasks, 100 MB at 1 kB each
EXIT_NOT_DONE = 1  # the manifest says why; without one, standard error does


def nextflow(settings: Settings) -> Nextflow:
    """Nextflow with the jars of the lock, which are fetched the first time, and our observer."""
    jars = asyncio.run(ensure_jars(settings.cache, NEXTFLOW_JARS, _tell))
    [version] = [
        jar.coordinate.rpartition(":")[2]
        for jar in read_lock(NEXTFLOW_JARS)
        if jar.coordinate.startswith("io.nextflow:nextflow:")
    ]
    java = find_java()
    try:
        observer = [asyncio.run(ensure_observer(settings.cache, java, jars, _tell))]
    except StackFault as error:  # news come later without it, by the trace, and the run goes on
        _tell(f"genoflow: {error}")
        observer = []
    class_path = [*jars, *observer]
    return Nextflow(
        java, class_path, version, inherited_environment(), tasks=tasks_of(settings),
        kept=with_archive(settings.cache, java, class_path),
    )  # fmt: skip


def tasks_of(settings: Settings) -> TasksAtBatch | None:
    """Where the tasks of a run have hosts of their own; Refused where that is said by half."""
    if not settings.batch_task_queue:
        return None
    if not settings.batch_task_image or not settings.batch_work_uri:
        raise Refused(
            "GENOFLOW_BATCH_TASK_QUEUE names a queue for tasks; name their image in "
            "GENOFLOW_BATCH_TASK_IMAGE and a place for their files in GENOFLOW_BATCH_WORK_URI, too"
        )
    return TasksAtBatch(
        queue=settings.batch_task_queue,
        image=settings.batch_task_image,
        region=settings.s3_region,
        work_uri=settings.batch_work_uri,
    )


class Porch:
    """Appends news of tasks: every few seconds, and at the latest when the run is over."""

    def __init__(self, settings: Settings, submission: Submission, engine_version: str) -> None:
        """Nothing is opened before there is something to say."""
        self._settings = settings
        self._submission = submission
        self._engine_version = engine_version
        self._heard: deque[Event] = deque(maxlen=HEARD_MAX)
        self._said: set[UUID] = set()
        self._prices = prices_or_none(settings, _tell)
        self._by = Producer(service=TASK_NEWS, version=package_version("genoflow"))
        self._folder: Path | None = None

    def keep_in(self, folder: Path) -> None:
        """From now on the folder says whose it is, and how the run began."""
        note_job(folder, self._submission.job_id)
        self._folder = folder

    def take(self, body: bytes) -> None:
        """Take a payload of weblog, from whichever thread; Refused says what is wrong with it."""
        facts = told(
            self._submission, body, engine_version=self._engine_version, by=self._by,
            prices=self._prices,
        )  # fmt: skip
        self._heard.extend(facts)
        if self._folder is not None and is_begin(body):
            self._keep(self._folder, body, facts[0].envelope.occurred_at)

    def _keep(self, folder: Path, body: bytes, at: datetime) -> None:
        try:
            note_begin(folder, self._submission.job_id, self._engine_version, body, at)
        except OSError as error:  # it is told all the same; only nobody could tell it again
            _tell(f"genoflow: {error}; see to the disk, the run goes on")

    def hear(self, rows: Sequence[Mapping[str, str]], is_over: bool) -> None:
        """Append what is new; while tasks run, a log that is away is asked again later."""
        posted = [self._heard.popleft() for _ in range(len(self._heard))]
        traced = task_facts(
            self._submission, rows, is_over=is_over, by=self._by, prices=self._prices
        )
        known = {one.envelope.event_id: one for one in [*posted, *traced]}
        facts = [one for name, one in known.items() if name not in self._said]
        if not facts:
            return
        for pause in PAUSES_SECONDS if is_over else (0,):
            try:
                asyncio.run(self._append(facts))
            except GenoflowError as error:
                _tell(f"genoflow: {error}; trying again, with {len(facts)} facts of tasks")
                time.sleep(pause)
            else:
                return
        if is_over:
            asyncio.run(self._append(facts))
        else:
            self._heard.extendleft(reversed(posted))

    async def _append(self, facts: Sequence[Event]) -> None:
        async with open_log(self._settings) as log:
            for fact in facts:
                if fact.envelope.event_id not in self._said:
                    await log.append(fact)
                    self._said.add(fact.envelope.event_id)


def run(settings: Settings, submission: Submission, own: Path) -> RunManifest:
    """Do it, and keep what it has done only where another attempt may go on from there."""
    client = open_s3(settings)
    ensure_bucket(client, submission.requested.bucket)
    engine = nextflow(settings)
    porch = Porch(settings, submission, engine.version)
    with (
        contextlib.closing(client),
        attempt_folder(settings.home, submission.requested.run_id, own) as folder,
        WeblogReceiver(porch.take) as receiver,
    ):
        porch.keep_in(folder)
        program = Program(
            S3ByteStore(client), S3Uploads(client), engine, partial(locate_in, settings.cache),
            sys.executable, folder, news=porch.hear, weblog=receiver.url,
        )  # fmt: skip
        manifest = program.run(submission)
        done_with(folder, manifest)
        return manifest


def main() -> int:
    """Read the submission, do it, leave the manifest; what the tools say goes to standard error."""
    try:
        submission = Submission.model_validate_json(sys.stdin.buffer.read())
        manifest = run(read_settings(), submission, Path.cwd())
    except (GenoflowError, NotDone, ValidationError) as error:
        sys.stderr.write(f"genoflow: {error}\n")
        passes = isinstance(error, Retry) or (isinstance(error, NotDone) and error.fault.may_pass)
        return EXIT_PASSES if passes else EXIT_NOT_DONE
    if manifest.fault is not None:
        sys.stderr.write(f"genoflow: {manifest.fault.reason}\n")
    return EXIT_DONE if manifest.fault is None else EXIT_NOT_DONE


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
