"""How reads are judged, told as stories: their metrics, the verdict, and the cases that hear it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import permutations

import pytest

from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_member import CaseMember
from genoflow.events.case_member_ready import CaseMemberReady
from genoflow.events.case_member_withdrawn import CaseMemberWithdrawn
from genoflow.events.case_opened import CaseOpened
from genoflow.events.case_ready import CaseReady
from genoflow.events.event import Event
from genoflow.events.file_metrics import FileMetrics
from genoflow.events.measurement import Measurement
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_metrics_recorded import QcMetricsRecorded
from genoflow.events.qc_passed import QcPassed
from genoflow.events.ready_member import ReadyMember
from genoflow.events.threshold import Threshold
from genoflow.processors.await_members import AWAIT_MEMBERS
from genoflow.processors.judge_reads import JUDGE_READS
from genoflow.processors.measure_reads import MEASURE_READS
from genoflow.processors.measures import Measures, values_of
from genoflow.processors.tell_case import TELL_CASE
from tests import qc_facts as facts
from tests.partition import MOMENT
from tests.qc_facts import SAMPLE, both, failed, joined, requested, validated
from tests.spec import Spec, heard

# -- measure-reads


def recorded(values: Mapping[str, tuple[float, str]], number: int = 1) -> QcMetricsRecorded:
    """The values of a union of read set A."""
    return QcMetricsRecorded(
        sample_id=SAMPLE, round=number, profile="wgs-30x", profile_version="1",
        read_set_ids=("A",), engine="measure-reads", engine_version="1",
        measurements=tuple(
            Measurement(metric=metric, value=value, unit=unit)
            for metric, (value, unit) in values.items()
        ),
    )  # fmt: skip


MEASURED = {
    "reads": (200.0, "reads"), "bases": (30_000.0, "bases"), "mean_coverage": (30.0, "x"),
    "gc_fraction": (0.5, "fraction"), "n_fraction": (0.0, "fraction"),
    "q30_fraction": (0.9, "fraction"),
}  # fmt: skip


def test_the_metrics_of_the_union_are_those_of_its_files() -> None:
    begin = Spec(MEASURE_READS).given
    begin(*both()).when(requested()).then(recorded(MEASURED))
    asked = heard(requested())
    begin(*both(), asked).when(asked).then_nothing()
    # Regions: the same yield on a tenth of the bases.
    on_regions = MEASURED | {"mean_coverage": (300.0, "x")}
    begin(*both()).when(requested(target_bases=100)).then(recorded(on_regions))


def test_read_sets_are_told_apart_where_there_are_several() -> None:
    files = (*both("A"), *both("B", reads=300, bases=45_000))
    then = Spec(MEASURE_READS).given(*files).when(requested(1, *files))
    [said] = then._said
    assert isinstance(said, QcMetricsRecorded)
    apart = {(m.read_set_id, m.metric): m.value for m in said.measurements}
    assert apart[None, "reads"] == 800
    assert apart["A", "reads"] == 200
    assert apart["B", "bases"] == 90_000


def test_barcodes_are_no_reads_of_the_sample() -> None:
    barcodes = validated(role="I1")
    then = Spec(MEASURE_READS).given(*both(), barcodes).when(requested(1, *both(), barcodes))
    then.then(recorded(MEASURED))


def test_what_counts_no_more_is_not_measured() -> None:
    begin = Spec(MEASURE_READS).given
    begin(*both(), facts.invalidated()).when(requested()).then_nothing()
    begin(*both(), facts.rejected()).when(requested()).then_nothing()
    begin(validated()).when(requested()).then_nothing()


def test_files_weigh_what_they_hold() -> None:
    many = FileMetrics(q30_fraction=1.0, adapter_fraction=0.0, read_length_min=30, variants=2)
    few = FileMetrics(q30_fraction=0.0, adapter_fraction=1.0, read_length_min=20, n_fraction=1.0)
    union = [
        Measures(name="a", reads=300, bases=900, metrics=many),
        Measures(name="b", reads=100, bases=100, metrics=few),
    ]
    values = values_of(union, 100)
    assert values["q30_fraction"] == 0.9
    assert values["adapter_fraction"] == 0.25
    assert values["read_length_min"] == 20
    assert values["variants"] == 2
    assert values["mean_coverage"] == 10
    assert "gc_fraction" not in values
    assert values_of([], 0) == {"reads": 0.0, "bases": 0.0}


# -- judge-reads


def verdict(asked: Event, measured: QcMetricsRecorded) -> QcPassed | QcFailed:
    """What is said of these metrics."""
    then = Spec(JUDGE_READS).given(asked).when(measured)
    [said] = then._said
    assert isinstance(said, QcPassed | QcFailed)
    return said


def test_metrics_within_their_thresholds_pass_and_all_are_told() -> None:
    said = verdict(requested(), recorded(MEASURED))
    assert isinstance(said, QcPassed)
    assert [(one.metric, one.verdict) for one in said.measured] == [
        ("mean_coverage", "pass"), ("q30_fraction", "pass"), ("reads", "not judged"),
        ("bases", "not judged"), ("gc_fraction", "not judged"), ("n_fraction", "not judged"),
    ]  # fmt: skip
    assert said.measured[0].required_min == 30.0
    dull = verdict(requested(), recorded(MEASURED | {"q30_fraction": (0.85, "fraction")}))
    assert isinstance(dull, QcPassed)
    assert dull.measured[1].verdict == "warn"


def test_too_little_coverage_fails_with_the_reads_that_are_missing() -> None:
    said = verdict(requested(), recorded(MEASURED | {"mean_coverage": (20.0, "x")}))
    assert isinstance(said, QcFailed)
    # 10 x of 1,000 bases in reads of 150: 66.7
    assert (said.reason_code, said.reads_missing) == ("below threshold", 67)
    assert said.reason == (
        "mean_coverage is 20 x and has to be at least 30 x. About 67 more reads would be enough: "
        "genoflow qc top-up S1; or let it go on with a reason: genoflow qc override S1"
    )


def test_the_metric_that_lacks_most_says_how_many_reads_are_missing() -> None:
    many = Threshold(metric="reads", unit="reads", required_min=1_000.0)
    yielded = Threshold(metric="bases", unit="bases", required_min=45_000.0)
    asked = requested(thresholds=(facts.COVERAGE, many, yielded))
    said = verdict(asked, recorded(MEASURED | {"mean_coverage": (20.0, "x")}))
    assert isinstance(said, QcFailed)
    assert said.reads_missing == 800  # 67 for the coverage, 100 for the bases


def test_too_much_is_not_mended_by_more() -> None:
    little = Threshold(metric="mean_coverage", unit="x", required_max=20.0)
    said = verdict(requested(thresholds=(little,)), recorded(MEASURED))
    assert isinstance(said, QcFailed)
    assert said.reads_missing is None


def test_what_more_reads_cannot_mend_says_so() -> None:
    dull = {"mean_coverage": (20.0, "x"), "q30_fraction": (0.5, "fraction")}
    said = verdict(requested(), recorded(MEASURED | dull))
    assert isinstance(said, QcFailed)
    assert said.reads_missing is None
    assert "More reads would not mend it" in said.reason
    dirty = Threshold(metric="adapter_fraction", unit="fraction", required_max=0.1)
    said = verdict(
        requested(thresholds=(dirty,)), recorded({"adapter_fraction": (0.4, "fraction")})
    )
    assert isinstance(said, QcFailed)
    assert "adapter_fraction is 0.4 fraction and has to be at most 0.1" in said.reason


@pytest.mark.parametrize("values", [{"reads": (1.0, "reads")}, {"mean_coverage": (99.0, "reads")}])
def test_what_was_required_and_not_measured_fails(values: dict[str, tuple[float, str]]) -> None:
    said = verdict(requested(thresholds=(facts.COVERAGE,)), recorded(values))
    assert isinstance(said, QcFailed)
    assert said.measured[0].verdict == "not judged"
    assert "mean_coverage could not be measured" in said.reason


def test_a_strict_profile_takes_no_file_that_breaks_a_must() -> None:
    broken = facts.violations(validated(role="R2", violations=3))
    said = verdict(requested(validation="strict", violating=(broken,)), recorded(MEASURED))
    assert isinstance(said, QcFailed)
    assert (said.reason_code, said.reads_missing) == ("violations", None)
    assert "s3://raw/A/R2.fastq.gz (3). " in said.reason
    assert "genoflow qc override S1" in said.reason
    found = {one.metric: (one.value, one.required_max, one.verdict) for one in said.measured}
    assert found["violations"] == (3.0, 0.0, "fail")
    few = verdict(
        requested(validation="strict", violating=(broken,)),
        recorded(MEASURED | {"mean_coverage": (10.0, "x")}),
    )
    assert isinstance(few, QcFailed)
    assert "; mean_coverage is 10 x and has to be at least 30 x. Send" in few.reason


def test_a_profile_that_is_not_strict_takes_it_and_a_strict_one_tells_that_there_is_none() -> None:
    broken = facts.violations(validated(violations=3))
    said = verdict(requested(violating=(broken,)), recorded(MEASURED))
    assert isinstance(said, QcPassed)
    assert "violations" not in {one.metric for one in said.measured}
    whole = verdict(requested(validation="strict"), recorded(MEASURED))
    assert isinstance(whole, QcPassed)
    assert (whole.measured[0].metric, whole.measured[0].verdict) == ("violations", "pass")


def test_of_many_files_that_a_strict_profile_does_not_take_the_worst_are_named() -> None:
    many = tuple(
        facts.violations(validated(f"set-{number:04}", violations=number + 1))
        for number in range(1_000)
    )
    said = verdict(requested(validation="strict", violating=many), recorded(MEASURED))
    assert isinstance(said, QcFailed)
    assert "set-0999/R1.fastq.gz (1,000), " in said.reason
    assert "and 995 more files. Send" in said.reason


def test_a_round_is_judged_once_and_by_its_own_request() -> None:
    begin = Spec(JUDGE_READS).given
    measured = heard(recorded(MEASURED))
    begin(requested(), measured).when(measured).then_nothing()
    begin(requested(2)).when(measured).then_nothing()
    begin().when(measured).then_nothing()
    strict = Threshold(metric="mean_coverage", unit="x", required_min=31.0)
    begin(requested(), requested(2, thresholds=(strict,))).when(measured).then(
        verdict(requested(), measured)
    )


# -- tell-case and await-members


def passed(number: int = 1) -> QcPassed:
    """Reads that are enough."""
    return heard(
        QcPassed(
            sample_id=SAMPLE, round=number, profile="wgs-30x", profile_version="1",
            read_set_ids=("A",), measured=verdict(requested(), recorded(MEASURED)).measured,
        )
    )  # fmt: skip


def ready(because: Event, case_id: str = "C1", number: int = 1) -> CaseMemberReady:
    """The case is told."""
    return CaseMemberReady(
        case_id=case_id, sample_id=SAMPLE, role="single", round=number,
        verdict="passed" if isinstance(because, QcPassed) else "overridden",
        verdict_event_id=because.envelope.event_id, files=facts.handed_on(*both()),
    )  # fmt: skip


def test_each_case_of_the_sample_is_told_with_its_files() -> None:
    begin = Spec(TELL_CASE).given
    good = passed()
    cases = (joined("C1"), joined("C2"), joined("C3", reference="GRCh37"))
    begin(*cases, requested()).when(good).then(ready(good), ready(good, "C2"))
    begin(requested(), good).when(joined()).then(ready(good))
    begin(requested(), good, joined()).when(good).then_nothing()
    begin(requested(), joined()).when(passed(2)).then_nothing()


def test_a_case_that_asks_for_something_else_is_not_told() -> None:
    begin = Spec(TELL_CASE).given
    for other in ({"assay": "exome"}, {"qc_profile": "mine"}, {"target_set": "exome"}):
        begin(joined(**other), requested()).when(passed()).then_nothing()
    begin(joined(qc_profile="wgs-30x"), requested()).when(good := passed()).then(ready(good))


def test_a_case_that_the_sample_left_is_not_told() -> None:
    begin = Spec(TELL_CASE).given
    good = passed()
    cases = (joined("C1"), joined("C2"), facts.left("C1"))
    begin(*cases, requested()).when(good).then(ready(good, "C2"))


def test_an_override_lets_the_member_go_on() -> None:
    begin = Spec(TELL_CASE).given
    person = heard(facts.overridden(1))
    begin(joined(), requested(), failed()).when(person).then(ready(person))
    begin(joined(), failed(1, reason_code="run failed")).when(person).then_nothing()


def test_the_newest_round_counts_for_a_case_that_joins_late() -> None:
    begin = Spec(TELL_CASE).given
    begin(requested(), passed(), requested(2)).when(joined()).then_nothing()
    begin(requested(), passed(), requested(2), failed(2)).when(joined()).then_nothing()
    begin(requested(), passed(), facts.invalidated()).when(joined()).then_nothing()
    begin(requested(), joined(), facts.invalidated()).when(passed()).then_nothing()


def withdrawn(name: str = SAMPLE, read_set: str = "A", number: int = 1) -> CaseMemberWithdrawn:
    """Reads that the case was told of count no more."""
    return CaseMemberWithdrawn(
        case_id="C1", sample_id=name, read_set_id=read_set, round=number, reason_code="withdrawn",
        reason="it was spilt",
    )  # fmt: skip


def test_a_case_that_was_told_hears_when_the_reads_count_no_more() -> None:
    begin = Spec(TELL_CASE).given
    told, gone = (joined(), requested(), passed()), heard(facts.invalidated())
    begin(*told).when(gone).then(withdrawn())
    begin(*told, gone).when(gone).then_nothing()
    begin(*told, gone).when(heard(facts.invalidated(), MOMENT + timedelta(days=1))).then_nothing()
    begin(*told).when(facts.invalidated("B")).then_nothing()
    begin(requested(), passed()).when(gone).then_nothing()
    begin(*told[:2], failed()).when(gone).then_nothing()
    other = joined("C2", assay="exome")
    begin(other, *told).when(gone).then(withdrawn())


def test_the_newest_round_is_the_one_that_a_case_loses() -> None:
    begin = Spec(TELL_CASE).given
    more = (*both(), *both("B"))
    told = (joined(), requested(), passed(), requested(2, *more), passed(2))
    begin(*told).when(facts.invalidated("B")).then(withdrawn(read_set="B", number=2))
    late = heard(facts.overridden(1))
    begin(*told, late).when(facts.invalidated()).then(withdrawn(number=2))


def opened(*names: str) -> CaseOpened:
    """An order for these samples."""
    members = tuple(
        CaseMember(sample_id=name, role=role, subject_ref="P1")
        for name, role in zip(names, ("tumour", "normal"), strict=False)
    )
    return CaseOpened(
        case_id="C1", kind="tumour-normal", members=members, assay="wgs", reference="GRCh38",
        source="tests",
    )  # fmt: skip


def member(name: str, number: int = 1) -> CaseMemberReady:
    """A member is ready."""
    return heard(ready(passed()).model_copy(update={"sample_id": name, "round": number}))


def case_ready(revision: int, *members: tuple[str, int]) -> CaseReady:
    """All are there."""
    return CaseReady(
        case_id="C1", revision=revision, kind="tumour-normal", assay="wgs", material="FASTQ",
        members=tuple(
            ReadyMember(
                sample_id=name, role=role, subject_ref="P1", declared_sex="unknown", round=number,
                files=facts.handed_on(*both()),
            )
            for (name, number), role in zip(members, ("tumour", "normal"), strict=False)
        ),
        reference="GRCh38", priority="routine",
    )  # fmt: skip


def test_a_case_waits_for_all_of_its_members_in_any_order() -> None:
    begin = Spec(AWAIT_MEMBERS).given
    for order in permutations((opened("D", "E"), member("D"), member("E"))):
        begin(order[0]).when(order[1]).then_nothing()
        begin(*order[:2]).when(order[2]).then(case_ready(1, ("D", 1), ("E", 1)))


def test_a_member_that_is_ready_anew_is_the_next_revision() -> None:
    begin = Spec(AWAIT_MEMBERS).given
    before = (opened("D", "E"), member("D"), member("E"))
    begin(*before).when(member("D", 2)).then(case_ready(2, ("D", 2), ("E", 1)))
    begin(*before).when(before[1]).then_nothing()
    begin(*before, member("D", 2)).when(member("D", 1)).then_nothing()
    begin(*before).when(member("X")).then_nothing()
    once_more = before[1].model_copy(update={"files": before[1].files[:1]})
    begin(*before).when(heard(once_more, MOMENT + timedelta(hours=1))).then_nothing()


def test_a_member_that_is_withdrawn_is_waited_for_again() -> None:
    begin = Spec(AWAIT_MEMBERS).given
    before = (opened("D", "E"), member("D"), member("E"))
    begin(*before).when(withdrawn("D")).then_nothing()
    begin(*before, withdrawn("D")).when(member("E", 2)).then_nothing()
    anew = member("D", 2)
    begin(*before, withdrawn("D")).when(anew).then(case_ready(2, ("D", 2), ("E", 1)))
    begin(*before[:2], withdrawn("D")).when(before[2]).then_nothing()
    begin(*before[:2], withdrawn("D", "Z")).when(before[2]).then(case_ready(1, ("D", 1), ("E", 1)))


def test_a_case_that_is_closed_is_not_ready_any_more() -> None:
    closed = CaseClosed(case_id="C1", outcome="withdrawn", reason="the patient said no")
    before = (opened("D", "E"), member("D"), closed)
    Spec(AWAIT_MEMBERS).given(*before).when(member("E")).then_nothing()
