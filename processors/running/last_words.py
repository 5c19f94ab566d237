"""What an engine and its tasks wrote last: the evidence of a failure, where it can be read here."""

from __future__ import annotations

import re
from pathlib import Path

from genoflow.processors.running.failures import last_lines

TAIL_BYTES = 16 * 1024  # of a file whose last lines are wanted
ERRORS = (".command.err", ".command.log")  # of a task; the second has what its wrapper said, too
# Of Nextflow's own log the lines that say what went wrong, without the time and the thread.
COMPLAINT = re.compile(r"\b(?:ERROR|WARN)\b\s+\S+ - (.*)|^(Caused by: .*)")


def complaints_of_task(workdir: str) -> list[str]:
    """The last lines of a task's standard error; none where its folder is elsewhere."""
    folder = Path(workdir)
    if not workdir or not folder.is_dir():
        return []
    for name in ERRORS:
        if found := last_lines(_tail(folder / name)):
            return found
    return []


def complaints_of_engine(log: Path) -> list[str]:
    """What Nextflow's own log complains of, the last lines of that."""
    found = (COMPLAINT.search(line) for line in _tail(log).splitlines())
    return last_lines("\n".join(one[1] or one[2] for one in found if one))


def _tail(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        return file.read(TAIL_BYTES).decode(errors="replace")
