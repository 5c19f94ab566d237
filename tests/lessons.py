"""What makes the histories of some rows meet: few names, so that their facts are about each other.

A history is made from types alone, and then no file belongs to a read set that was registered. A
lesson narrows the fields of an event to a handful of values; rows without one are left as they are.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from genoflow.events import topics
from genoflow.events.case_answered import CaseAnswered
from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_closure_proposed import CaseClosureProposed
from genoflow.events.case_closure_refused import CaseClosureRefused
from genoflow.events.case_file_restored import CaseFileRestored
from genoflow.events.case_joined import CaseJoined
from genoflow.events.case_left import CaseLeft
from genoflow.events.case_member import CaseMember
from genoflow.events.case_member_ready import CaseMemberReady
from genoflow.events.case_member_withdrawn import CaseMemberWithdrawn
from genoflow.events.case_opened import CaseOpened
from genoflow.events.case_priority_proposed import CasePriorityProposed
from genoflow.events.case_priority_refused import CasePriorityRefused
from genoflow.events.case_proposed import CaseProposed
from genoflow.events.case_ready import CaseReady
from genoflow.events.case_refused import CaseRefused
from genoflow.events.content_held import ContentHeld
from genoflow.events.content_released import ContentReleased
from genoflow.events.event import Event
from genoflow.events.expected_file import ExpectedFile
from genoflow.events.file_landed import FileLanded
from genoflow.events.file_quarantined import FileQuarantined
from genoflow.events.file_rejected import FileRejected
from genoflow.events.file_restored import FileRestored
from genoflow.events.measured import Measured
from genoflow.events.measurement import Measurement
from genoflow.events.proposal import Proposal
from genoflow.events.qc_analysis_proposed import QcAnalysisProposed
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_metrics_recorded import QcMetricsRecorded
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.qc_override_proposed import QcOverrideProposed
from genoflow.events.qc_passed import QcPassed
from genoflow.events.qc_requested import QcRequested
from genoflow.events.read_set_file import ReadSetFile
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.ready_member import ReadyMember
from genoflow.events.rerun_proposed import RerunProposed
from genoflow.events.rerun_refused import RerunRefused
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_inputs_invalidated import RunInputsInvalidated
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_superseded import RunSuperseded
from genoflow.events.sample_claim_withdrawn import SampleClaimWithdrawn
from genoflow.events.sample_claimed import SampleClaimed
from genoflow.events.sample_relabelled import SampleRelabelled
from genoflow.events.sample_sheet_amended import SampleSheetAmended
from genoflow.events.sample_sheet_attached import SampleSheetAttached
from genoflow.events.sample_sheet_row import SampleSheetRow
from genoflow.events.sequencing_run_qc_failed import SequencingRunQcFailed
from genoflow.events.sequencing_run_qc_passed import SequencingRunQcPassed
from genoflow.events.subscription_created import SubscriptionCreated
from genoflow.events.threshold import Threshold
from genoflow.events.top_up_proposed import TopUpProposed
from genoflow.events.topics import Topic
from genoflow.events.validated import Validated
from genoflow.events.validation_attempt_failed import ARCHIVED, ValidationAttemptFailed
from genoflow.processors.processor import Processor
from tests import alert_lessons, alignment_lessons, budget_lessons, run_lessons, sweep_lessons
from tests.examples import example
from tests.run_facts import member

Fields = dict[str, Any]
# Rows of which what comes in is not only what they said. Those that hand it on have outcomes that
# stand under other keys than those that they read; people decide beside those that settle.
HOPS: Mapping[str, Topic] = {
    "tell-samples": topics.SAMPLE, "relabel": topics.SAMPLE, "settle-sample": topics.SAMPLE,
    "settle-run": topics.RUN, "settle-case": topics.CASE,
}  # fmt: skip
# Rows whose deadlines count from the end of a try, which comes later where a worker died in it.
AFTER_TRIES = ("deliver", "repair-sources")
QC_ROWS = (
    "check-qc", "measure-reads", "judge-reads", "tell-case", "await-members", "relabel",
    "tell-runs", "settle-sample", "settle-case", "analyze-qc", "tell-content", "find-duplicates",
    "tell-claims", "check-claims",
)  # fmt: skip
RESULTS_ROWS = ("check-results", "publish-results", "supersede-runs", "settle-run")
SWEEP_ROWS = ("sweep-sample", "sweep-run", "sweep-sequencing-run")
RUN_ROWS = ("request-run", "submit-run", "collect-results", "watch-runs")
ELSEWHERE: Mapping[str, Callable[[Processor, Event, random.Random], Event]] = {
    **dict.fromkeys(RUN_ROWS, run_lessons.taught),
    **dict.fromkeys(SWEEP_ROWS, sweep_lessons.taught),
    **dict.fromkeys(alert_lessons.ROWS, alert_lessons.taught),
    **dict.fromkeys(budget_lessons.ROWS, budget_lessons.taught),
    "measure-alignments": alignment_lessons.taught,
}
READ_SETS = ("RS1", "RS1", "RS1", "RS2")  # mostly the first, so that it becomes whole
ROLES = (("R1",), ("R1",), ("R1", "R2"))
SAMPLES = ("S1", "S2")
ROUNDS = (1, 2, 3)
SHA256 = "0" * 64
COVERAGE = Threshold(metric="mean_coverage", unit="x", required_min=30.0)
SELDOM = 0.1  # of what ends a story: else most histories are over before they have begun


def taught(row: Processor, event: Event, source: random.Random) -> Event:
    """The event as this row's histories have it."""
    if isinstance(event, SubscriptionCreated):
        return type(event)(**dict(event) | {"attempts_max": 4}).enveloped(event.envelope)
    if isinstance(event, Proposal):
        event = type(event)(**dict(event) | seen(source)).enveloped(event.envelope)
    if isinstance(event, ValidationAttemptFailed) and row.name == "restore-files":
        fields: Fields = {"reason_code": source.choice((ARCHIVED, ARCHIVED, "out of time"))}
        event = type(event)(**dict(event) | fields).enveloped(event.envelope)
    if (elsewhere := ELSEWHERE.get(row.name)) is not None:
        return elsewhere(row, event, source)
    if row.name not in QC_ROWS + RESULTS_ROWS:
        return event
    table = _USUAL_OF.get(row.name, _USUAL)
    usual = next((u for u in table.get(type(event), ()) if u in row.on + row.folds), None)
    if usual is not None and source.random() > SELDOM:
        event = example(usual, source.randrange(10**9))
    narrow = _NARROWED.get(type(event), _as_it_is)
    fields = narrow(source)
    if row.name == "relabel" and isinstance(event, ReadSetRegistered):
        fields["instrument_run_id"] = "RUN"  # whose verdict is handed on
    if row.name == "settle-run" and "attempt" in type(event).model_fields:
        fields["attempt"] = source.choice((1, 1, 2))  # else most are news of one that was given up
    if row.name == "tell-claims" and isinstance(event, ReadSetRegistered):
        # Most files are of read sets that came from elsewhere.
        fields["demultiplex_attempt"] = source.choice((None, None, None, 1))
    return type(event)(**dict(event) | fields).enveloped(event.envelope)


