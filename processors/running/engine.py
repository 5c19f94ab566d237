"""The port of workflow engines: a pipeline and parameters go in, a folder of results comes out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from genoflow.processors.running.manifest import Fault, Tasks

CACHES = "__pycache__"


class NotDone(Exception):
    """The run cannot be done; the fault names what is wrong and what to do about it."""

    def __init__(self, fault: Fault, tasks: Tasks | None = None) -> None:
        super().__init__(fault.reason)
        self.fault = fault
        self.tasks = tasks or Tasks()


# Is told the rows of all tasks that have ended, again and again, and at last that all is over.
News = Callable[[Sequence[Mapping[str, str]], bool], None]


def nobody(_rows: Sequence[Mapping[str, str]], _is_over: bool) -> None:
    """Where nobody wants to hear of tasks."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an engine is given."""

    pipeline: Path
    parameters: Mapping[str, object]
    work: Path  # its own, to be removed afterwards
    name: str
    news: News = nobody
    weblog: str = ""  # where to post what happens to tasks; nothing where nobody listens


class Engine(Protocol):
    """Runs pipelines to their end."""

    @property
    def name(self) -> str:
        """Such as nextflow."""

    @property
    def version(self) -> str:
        """Its release."""

    def run(self, plan: Plan, /) -> Tasks:
        """Run it; what it left stands where its parameters say. NotDone says why not."""


def code_sha256(pipeline: Path) -> str:
    """Of all files of a pipeline with their names; what Python caches beside them is none."""
    digest = hashlib.sha256()
    files = [path for path in pipeline.rglob("*") if path.is_file() and CACHES not in path.parts]
    for path in sorted(files, key=lambda one: one.relative_to(pipeline).as_posix()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{content}  {path.relative_to(pipeline).as_posix()}\n".encode())
    return digest.hexdigest()
