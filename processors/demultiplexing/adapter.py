"""The port of demultiplexers: a run folder goes in, files of reads and their counts come out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.sample_sheet_row import SampleSheetRow
from genoflow.events.unknown_barcode import UnknownBarcode

TOOL_SECONDS_MAX = 86_400  # a NovaSeq X flow cell takes 8 h on one machine; three times that
KILLED = -9  # what a system does where memory runs out


class NotDone(Exception):
    """It cannot be done; the reason names what is wrong and what to do about it."""

    def __init__(self, reason_code: str, reason: str, exit_code: int | None = None) -> None:
        super().__init__(reason)
        self.reason_code = reason_code
        self.reason = reason
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class LibraryReads:
    """What one row of the sheet gave: its files by role, and how many reads they hold."""

    row: SampleSheetRow
    reads: int
    files: Mapping[str, Path]
    bases: int | None = None
    perfect_index_fraction: float | None = None
    q30_fraction: float | None = None


@dataclass(frozen=True, slots=True)
class Undetermined:
    """What no row of one lane claims."""

    reads: int
    files: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class Found:
    """All that came of a run."""

    tool: str
    tool_version: str
    roles: tuple[str, ...]
    libraries: Sequence[LibraryReads]
    undetermined: Mapping[int, Undetermined] = field(default_factory=dict)
    unknown: tuple[UnknownBarcode, ...] = ()


class Demultiplexer(Protocol):
    """Tells the reads of a run apart."""

    def needs(self, path: str) -> bool:
        """Whether this file of the run folder has to be there."""

    def run(self, request: DemultiplexRequested, run_folder: Path, output: Path, /) -> Found:
        """Write the files of reads below `output` and count them; NotDone says why not."""


def call(tool: str, command: Sequence[str], *, out_of_memory: int = KILLED) -> None:
    """Run a program to its end, with all that it says on our standard error; NotDone otherwise.

    `out_of_memory` is the exit code by which it says so itself.
    """
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno(),
            timeout=TOOL_SECONDS_MAX, check=False,
        )  # fmt: skip
    except OSError as error:
        raise NotDone(
            "tool failed", f"{tool}: {command[0]} cannot be begun ({error}); install it, or name "
            f"another in the settings"
        ) from error  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise NotDone(
            "out of time", f"{tool} was not done after {TOOL_SECONDS_MAX:,} s and was ended; give "
            f"it a faster machine, then `genoflow demultiplex again`"
        ) from error  # fmt: skip
    code = done.returncode
    if code in (KILLED, out_of_memory):
        raise NotDone(
            "out of memory", f"{tool} had too little memory; give it more in the settings "
            f"(GENOFLOW_PICARD_MEMORY_MB for picard) or take a larger machine, then "
            f"`genoflow demultiplex again`",
            code if code > 0 else None,
        )  # fmt: skip
    if code != 0:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        raise NotDone(
            "tool failed", f"{tool} {how}; read the end of what it wrote and mend it, then "
            f"`genoflow demultiplex again`",
            code if 0 < code <= 255 else None,
        )  # fmt: skip


def require(path: Path, tool: str) -> Path:
    """The same path; NotDone where the program has not written it, whatever its exit code was."""
    if not path.is_file():
        raise NotDone(
            "output missing",
            f"{tool} ended well and has not written {path.name}; read what it wrote and mend it, "
            f"then `genoflow demultiplex again`",
        )
    return path
