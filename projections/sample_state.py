"""A sample, folded from its events: where it is, what it waits for, and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from genoflow.events.case_joined import CaseJoined
from genoflow.events.case_left import CaseLeft
from genoflow.events.event import Event
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_metrics_recorded import QcMetricsRecorded
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.qc_passed import QcPassed
from genoflow.events.qc_requested import QcRequested
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.sample_listed import SampleListed
from genoflow.events.sample_metadata_amended import SampleMetadataAmended
from genoflow.events.sample_registered import SampleRegistered
from genoflow.events.sample_relabelled import SampleRelabelled
from genoflow.events.sample_unlisted import SampleUnlisted
from genoflow.events.sequencing_run_qc_failed import SequencingRunQcFailed
from genoflow.events.sequencing_run_qc_passed import SequencingRunQcPassed
from genoflow.events.top_up_requested import TopUpRequested
from genoflow.events.topics import SAMPLE
from genoflow.projections import file_state
from genoflow.projections.file_state import KnownFiles
from genoflow.projections.read_set_state import (
    CORRECTED,
    FILES,
    IN_THIS_ORDER,
    NOTHING,
    ReadSet,
    Wait,
    unregistered,
)

Judged = QcRequested | QcMetricsRecorded | QcPassed | QcFailed
OnSheet = SampleListed | SampleUnlisted


class Counted(Protocol):
    """What a verdict asks about a read set."""

    @property
    def name(self) -> str: ...
    @property
    def order(self) -> int: ...
    @property
    def invalidated(self) -> ReadSetInvalidated | None: ...


def still_stands(judged: Judged, order: int, read_sets: Collection[Counted]) -> bool:
    """Whether a word on the reads of a sample is about those that count now.

    `order` is which event of the sample it was.
    """
    active = [one for one in read_sets if one.invalidated is None]
    named = set(judged.read_set_ids)
    if not named:
        return not any(one.order > order for one in active)
    gone = any(one.name in named for one in read_sets if one.invalidated)
    return not gone and all(one.name in named for one in active)


@dataclass
class Sample:
    """What is known of a sample; whoever tells why it waits knows more."""

    key: str
    heard: int = 0
    first_at: datetime | None = None
    registered: SampleRegistered | None = None
    cases: dict[str, CaseJoined] = field(default_factory=dict)  # those that are open
    left: dict[str, CaseLeft] = field(default_factory=dict)
    joined: dict[str, CaseJoined] = field(default_factory=dict)  # left ones, too
    read_sets: dict[str, ReadSet] = field(default_factory=dict)
    files: KnownFiles = field(default_factory=dict)
    order_of: dict[UUID, int] = field(default_factory=dict)  # of a file: which event named it
    runs: dict[str, SequencingRunQcPassed | SequencingRunQcFailed] = field(default_factory=dict)
    judged: Judged | None = None  # the newest word on its reads
    judged_order: int = 0
    overridden: QcOverridden | None = None
    top_up: TopUpRequested | None = None
    relabelled: SampleRelabelled | None = None
    metadata: SampleMetadataAmended | None = None  # all of them, as they were said last
    sheets: dict[str, OnSheet] = field(default_factory=dict)  # by the run, the newest one last
    state: str = ""
    wait: Wait = NOTHING
    since: datetime | None = None

    @property
    def active(self) -> list[ReadSet]:
        """The read sets by which it is decided."""
        return [one for one in self.read_sets.values() if one.invalidated is None]

    @property
    def standing(self) -> Judged | None:
        """The newest word on its reads, while it is about those that count now."""
        if self.judged is None:
            return None
        holds = still_stands(self.judged, self.judged_order, self.read_sets.values())
        return self.judged if holds else None

    @property
    def is_overridden(self) -> bool:
        """Whether a person answers for reads that failed."""
        standing = self.standing
        return (
            isinstance(standing, QcFailed)
            and self.overridden is not None
            and self.overridden.overridden_event_id == standing.envelope.event_id
        )

    @property
    def is_elsewhere(self) -> bool:
        """Whether all that was read under this label belongs to another."""
        return self.relabelled is not None and not self.active

    @property
    def on_sheets(self) -> list[OnSheet]:
        """The verdicts on the runs that files which count name, the newest one last."""
        gone = {one.name for one in self.read_sets.values() if one.invalidated is not None}
        named = {
            one.instrument_run_id for one in self.files.values() if one.read_set_id not in gone
        }
        return [one for run_id, one in self.sheets.items() if run_id in named]

    @property
    def on_sheet(self) -> OnSheet | None:
        """The newest of those that do not hold it; where all do, the newest of them."""
        found = self.on_sheets if self.sheets else []
        strange = [one for one in found if isinstance(one, SampleUnlisted)]
        return next(reversed(strange or found), None)

    def take(self, event: Event) -> list[str]:
        """Fold an event of the sample, and tell the read sets that it may have changed."""
        at = event.envelope.occurred_at
        self.heard += 1
        self.first_at = self.first_at or at
        changed = [one for one in USES[type(event)](self, event) if one in self.read_sets]
        for name in changed:
            self.read_sets[name].look(at)
        before = self.state, self.wait.waits_for
        self.state, self.wait = word(self), wait_of(self)
        if before != (self.state, self.wait.waits_for):
            self.since = at
        return changed


# -- what each event changes; each tells the read sets that it touches


def _registered(sample: Sample, event: SampleRegistered) -> list[str]:
    sample.registered = sample.registered or event
    return []


def _joined(sample: Sample, event: CaseJoined) -> list[str]:
    sample.joined.setdefault(event.case_id, event)
    if event.case_id not in sample.left:
        sample.cases.setdefault(event.case_id, event)
    return []


def _left(sample: Sample, event: CaseLeft) -> list[str]:
    sample.cases.pop(event.case_id, None)
    sample.left.setdefault(event.case_id, event)
    return []


def _read_set(sample: Sample, event: ReadSetRegistered) -> list[str]:
    name = event.read_set_id
    if name not in sample.read_sets:
        found = ReadSet(event, sample.heard, event.envelope.occurred_at)
        found.files = {
            file_id: (sample.order_of[file_id], file)
            for file_id, file in sample.files.items()
            if file.read_set_id == name
        }
        sample.read_sets[name] = found
    return [name]


def _invalidated(sample: Sample, event: ReadSetInvalidated) -> list[str]:
    if event.read_set_id in sample.read_sets:
        sample.read_sets[event.read_set_id].invalidated = event
    return [event.read_set_id]


def _file(sample: Sample, event: Event) -> list[str]:
    found = file_state.take(sample.files, SAMPLE.name, event)
    order = sample.order_of.setdefault(found.file_id, sample.heard)
    changed = []
    for one in sample.read_sets.values():
        if found.file_id in one.files and one.name != found.read_set_id:
            del one.files[found.file_id]
            changed.append(one.name)
    if found.read_set_id in sample.read_sets:
        sample.read_sets[found.read_set_id].files[found.file_id] = (order, found)
        changed.append(found.read_set_id)
    return changed


def _of_run(sample: Sample, event: SequencingRunQcPassed | SequencingRunQcFailed) -> list[str]:
    sample.runs[event.instrument_run_id] = event
    return []


def _quality(sample: Sample, event: Judged) -> list[str]:
    sample.judged, sample.judged_order = event, sample.heard
    return []


def _overridden(sample: Sample, event: QcOverridden) -> list[str]:
    sample.overridden = event
    return []


def _top_up(sample: Sample, event: TopUpRequested) -> list[str]:
    sample.top_up = event
    return []


def _relabelled(sample: Sample, event: SampleRelabelled) -> list[str]:
    sample.relabelled = event
    return []


def _metadata(sample: Sample, event: SampleMetadataAmended) -> list[str]:
    sample.metadata = event
    return []


def _sheet(sample: Sample, event: OnSheet) -> list[str]:
    sample.sheets.pop(event.instrument_run_id, None)
    sample.sheets[event.instrument_run_id] = event
    return []


USES: Mapping[type[Event], Callable[[Sample, Any], list[str]]] = {
    SampleRegistered: _registered,
    CaseJoined: _joined,
    CaseLeft: _left,
    ReadSetRegistered: _read_set,
    ReadSetInvalidated: _invalidated,
    **dict.fromkeys(file_state.USES, _file),
    SequencingRunQcPassed: _of_run,
    SequencingRunQcFailed: _of_run,
    QcRequested: _quality,
    QcMetricsRecorded: _quality,
    QcPassed: _quality,
    QcFailed: _quality,
    QcOverridden: _overridden,
    TopUpRequested: _top_up,
    SampleRelabelled: _relabelled,
    SampleMetadataAmended: _metadata,
    SampleListed: _sheet,
    SampleUnlisted: _sheet,
}


# -- how it stands


def word(sample: Sample) -> str:
    """Its state in a word or two."""
    if sample.is_elsewhere:
        return "relabelled"
    standing = sample.standing
    if isinstance(standing, QcFailed):
        return "QC overridden" if sample.is_overridden else "QC failed"
    if isinstance(standing, QcRequested | QcMetricsRecorded):
        return "in QC"
    if not sample.cases:
        return "case closed" if sample.left else "waits for order"
    return "QC passed" if standing is not None else _word_of_reads(sample)


def _word_of_reads(sample: Sample) -> str:
    if any(one.wait.waits_for == CORRECTED for one in sample.active):
        return "file rejected"
    if not sample.active:
        return "waits for reads"
    whole = all(one.state == "whole" for one in sample.active)
    return "files valid" if whole else "waits for files"


def wait_of(sample: Sample) -> Wait:
    """What the sample itself waits for; what its cases wait for is theirs."""
    if sample.left and not sample.cases:
        last = list(sample.left.values())[-1]
        return Wait(None, f"case {last.case_id} was {last.outcome}: {last.reason}")
    if sample.relabelled is not None and sample.is_elsewhere and not sample.cases:
        found = sample.relabelled
        return Wait(None, f"belongs to {found.true_sample_id}: {found.reason}")
    standing = sample.standing
    quality = _quality_of(sample, standing) if standing is not None else NOTHING
    if quality.waits_for is not None:
        return quality
    if not sample.cases:
        return Wait("an order", "no case names it")
    return quality if standing is not None else _reads_of(sample)


def _quality_of(sample: Sample, standing: Judged) -> Wait:
    if isinstance(standing, QcRequested):
        profile = f"{standing.profile} {standing.profile_version}"
        return Wait("measurement", f"QC of its reads, round {standing.round}, by {profile}")
    if isinstance(standing, QcMetricsRecorded):
        return Wait("a verdict", f"QC of its reads, round {standing.round}")
    if isinstance(standing, QcPassed):
        return NOTHING
    if sample.is_overridden and sample.overridden is not None:
        by = f"{sample.overridden.envelope.actor.id} answers for it as {sample.overridden.role}"
        return Wait(None, f"{by}: {sample.overridden.reason}")
    top_up = sample.top_up
    if top_up is not None and (
        top_up.failed_event_id == standing.envelope.event_id or top_up.round > standing.round
    ):
        return Wait("a top-up", f"{top_up.reads_wanted:,} reads: {top_up.reason}")
    return Wait("a decision", f"{standing.reason_code}: {standing.reason}")


def _reads_of(sample: Sample) -> Wait:
    if not sample.active:
        return _without_reads(sample)
    waiting = [one.wait for one in sample.active if one.wait.waits_for is not None]
    if waiting:
        first = min(waiting, key=lambda one: IN_THIS_ORDER.index(one.waits_for or FILES))
        more = f"; {len(waiting) - 1} more read sets wait" if len(waiting) > 1 else ""
        return Wait(first.waits_for, f"{first.reason}{more}")
    return _unregistered(sample) or _run_failed(sample) or Wait("QC", "all its files are valid")


def _without_reads(sample: Sample) -> Wait:
    gone = [one.invalidated for one in sample.read_sets.values() if one.invalidated]
    if gone:
        last = gone[-1]
        why = f"{last.read_set_id} does not count any more: {last.reason_code}: {last.reason}"
        return Wait("reads", why)
    run = sample.registered.instrument_run_id if sample.registered else None
    return Wait("reads", f"no read set is registered for it{f' by run {run}' if run else ''}")


def _unregistered(sample: Sample) -> Wait | None:
    found = unregistered(sample.read_sets.values())
    if found is None:
        return None
    why = f"{found.missing} of {found.counted} read sets of run {found.run}"
    return Wait("registration", why)


def _run_failed(sample: Sample) -> Wait | None:
    for one in sample.runs.values():
        if isinstance(one, SequencingRunQcFailed):
            why = f"run {one.instrument_run_id} failed QC as a whole: {one.reason}"
            return Wait("a decision", why)
    return None
