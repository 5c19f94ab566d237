"""What is known of a sample's reads: its read sets, their files, its orders, its runs' verdicts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from genoflow.events.case_joined import CaseJoined
from genoflow.events.case_left import CaseLeft
from genoflow.events.event import Event
from genoflow.events.file_quarantined import FileQuarantined
from genoflow.events.file_rejected import FileRejected
from genoflow.events.measured import Measured
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.sample_relabelled import SampleRelabelled
from genoflow.events.sequencing_run_qc_failed import SequencingRunQcFailed
from genoflow.events.sequencing_run_qc_passed import SequencingRunQcPassed
from genoflow.events.stored_version import name_of
from genoflow.events.types import Part
from genoflow.events.validated import Validated
from genoflow.processors.repeated import Remembering


class Slot(Part):
    """A file that a read set will have."""

    role: str
    lane: int | None


class ReadSet(Part):
    """A read set as it was registered."""

    read_set_id: str
    material: str
    run_id: str | None
    attempt: int | None
    of_sample: int
    slots: tuple[Slot, ...]


class WholeFile(Part):
    """A file that was validated; the newest of its slot counts."""

    read_set_id: str
    role: str
    lane: int | None
    bucket: str
    object_key: str
    version_id: str
    size_bytes: int
    sha256: str
    reads: int | None
    read_names_sha256: str | None
    violations: int = 0


class Wish(Part):
    """What an order asks for, as far as quality goes; two orders may ask for the same."""

    assay: str
    reference: str
    target_set: str | None
    qc_profile: str | None


class Order(Part):
    """A case that is open, and what it asks for."""

    case_id: str
    wish: Wish


class RunVerdict(Part):
    """What was said of a sequencing run."""

    run_id: str
    round: int
    passed: bool
    profile: str
    profile_version: str
    reason: str = ""
    measured: tuple[Measured, ...] = ()


class Held(Part):
    """A round that failed because of a run; a person may let the sample go on."""

    round: int
    run_id: str
    run_round: int


class Sample(Remembering):
    """All that the question waits for."""

    sets: tuple[ReadSet, ...] = ()
    gone: tuple[str, ...] = ()
    quarantined: tuple[str, ...] = ()  # versions of files
    files: tuple[WholeFile, ...] = ()
    orders: tuple[Order, ...] = ()
    verdicts: tuple[RunVerdict, ...] = ()
    held: tuple[Held, ...] = ()
    forgiven: tuple[Held, ...] = ()
    round: int = 0
    mates_told: tuple[str, ...] = ()
    asked: str = ""  # the union that was asked about last
    asked_for: tuple[Wish, ...] = ()  # the wishes under which it was


# -- what is known after an event


Change = dict[str, object]


def changed(state: Sample, event: Event) -> Change:
    """What is known otherwise after this event."""
    return _CHANGES[type(event)](state, event)


def _registered(state: Sample, event: ReadSetRegistered) -> Change:
    others = (one for one in state.sets if one.read_set_id != event.read_set_id)
    return {"sets": (*others, _read_set(event))}


def _invalidated(state: Sample, event: ReadSetInvalidated) -> Change:
    return {"gone": tuple(dict.fromkeys((*state.gone, event.read_set_id)))}


def _relabelled(state: Sample, event: SampleRelabelled) -> Change:
    # From here on, before each is invalidated: what comes from elsewhere later is not mixed up
    # with what was here.
    return {"gone": tuple(dict.fromkeys((*state.gone, *event.read_set_ids)))}


def _validated(state: Sample, event: Validated) -> Change:
    if event.read_set_id is None or name_of(event) in state.quarantined:
        return {}  # of no read set: it belongs to no union
    kept = (one for one in state.files if _slot(one) != _slot(event))
    return {"files": (*kept, _whole_file(event, event.read_set_id))}


def _rejected(state: Sample, event: FileRejected) -> Change:
    # Another version of the same object stays: it is named by its version and its checksum.
    return {"files": tuple(one for one in state.files if _version(one) != _version(event))}


def _quarantined(state: Sample, event: FileQuarantined) -> Change:
    name = name_of(event)
    return {
        "quarantined": tuple(dict.fromkeys((*state.quarantined, name))),
        "files": tuple(one for one in state.files if name_of(one) != name),
    }


def _joined(state: Sample, event: CaseJoined) -> Change:
    order = Order(case_id=event.case_id, wish=_wish(event))
    return {"orders": tuple(dict.fromkeys((*state.orders, order)))}


def _left(state: Sample, event: CaseLeft) -> Change:
    return {"orders": tuple(one for one in state.orders if one.case_id != event.case_id)}


def _run_judged(state: Sample, event: SequencingRunQcPassed | SequencingRunQcFailed) -> Change:
    return {"verdicts": _with_verdict(state.verdicts, event)}


def _overridden(state: Sample, event: QcOverridden) -> Change:
    let_go = (one for one in state.held if one.round == event.round)
    return {"forgiven": tuple(dict.fromkeys((*state.forgiven, *let_go)))}


def _failed(state: Sample, event: QcFailed) -> Change:
    # Demultiplexing says so of a sample without reads: its round is taken, the next is ours.
    return {"round": max(state.round, event.round)} if event.reason_code == "no reads" else {}


_CHANGES: Mapping[type[Event], Callable[[Sample, Any], Change]] = {
    ReadSetRegistered: _registered,
    ReadSetInvalidated: _invalidated,
    SampleRelabelled: _relabelled,
    Validated: _validated,
    FileRejected: _rejected,
    FileQuarantined: _quarantined,
    CaseJoined: _joined,
    CaseLeft: _left,
    SequencingRunQcPassed: _run_judged,
    SequencingRunQcFailed: _run_judged,
    QcOverridden: _overridden,
    QcFailed: _failed,
}


def _read_set(event: ReadSetRegistered) -> ReadSet:
    return ReadSet(
        read_set_id=event.read_set_id,
        material=event.material,
        run_id=event.instrument_run_id,
        attempt=event.demultiplex_attempt,
        of_sample=event.read_sets_of_sample,
        slots=tuple(Slot(role=one.role, lane=one.lane) for one in event.expected_files),
    )


def _whole_file(event: Validated, read_set_id: str) -> WholeFile:
    named = {name: getattr(event, name) for name in WholeFile.model_fields}
    return WholeFile(**{**named, "read_set_id": read_set_id})


def _wish(event: CaseJoined) -> Wish:
    return Wish(**{name: getattr(event, name) for name in Wish.model_fields})


def _with_verdict(
    known: tuple[RunVerdict, ...], event: SequencingRunQcPassed | SequencingRunQcFailed
) -> tuple[RunVerdict, ...]:
    run_id = event.instrument_run_id
    if any(one.run_id == run_id and one.round >= event.round for one in known):
        return known
    failed = isinstance(event, SequencingRunQcFailed)
    verdict = RunVerdict(
        run_id=run_id,
        round=event.round,
        passed=not failed,
        profile=event.profile,
        profile_version=event.profile_version,
        reason=event.reason if isinstance(event, SequencingRunQcFailed) else "",
        measured=event.measured if failed else (),
    )
    return (*(one for one in known if one.run_id != run_id), verdict)


def _slot(one: WholeFile | Validated) -> tuple[str | None, str, int | None]:
    return one.read_set_id, one.role, one.lane


def _version(one: WholeFile | FileRejected) -> tuple[str, str, str]:
    return one.bucket, one.object_key, one.version_id


# -- what it amounts to


def wishes_of(state: Sample) -> tuple[Wish, ...]:
    """What the open cases ask for, each wish once."""
    return tuple(dict.fromkeys(one.wish for one in state.orders))


def valid_sets(state: Sample) -> list[ReadSet]:
    """The read sets that count."""
    return [one for one in state.sets if one.read_set_id not in state.gone]


def verdict_on(state: Sample, run_id: str) -> RunVerdict | None:
    """What was said last of a sequencing run."""
    return next((one for one in state.verdicts if one.run_id == run_id), None)


def is_held(held: Sequence[Held], verdict: RunVerdict) -> bool:
    """Whether this verdict held the sample back, or was forgiven."""
    return any((one.run_id, one.run_round) == (verdict.run_id, verdict.round) for one in held)


def _run_is_good(state: Sample, run_id: str | None) -> bool:
    if run_id is None:
        return True  # material that was delivered
    verdict = verdict_on(state, run_id)
    return verdict is not None and (verdict.passed or is_held(state.forgiven, verdict))


def files_of(state: Sample, read_set: ReadSet) -> list[WholeFile] | None:
    """The file of each slot; None while one is missing."""
    found: list[WholeFile] = []
    for slot in read_set.slots:
        fitting = [
            one
            for one in state.files
            if (one.read_set_id, one.role) == (read_set.read_set_id, slot.role)
            and (slot.lane is None or one.lane in (None, slot.lane))
        ]
        if not fitting:
            return None
        found.append(fitting[-1])
    return found


def differing(files: Sequence[WholeFile]) -> list[tuple[WholeFile, WholeFile]]:
    """The mates that do not hold the same reads in the same order."""
    return [
        (first, second)
        for first in files
        for second in files
        if (first.role, second.role) == ("R1", "R2")
        and (first.lane == second.lane or None in (first.lane, second.lane))
        and (first.reads, first.read_names_sha256) != (second.reads, second.read_names_sha256)
    ]


def union_of(state: Sample) -> list[tuple[ReadSet, list[WholeFile]]] | None:
    """Every valid read set with its files; None while something is missing or contradicts."""
    union: list[tuple[ReadSet, list[WholeFile]]] = []
    for read_set in valid_sets(state):
        files = files_of(state, read_set)
        good = _run_is_good(state, read_set.run_id) and _are_all_registered(state, read_set)
        if files is None or not good or differing(files):
            return None
        union.append((read_set, files))
    return union or None


def _are_all_registered(state: Sample, read_set: ReadSet) -> bool:
    of_one = (read_set.run_id, read_set.attempt)
    count = sum((one.run_id, one.attempt) == of_one for one in state.sets)
    return count >= read_set.of_sample


def digest_of(files: Iterable[WholeFile]) -> str:
    """A name for these files, whatever their order."""
    names = sorted([*_version(one), one.sha256, one.role, one.read_set_id] for one in files)
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()
