"""What may be deleted, and why not: pure, and the same for the sweeper that asks and who decides.

Age is counted between times of events: from what a class counts from to the proposal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from genoflow.events.case_joined import CaseJoined
from genoflow.events.deletion_proposed import DeletionProposed
from genoflow.events.deletion_refused import (
    CHANGED,
    FETCHED,
    HELD,
    LOCKED,
    TOO_EARLY,
    UNDER_WAY,
    UNKNOWN,
    DeletionRefused,
)
from genoflow.events.download_link_issued import DownloadLinkIssued
from genoflow.events.event import Event
from genoflow.events.file_assigned import FileAssigned
from genoflow.events.file_deleted import ERASED, FileDeleted
from genoflow.events.file_landed import FileLanded
from genoflow.events.legal_hold_placed import LegalHoldPlaced
from genoflow.events.legal_hold_released import LegalHoldReleased
from genoflow.events.result_file import ResultFile
from genoflow.events.results_amended import ResultsAmended
from genoflow.events.results_checked import ResultsChecked
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.results_held import ResultsHeld
from genoflow.events.results_published import ResultsPublished
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.events.retention_rule import (
    ALIGNMENT,
    DELIVERY,
    OTHER,
    READS,
    RESULTS,
    RUN_FOLDER,
    UNASSIGNED,
    UNDETERMINED,
    UNPUBLISHED,
    VARIANTS,
    WORK,
)
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_exited import RunExited
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_lost import RunLost
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_started import RunStarted
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.run_superseded import RunSuperseded
from genoflow.events.stored_version import StoredVersion, name_of
from genoflow.events.topics import SEQUENCING_RUN
from genoflow.processors import sequencing_over
from genoflow.processors.repeated import is_repeated, with_this
from genoflow.processors.retained import FILES_MAX, Kept, Spared, Subject, with_files

WORK_PLACES_MAX = 100  # of a run: its submissions, and a handful of effects
S3 = "s3://"

CLASS_OF_ROLE: Mapping[str, str] = {
    "R1": READS, "R2": READS, "I1": READS, "I2": READS,
    "BAM": ALIGNMENT, "CRAM": ALIGNMENT, "BAI": ALIGNMENT, "CRAI": ALIGNMENT,
    "VCF": VARIANTS, "TBI": VARIANTS,
}  # fmt: skip
OF_SAMPLE: tuple[type[Event], ...] = (
    FileLanded, FileAssigned, CaseJoined, LegalHoldPlaced, LegalHoldReleased,
)  # fmt: skip
# Every event of a run but those of its tasks, which all stand before RunExited.
OF_RUN: tuple[type[Event], ...] = (
    RunRequested, RunSubmitted, RunStarted, RunExited, RunSucceeded, RunFailed, RunCancelled,
    RunLost, RunSuperseded, ResultsCollected, ResultsChecked, ResultsHeld, ResultsPublished,
    ResultsAmended, ResultsRetracted, DownloadLinkIssued,
)  # fmt: skip
OF_SEQUENCING_RUN: tuple[type[Event], ...] = (*sequencing_over.OF_FOLDER, FileLanded)
ANSWERS: tuple[type[Event], ...] = (FileDeleted, DeletionRefused)
ENDS = (RunSucceeded, RunLost, RunCancelled, RunSuperseded)
UNTIL_OVER: Mapping[str, str] = {
    WORK: "the run is not over, or its results wait for a person",
    UNPUBLISHED: "the run is not over, or its results wait for a person",
    RUN_FOLDER: "its newest demultiplexing, by the sheet in force, is not completed",
}
LISTED = (WORK, RUN_FOLDER)  # classes of which the store says which files there are
SETTLES_HELD = (ResultsPublished, ResultsRetracted, RunSuperseded, RunCancelled)


# -- what is known


def evolve(state: Subject, event: Event) -> Subject:
    """Keep what there is, what was deleted, and what speaks against a deletion."""
    if is_repeated(state, event):
        return state
    change: dict[str, object] = {"seen": with_this(state, event)}
    if isinstance(event, FileLanded):
        change["files"] = with_files(state.files, [_landed(event)])
    elif isinstance(event, FileAssigned):
        # It landed once more for its sample, and the rules of that are the ones that count.
        change["files"] = tuple(one for one in state.files if one.name != name_of(event))
    elif isinstance(event, CaseJoined):
        change["assays"] = tuple(dict.fromkeys((*state.assays, event.assay)))
    elif isinstance(event, LegalHoldPlaced):
        change["holds"] = tuple(dict.fromkeys((*state.holds, event.hold_id)))
    elif isinstance(event, LegalHoldReleased):
        change["holds"] = tuple(one for one in state.holds if one != event.hold_id)
    elif isinstance(event, FileDeleted):
        if event.manner == ERASED:
            change["files"] = tuple(one for one in state.files if one.name != name_of(event))
    elif isinstance(event, DeletionRefused):
        change |= {"refusals": state.refusals + 1, "spared": _spared(state, event)}
    elif isinstance(event, OF_RUN):
        change |= _of_run(state, event)
    elif isinstance(event, sequencing_over.OF_FOLDER):
        change |= sequencing_over.of_folder(state, event)
    return state.model_copy(update=change)


def _landed(event: FileLanded) -> Kept:
    file = StoredVersion(
        bucket=event.bucket,
        object_key=event.object_key,
        version_id=event.version_id,
        size_bytes=event.size_bytes,
        etag=event.etag,
    )
    if event.sample_id is not None:
        named = CLASS_OF_ROLE.get(event.role or "", OTHER)
    else:
        named = UNDETERMINED if event.topic == SEQUENCING_RUN.name else UNASSIGNED
    return Kept(file=file, file_class=named, since=event.envelope.occurred_at)


def _spared(state: Subject, event: DeletionRefused) -> tuple[Spared, ...]:
    if event.reason_code not in (LOCKED, CHANGED, FETCHED, TOO_EARLY, UNKNOWN):
        return state.spared  # it is asked again when the hold, or the run, is over
    known = {one.name: one for one in state.spared}
    for file in event.files:
        name, until = name_of(file), event.kept_until
        if event.topic == SEQUENCING_RUN.name and until is not None:
            # Of ten thousand files of a folder each has its lock: the last one counts for all.
            name = _place_of(state, file) or name
            before = known.get(name)
            until = max(until, before.until or until) if before else until
        known[name] = Spared(name=name, until=until)
    return tuple(known.values())[-FILES_MAX:]


def _of_run(state: Subject, event: Event) -> dict[str, object]:
    at = event.envelope.occurred_at
    change: dict[str, object] = _progress(state, event)
    # A link is no event of the run's own life: else the work of one whose results are fetched
    # now and then would never go.
    if not isinstance(event, DownloadLinkIssued):
        change["last_at"] = max(at, state.last_at or at)
    places = _work_places(event)
    if places:
        every = tuple(dict.fromkeys((*state.work_places, *places)))
        change["work_places"] = every[-WORK_PLACES_MAX:]
    if isinstance(event, RunRequested):
        change["assays"] = (event.assay,)
        change["sample_ids"] = tuple(dict.fromkeys(one.sample_id for one in event.members))
    elif isinstance(event, ResultsCollected):
        change["files"] = with_files(
            state.files, (_result(one, UNPUBLISHED, at) for one in event.files)
        )
    elif isinstance(event, ResultsPublished):
        change["files"] = _published(state, event)
        change["sample_ids"] = tuple(dict.fromkeys((*state.sample_ids, *event.sample_ids)))
    elif isinstance(event, DownloadLinkIssued):
        name = name_of(event)
        change["files"] = tuple(
            one.model_copy(update={"fetched_until": max(event.expires_at, one.fetched_until or at)})
            if one.name == name
            else one
            for one in state.files
        )
    return change


def _progress(state: Subject, event: Event) -> dict[str, object]:
    attempt: int = getattr(event, "attempt", None) or 0
    if attempt and attempt < state.attempt:
        return {}  # news of a submission that was given up
    change: dict[str, object] = {"attempt": max(attempt, state.attempt)}
    if isinstance(event, RunCancelled | RunSuperseded):
        change["is_cancelled"] = True
    if isinstance(event, ENDS):
        change["is_over"] = True
    elif isinstance(event, RunFailed):
        change["is_over"] = state.is_cancelled or not event.will_retry
    elif isinstance(event, RunSubmitted) and attempt > state.attempt:
        change["is_over"] = state.is_cancelled
    if isinstance(event, ResultsHeld):
        change["waits_for_a_person"] = not state.is_cancelled
    elif isinstance(event, SETTLES_HELD):
        change["waits_for_a_person"] = False
    return change


def _work_places(event: Event) -> list[str]:
    """Where jobs of the run leave what nobody needs later."""
    effect: UUID | None = event.envelope.effect_id
    places = [f"/effects/{effect}/"] if effect else []
    if isinstance(event, RunSubmitted) and (event.work_uri or "").startswith(S3):
        place = (event.work_uri or "").removeprefix(S3).rstrip("/") + "/"
        bucket, _, prefix = place.partition("/")
        if bucket and prefix:  # a whole bucket is nobody's work
            places.append(place)
    return places


def _result(file: ResultFile, file_class: str, at: datetime) -> Kept:
    stored = StoredVersion(
        bucket=file.bucket,
        object_key=file.object_key,
        version_id=file.version_id,
        size_bytes=file.size_bytes,
    )
    return Kept(file=stored, file_class=file_class, since=at)


def _published(state: Subject, event: ResultsPublished) -> tuple[Kept, ...]:
    at = event.envelope.occurred_at
    found = {one.name: one for one in (_result(file, RESULTS, at) for file in event.files)}
    others = (one for one in state.files if one.name not in found)
    return with_files((), (*found.values(), *others))


# -- what is due


@dataclass(frozen=True, slots=True)
class Kind:
    """Why some files of a proposal are kept."""

    code: str
    reason: str
    files: tuple[StoredVersion, ...]
    until: datetime | None = None


def due_at(state: Subject, kept: Kept, keep_days: int) -> datetime | None:
    """When a rule of so many days lets a file go; None as long as nobody can say it."""
    if kept.file_class != UNPUBLISHED:
        return kept.since + timedelta(days=keep_days)
    return work_due_at(state, keep_days)


def work_due_at(state: Subject, keep_days: int) -> datetime | None:
    """When what a run left behind may go; None as long as it is under way."""
    if not state.is_over or state.waits_for_a_person or state.last_at is None:
        return None
    return state.last_at + timedelta(days=keep_days)


def is_work_of(state: Subject, file: StoredVersion) -> bool:
    """Whether a file lies where a job of this run worked, and is none of its results.

    Of a run of an instrument: whether it lies in the copy of its folder.
    """
    return _place_of(state, file) is not None and all(
        name_of(file) != one.name for one in state.files
    )


def _place_of(state: Subject, file: StoredVersion) -> str | None:
    whole = f"{file.bucket}/{file.object_key}"
    for place in state.work_places:
        begins = file.object_key if place.startswith("/") else whole
        if begins.startswith(place.removeprefix("/")):
            return place
    return None


def judged(
    state: Subject, asked: DeletionProposed, at: datetime
) -> tuple[tuple[StoredVersion, ...], list[Kind]]:
    """Which files of a proposal may go at this time, and why each of the others is kept."""
    if state.holds:
        names = ", ".join(state.holds)
        why = f"the legal hold {names} keeps every file; release it first, if it is over"
        return (), [Kind(HELD, why, asked.files)]
    open_for = UNTIL_OVER.get(asked.file_class)
    if open_for is not None and work_due_at(state, asked.keep_days) is None:
        return (), [Kind(UNDER_WAY, open_for, asked.files)]
    go: list[StoredVersion] = []
    kept: list[Kind] = []
    for file in asked.files:
        found = _kind(state, asked, file, at)
        if found is None:
            go.append(file)
        else:
            kept.append(found)
    return tuple(go), together(kept)


def _kind(
    state: Subject, asked: DeletionProposed, file: StoredVersion, at: datetime
) -> Kind | None:
    known = next((one for one in state.files if one.name == name_of(file)), None)
    due: datetime | None = None
    if asked.file_class in LISTED:
        due = work_due_at(state, asked.keep_days) if is_work_of(state, file) else None
    elif asked.file_class == DELIVERY:
        # No event tells of a copy that was handed over; what one does tell of is no such copy.
        if known is None and asked.put_at is not None:
            due = asked.put_at + timedelta(days=asked.keep_days)
    elif known is not None and known.file_class == asked.file_class:
        due = due_at(state, known, asked.keep_days)
    if due is None:
        return Kind(UNKNOWN, f"no {asked.file_class} file of this name is known here", (file,))
    if due > at:
        why = f"{asked.rule} keeps it for {asked.keep_days} days, until {due:%Y-%m-%d %H:%M} UTC"
        return Kind(TOO_EARLY, why, (file,), due)
    until = known.fetched_until if known else None
    if until is not None and until > at:
        why = f"a link to it may be used until {until:%Y-%m-%d %H:%M} UTC"
        return Kind(FETCHED, why, (file,), until)
    return None


def together(kept: Sequence[Kind]) -> list[Kind]:
    """One word for each kind of reason; the latest end of several counts for all."""
    found: dict[str, Kind] = {}
    for one in kept:
        before = found.get(one.code)
        if before is None:
            found[one.code] = one
            continue
        until = max(filter(None, (before.until, one.until)), default=None)
        later = one if until == one.until else before
        found[one.code] = Kind(one.code, later.reason, (*before.files, *one.files), until)
    return list(found.values())
