"""The job at AWS Batch: it claims its effect, runs the program, and leaves the outcome.

Batch may start two jobs of one name, and one job again on another host. So the first act is a
claim: whoever finds that of another job goes away. Exit codes say nothing of the program, since
nobody trusts them; what counts is the outcome, and behind it the manifest.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from genoflow.events.errors import Parked, Retry
from genoflow.processors.adapters.job_notes import JobNotes
from genoflow.processors.adapters.local_job import (
    DOCUMENT,
    PAUSES_SECONDS,
    PROGRAM,
    leave,
    run_program,
)
from genoflow.processors.ports import JobOrder

EXIT_DONE = 0  # the outcome is there, or it is another's to leave
EXIT_ENDED = 143  # as shells say it: 128 and SIGTERM


async def entered(notes: JobNotes, job_id: str) -> JobOrder | str:
    """What this job is to run; or why it is to go away."""
    if not await notes.claimed(job_id):
        return f"another job has claimed {notes.effect_id}; this one goes"
    if await notes.is_cancelled():
        return f"nobody wants {notes.effect_id} any more"
    if await notes.has_outcome():
        return f"{notes.effect_id} has its outcome: a host was lost behind it"
    order = await notes.order()
    if order is None:
        raise Parked(
            f"effects/{notes.effect_id}: holds no order; submit jobs through a launcher alone"
        )
    return order


def run_job(notes: JobNotes, job_id: str, say: Callable[[str], None]) -> int:
    """Be the job, to its exit code; whatever is told to end with it ends."""
    ending = _Ending()
    order = _entered(notes, job_id, say)
    if isinstance(order, str):
        say(order)
        return EXIT_DONE
    with tempfile.TemporaryDirectory(prefix="genoflow-job-") as scratch:
        directory = Path(scratch)
        (directory / DOCUMENT).write_bytes(order.document)
        (directory / PROGRAM).write_text(json.dumps(_here(order.program)), encoding="utf-8")
        outcome = run_program(directory)
    ending.end_the_rest()
    say(outcome.error_tail)
    if ending.is_told and outcome.exit_code != 0:
        # The host goes, or somebody ended the job: who comes next decides, and finds no outcome.
        return EXIT_ENDED
    leave(outcome.to_bytes(), lambda: lambda body: asyncio.run(notes.leave(body)))
    return EXIT_DONE


def _entered(notes: JobNotes, job_id: str, say: Callable[[str], None]) -> JobOrder | str:
    """The same, again for a minute where the store is away; then Retry."""
    for pause in PAUSES_SECONDS:
        try:
            return asyncio.run(entered(notes, job_id))
        except Retry as error:
            say(f"{error}; trying again in {pause:g} s")
            time.sleep(pause)
    return asyncio.run(entered(notes, job_id))


def _here(program: tuple[str, ...]) -> tuple[str, ...]:
    """Our own programs are modules, which this host's Python runs and not the worker's."""
    return (sys.executable, *program[1:]) if program[1:2] == ("-m",) else program


class _Ending:
    """Hands SIGTERM on to all that the job started, once."""

    def __init__(self) -> None:
        self.is_told = False
        with contextlib.suppress(PermissionError):  # in a container it leads a session already
            os.setpgid(0, 0)
        # A handler, since a program would inherit that the signal is ignored.
        signal.signal(signal.SIGTERM, self._told)

    def end_the_rest(self) -> None:
        """End what the program has left behind; the container ends what does not heed it."""
        signal.signal(signal.SIGTERM, self._heard)
        os.killpg(0, signal.SIGTERM)

    def _told(self, *_: Any) -> None:
        self.is_told = True
        self.end_the_rest()

    def _heard(self, *_: Any) -> None:
        """What it has sent itself."""