def _registered(source: random.Random) -> Fields:
    return {
        "read_set_id": source.choice(READ_SETS),
        "instrument_run_id": source.choice(("RUN", None, None)),
        "demultiplex_attempt": 1,
        "expected_files": tuple(ExpectedFile(role=role) for role in source.choice(ROLES)),
        "read_sets_of_sample": 1,
    }


def _file(source: random.Random) -> Fields:
    read_set, role = source.choice(READ_SETS), source.choice(("R1", "R2"))
    return {
        "read_set_id": read_set, "role": role, "bucket": "raw", "object_key": f"{read_set}.{role}",
        "version_id": source.choice(("1", "1", "1", "2")), "size_bytes": 10,
    }  # fmt: skip


def _place(source: random.Random) -> Fields:
    named = _file(source)
    return {name: named[name] for name in ("bucket", "object_key", "version_id")}


def _back(source: random.Random) -> Fields:
    name, role = "RS1", source.choice(("R1", "R1", "R2"))
    return {"bucket": "raw", "object_key": f"{name}.{role}", "version_id": "1"}


def _held(source: random.Random) -> Fields:
    return _file(source) | {
        "sample_id": source.choice(SAMPLES),
        "replaces_read_set_id": source.choice((None, None, "RS9")),
    }


def _validated(source: random.Random) -> Fields:
    names = SHA256 if source.random() > SELDOM else "1" * 64
    return _file(source) | {
        "lane": None, "reads": 100, "bases": 15_000, "sha256": SHA256, "read_names_sha256": names,
    }  # fmt: skip


