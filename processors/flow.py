"""What follows from what: every writer and every reader of events, on one screen."""

from __future__ import annotations

from dataclasses import dataclass

from genoflow.events.catalogue import EVENTS
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.sample_registered import SampleRegistered
from genoflow.events.sample_sheet_attached import SampleSheetAttached
from genoflow.events.sequencing_run_completed import SequencingRunCompleted
from genoflow.events.sequencing_run_started import SequencingRunStarted


@dataclass(frozen=True, slots=True)
class Porch:
    """Brings facts of the outside world onto the log."""

    name: str
    emits: tuple[type[Event], ...]
    about: str


@dataclass(frozen=True, slots=True)
class ReadModel:
    """Keeps a view of the log in Postgres; it never answers with an event."""

    name: str
    on: tuple[type[Event], ...]
    about: str


FLOW: tuple[Porch | ReadModel, ...] = (
    Porch(
        "generated-run",
        emits=(
            SequencingRunStarted,
            SampleSheetAttached,
            SequencingRunCompleted,
            SampleRegistered,
            ReadSetRegistered,
            FileLanded,
        ),
        about="a seeded sequencing run, for the demonstration",
    ),
    ReadModel("timeline", on=EVENTS, about="what happened to a subject, in order"),
)


def flow_table() -> str:
    """The flow as a Markdown table: README shows it, and a test compares the two."""
    rows = ["| name | kind | reads | emits | what it does |", "|---|---|---|---|---|"]
    for row in FLOW:
        if isinstance(row, Porch):
            emits = ", ".join(event.type() for event in row.emits)
            rows.append(f"| {row.name} | porch | the outside world | {emits} | {row.about} |")
        else:
            reads = "all events" if row.on == EVENTS else ", ".join(e.type() for e in row.on)
            rows.append(f"| {row.name} | read model | {reads} | – | {row.about} |")
    return "\n".join(rows)
