"""What `genoflow validate` starts once for each core: it reads files, one after another.

A request is one JSON line on standard input: `path`, `name`, `expected` and `strict`, and `of` for
the index of a file; or `mates`, two paths. Answers are JSON lines: any number of `progress`, and
one `report`, `findings` or `failed` a request. The memory is limited as a worker's child has it.
An error that nobody foresaw ends the process, and so does the end of its parent.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from genoflow.events.errors import Retry
from genoflow.processors.child_limits import (
    BYTES_MEMORY_MAX,
    PROGRESS_SECONDS,
    data_bytes,
    die_with,
    limited_memory,
)
from genoflow.processors.validation.beside import hold
from genoflow.processors.validation.engine import PythonEngine
from genoflow.processors.validation.findings import Findings
from genoflow.processors.validation.formats import HEAD_BYTES
from genoflow.processors.validation.inflate import compression_of
from genoflow.processors.validation.port import Expected
from genoflow.processors.validation.reads.mates import compare_mates
from genoflow.processors.validation.source import Source
from genoflow.processors.validation.targets import read_targets
from genoflow.processors.validation.telling import as_json

PIECE_BYTES = 4 * 1024**2  # as the worker takes them from the store
EXIT_OUT_OF_MEMORY = 3

Say = Callable[[dict[str, Any]], None]


def main() -> None:
    """Answer requests until there are no more."""
    die_with(os.getppid())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends us
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    faulthandler.enable(sys.stderr)

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()

    with limited_memory(data_bytes() + BYTES_MEMORY_MAX):
        for line in sys.stdin.buffer:
            _answer(json.loads(line), say)


def _answer(request: dict[str, Any], say: Say) -> None:
    try:
        say(_difference(request["mates"]) if "mates" in request else _report(request, say))
    except (OSError, Retry) as error:
        if isinstance(error, BrokenPipeError):
            raise
        say({"is": "failed", "message": str(error)})
    except MemoryError:
        said = f"it needs more than {BYTES_MEMORY_MAX // 1024**2} MiB of memory, which is the limit"
        say({"is": "failed", "message": said})
        os._exit(EXIT_OUT_OF_MEMORY)  # what is left of the heap is in pieces


def _report(request: dict[str, Any], say: Say) -> dict[str, Any]:
    path, known = Path(request["path"]), dict(request["expected"])
    if reference := known.pop("reference_path", None):
        known["reference_path"] = Path(reference)
    if targets := known.pop("targets_path", None):
        known["targets"] = read_targets(Path(targets))
    report = PythonEngine().validate(_pieces(path, say), Expected(**known))
    if "of" in request:
        hold(report, path, Path(request["of"]))
    told = as_json(request["name"], report, strict=request["strict"])
    return {"is": "report", "report": told}


def _difference(mates: list[str]) -> dict[str, Any]:
    sources = [Source(_pieces(Path(path), lambda _: None)) for path in mates]
    first, second = ((one, compression_of(one.peek(HEAD_BYTES))) for one in sources)
    findings = Findings()
    compare_mates(first, second, findings)
    return {"is": "findings", "findings": [one.as_json() for one in findings]}


def _pieces(path: Path, say: Say) -> Iterator[bytes]:
    done, told_at = 0, time.monotonic()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
            done += len(piece)
            if (now := time.monotonic()) - told_at >= PROGRESS_SECONDS:
                told_at = now
                say({"is": "progress", "done": done})


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:  # the parent is gone
        os._exit(0)
