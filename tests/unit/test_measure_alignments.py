"""Rounds of alignments that owe a share of foreign reads, or depth over targets."""

from __future__ import annotations

from typing import Any

import pytest

from genoflow.events.contamination_estimated import ContaminationEstimated
from genoflow.events.contamination_not_estimated import ContaminationNotEstimated
from genoflow.events.event import Event
from genoflow.events.file_metrics import FileMetrics
from genoflow.events.file_quarantined import FileQuarantined
from genoflow.events.measurement import Measurement
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_metrics_recorded import QcMetricsRecorded
from genoflow.events.qc_passed import QcPassed
from genoflow.events.qc_requested import QcRequested
from genoflow.events.target_coverage_measured import TargetCoverageMeasured
from genoflow.events.target_coverage_not_measured import TargetCoverageNotMeasured
from genoflow.events.threshold import Threshold
from genoflow.events.validated import Validated
from genoflow.processors.foreign_reads import CountForeign
from genoflow.processors.judge_reads import JUDGE_READS
from genoflow.processors.measure_alignments import MEASURE_ALIGNMENTS, NAME
from genoflow.processors.measure_reads import MEASURE_READS
from tests.qc_facts import SAMPLE, invalidated, requested, validated
from tests.spec import Spec, heard

SHA256 = "1" * 64
LIMIT = Threshold(metric="contamination", unit="fraction", required_max=0.03)
PANEL: dict[str, Any] = {
    "panel_uri": "s3://references/panel.vcf", "panel_sha256": SHA256, "panel_size_bytes": 1,
}  # fmt: skip
TARGETS: dict[str, Any] = {
    "target_set": "exome", "target_set_version": "1", "target_set_sha256": SHA256,
    "target_set_uri": "s3://references/t.bed", "target_bases": 100,
}  # fmt: skip


def file(role: str = "BAM", read_set: str = "A") -> Validated:
    metrics = FileMetrics(mapped_fraction=0.9) if role == "BAM" else FileMetrics()
    return validated(read_set, role, object_key=f"{read_set}.{role}", metrics=metrics)


BAM, BAI = file(), file("BAI")


def asked(*files: Validated, **fields: Any) -> QcRequested:
    return requested(1, *(files or (BAM, BAI)), **{"material": "BAM", **PANEL, **fields})


def estimated(share: float = 0.01, number: int = 1) -> ContaminationEstimated:
    return ContaminationEstimated(
        sample_id=SAMPLE, round=number, share=share, share_low=0.0, share_high=share + 0.01,
        sites=400, reads=9_000, panel_sha256=SHA256, fetched_bytes=1, engine=NAME,
        engine_version="1",
    )  # fmt: skip


def unknown(code: str = "no index", reason: str = "no index came") -> ContaminationNotEstimated:
    return ContaminationNotEstimated(
        sample_id=SAMPLE, round=1, reason_code=code, reason=reason, panel_sha256=SHA256,
        engine=NAME, engine_version="1",
    )  # fmt: skip


def covered() -> TargetCoverageMeasured:
    return TargetCoverageMeasured(
        sample_id=SAMPLE, round=1, target_set="exome", target_set_version="1",
        targets_sha256=SHA256, engine="genoflow", engine_version="1",
        measurements=(Measurement(metric="target_depth_mean", value=33.0, unit="x"),),
    )  # fmt: skip


def uncovered() -> TargetCoverageNotMeasured:
    return TargetCoverageNotMeasured(
        sample_id=SAMPLE, round=1, target_set="exome", target_set_version="1",
        reason_code="unreadable", reason="it is gone", engine="genoflow", engine_version="1",
    )  # fmt: skip


def locked(one: Validated) -> FileQuarantined:
    return FileQuarantined(
        subject_topic="gf.sample.v1", subject_key=SAMPLE, bucket=one.bucket,
        object_key=one.object_key, version_id=one.version_id, scanner="tests", threats=("worm",),
        reason="a worm",
    )  # fmt: skip


# -- what is opened


def codes(request: QcRequested, *before: Event) -> list[str]:
    """The reasons that are said at once, and the effects that are opened."""
    then = Spec(MEASURE_ALIGNMENTS).given(*before).when(request)
    said = [getattr(one, "reason_code", "") for one in then._said]
    return [*said, *(one.name for one in then._opened)]


def test_each_round_of_alignments_owes_what_its_request_names() -> None:
    assert codes(asked()) == ["count-foreign"]
    assert codes(asked(**TARGETS)) == ["count-foreign", "cover-targets"]
    none = dict.fromkeys(PANEL)
    assert codes(asked(**none)) == []  # as before there were panels
    assert codes(asked(**none, thresholds=(LIMIT,))) == ["no panel"]
    assert codes(asked(**none, **TARGETS)) == ["cover-targets"]
    assert codes(requested(**TARGETS)) == []  # reads lie nowhere yet


def test_what_cannot_be_read_is_said_at_once() -> None:
    assert codes(asked(BAM)) == ["no index"]
    assert codes(asked(file("CRAM"), material="CRAM")) == ["no BAM"]
    assert codes(asked(), locked(BAM)) == ["quarantined"]
    two = (BAM, BAI, file("BAM", "B"))
    assert codes(asked(*two, **TARGETS)) == ["no index", "several files"]
    both = (*two, file("BAI", "B"))
    assert codes(asked(*both)) == ["count-foreign"]


