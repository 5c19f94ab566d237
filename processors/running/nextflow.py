"""Nextflow from its jars, without a network: DSL2 pipelines of this machine."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from genoflow.processors.running.engine import NotDone, Plan
from genoflow.processors.running.last_words import complaints_of_engine, complaints_of_task
from genoflow.processors.running.manifest import Fault, Tasks

MAIN = "nextflow.cli.Launcher"
# What Nextflow's own launcher opens. Without them every run ends with exit code 0, whatever it did.
OPENED = (
    "java.lang", "java.io", "java.nio", "java.net", "java.util", "java.util.concurrent.locks",
    "java.util.concurrent.atomic", "java.nio.file.spi", "java.util.regex", "sun.nio.ch",
    "sun.nio.fs", "sun.net.www.protocol.http", "sun.net.www.protocol.https",
    "sun.net.www.protocol.ftp", "sun.net.www.protocol.file", "jdk.internal.misc",
    "jdk.internal.vm",
)  # fmt: skip
OFFLINE = {
    "NXF_OFFLINE": "true",
    "NXF_PLUGINS_DEFAULT": "false",
    "NXF_ANSI_LOG": "false",
    "NXF_DISABLE_CHECK_LATEST": "true",
}
# It starts in half the time with these; it runs tasks and computes nothing itself.
SMALL = ("-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
RUN_SECONDS_MAX = 6 * 86_400  # a day less than a job may take: what is left are transfers
NEWS_SECONDS = 2.0  # between two looks at the trace: a person who waits sees it move
SPOT_ATTEMPTS = 10  # of one task: Batch's most
CONFIG = "trace.config"
LOG = ".nextflow.log"
HISTORY = ".nextflow/history"  # there is one where an earlier attempt worked
TRACE_CONFIG = """trace {
    raw = true
    fields = 'task_id,hash,native_id,process,tag,name,status,exit,attempt,submit,start,complete,\
duration,realtime,container,workdir,cpus,memory,%cpu,peak_rss,read_bytes,\
write_bytes'
}
"""
SIGNALS_FROM = 128  # as shells say it: 128 and the signal's number
KILLED = 137
AGAIN = "then have the case run again with `genoflow run again`"


def opened() -> tuple[str, ...]:
    """The options that open Java's own modules to it."""
    return tuple(f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in OPENED)


@dataclass(frozen=True, slots=True)
class TasksAtBatch:
    """Where tasks run that are to have hosts of their own, by Nextflow's plugin nf-amazon."""

    queue: str
    image: str  # the one of the head: its Python and its pipelines are at the same paths
    region: str
    work_uri: str  # s3://…, where tasks and head leave files for each other

    @property
    def config(self) -> str:
        """What Nextflow is told, behind what the pipeline says of itself."""
        told = {
            "process.executor": "awsbatch", "process.queue": self.queue,
            "process.container": self.image, "aws.region": self.region,
        }  # fmt: skip
        # A task whose host Spot takes is begun again by Batch, as the head is.
        lines = ["plugins { id 'nf-amazon' }", f"aws.batch.maxSpotAttempts = {SPOT_ATTEMPTS}"]
        return "\n".join(
            [*lines, *(f"{name} = {json.dumps(value)}" for name, value in told.items()), ""]
        ).replace("$", "\\$")  # Groovy would read a variable


