"""What a run starts: `python -m genoflow.deploy.run_pipeline < SUBMISSION`."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version as package_version
from pathlib import Path
from uuid import UUID

from pydantic import ValidationError

from genoflow.deploy.local.artifacts import NEXTFLOW_JARS, ensure_jars, find_java
from genoflow.deploy.local.jars import read_lock
from genoflow.deploy.pipelines import locate
from genoflow.deploy.settings import Settings, inherited_environment, read_settings
from genoflow.deploy.wiring import ensure_bucket, open_log, open_s3
from genoflow.events.envelope import Producer
from genoflow.events.errors import GenoflowError
from genoflow.events.event import Event
from genoflow.processors.adapters.s3 import S3ByteStore
from genoflow.processors.adapters.s3_files import S3Uploads
from genoflow.processors.intake.task_news import TASK_NEWS, task_facts
from genoflow.processors.running.engine import NotDone
from genoflow.processors.running.manifest import RunManifest, Submission
from genoflow.processors.running.nextflow import Nextflow
from genoflow.processors.running.program import PAUSES_SECONDS, Program

EXIT_DONE = 0
EXIT_NOT_DONE = 1  # the manifest says why; without one, standard error does


def nextflow(settings: Settings) -> Nextflow:
    """Nextflow with the jars of the lock, which are fetched the first time."""
    jars = asyncio.run(ensure_jars(settings.cache, NEXTFLOW_JARS, _tell))
    [version] = [
        jar.coordinate.rpartition(":")[2]
        for jar in read_lock(NEXTFLOW_JARS)
        if jar.coordinate.startswith("io.nextflow:nextflow:")
    ]
    return Nextflow(find_java(), jars, version, inherited_environment())


class Porch:
    """Appends news of tasks: as they end, and at the latest when the run is over."""

    def __init__(self, settings: Settings, submission: Submission) -> None:
        """Nothing is opened before there is something to say."""
        self._settings = settings
        self._submission = submission
        self._said: set[UUID] = set()
        self._by = Producer(service=TASK_NEWS, version=package_version("genoflow"))

    def hear(self, rows: Sequence[Mapping[str, str]], is_over: bool) -> None:
        """Append what is new; while tasks run, a log that is away is asked again later."""
        facts = [
            fact
            for fact in task_facts(self._submission, rows, is_over=is_over, by=self._by)
            if fact.envelope.event_id not in self._said
        ]
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

    async def _append(self, facts: Sequence[Event]) -> None:
        async with open_log(self._settings) as log:
            for fact in facts:
                await log.append(fact)
                self._said.add(fact.envelope.event_id)


def run(settings: Settings, submission: Submission, folder: Path) -> RunManifest:
    """Do it below this folder, which holds nothing of the run afterwards."""
    client = open_s3(settings)
    ensure_bucket(client, submission.requested.bucket)
    program = Program(
        S3ByteStore(client), S3Uploads(client), nextflow(settings), locate, sys.executable, folder,
        news=Porch(settings, submission).hear,
    )  # fmt: skip
    try:
        return program.run(submission)
    finally:
        for name in ("inputs", "engine", "results"):
            shutil.rmtree(folder / name, ignore_errors=True)
        client.close()


def main() -> int:
    """Read the submission, do it, leave the manifest; what the tools say goes to standard error."""
    try:
        submission = Submission.model_validate_json(sys.stdin.buffer.read())
        manifest = run(read_settings(), submission, Path.cwd())
    except (GenoflowError, NotDone, ValidationError) as error:
        sys.stderr.write(f"genoflow: {error}\n")
        return EXIT_NOT_DONE
    if manifest.fault is not None:
        sys.stderr.write(f"genoflow: {manifest.fault.reason}\n")
    return EXIT_DONE if manifest.fault is None else EXIT_NOT_DONE


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