def test_the_effect_is_told_which_files_and_over_which_panel() -> None:
    then = Spec(MEASURE_ALIGNMENTS).given().when(asked())
    [opened] = then._opened
    arguments = CountForeign(**opened.arguments)
    assert (arguments.panel_uri, arguments.panel_sha256) == ("s3://references/panel.vcf", SHA256)
    [pair] = arguments.bams
    assert (pair.bam.object_key, pair.index.object_key) == ("A.BAM", "A.BAI")


def test_a_second_delivery_opens_nothing() -> None:
    request = heard(asked(**TARGETS))
    Spec(MEASURE_ALIGNMENTS).given(request).when(request).then_nothing()


def test_what_is_locked_away_while_it_is_read_is_left_and_said() -> None:
    then = Spec(MEASURE_ALIGNMENTS).given(asked(**TARGETS)).when(locked(BAM))
    assert [(one.type(), one.reason_code) for one in then._said] == [  # type: ignore[attr-defined]
        ("ContaminationNotEstimated", "quarantined"), ("TargetCoverageNotMeasured", "quarantined"),
    ]  # fmt: skip
    assert len(then._closed) == 2
    given = Spec(MEASURE_ALIGNMENTS).given
    given(asked()).when(locked(file("BAM", "B"))).then_nothing()
    given(asked()).performed(estimated()).when(locked(BAM)).then_nothing()


# -- what waits for it


READ = (BAM, BAI)


def told(event: Event) -> tuple[dict[str, float], dict[str, str]]:
    assert isinstance(event, QcMetricsRecorded)
    values = {one.metric: one.value for one in event.measurements}
    return values, {one.metric: one.reason for one in event.unknown}


def test_a_round_is_measured_once_nothing_is_owed_to_it() -> None:
    given = Spec(MEASURE_READS).given
    given(*READ).when(asked()).then_nothing()
    [said] = given(*READ, asked()).when(estimated(0.02))._said
    values, why = told(said)
    assert (values["contamination"], values["reads"], why) == (0.02, 100.0, {})
    [said] = given(*READ, asked()).when(unknown())._said
    values, why = told(said)
    assert "contamination" not in values
    assert why == {"contamination": "no index came"}
    given(*READ, asked(), estimated()).when(unknown()).then_nothing()
    given(*READ, asked()).when(estimated(number=2)).then_nothing()
    given(*READ).when(estimated()).then_nothing()


def test_both_answers_are_waited_for_in_any_order() -> None:
    given = Spec(MEASURE_READS).given
    both = asked(**TARGETS)
    given(*READ, both).when(covered()).then_nothing()
    given(*READ, both).when(estimated()).then_nothing()
    for first, second in ((covered(), estimated()), (estimated(), covered())):
        [said] = given(*READ, both, first).when(second)._said
        values, _ = told(said)
        assert (values["contamination"], values["target_depth_mean"]) == (0.01, 33.0)
    [said] = given(*READ, both, estimated()).when(uncovered())._said
    assert told(said)[1]["target_depth_mean"] == "it is gone"


def test_a_round_that_counts_no_more_is_not_measured() -> None:
    given = Spec(MEASURE_READS).given
    given(*READ, asked(), invalidated()).when(estimated()).then_nothing()
    given(*READ, asked(), locked(BAM)).when(unknown("quarantined")).then_nothing()


# -- the verdict


@pytest.mark.parametrize(("share", "verdict"), [(0.02, QcPassed), (0.04, QcFailed)])
def test_a_profile_holds_the_share_to_its_limit(share: float, verdict: type[Event]) -> None:
    request = asked(thresholds=(LIMIT,))
    [recorded] = Spec(MEASURE_READS).given(*READ, request).when(estimated(share))._said
    [said] = Spec(JUDGE_READS).given(request).when(recorded)._said
    assert isinstance(said, verdict)


def test_a_share_that_is_required_and_unknown_fails_with_its_reason() -> None:
    for material in ("BAM", "CRAM"):
        request = asked(thresholds=(LIMIT,), material=material)
        [recorded] = Spec(MEASURE_READS).given(*READ, request).when(unknown())._said
        [said] = Spec(JUDGE_READS).given(request).when(recorded)._said
        assert isinstance(said, QcFailed)
        words = "contamination could not be measured (no index came) and has to be at most 0.03"
        assert words in said.reason


def test_a_share_that_nobody_requires_stands_there_as_unknown() -> None:
    request = asked(thresholds=(Threshold(metric="reads", unit="reads", required_min=1.0),))
    [recorded] = Spec(MEASURE_READS).given(*READ, request).when(unknown())._said
    [said] = Spec(JUDGE_READS).given(request).when(recorded)._said
    assert isinstance(said, QcPassed)
    [one] = [one for one in said.measured if one.metric == "contamination"]
    assert (one.verdict, one.value, one.required_max) == ("not judged", 0.0, None)
