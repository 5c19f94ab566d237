"""From a case that is ready to collected results: real workers, a real store, real Nextflow."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pysam
import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.processors.running.engine import code_sha256
from tests.e2e.runs import DEPTH, ROWS, Lab, opened, published, sha256_of
from tests.e2e.workers import fails, succeeds, until, working

FOUND_FRACTION_MIN = 0.97  # of the planted variants; some lie where chance left few reads


@pytest.fixture
def lab(stack: Addresses, suffix: str, tmp_path: Path) -> Iterator[Lab]:
    """A deployment of this test's own."""
    with opened(stack, suffix, tmp_path) as lab:
        yield lab


def places(path: Path) -> set[tuple[str, int, bool]]:
    """Where the variants of a file are."""
    with pysam.VariantFile(str(path)) as variants:
        return {(one.chrom, one.pos, "SOMATIC" in one.info) for one in variants}


def variants_of(lab: Lab, collected: Any, folder: Path) -> set[tuple[str, int, bool]]:
    """Where the variants of a run are, by the very file that was collected."""
    for one in collected.files:
        if one.kind in ("vcf", "tbi"):
            answer = lab.client.get_object(Bucket=one.bucket, Key=one.object_key)
            with answer["Body"] as body:
                content = body.read()
            assert (len(content), sha256_of(content)) == (one.size_bytes, one.sha256)
            (folder / Path(one.object_key).name).write_bytes(content)
    return places(next(folder.glob("*.vcf.gz")))


def truth(lab: Lab, letter: str) -> set[tuple[str, int]]:
    """Where variants were planted."""
    path = lab.written.run_folders[0].parent.parent / "truth" / f"SIM-{letter}.vcf"
    with pysam.VariantFile(str(path)) as variants:
        return {(one.chrom, one.pos) for one in variants}


def measured(collected: Any, metric: str) -> dict[str | None, Any]:
    """What a run measured of whom: a word where one was found, else a value; nothing is judged."""
    found = [one for one in collected.measurements if one.metric == metric]
    assert {one.verdict for one in found} <= {"not judged"}
    return {one.measured_on: one.found or one.value for one in found}


def assert_measured(lab: Lab) -> None:
    """Sex, foreign reads and who is who, of one subject and of two whose samples were swapped."""
    [single], [pair], [mixed] = (
        lab.said("ResultsCollected", case_id) for case_id in ("CASE-A", "CASE-DE", "CASE-AE")
    )
    assert measured(single, "sex") == {"SIM-A": "female"}
    assert measured(pair, "sex") == {"SIM-D": "male", "SIM-E": "male"}
    assert measured(mixed, "sex") == {"SIM-A": "female", "SIM-E": "male"}
    for one, samples in ((single, "A"), (pair, "DE"), (mixed, "AE")):
        foreign = measured(one, "contamination")
        assert [*foreign] == [f"SIM-{letter}" for letter in samples]
        assert max(foreign.values()) < 0.02
        assert 1.2 < measured(one, "ti_tv")[None] < 3.6
    assert measured(single, "relatedness") == {}
    assert measured(pair, "relatedness") == {"SIM-D/SIM-E": "same"}
    assert measured(mixed, "relatedness") == {"SIM-A/SIM-E": "unrelated"}
    assert measured(pair, "concordance")["SIM-D/SIM-E"] > 0.95
    assert measured(mixed, "concordance")["SIM-A/SIM-E"] < 0.5


def assert_told(tasks: list[Any]) -> None:
    """Each task says what it was given and took, and where its log lies."""
    peaks = [one.resources.peak_rss_bytes for one in tasks]
    assert all(peak is None or peak > 0 for peak in peaks)
    # A task of a few hundredths of a second may end before the engine looks at it.
    assert sum(peak is not None for peak in peaks) > len(peaks) / 2
    for one in tasks:
        assert one.resources.cpus >= 1
        assert one.resources.cpu_seconds is not None
        assert one.log_uri == f"{one.work_uri}/.command.log"


