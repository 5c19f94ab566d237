"""Another QC profile in the place of the recorded one touches whom it has to, and nobody else."""

from __future__ import annotations

import json

import pytest

from genoflow.deploy.replay.decide import Wish
from genoflow.deploy.replay.profile import ProfileInPlace, parse_profile
from genoflow.events.errors import Refused
from genoflow.events.log.memory import MemoryLog
from genoflow.events.qc_metrics_recorded import QcMetricsRecorded
from genoflow.events.qc_profile_published import QcProfilePublished
from genoflow.events.qc_requested import QcRequested
from genoflow.events.threshold import Threshold
from genoflow.processors.flow import PROCESSORS
from genoflow.processors.intake.privacy import PrivacyGuard
from tests.partition import CODEC
from tests.replays import facts, replayed, told, whole_flow

JUDGE = PROCESSORS["judge-reads"]


def profile(guard: PrivacyGuard, name: str = "wgs-30x", **bounds: float) -> QcProfilePublished:
    """A profile as a file holds it, with these bounds of the coverage."""
    coverage = {"metric": "mean_coverage", "unit": "x", **bounds}
    document = {
        "kind": "qc-profile", "document_id": name, "version": "2", "title": "Another",
        "assays": ["wgs"], "run_thresholds": [], "reads_thresholds": [coverage],
        "results_thresholds": [], "top_ups_max": 1,
    }  # fmt: skip
    return parse_profile("profile.json", json.dumps(document), guard)


async def coverage(log: MemoryLog) -> dict[str, float]:
    """The coverage of each sample that was judged."""
    return {
        event.sample_id: one.value
        for event in await facts(log, QcMetricsRecorded)
        for one in event.measurements
        if one.metric == "mean_coverage" and one.read_set_id is None
    }


@pytest.mark.parametrize(
    ("least", "changes"),
    [
        (5.0, {("instead", "QcFailed → QcPassed")}),
        (59.0, {("changed", "QcFailed: reads_missing, reason")}),
        (1_000.0, {("instead", "QcPassed → QcFailed"),
                   ("changed", "QcFailed: reads_missing, reason")}),
    ],
)  # fmt: skip
async def test_another_threshold_lists_exactly_the_samples_that_it_touches(
    least: float, changes: set[tuple[str, str]]
) -> None:
    _, log, _ = whole_flow()
    requested = await facts(log, QcRequested)
    [old] = {threshold.required_min for one in requested for threshold in one.thresholds}
    measured = await coverage(log)
    # Where it fails by both, its reason says by how much.
    touched = {name for name, found in measured.items() if found < max(old, least)}
    replaced = profile(PrivacyGuard(()), required_min=least)
    report = await replayed(log, JUDGE, Wish(change=ProfileInPlace(replaced, CODEC)))
    assert report.changed == len(requested)
    assert {(kind, what) for kind, what, _ in told(report)} == changes
    assert {name for one in report.groups(1) for name in one.subjects} == touched
    assert len(report.differences) == len(touched)
    assert (touched == set(measured)) == (least > 100)


async def test_a_profile_of_another_name_touches_nothing() -> None:
    _, log, _ = whole_flow()
    other = profile(PrivacyGuard(()), "another", required_min=1_000)
    report = await replayed(log, JUDGE, Wish(change=ProfileInPlace(other, CODEC)))
    assert (report.changed, told(report)) == (0, [])


async def test_another_threshold_of_results_holds_the_runs_that_it_touches() -> None:
    _, log, _ = whole_flow()
    row = PROCESSORS["check-results"]
    wanted = profile(PrivacyGuard(()), required_min=30.0).model_copy(
        update={
            "results_thresholds": (
                Threshold(metric="mean_coverage", unit="x", required_min=1_000.0),
            )
        }
    )
    report = await replayed(log, row, Wish(change=ProfileInPlace(wanted, CODEC)))
    assert report.changed
    [(kind, what, count)] = told(report)
    assert (kind, what, count) == ("instead", "ResultsChecked → ResultsHeld", report.recorded)


def test_a_file_without_one_profile_is_refused() -> None:
    with pytest.raises(Refused, match="holds 0 QC profiles"):
        parse_profile("f.json", "[]", PrivacyGuard(()))
