"""What to say of a run folder: from what it shows now and what was told before, facts.

The order is always the same: started; its sheet attached, refused or amended; completed or failed;
mirrored. Each fact is begun, so its id comes from the run and not from this watcher: a second one,
or the same after a crash, arrives at the same ids.

A marker alone does not complete a run. The list of files has to be the same for several looks, and
every file that RunInfo promises has to be there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from genoflow.events.envelope import Actor, Producer
from genoflow.events.errors import Refused
from genoflow.events.event import Event, begin
from genoflow.events.identity import external_id
from genoflow.events.sample_sheet_amended import SampleSheetAmended
from genoflow.events.sample_sheet_attached import SampleSheetAttached
from genoflow.events.sample_sheet_refused import SampleSheetRefused
from genoflow.events.sequencing_run_completed import SequencingRunCompleted
from genoflow.events.sequencing_run_failed import SequencingRunFailed
from genoflow.events.sequencing_run_started import SequencingRunStarted
from genoflow.processors.intake.run_folders import FileSeen, SheetShown, Shown
from genoflow.processors.intake.told import Told, fold

WATCHER = "sequencer-watcher"
NAMED_MAX = 5  # missing files that a reason names; the others are counted


@dataclass(frozen=True, slots=True)
class Limits:
    """How long is long enough; the defaults suit looks once a minute."""

    looks: int = 3  # the list of files is the same in so many looks, one after the other
    sheet_looks: int = 2  # a sheet that is being saved over a share is whole by the second
    missing: timedelta = timedelta(hours=2)  # a NovaSeq's last files follow within one
    unreadable: timedelta = timedelta(hours=1)
    silent: timedelta = timedelta(hours=24)  # clusters grow for six hours without a file


@dataclass(frozen=True, slots=True)
class Memory:
    """What earlier looks of this watcher saw; losing it costs a few looks and nothing else."""

    fingerprint: str = ""
    looks: int = 0  # how often the fingerprint was seen in a row
    complete: str = ""  # the fingerprint with which the run completed, or was first seen complete
    sheet_sha256: str = ""
    sheet_looks: int = 0
    unreadable_since: datetime | None = None


DEFAULTS = Limits()
UNSEEN = Memory()


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be appended now, in order, and whether the folder is to be copied then."""

    events: tuple[Event, ...]
    memory: Memory
    copy: bool


def step(told: Told, memory: Memory, shown: Shown, limits: Limits, by: Producer) -> Step:
    """Everything that the folder shows and the log does not say yet."""
    memory = _remember(memory, shown)
    if told.run_folder not in {None, shown.uri}:
        if told.mirrored or told.is_lost:
            return Step((), memory, copy=False)
        raise Refused(
            f"{shown.uri}: the log says that this run is at {told.run_folder}; "
            f"watch it there, or move it back"
        )
    events: list[Event] = []
    facts = _Facts(shown, by, memory, limits)
    for rule in (_start, _sheet, _fail, _complete, _compare):
        for fact in rule(told, facts):
            events.append(fact)
            told = fold(told, fact)
    if told.completed is not None and not memory.complete and shown.unreadable is None:
        memory = replace(memory, complete=memory.fingerprint)
    copy = told.completed is not None and not told.mirrored and not told.is_lost
    return Step(tuple(events), memory, copy=copy and shown.unreadable is None)


def run_id_of(shown: Shown) -> str:
    """The run's id: as RunInfo has it, else the folder's name, which is the same on every model."""
    return shown.started.instrument_run_id if shown.started else shown.name.rpartition("/")[2]


def fingerprint(files: Mapping[str, FileSeen]) -> str:
    """The same for the same files with the same sizes and times."""
    digest = hashlib.sha256()
    for path, seen in sorted(files.items()):
        digest.update(f"{path}\0{seen.size_bytes}\0{seen.modified_ns}\n".encode())
    return digest.hexdigest()