def _joined(source: random.Random) -> Fields:
    return {
        "case_id": source.choice(("C1", "C2")), "assay": "wgs",
        "reference": source.choice(("GRCh37", "GRCh38", "GRCh38")),
        "target_set": None, "qc_profile": None,
    }  # fmt: skip


def _left(source: random.Random) -> Fields:
    return {"case_id": source.choice(("C1", "C2"))}


def _requested(source: random.Random) -> Fields:
    some = source.choice((("RS1",), ("RS1",), ("RS1", "RS2")))
    roles = source.choice(ROLES)
    return {
        **alignment_lessons.requested(source, panels=SELDOM, targets=SELDOM),
        "assay": "wgs", "reference": "GRCh38",
        "genome_bases": 1_000, "target_bases": None, "thresholds": (COVERAGE,),
        "read_set_ids": some,
        "files": tuple(
            ReadSetFile(
                read_set_id=name, role=role, bucket="raw", object_key=f"{name}.{role}",
                version_id="1", size_bytes=10, sha256=SHA256,
            )
            for name in some
            for role in roles
        ),
    }  # fmt: skip


def _claimed(source: random.Random) -> Fields:
    return {"sample_id": source.choice(SAMPLES), **_place(source)}


def _sheet(source: random.Random) -> Fields:
    held = source.choice((("S1",), ("S2",), SAMPLES, ("S3",)))
    rows = (SampleSheetRow(lane=1, sample_id=one, library_id=f"L-{one}") for one in held)
    return {"revision": source.choice(ROUNDS), "rows": tuple(rows)}


def _recorded(source: random.Random) -> Fields:
    value = source.choice((10.0, 29.9, 30.0, 90.0))
    measured = (Measurement(metric="mean_coverage", value=value, unit="x"),)
    return {"round": source.choice(ROUNDS), "measurements": measured}


def _opened(source: random.Random) -> Fields:
    named = SAMPLES[: source.choice((1, 2))]
    members = (CaseMember(sample_id=one, role="proband", subject_ref=f"P-{one}") for one in named)
    return {"members": tuple(members)}


def _relabelled(source: random.Random) -> Fields:
    return {
        "true_sample_id": source.choice(("K1", "K2", "K3")),
        "read_set_ids": source.choice((("RS1",), ("RS1", "RS2"))),
    }


def _withdrawn(source: random.Random) -> Fields:
    read_set = source.choice(READ_SETS)
    return {"sample_id": source.choice(SAMPLES), "read_set_id": read_set, **_round(source)}


def _ready(source: random.Random) -> Fields:
    member = ReadyMember(
        sample_id=source.choice(SAMPLES), role="single", subject_ref="P1",
        declared_sex="unknown", round=1, files=_requested(source)["files"],
    )  # fmt: skip
    return {"members": (member,)}


def _round(source: random.Random) -> Fields:
    return {"round": source.choice(ROUNDS)}


def _run_verdict(source: random.Random) -> Fields:
    return {"instrument_run_id": "RUN", **_round(source)}


def _asked_for(source: random.Random) -> Fields:
    return {"members": (member("S1"),), "thresholds": (COVERAGE,)}


def _collected(source: random.Random) -> Fields:
    value = source.choice((10.0, 30.0))
    words = {"measured_on": "S1", "verdict": "not judged"}
    return {"measurements": (Measured(metric="mean_coverage", value=value, unit="x", **words),)}


def _answered(source: random.Random) -> Fields:
    revision = source.choice(ROUNDS)
    earlier = UUID(int=revision - 1, version=5) if revision > 1 else None
    return {
        "case_revision": revision, "run_id": UUID(int=revision, version=5),
        "supersedes_run_id": earlier,
    }  # fmt: skip