@dataclass(frozen=True, slots=True)
class Nextflow:
    """The port over Nextflow's own command line."""

    java: Path
    class_path: Sequence[Path]
    version: str
    environment: Mapping[str, str] = field(repr=False)
    options: Sequence[str] = ()  # of `nextflow run`, besides ours
    name: str = "nextflow"
    tasks: TasksAtBatch | None = None  # none: on the machine of Nextflow itself
    kept: tuple[str, ...] = ()  # the options of Java that take its classes from where they are kept

    def run(self, plan: Plan) -> Tasks:
        """Run the pipeline, with all that it says on our standard error."""
        plan.work.mkdir(parents=True, exist_ok=True)
        parameters, trace = plan.work / "parameters.json", plan.work / "trace.tsv"
        parameters.write_text(json.dumps(plan.parameters), encoding="utf-8")
        config = TRACE_CONFIG + (self.tasks.config if self.tasks else "")
        (plan.work / CONFIG).write_text(config, encoding="utf-8")
        trace.unlink(missing_ok=True)  # of an earlier attempt, whose finished tasks are kept
        try:
            code = self._until_it_ends(plan, parameters, trace)
        except OSError as error:
            raise _not_done(
                "refused by the launcher", f"Nextflow cannot be begun: {error}"
            ) from error
        except subprocess.TimeoutExpired as error:
            raise _not_done(
                "out of time", f"Nextflow was not done after {RUN_SECONDS_MAX:,} s and was ended"
            ) from error
        rows = list(rows_of(trace))
        plan.news(rows, True)
        tasks = _tasks(rows)
        if code != 0:
            raise _failure(code, rows, tasks, plan.work)
        return tasks

    def _until_it_ends(self, plan: Plan, parameters: Path, trace: Path) -> int:
        give_up_at = time.monotonic() + RUN_SECONDS_MAX
        with subprocess.Popen(
            self._command(plan, parameters, trace), cwd=plan.work, stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(), env=self._environment(plan.work),
        ) as running:  # fmt: skip
            while True:
                try:
                    return running.wait(NEWS_SECONDS)
                except subprocess.TimeoutExpired:
                    if time.monotonic() >= give_up_at:
                        running.kill()
                        raise
                    plan.news(list(rows_of(trace)), False)

    def _command(self, plan: Plan, parameters: Path, trace: Path) -> list[str]:
        place = f"{self.tasks.work_uri}/{plan.name}" if self.tasks else str(plan.work / "tasks")
        return [
            str(self.java), "-Dfile.encoding=UTF-8", "-Djava.awt.headless=true", *SMALL, *self.kept,
            *opened(), "-cp", os.pathsep.join(map(str, self.class_path)), MAIN,
            "-c", str(plan.work / CONFIG), "run", str(plan.pipeline), "-name", plan.name,
            "-params-file", str(parameters),
            "-work-dir", place, "-with-trace", str(trace),
            *(("-with-weblog", plan.weblog) if plan.weblog else ()), *self.options,
            *(("-profile", plan.profile) if plan.profile else ()),
            *(("-resume",) if (plan.work / HISTORY).is_file() else ()),
        ]  # fmt: skip

    def _environment(self, work: Path) -> dict[str, str]:
        return {
            **self.environment, **OFFLINE, "NXF_HOME": str(work / "home"),
            "JAVA_HOME": str(self.java.parent.parent),
        }  # fmt: skip


def rows_of(trace: Path) -> Iterator[dict[str, str]]:
    """The whole rows of a trace, one for each task that has ended; none where there is no trace."""
    if trace.is_file():
        # While it is written, its last line may be half of one: a whole one ends with a newline.
        whole = trace.read_text(encoding="utf-8").rpartition("\n")[0]
        yield from csv.DictReader(whole.splitlines(), delimiter="\t")


def _tasks(rows: Sequence[Mapping[str, str]]) -> Tasks:
    ends = [row["status"] for row in rows]
    cached = ends.count("CACHED")
    failed = ends.count("FAILED") + ends.count("ABORTED")
    return Tasks(completed=ends.count("COMPLETED") + cached, cached=cached, failed=failed)


def _failure(code: int, rows: Sequence[Mapping[str, str]], tasks: Tasks, work: Path) -> NotDone:
    failed = next((row for row in rows if row["status"] == "FAILED"), None)
    if failed is None:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return _not_done(
            "exit code", f"Nextflow {how}", code=code, tasks=tasks, may_pass=code < 0,
            evidence=complaints_of_engine(work / LOG),
        )  # fmt: skip
    ended = failed.get("exit", "")
    status = int(ended) if ended.isdecimal() else None
    kind = "out of memory" if status == KILLED else "exit code"
    return _not_done(
        kind, f"the step {failed['name']} failed with exit code {ended}", code=status, tasks=tasks,
        process=failed["name"].split(" ")[0], task_id=failed["hash"],
        may_pass=status is not None and status > SIGNALS_FROM,
        evidence=complaints_of_task(failed.get("workdir", "")),
    )  # fmt: skip


def _not_done(
    kind: str,
    fact: str,
    *,
    code: int | None = None,
    tasks: Tasks | None = None,
    process: str | None = None,
    task_id: str | None = None,
    may_pass: bool = False,
    evidence: Sequence[str] = (),
) -> NotDone:
    fault = Fault(
        reason_code=kind,
        reason=f"{fact}; read the end of what it wrote and mend that, {AGAIN}",
        exit_code=code if code is not None and 0 <= code <= 255 else None,
        signal=_signal_name(-code) if code is not None and code < 0 else None,
        evidence=tuple(evidence),
        failed_process=process,
        failed_task_id=task_id,
        may_pass=may_pass,
    )
    return NotDone(fault, tasks)


def _signal_name(number: int) -> str | None:
    return next((one.name for one in signal.Signals if one.value == number), None)