def _remember(memory: Memory, shown: Shown) -> Memory:
    print_now = fingerprint(shown.files)
    sheet = shown.sheet.sha256 if shown.sheet else ""
    return Memory(
        print_now,
        memory.looks + 1 if print_now == memory.fingerprint else 1,
        memory.complete,
        sheet,
        memory.sheet_looks + 1 if sheet == memory.sheet_sha256 else 1,
        (memory.unreadable_since or shown.at) if shown.unreadable is not None else None,
    )


class _Facts:
    """Puts envelopes around the facts of one folder: one story, begun by its start."""

    def __init__(
        self, shown: Shown, by: Producer, memory: Memory = UNSEEN, limits: Limits = DEFAULTS
    ) -> None:
        self.shown = shown
        self.memory = memory
        self.limits = limits
        self.run_id = run_id_of(shown)
        self.by = by
        self._story = external_id(SequencingRunStarted.type(), self.run_id)

    def of_the_instrument(self, event: Event, at: datetime) -> Event:
        """What the instrument made true by writing a file."""
        started = self.shown.started
        if started is None:
            return self.of_the_watcher(event, at)
        return self._begun(event, at, Actor(kind="instrument", id=started.instrument_id))

    def of_the_watcher(self, event: Event, at: datetime) -> Event:
        """What the watcher found."""
        return self._begun(event, at, Actor(kind="service", id=WATCHER))

    def _begun(self, event: Event, at: datetime, actor: Actor) -> Event:
        first = isinstance(event, SequencingRunStarted) or self.shown.started is None
        return begin(
            event, occurred_at=at, actor=actor, by=self.by, correlation_id=self._story,
            causation_id=None if first else self._story,
        )  # fmt: skip

    def failed(self, code: str, reason: str, at: datetime, **fields: Any) -> Event:
        """The run is lost, as it is."""
        planned = self.shown.started
        return self.of_the_instrument(
            SequencingRunFailed(
                instrument_run_id=self.run_id, reason_code=code, reason=reason,
                cycles_planned=sum(read.cycles for read in planned.reads) if planned else None,
                **fields,
            ),
            at,
        )  # fmt: skip


def _start(told: Told, facts: _Facts) -> Iterator[Event]:
    shown = facts.shown
    if shown.started is not None and told.started_id is None:
        yield facts.of_the_instrument(shown.started, shown.started_at or shown.changed_at)


def _sheet(told: Told, facts: _Facts) -> Iterator[Event]:
    sheet = facts.shown.sheet
    if sheet is None or told.is_lost or facts.memory.sheet_looks < facts.limits.sheet_looks:
        return
    if sheet.sha256 == told.sheet_sha256:
        return
    if sheet.problems:
        if sheet.sha256 not in told.refused:
            yield facts.of_the_watcher(
                SampleSheetRefused(
                    instrument_run_id=facts.run_id, sheet_uri=sheet.uri,
                    sheet_sha256=sheet.sha256, problems=sheet.problems,
                ),
                sheet.at,
            )  # fmt: skip
        return
    yield facts.of_the_watcher(_taken(told, facts.run_id, sheet), sheet.at)


def _taken(told: Told, run_id: str, sheet: SheetShown) -> Event:
    fields = {
        "instrument_run_id": run_id, "sheet_uri": sheet.uri, "sheet_sha256": sheet.sha256,
        **sheet.fields,
    }  # fmt: skip
    if told.sheet_sha256 is None:
        return SampleSheetAttached(revision=1, **fields)
    return SampleSheetAmended(
        revision=told.revision + 1,
        replaces_sha256=told.sheet_sha256,
        reason="the watcher found another sheet in the run folder",
        **fields,
    )


def _fail(told: Told, facts: _Facts) -> Iterator[Event]:
    """What ends a run before it is complete, or keeps it from being copied."""
    shown, limits = facts.shown, facts.limits
    if told.mirrored or told.is_lost:
        return
    since = facts.memory.unreadable_since
    if shown.unreadable is not None:
        if since is None or shown.at - since < limits.unreadable:
            return
        if "folder unreadable" not in told.failed:
            reason = (
                f"{shown.unreadable} (so for {_hours(limits.unreadable)}); "
                f"the watcher looks again, and goes on when the folder can be read"
            )
            yield facts.failed("folder unreadable", reason, since + limits.unreadable)
    elif told.completed is None:
        yield from _fail_before_its_end(told, facts)


