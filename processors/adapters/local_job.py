"""What stands around a job's program on this machine: it outlives the worker and leaves an outcome.

The launcher starts it with a lock that both share: the lock is held as long as anything of the job
lives, however it dies, so nobody has to trust a process id. What the program started and left
running is ended with it. In the job's directory:

    lock         held while the job runs
    document     what the program reads on standard input
    program      its argument vector, as JSON
    begun        the id of the job's session; it is there once the job was begun
    cancelled    nobody wants it: it is not begun any more
    stdout       what the program says
    stderr       what the program complains of
    wrapper.log  what this says: a store that is away, a program that is not there
    work/        where the program runs
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from genoflow.events.errors import GenoflowError
from genoflow.processors.job_outcome import ERROR_TAIL_BYTES_MAX, OUTPUT_BYTES_MAX, JobOutcome

LOCK = "lock"
DOCUMENT = "document"
PROGRAM = "program"
BEGUN = "begun"
CANCELLED = "cancelled"
STDOUT = "stdout"
STDERR = "stderr"
LOG = "wrapper.log"
WORK = "work"
PAUSES_SECONDS = (1.0, 2.0, 5.0, 15.0, 30.0)  # then each 30 s, for as long as the store is away
EXIT_NOT_EXECUTED = 127  # as shells say "not found"

Put = Callable[[bytes], None]  # leaves the outcome, unless there is one


def run_job(directory: Path, lock: int, make_put: Callable[[], Put]) -> None:
    """Leave the launcher's process, run the program, leave its outcome.

    Call it first in the process: no thread may run yet. `lock` is the open file that is held.
    """
    if os.fork() != 0:
        os._exit(0)  # the launcher waits for this one, and for nothing else
    os.setsid()
    # A cancelled job is ended by its group: the program dies, and its outcome says of what. A
    # handler, since a program would inherit that the signal is ignored.
    signal.signal(signal.SIGTERM, lambda *_: None)
    new = directory / f"{BEGUN}.new"
    new.write_text(str(os.getpid()), encoding="ascii")
    new.replace(directory / BEGUN)  # from now on it is found, and can be cancelled
    outcome = run_program(directory, lock)
    os.killpg(0, signal.SIGTERM)  # what the program has left behind; this one does not heed it
    leave(outcome.to_bytes(), make_put)
    os.killpg(0, signal.SIGKILL)  # what did not heed it either, and this one, which is done


def run_program(directory: Path, *held: int) -> JobOutcome:
    """Run what stands in the directory to its end, with the files that it is to hold open."""
    program = json.loads((directory / PROGRAM).read_bytes())
    (directory / WORK).mkdir(exist_ok=True)
    with (
        (directory / DOCUMENT).open("rb") as document,
        (directory / STDOUT).open("wb") as output,
        (directory / STDERR).open("wb") as complaints,
    ):
        try:
            running = subprocess.Popen(
                program,
                stdin=document,
                stdout=output,
                stderr=complaints,
                cwd=directory / WORK,
                pass_fds=held,  # it counts as running even where this process was killed
            )
            code = running.wait()
        except OSError as error:
            complaints.write(f"{program[0]}: {error}\n".encode())
            code = EXIT_NOT_EXECUTED
    with (directory / STDOUT).open("rb") as output:
        said = output.read(OUTPUT_BYTES_MAX).decode(errors="replace")
    return JobOutcome(
        exit_code=code,
        output=said,
        output_size_bytes=(directory / STDOUT).stat().st_size,
        error_tail=_tail(directory / STDERR),
    )


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - ERROR_TAIL_BYTES_MAX))
        return file.read().decode(errors="replace")


def leave(body: bytes, make_put: Callable[[], Put]) -> None:
    """Put the outcome, however long the store is away."""
    tries = 0
    put: Put | None = None
    while True:
        try:
            put = put or make_put()
            put(body)
        except GenoflowError as error:
            # What a person mends is tried again, too: the program has run, and once is enough.
            pause = PAUSES_SECONDS[min(tries, len(PAUSES_SECONDS) - 1)]
            os.write(2, f"{error}; trying again in {pause:g} s\n".encode())
            time.sleep(pause)
            tries += 1
        else:
            return
