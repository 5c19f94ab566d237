"""A sample: its orders, read sets, files and quality, and what it waits for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from genoflow.events.case_left import CaseLeft
from genoflow.events.event import Event
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_metrics_recorded import QcMetricsRecorded
from genoflow.events.qc_passed import QcPassed
from genoflow.events.qc_requested import QcRequested
from genoflow.events.sample_listed import SampleListed
from genoflow.events.sample_registered import SampleRegistered
from genoflow.events.sample_unlisted import SampleUnlisted
from genoflow.events.sequencing_run_qc_failed import SequencingRunQcFailed
from genoflow.events.topics import SAMPLE
from genoflow.projections import sample_state
from genoflow.projections.asking import file as files
from genoflow.projections.asking import read_sets
from genoflow.projections.asking.file import TAKES, Files
from genoflow.projections.asking.subject import A_WORKER, Answer, Subject, Uses, fold, judged
from genoflow.projections.file_state import id_of
from genoflow.projections.sample_metadata import values_in
from genoflow.projections.words import listed

RELABEL = "relabel"  # the processor that registers read sets anew under their true label


@dataclass
class Sample(Subject, sample_state.Sample):
    """What is known of a sample: the state that its row is made from, and what sentences need."""

    registrations: list[SampleRegistered] = field(default_factory=list)
    versions: Files = field(default_factory=dict)  # of its files, with what was found in them
    measured: QcMetricsRecorded | None = None

    @property
    def is_through(self) -> bool:
        """Whether its reads may be used: they passed, or a person answers for them."""
        return isinstance(self.standing, QcPassed) or self.is_overridden


def _take(sample: Sample, event: Any) -> None:
    sample.take(event)
    if isinstance(event, SampleRegistered):
        sample.registrations.append(event)
    elif isinstance(event, QcMetricsRecorded):
        sample.measured = event
    elif isinstance(event, TAKES):
        row = sample.files[id_of(SAMPLE.name, event)]
        files.note(sample.versions, row, event, sample.heard)


USES: Uses = dict.fromkeys(sample_state.USES, _take)


def sample_of(key: str, events: Iterable[Event]) -> Sample:
    """What these events tell of the sample."""
    return fold(Sample(key), events, USES)


# -- why


def why(sample: Sample) -> list[Answer]:
    """What the sample itself waits for; what its cases wait for is asked of them."""
    if not sample.registrations and not sample.read_sets and not sample.cases and sample.files:
        only = [files.why(one) for one in sample.versions.values() if one.is_of_no_sample]
        if only:
            return only
    answers = [*_label(sample), *_strange(sample), *map(_closed, sample.left.values())]
    if sample.left and not sample.cases:
        return answers
    if not sample.cases and not (sample.relabelled and not sample.active):
        answers.append(
            Answer(
                "waits for an order: no case names it", sample.first_at,
                "place one with `genoflow case open`",
            )
        )  # fmt: skip
    return answers + (_quality_of(sample) or _reads_of(sample))


def _closed(left: CaseLeft) -> Answer:
    return Answer(
        f"is no member of case {left.case_id} any more, which was {left.outcome} "
        f"({left.reason.rstrip('.')})",
        left.envelope.occurred_at,
        "nothing is owed by it; order anew with `genoflow case open` where that is wrong",
        is_waiting=False,
    )


def _label(sample: Sample) -> list[Answer]:
    answers = [
        Answer(
            f"has read set {one.name}, which stood as {one.registered.replaces_read_set_id} under "
            f"a wrong label",
            one.registered.envelope.occurred_at, is_waiting=False,
        )
        for one in sample.active
        if one.registered.envelope.producer.service == RELABEL
    ]  # fmt: skip
    found = sample.relabelled
    if found is None:
        return answers
    return [
        *answers,
        Answer(
            f"was a wrong label: {listed(found.read_set_ids)} belongs to {found.true_sample_id} "
            f"({found.reason.rstrip('.')})",
            found.envelope.occurred_at, f"ask `genoflow sample why {found.true_sample_id}`",
            is_waiting=False,
        ),
    ]  # fmt: skip


def _strange(sample: Sample) -> list[Answer]:
    """The runs that files which count name, and whose sheets do not hold the sample."""
    return [
        Answer(
            f"is not on the sheet of run {one.instrument_run_id} (revision {one.sheet_revision}), "
            f"which its files name",
            one.envelope.occurred_at,
            "amend the sheet, or say whose the files are: `genoflow sample relabel`",
            is_waiting=False,
        )
        for one in sample.on_sheets
        if isinstance(one, SampleUnlisted)
    ]


def _quality_of(sample: Sample) -> list[Answer]:
    standing = sample.standing
    if standing is None:
        return []
    at = standing.envelope.occurred_at
    if isinstance(standing, QcRequested):
        profile = f"{standing.profile} {standing.profile_version}"
        says = f"waits to be measured for QC of its reads, round {standing.round}, by {profile}"
        if standing.panel_uri is not None:
            says = f"{says}; its foreign reads are counted"
        return [Answer(says, at, A_WORKER)]
    if isinstance(standing, QcMetricsRecorded):
        says = f"waits for the verdict of QC on its reads, round {standing.round}"
        return [Answer(says, at, A_WORKER)]
    if isinstance(standing, QcPassed):
        return [Answer(f"passed QC of its reads in round {standing.round}", at, is_waiting=False)]
    return _failed(sample, standing, at)


def _failed(sample: Sample, verdict: QcFailed, at: datetime) -> list[Answer]:
    found = judged(verdict.measured, "fail")
    detail = verdict.reason.rstrip(".") + (f": {found}" if found else "")
    says = f"failed QC of its reads in round {verdict.round}, {verdict.reason_code} ({detail})"
    if sample.is_through and sample.overridden is not None:
        person = sample.overridden.envelope.actor.id
        reason = sample.overridden.reason.rstrip(".")
        answered = f"{says}, and {person} answers for it as {sample.overridden.role}: {reason}"
        return [Answer(answered, sample.overridden.envelope.occurred_at, is_waiting=False)]
    if sample.top_up is not None and (
        sample.top_up.failed_event_id == verdict.envelope.event_id
        or sample.top_up.round > verdict.round
    ):
        top_up = sample.top_up
        more = f"waits for a top-up of {top_up.reads_wanted:,} reads: {top_up.reason.rstrip('.')}"
        asked = top_up.envelope.occurred_at
        way = "have it sequenced again; its new read sets are judged with those it has"
        return [Answer(says, at), Answer(more, asked, way)]
    way = "have it sequenced again, or let a person who may do so answer for it"
    return [Answer(says, at, way)]


def _reads_of(sample: Sample) -> list[Answer]:
    every = list(sample.versions.values())
    answers = [_run(one) for one in sample.runs.values() if isinstance(one, SequencingRunQcFailed)]
    loose = [
        file for file in every
        if file.row.read_set_id not in sample.read_sets and file.assigned is None
    ]  # fmt: skip
    if not sample.active:
        answers.append(_without_reads(sample))
    for read_set in sample.active:
        answers += read_sets.why(read_set, sample.versions)
    if waiting := read_sets.to_come(sample.read_sets.values()):
        answers.append(waiting)
    if loose:
        names = listed(str(one.name) for one in loose)
        answers.append(
            Answer(
                f"holds files of no read set that is known here: {names}", loose[0].at,
                "they count once their read set is registered",
            )
        )  # fmt: skip
    if not answers and sample.cases:
        count = len(sample.active)
        sets = "its read set" if count == 1 else f"its {count} read sets"
        whole = f"all files of {sets} are valid"
        at = max((one.verdict_at for one in every if one.verdict_at), default=None)
        answers.append(Answer(f"waits for QC of its reads: {whole}", at, A_WORKER))
    return answers


def _run(verdict: SequencingRunQcFailed) -> Answer:
    return Answer(
        f"comes from run {verdict.instrument_run_id}, which failed QC as a whole "
        f"({verdict.reason.rstrip('.')})",
        verdict.envelope.occurred_at, "decide whether the run is repeated",
    )  # fmt: skip


def _without_reads(sample: Sample) -> Answer:
    gone = [one.invalidated for one in sample.read_sets.values() if one.invalidated]
    if gone:
        last = gone[-1]
        return Answer(
            f"waits for its reads: those of {last.read_set_id} do not count any more, "
            f"{last.reason_code} ({last.reason.rstrip('.')})",
            last.envelope.occurred_at,
            "have it sequenced, or say whose label its own reads bear"
            if last.reason_code == "relabelled"
            else "new read sets are registered when it is demultiplexed anew",
        )  # fmt: skip
    runs = {one.instrument_run_id for one in sample.registrations if one.instrument_run_id}
    of = f" of run {listed(sorted(runs))}" if runs else ""
    return Answer(
        "waits for its reads: no read set is registered for it", sample.first_at,
        f"`genoflow timeline {sample.key}` shows how far the sequencing{of} is",
    )  # fmt: skip


def word(sample: Sample) -> str:
    """Its state in a word or two."""
    every = list(sample.versions.values())
    if every and all(one.is_of_no_sample for one in every):
        return "unassigned" if any(one.is_unassigned for one in every) else "assigned"
    return sample_state.word(sample)


def facts(sample: Sample) -> dict[str, Any]:
    """All that matters of it, for `show`."""
    known = {one.registered_by for one in sample.registrations}
    subjects = {one.subject_ref for one in sample.registrations if one.subject_ref}
    found: dict[str, Any] = {
        "sample": sample.key, "state": word(sample), "registered_by": sorted(known),
        "subject_ref": sorted(subjects),
        "declared_sex": sorted({one.declared_sex for one in sample.registrations}),
        "specimen": sorted({one.specimen for one in sample.registrations if one.specimen}),
        "cases": [
            {
                "case": one.case_id, "kind": one.case_kind, "role": one.role, "assay": one.assay,
                "material": one.material, "reference": one.reference, "target_set": one.target_set,
                "priority": one.priority, "due_at": one.due_at,
            }
            for one in sample.cases.values()
        ],
        "read_sets": [
            {
                "read_set": one.name, "material": one.registered.material,
                "library": one.registered.library_id, "run": one.registered.instrument_run_id,
                "lane": one.registered.lane, "reads": one.registered.reads,
                "state": one.state,
            }
            for one in sample.read_sets.values()
        ],
        "files": [files.facts(one) for one in sample.versions.values()],
        "sheets": [
            {"run": one.instrument_run_id, "lists_it": isinstance(one, SampleListed)}
            for one in sample.on_sheets
        ],
        "metadata": _metadata_facts(sample),
    }  # fmt: skip
    return found | {"qc": _qc_facts(sample), "last": sample.last_type, "last_at": sample.last_at}


def _metadata_facts(sample: Sample) -> dict[str, Any]:
    said = sample.metadata
    if said is None:
        return {}
    return {
        "values": values_in(said), "project": said.project_id, "schema": said.schema_id,
        "schema_version": said.schema_version, "since": said.envelope.occurred_at,
    }  # fmt: skip


def _qc_facts(sample: Sample) -> dict[str, Any]:
    judged_now = sample.judged
    if judged_now is None:
        return {}
    found: dict[str, Any] = {
        "newest": judged_now.type(), "round": judged_now.round,
        "profile": judged_now.profile, "profile_version": judged_now.profile_version,
        "counts_now": sample.standing is not None,
    }  # fmt: skip
    if isinstance(judged_now, QcPassed | QcFailed):
        found["metrics"] = [one.model_dump(exclude_none=True) for one in judged_now.measured]
    elif sample.measured is not None:
        found["metrics"] = [
            one.model_dump(exclude_none=True) for one in sample.measured.measurements
        ]
    if sample.overridden is not None:
        found["overridden_by"] = sample.overridden.envelope.actor.id
    return found