def _analysis(source: random.Random) -> Fields:
    return {
        "profile": source.choice(("standard", "custom")), "thresholds": (),
        **source.choice((
            {"bucket": None, "object_key": None}, {"bucket": None, "object_key": None},
            {"bucket": "raw", "object_key": "RS1.R1"},
        )),
    }  # fmt: skip


def _override(source: random.Random) -> Fields:
    return {"round": source.choice((None, None, *ROUNDS))}


def _top_up(source: random.Random) -> Fields:
    return {"reads_wanted": source.choice((None, 10)), **_override(source)}


def seen(source: random.Random) -> Fields:
    """What was seen: all, nothing, or nobody asks. A history told twice has other offsets."""
    return {"seen_offset": source.choice((None, None, 0, 10**12))}


def _as_it_is(source: random.Random) -> Fields:
    return {}


_USUAL: Mapping[type[Event], tuple[type[Event], ...]] = {
    ReadSetInvalidated: (Validated, QcRequested),
    FileRejected: (Validated,),
    FileQuarantined: (ReadSetRegistered, Validated),
    ContentReleased: (ContentHeld,),
    SampleRelabelled: (QcFailed,),
    SampleClaimWithdrawn: (SampleClaimed,),
    CaseMemberWithdrawn: (CaseMemberReady,),
    CaseClosed: (CaseMemberReady, CaseReady),
    CaseLeft: (Validated, QcPassed),
    RunCancelled: (ResultsCollected, RunRequested),
    RunSuperseded: (RunRequested,),
    RunInputsInvalidated: (RunRequested,),
}
# Rows that are about what elsewhere ends a story: it is as frequent as all else there.
_USUAL_OF: Mapping[str, Mapping[type[Event], tuple[type[Event], ...]]] = {
    "tell-case": {CaseLeft: (CaseJoined,), QcFailed: (QcPassed,)},
    "relabel": {
        Validated: (ReadSetRegistered,),
        FileRejected: (FileLanded,),
        ReadSetInvalidated: (SampleRelabelled,),
    },
    "settle-case": {
        CaseClosed: (CaseReady,),
        CaseRefused: (CaseProposed,),
        CaseClosureRefused: (CaseClosureProposed,),
        RerunRefused: (RerunProposed,),
        RerunRequested: (RerunProposed,),
        CasePriorityRefused: (CasePriorityProposed,),
    },
    "settle-run": run_lessons.USUAL_OF_SETTLING,
}
_NARROWED: Mapping[type[Event], Callable[[random.Random], Fields]] = {
    ReadSetRegistered: _registered,
    ReadSetInvalidated: lambda source: {"read_set_id": source.choice(READ_SETS)},
    Validated: _validated,
    FileRejected: _file,
    FileQuarantined: _place,
    FileRestored: _back,
    ContentHeld: _held,
    ContentReleased: _place,
    CaseJoined: _joined,
    CaseLeft: _left,
    SequencingRunQcPassed: _run_verdict,
    SequencingRunQcFailed: _run_verdict,
    QcRequested: _requested,
    QcMetricsRecorded: _recorded,
    QcPassed: _round,
    QcFailed: _round,
    QcOverridden: _round,
    QcOverrideProposed: _override,
    QcAnalysisProposed: _analysis,
    TopUpProposed: _top_up,
    SampleRelabelled: _relabelled,
    SampleClaimed: _claimed,
    SampleClaimWithdrawn: lambda source: {"sample_id": source.choice(SAMPLES)},
    SampleSheetAttached: _sheet,
    SampleSheetAmended: _sheet,
    FileLanded: lambda source: {**_file(source), "instrument_run_id": "RUN", "lane": None},
    CaseOpened: _opened,
    CaseReady: _ready,
    CaseMemberWithdrawn: _withdrawn,
    CaseFileRestored: lambda source: {"sample_id": source.choice(SAMPLES)},
    CaseMemberReady: lambda source: {"sample_id": source.choice(SAMPLES), **_round(source)},
    RunRequested: _asked_for,
    RunFailed: run_lessons.failed,
    ResultsCollected: _collected,
    CaseAnswered: _answered,
    **alignment_lessons.NARROWED,
}
