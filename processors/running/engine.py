"""The port of workflow engines: a pipeline and parameters go in, a folder of results comes out."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from genoflow.events.errors import Refused
from genoflow.processors.running.manifest import Fault, Tasks

CACHES = "__pycache__"
MODULE, SCRIPTS = "main.nf", {".nf", ".config"}
# What a script of Nextflow takes from a place that is named from its own.
INCLUDES = re.compile(r"""\b(?:from|includeConfig)\s+['"](\.[^'"$]*)['"]""")


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
    profile: str = ""  # of the pipeline's own; nothing for none


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
    """Of all files of a pipeline and of what it includes from beside it, with their names.

    What Python caches is none of them. Refused where something that it includes is not there.
    """
    digest = hashlib.sha256()
    for path in sorted(_code(pipeline), key=lambda one: _name(one, pipeline)):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{content}  {_name(path, pipeline)}\n".encode())
    return digest.hexdigest()


def _name(path: Path, pipeline: Path) -> str:
    within = path.is_relative_to(pipeline)
    return (
        path.relative_to(pipeline) if within else Path(os.path.relpath(path, pipeline))
    ).as_posix()


def _code(pipeline: Path) -> set[Path]:
    """Its files; of a module that it includes the whole folder, and what that includes in turn."""
    found: set[Path] = set()
    waiting = [pipeline]
    while waiting:
        here = waiting.pop()
        files = [here] if here.is_file() else [one for one in here.rglob("*") if _is_code(one)]
        found |= (new := {*files} - found)
        for path in new:
            if path.suffix in SCRIPTS:
                waiting += _included(path, pipeline)
    return found


def _is_code(path: Path) -> bool:
    return path.is_file() and CACHES not in path.parts


def _included(script: Path, pipeline: Path) -> list[Path]:
    """What a script takes from outside of the pipeline: folders of modules, and single files."""
    found = []
    for name in INCLUDES.findall(script.read_text(encoding="utf-8")):
        named = Path(os.path.normpath(script.parent / name))
        path = named if named.suffix in SCRIPTS else named.with_name(f"{named.name}.nf")
        if not path.is_file():
            raise Refused(
                f"{script}: includes {name}, and {path} is not there; put it there, or publish the "
                f"pipeline from where it is whole"
            )
        if not path.is_relative_to(pipeline):
            found.append(path.parent if path.name == MODULE else path)
    return found