def _fail_before_its_end(told: Told, facts: _Facts) -> Iterator[Event]:
    shown, limits = facts.shown, facts.limits
    quiet = shown.at - shown.changed_at
    if shown.failure is not None:
        said = shown.failure
        yield facts.failed(
            said.reason_code, said.reason, said.at, completion_status=said.completion_status,
            marker=said.marker, cycles_done=said.cycles_done,
        )  # fmt: skip
    elif shown.ending is not None:
        if shown.missing and quiet >= limits.missing and "files missing" not in told.failed:
            yield facts.failed(
                "files missing", _missing(shown, limits), shown.changed_at + limits.missing,
                marker=shown.ending.marker, completion_status=shown.ending.completion_status,
                cycles_done=shown.ending.cycles_done,
            )  # fmt: skip
    elif quiet >= limits.silent and "silent" not in told.failed:
        reason = (
            f"no file was written for {_hours(limits.silent)} and there is no marker; see whether "
            f"the instrument runs and its share is there: the watcher goes on when files come"
        )
        yield facts.failed("silent", reason, shown.changed_at + limits.silent)


def _missing(shown: Shown, limits: Limits) -> str:
    named = ", ".join(shown.missing[:NAMED_MAX])
    more = len(shown.missing) - NAMED_MAX
    return (
        f"the marker is there, and for {_hours(limits.missing)} these files are not: {named}"
        f"{f' and {more} more' if more > 0 else ''}; copy them again from the instrument, "
        f"and the watcher goes on"
    )


def _hours(time: timedelta) -> str:
    return f"{time.total_seconds() / 3600:g} h"


def _complete(told: Told, facts: _Facts) -> Iterator[Event]:
    shown, ending = facts.shown, facts.shown.ending
    if told.completed is not None or told.is_lost or ending is None or shown.failure is not None:
        return
    if shown.missing or facts.memory.looks < facts.limits.looks:
        return
    count, total = _sums(shown)
    yield facts.of_the_instrument(
        SequencingRunCompleted(
            instrument_run_id=facts.run_id, marker=ending.marker,
            completion_status=ending.completion_status, cycles_done=ending.cycles_done,
            run_folder=shown.uri, file_count=count, total_bytes=total,
        ),
        ending.at,
    )  # fmt: skip


def _compare(told: Told, facts: _Facts) -> Iterator[Event]:
    """A folder that is complete stays as it is until it is copied."""
    shown = facts.shown
    if told.completed is None or told.mirrored or told.is_lost or shown.unreadable is not None:
        return
    if told.completed != _sums(shown):
        count, total = _sums(shown)
        yield changed(
            shown,
            f"it had {told.completed[0]:,} files of {told.completed[1]:,} bytes and has {count:,} "
            f"of {total:,}",
            facts.by,
        )
    elif facts.memory.complete not in {"", facts.memory.fingerprint}:
        yield changed(shown, "files were written again, with the same sizes", facts.by)


def changed(shown: Shown, what: str, by: Producer) -> Event:
    """The failure of a run whose folder did not stay as it was when it completed."""
    return _Facts(shown, by).failed(
        "files changed after the marker",
        f"after it was complete the folder changed: {what}; nothing of this run goes on by itself: "
        f"find out who writes there, and sequence the libraries again",
        shown.changed_at,
        marker=shown.ending.marker if shown.ending else None,
    )


def mirrored(shown: Shown, event: Event, at: datetime, by: Producer) -> Event:
    """The envelope of the last fact of a folder."""
    return _Facts(shown, by).of_the_watcher(event, at)


def _sums(shown: Shown) -> tuple[int, int]:
    return len(shown.files), sum(seen.size_bytes for seen in shown.files.values())
