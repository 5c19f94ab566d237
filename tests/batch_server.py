"""The double of AWS Batch behind HTTP, where boto3 talks to it; its jobs are processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from genoflow.deploy.settings import inherited_environment
from tests.batch_double import BatchDouble, Job, LostAnswer

ROOT = Path(__file__).resolve().parents[1]
TICK_SECONDS = 0.02
DEFINITION = "genoflow-head"
# A job over a folder that stands for the store; its notes and its outcome are files.
HEAD = f"""
import os, sys; sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from uuid import UUID
from genoflow.processors.adapters.batch_job import run_job
from genoflow.processors.adapters.job_notes import JobNotes
from tests.faults.outside import FileStore
notes = JobNotes(FileStore(Path(sys.argv[2])), sys.argv[2], UUID(sys.argv[1]))
sys.exit(run_job(notes, os.environ["AWS_BATCH_JOB_ID"], print))
"""
HEAD_COMMAND = (sys.executable, "-c", HEAD, "Ref::effect", "Ref::bucket")
OPERATIONS = {
    f"/v1/{name.replace('_', '')}": name
    for name in ("submit_job", "list_jobs", "describe_jobs", "terminate_job")
}


class Container:
    """One attempt of a job as a session of processes, which ends whole."""

    def __init__(
        self, job: Job, over: Callable[[int], None], environment: Mapping[str, str]
    ) -> None:
        variables = {"AWS_BATCH_JOB_ID": job.job_id, "AWS_BATCH_JOB_ATTEMPT": str(job.attempt)}
        self._process = subprocess.Popen(
            job.command, env={**inherited_environment(), **environment, **variables},
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self._over = over
        self.waiting = threading.Thread(target=self._wait, daemon=True)
        self.waiting.start()

    def end(self) -> None:
        self._signal(signal.SIGTERM, whole=False)

    def kill(self) -> None:
        self._signal(signal.SIGKILL, whole=True)

    def _wait(self) -> None:
        # Before it is reaped its session's number is nobody else's: what it left ends with it.
        os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        self.kill()
        code = self._process.wait()
        self._over(code if code >= 0 else 128 - code)

    def _signal(self, number: signal.Signals, *, whole: bool) -> None:
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if whole else os.kill)(self._process.pid, number)


class BatchServer:
    """A running double; `address` is what boto3 is given as its endpoint."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = dict(environment or {})
        self._containers: list[Container] = []
        self.double = BatchDouble(time.monotonic, self._start)
        self.double.definitions[DEFINITION] = HEAD_COMMAND
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.double))
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._threads = [
            threading.Thread(target=self._server.serve_forever, args=(TICK_SECONDS,), daemon=True),
            threading.Thread(target=self._tick, daemon=True),
        ]

    def _start(self, job: Job, over: Callable[[int], None]) -> Container:
        container = Container(job, over, self._environment)
        self._containers.append(container)
        return container

    def _tick(self) -> None:
        while not self._over.wait(TICK_SECONDS):
            self.double.tick()

    def begin(self) -> None:
        """Answer from now on."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Answer nobody, and leave no job running."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        for container in self._containers:
            container.kill()
            container.waiting.join()


@contextlib.contextmanager
def batch_server(environment: Mapping[str, str] | None = None) -> Iterator[BatchServer]:
    """A double for as long as the test takes."""
    server = BatchServer(environment)
    server.begin()
    try:
        yield server
    finally:
        server.end()


def _handler(double: BatchDouble) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
            try:
                status, answer, kind = 200, getattr(double, OPERATIONS[self.path])(**asked), ""
            except LostAnswer:
                self.close_connection = True
                return
            except ClientError as error:
                said = error.response["Error"]
                status = int(error.response["ResponseMetadata"]["HTTPStatusCode"])
                answer, kind = {"message": said["Message"]}, said["Code"]
            self._say(status, answer, kind)

        def _say(self, status: int, answer: Mapping[str, Any], kind: str) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status)
            if kind:
                self.send_header("x-amzn-ErrorType", kind)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- its own name
            """Nobody reads it."""

    return Handler


def faults(*plan: tuple[str, int, Exception]) -> Callable[[str], None]:
    """The nth time that an operation comes by, this is raised; each once."""
    counted: dict[str, int] = {}
    left = {(name, nth): error for name, nth, error in plan}

    def fault(operation: str) -> None:
        counted[operation] = counted.get(operation, 0) + 1
        error = left.pop((operation, counted[operation]), None)
        if error is not None:
            raise error

    return fault
