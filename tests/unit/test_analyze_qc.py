"""A sample is held against a named profile: an answer, a refusal, and nothing else follows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from genoflow.events.event import Event
from genoflow.events.file_metrics import FileMetrics
from genoflow.events.qc_analysis_failed import QcAnalysisFailed
from genoflow.events.qc_analysis_passed import QcAnalysisPassed
from genoflow.events.qc_analysis_proposed import QcAnalysisProposed
from genoflow.events.qc_analysis_refused import QcAnalysisRefused
from genoflow.events.qc_analysis_requested import QcAnalysisRequested
from genoflow.events.threshold import Threshold
from genoflow.processors.analyze_qc import ANALYZE_QC, Analyze, analyze, not_analyzed
from genoflow.processors.flow import PROCESSORS
from genoflow.processors.ports import Attempt, Deployment, Ports
from tests import qc_facts as facts
from tests.fakes import FakeCatalog, FakeClock
from tests.partition import Partition
from tests.qc_facts import SAMPLE
from tests.spec import Spec, heard

given = Spec(ANALYZE_QC).given
WHOLE = facts.both()
STRICT = facts.profile(document_id="strict", assays=(), reads_thresholds=(facts.Q30,))
LENIENT = Threshold(metric="q30_fraction", unit="fraction", required_min=0.1)
TOO_MUCH = Threshold(metric="q30_fraction", unit="fraction", required_min=0.95)
CATALOG = FakeCatalog(facts.profile(), STRICT, facts.reference(), facts.target_set())


def question(profile: str = "strict", **words: Any) -> QcAnalysisProposed:
    said = {"sample_id": SAMPLE, "request_id": "r1", "profile": profile}
    return heard(QcAnalysisProposed(**said | words))


def refusal(said: Event, reason: str) -> QcAnalysisRefused:
    return QcAnalysisRefused(
        sample_id=SAMPLE, proposal_event_id=said.envelope.event_id, reason=reason
    )


def opened(*story: Event) -> Analyze:
    """The arguments of the one effect that the last event opens."""
    state = ANALYZE_QC.state()
    for event in story[:-1]:
        known = event if event.has_envelope else heard(event)
        state = ANALYZE_QC.fold(state, known, 0)
    [effect] = ANALYZE_QC.decide(state, story[-1]).effects
    assert isinstance(effect.arguments, Analyze)
    return effect.arguments


async def answered(*story: Event, catalog: FakeCatalog = CATALOG) -> list[Any]:
    """What the effect says, that this story opens."""
    ports = Ports(FakeClock(), catalog=catalog, deployment=Deployment())
    asked = opened(*story)
    return list(await analyze(asked, Attempt(UUID(int=1), 1, ports, lambda *_: None)))


@pytest.mark.parametrize("validation", ["standard", "strict"])
async def test_a_strict_profile_answers_no_for_a_file_that_breaks_a_must(validation: str) -> None:
    published = STRICT.model_copy(update={"validation": validation})
    files = (facts.validated(), facts.validated(role="R2", violations=2))
    catalog = FakeCatalog(published, facts.reference())
    request, verdict = await answered(*files, facts.joined(), question(), catalog=catalog)
    assert request.violating == (facts.violations(files[1]),)
    if validation == "standard":
        assert isinstance(verdict, QcAnalysisPassed)
        return
    assert isinstance(verdict, QcAnalysisFailed)
    assert "the profile strict 1 takes no file" in verdict.reason
    assert "s3://raw/A/R2.fastq.gz (2). Nothing was held back" in verdict.reason


async def test_a_sample_is_held_against_the_profile_that_was_named() -> None:
    asked = question()
    request, verdict = await answered(*WHOLE, facts.joined(), asked)
    assert isinstance(request, QcAnalysisRequested)
    assert (request.profile, request.profile_version, request.assay) == ("strict", "1", "wgs")
    assert request.thresholds == (facts.Q30,)
    assert request.genome_bases == facts.GENOME_BASES
    assert [one.role for one in request.files] == ["R1", "R2"]
    assert request.analysis_id == asked.envelope.event_id
    assert isinstance(verdict, QcAnalysisPassed)
    values = {one.metric: (one.value, one.verdict) for one in verdict.measured}
    assert values["q30_fraction"][0] == pytest.approx(0.9)
    assert values["q30_fraction"][1] == "pass"
    assert values["reads"] == (200.0, "not judged")
    assert values["mean_coverage"][0] == pytest.approx(30.0)


async def test_a_failure_says_by_how_much_and_that_nothing_is_held_back() -> None:
    asked = question("custom", thresholds=(TOO_MUCH,))
    request, verdict = await answered(*WHOLE, asked)
    assert (request.profile, request.profile_version) == ("custom", None)
    assert request.overridden_metrics == ("q30_fraction",)
    assert isinstance(verdict, QcAnalysisFailed)
    assert "q30_fraction is 0.9 fraction and has to be at least 0.95" in verdict.reason
    assert "Nothing was held back" in verdict.reason


async def test_nobody_who_waits_for_a_verdict_of_a_round_reads_that_of_a_question() -> None:
    said = (QcAnalysisRequested, QcAnalysisPassed, QcAnalysisFailed, QcAnalysisRefused)
    readers = {row.name for row in PROCESSORS.values() for one in said if one in row.on + row.folds}
    assert readers == set()


async def test_custom_is_the_labs_own_else_that_of_the_order() -> None:
    own = facts.profile("3", document_id="custom", assays=())
    request, _ = await answered(
        *WHOLE, question("custom"), catalog=FakeCatalog(own, facts.reference())
    )
    assert (request.profile, request.profile_version) == ("custom", "3")
    asked = question("custom", thresholds=(LENIENT,))
    request, _ = await answered(*WHOLE, facts.joined(), asked)
    assert (request.profile, request.overridden_metrics) == ("wgs-30x", ("q30_fraction",))
    assert request.thresholds == (facts.COVERAGE, LENIENT)
    [no] = await answered(*WHOLE, question("custom"))
    assert "qc_profile: custom requires nothing of FASTQ, and nobody has ordered" in no.reason


async def test_what_is_not_published_is_refused_with_the_command_that_does_it() -> None:
    [no] = await answered(*WHOLE, question("standard"))
    assert no.reason == (
        "qc_profile: standard is not published; "
        "`genoflow catalog profile standard | genoflow catalog publish -`"
    )
    [no] = await answered(*WHOLE, question("mine"))
    assert "mine is not published; `genoflow catalog list --kind qc-profile`" in no.reason
    assert (
        not_analyzed(opened(*WHOLE, question()), "no broker")[0].payload()["reason"] == "no broker"
    )


async def test_regions_count_for_coverage_and_without_an_order_nothing_does() -> None:
    request, _ = await answered(*WHOLE, facts.joined(target_set="exome"), question())
    assert request.genome_bases == 100
    request, verdict = await answered(*WHOLE, question())
    assert (request.assay, request.genome_bases) == (None, None)
    assert "mean_coverage" not in {one.metric for one in verdict.measured}


def test_a_sample_without_validated_files_is_refused() -> None:
    for story in ((), (facts.joined(),), (*WHOLE, facts.invalidated())):
        asked = question()
        reason = (
            f"{SAMPLE}: none of its files is validated and counts; `genoflow sample why {SAMPLE}` "
            f"tells what it waits for"
        )
        given(*story).when(asked).then(refusal(asked, reason))


def test_a_path_names_files_of_this_sample_or_is_refused() -> None:
    one = question(bucket="raw", object_key="A/R1.fastq.gz")
    assert [o.file.role for o in opened(*WHOLE, one).question.files] == ["R1"]
    for key in ("A", "A/", None):
        found = opened(*WHOLE, question(bucket="raw", object_key=key)).question.files
        assert [o.file.role for o in found] == ["R1", "R2"]
    for bucket, key in (("raw", "A/R"), ("raw", "B"), ("else", None)):
        asked = question(bucket=bucket, object_key=key)
        reason = (
            f"data_path: s3://{bucket}/{key or ''} holds no validated file of S1; there are "
            f"s3://raw/A/R1.fastq.gz, s3://raw/A/R2.fastq.gz"
        )
        given(*WHOLE).when(asked).then(refusal(asked, reason))


def test_files_of_two_materials_have_to_be_told_apart() -> None:
    bam = facts.validated("B", "BAM", metrics=FileMetrics(mapped_fraction=0.9))
    asked = question()
    reason = (
        f"{SAMPLE}: has files of BAM and of FASTQ, and a profile is held against one of them; name "
        f"it by data_path (--data)"
    )
    given(*WHOLE, bam).when(asked).then(refusal(asked, reason))
    assert opened(*WHOLE, bam, question(bucket="raw", object_key="B")).question.material == "BAM"


@pytest.mark.parametrize(
    ("profile", "threshold", "reason"),
    [
        ("standard", LENIENT, "the profile standard is the same for everybody; leave them out"),
        ("strict", LENIENT, "the profile strict is the same for everybody"),
        ("custom", Threshold(metric="luck", unit="x", required_min=1), "parameters.luck: is not"),
        ("custom", Threshold(metric="reads", unit="x", required_min=1), "is measured in 'reads'"),
        ("custom", Threshold(metric="reads", unit="reads"), "parameters.reads: has no bound"),
    ],
)
def test_parameters_are_for_profiles_of_the_lab_and_for_metrics_that_are_measured(
    profile: str, threshold: Threshold, reason: str
) -> None:
    partition = Partition(ANALYZE_QC)
    partition.put(*(heard(one) for one in WHOLE), question(profile, thresholds=(threshold,)))
    [said] = partition.work()
    assert isinstance(said, QcAnalysisRefused)
    assert reason in said.reason


def test_a_second_delivery_is_answered_once() -> None:
    given(*WHOLE, question()).when(question()).then_nothing()
    given(question()).when(question()).then_nothing()


def test_a_file_that_was_rejected_or_replaced_is_none() -> None:
    found = opened(*WHOLE, facts.rejected("A", "R2"), question()).question.files
    assert [one.file.role for one in found] == ["R1"]
    newer = facts.validated("A", "R1", version="2")
    found = opened(*WHOLE, newer, question()).question.files
    assert sorted(one.file.version_id for one in found) == ["1", "2"]


def test_an_order_that_is_gone_says_nothing_any_more() -> None:
    assert opened(*WHOLE, facts.joined(), facts.left(), question()).question.wish is None