@pytest.mark.long
def test_cases_that_are_ready_are_run_and_what_was_planted_is_found(
    lab: Lab, tmp_path: Path
) -> None:
    published(lab)
    lab.ready("CASE-A", "single", A="single")
    jobs = lab.settings.home / "jobs"
    with working(lab.settings, tmp_path / "killed.log", "--once", *ROWS) as worker:
        until(lambda: [*jobs.glob("*/begun")], "the job has begun")
        worker.kill()
        worker.wait()
    with working(lab.settings, tmp_path / "worker.log", "--once", *ROWS):
        done = until(lambda: lab.ended("CASE-A"), "the run has ended")
        assert done.type() == "RunSucceeded", done.payload()
        assert len([*jobs.iterdir()]) == 1, "the job outlived its worker, and was found again"
        lab.ready("CASE-DE", "tumour-normal", D="tumour", E="normal")
        pair = until(lambda: lab.ended("CASE-DE"), "the other run has ended")
        assert pair.type() == "RunSucceeded", pair.payload()
        lab.ready("CASE-AE", "tumour-normal", A="tumour", E="normal")
        mixed = until(lambda: lab.ended("CASE-AE"), "the run of two people has ended")
        assert mixed.type() == "RunSucceeded", mixed.payload()
    for case_id in ("CASE-A", "CASE-DE"):
        order = ("RunRequested", "RunSubmitted", "RunExited", "ResultsCollected", "RunSucceeded")
        assert [len(lab.said(kind, case_id)) for kind in order] == [1] * len(order)
    [submitted], [exited] = lab.said("RunSubmitted", "CASE-A"), lab.said("RunExited", "CASE-A")
    assert submitted.job_id == exited.job_id == done.job_id
    assert submitted.job_id in {job.name for job in jobs.iterdir()}
    assert (exited.exit_code, done.tasks_completed, done.outputs) == (0, 9, 8)
    assert pair.outputs == 2 * 4 + 4
    tasks = [one for one in lab.of_run(done.run_id) if one.type() == "TaskCompleted"]
    assert sorted((one.process, one.sample_id) for one in tasks) == [
        ("ALIGN", "SIM-A"), ("CALL", None), ("COMPARE", None), ("COVERAGE", "SIM-A"),
        ("INDEX", None), ("NORMALISE", None), ("QC", "SIM-A"), ("REPORT", None), ("SORT", "SIM-A"),
    ]  # fmt: skip
    assert_told(tasks)
    [started] = lab.said("RunStarted", "CASE-A")
    assert (started.engine, started.resumed, started.job_id) == ("nextflow", False, done.job_id)
    ids = {one.task_id for one in tasks}
    for kind in ("TaskSubmitted", "TaskStarted"):
        assert {one.task_id for one in lab.said(kind, "CASE-A")} == ids
    stories = {one.envelope.correlation_id for one in (*tasks, started, done)}
    assert len(stories) == 1, "news of tasks belong to the story of their run"
    [single] = lab.said("ResultsCollected", "CASE-A")
    assert 0.8 * DEPTH < measured(single, "mean_coverage")["SIM-A"] < 1.2 * DEPTH
    assert_measured(lab)
    (tmp_path / "a").mkdir()
    (tmp_path / "de").mkdir()
    found = {(name, place) for name, place, _ in variants_of(lab, single, tmp_path / "a")}
    planted = truth(lab, "A")
    assert len(found & planted) >= FOUND_FRACTION_MIN * len(planted)
    assert len(found - planted) <= 0.03 * len(planted)
    [both] = lab.said("ResultsCollected", "CASE-DE")
    somatic = {(n, p) for n, p, marked in variants_of(lab, both, tmp_path / "de") if marked}
    only_tumour = truth(lab, "D") - truth(lab, "E")
    assert only_tumour
    assert len(somatic & only_tumour) >= 0.8 * len(only_tumour)
    assert len(somatic - only_tumour) <= 2
    assert succeeds(lab.settings, "parked", "list") == "nothing is parked\n"


@pytest.mark.long
def test_what_cannot_be_run_says_why_and_what_to_do(lab: Lab, tmp_path: Path) -> None:
    idle = tmp_path / "idle"
    idle.mkdir()
    (idle / "main.nf").write_text("workflow { }\n")
    published(lab, uri=idle.as_uri(), code_sha256=code_sha256(idle))
    other_build = json.dumps(lab.regions("panel", b"NC_1\t0\t100\n"))
    succeeds(lab.settings, "catalog", "publish", "-", said=other_build)
    unknown = json.loads(succeeds(lab.settings, "catalog", "germline"))
    unknown |= {"version": "9", "parameters": {"ploidy": 2}}
    refused = fails(lab.settings, "catalog", "publish", "-", said=json.dumps(unknown))
    assert "parameters.ploidy: the pipeline knows no such parameter" in refused
    lab.ready("CASE-IDLE", "single", A="single")
    lab.ready("CASE-BED", "single", {"target_set": "panel"}, A="single")
    lab.ready("CASE-REF", "single", {"reference": "hg19"}, A="single")
    lab.ready("CASE-PIPE", "single", {"pipeline": "none"}, A="single")
    with working(lab.settings, tmp_path / "worker.log", "--once", *ROWS):
        idled = until(lambda: lab.ended("CASE-IDLE"), "the run has ended")
        bed = until(lambda: lab.ended("CASE-BED"), "the other run has ended")
        until(lambda: parked(lab) == ["CASE-PIPE", "CASE-REF"], "what is not published is parked")
    verdicts = [(e.type(), e.reason_code, e.attempt, e.will_retry) for e in (idled, bed)]
    assert verdicts == [
        ("RunFailed", "manifest incomplete", 1, False),
        ("RunFailed", "inputs disagree", 1, False),
    ]
    for run, words in (
        (idled, "ended well and left 0 files as bam of SIM-A"),
        (bed, "the regions panel 1 are not those of simulated 1: line 1 names the sequence NC_1"),
    ):
        said = succeeds(lab.settings, "run", "why", str(run.run_id))
        assert words in said
        assert f"`genoflow run again {run.run_id}`" in said
        assert lab.said("ResultsCollected", run.case_id) == []
    assert (idled.failure_class, idled.failure_rule) == ("pipeline", "output missing")
    assert (bed.failure_class, bed.failure_rule) == ("lab", "reference at odds")
    assert [len(lab.said("RunSubmitted", one)) for one in ("CASE-IDLE", "CASE-BED")] == [1, 0]
    for case_id, words in (
        ("CASE-REF", "names the reference 'hg19', and none of that name is published"),
        ("CASE-PIPE", "names the pipeline 'none', and it is not published"),
    ):
        said = succeeds(lab.settings, "case", "why", case_id)
        assert words in said
        assert "publish it with `genoflow catalog publish FILE`" in said
    shutil.rmtree(idle)


def parked(lab: Lab) -> list[str]:
    """The cases that wait for a person."""
    said = json.loads(succeeds(lab.settings, "parked", "list", "--json"))
    return sorted(one["subject"] for one in said["parked"])
