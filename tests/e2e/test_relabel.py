"""Two samples under each other's label: swapped by a command, while a worker is killed.

Real servers, real files, every row from a landed file to the run that is asked for.
"""

from __future__ import annotations

import asyncio
import hashlib
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import ensure_bucket, open_log, open_s3
from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.result_file import ResultFile
from genoflow.events.results_published import ResultsPublished
from genoflow.processors.adapters.s3 import S3Store
from genoflow.processors.intake.landing import belonging, landed
from tests import qc_facts, run_facts
from tests.asked import like
from tests.e2e.test_qc_cli import of, opened, published
from tests.e2e.workers import fails, happens, settings_of, succeeds, until, working
from tests.reads import bgzf, fastq
from tests.spec import heard

ROWS = (
    "join-case", "validate-files", "check-qc", "measure-reads", "judge-reads", "tell-case",
    "await-members", "request-run", "relabel", "tell-runs", "retract-results",
)  # fmt: skip
PROFILE = {
    "kind": "qc-profile", "document_id": "wgs-30x", "version": "1", "title": "Whole genome",
    "assays": ["wgs"], "run_thresholds": [], "results_thresholds": [], "top_ups_max": 2,
    "reads_thresholds": [{"metric": "mean_coverage", "unit": "x", "required_min": 5}],
}  # fmt: skip
BODIES = {
    (sample, role): bgzf(fastq(200, seed, mate=mate))
    for sample, seed in (("T1", 1), ("T2", 2))
    for role, mate in (("R1", 1), ("R2", 2))
}
SAY = ("--reason", "tubes were swapped", "--role", "lead", "--person", "a.b")


def everything(settings: Settings) -> list[Event]:
    """Every event about samples, cases and runs."""

    async def read() -> list[Event]:
        async with open_log(settings) as log:
            return [
                record.event
                for topic in (topics.SAMPLE, topics.CASE, topics.RUN)
                async for record in log.read_topic(topic.name)
            ]

    return asyncio.run(read())


def told(settings: Settings, kind: str, *keys: str) -> list[Any]:
    """The events of a type, about these subjects where some are named."""
    found = [event for event in everything(settings) if event.type() == kind]
    return [event for event in found if not keys or event.key in keys]


def so_many(settings: Settings, kind: str, number: int) -> list[Any]:
    """The events of a type, once there are so many."""

    def enough() -> list[Any]:
        found = told(settings, kind)
        return found if len(found) >= number else []

    return until(enough, f"{number} {kind}")


def files_of(settings: Settings, client: Any) -> Sequence[Event]:
    """The files of both samples, each in the store with what it belongs to."""
    store = S3Store(client)

    async def put() -> list[Event]:
        return [
            landed(
                await store.put(
                    settings.raw_bucket, f"{sample}/{role}.fastq.gz", body,
                    belonging(
                        sample_id=sample, read_set_id=f"{sample}.A", instrument_run_id=sample,
                        lane=1, role=role, md5=None, sha256=None,
                    ),
                )
            )
            for (sample, role), body in BODIES.items()
        ]  # fmt: skip

    return asyncio.run(put())


def results_of(case_id: str, run_id: Any) -> ResultsPublished:
    """What the run of this case answered."""
    file = ResultFile(
        kind="vcf", bucket="results", object_key=f"{case_id}.vcf", version_id="1", size_bytes=1,
        sha256="0" * 64, content_type="text/plain",
    )  # fmt: skip
    found: ResultsPublished = like(
        ResultsPublished, run_id=run_id, case_id=case_id, files=(file,), request_id=None
    )
    return heard(found)


def laid_out(stack: Addresses, suffix: str, home: Path) -> Settings:
    """A deployment where each of two samples was read in a run of its own, and was ordered."""
    settings = settings_of(stack, suffix, home, raw_bucket=f"raw-{suffix}")
    succeeds(settings, "topics", "apply")
    client = open_s3(settings)
    ensure_bucket(client, settings.raw_bucket)
    published(settings, PROFILE, {"kind": "reference", **qc_facts.reference().payload()})
    happens(settings, run_facts.pipeline())
    for number, sample in enumerate(("T1", "T2"), start=1):
        run: dict[str, Any] = {"instrument_run_id": sample}
        [read_set] = of(sample, qc_facts.registered(f"{sample}.A", demultiplex_attempt=1, **run))
        verdict = qc_facts.run_passed(sample).model_copy(update=run)
        happens(settings, read_set, verdict, opened(f"CASE-{number}", sample))
    happens(settings, *files_of(settings, client))
    client.close()
    return settings


@pytest.mark.long
def test_two_samples_are_swapped(stack: Addresses, suffix: str, tmp_path: Path) -> None:
    settings = laid_out(stack, suffix, tmp_path / "home")
    with working(settings, tmp_path / "first.log", "--once", *ROWS) as worker:
        before = {one.case_id: one for one in so_many(settings, "RunRequested", 2)}
        happens(settings, results_of("CASE-1", before["CASE-1"].run_id))
        assert "read set 'X' is not registered; it has T1.A" in fails(
            settings, "sample", "relabel", "T1", "--as", "T2", "--read-set", "X", *SAY
        )
        tried = succeeds(settings, "sample", "relabel", "T1", "--as", "T2", *SAY, "--dry-run")
        assert tried == "T1: T1.A would move to T2\n"
        assert told(settings, "SampleRelabelled") == []
        assert succeeds(settings, "sample", "swap", "T1", "T2", *SAY) == (
            "T1: T1.A moves to T2\nT2: T2.A moves to T1\n"
        )
        worker.send_signal(signal.SIGKILL)
    with working(settings, tmp_path / "second.log", "--once", *ROWS):
        so_many(settings, "ResultsRetracted", 1)
        so_many(settings, "RunRequested", 4)
        happens(settings, results_of("CASE-2", before["CASE-2"].run_id))  # too late
        so_many(settings, "ResultsRetracted", 2)
        assert "read set 'T1.A' was relabelled as T2 already; it has T2.A." in fails(
            settings, "sample", "relabel", "T1", "--as", "T2", "--read-set", "T1.A", *SAY
        )
    judged(settings)
    followed(settings, before)
    assert succeeds(settings, "parked", "list") == "nothing is parked\n"


def judged(settings: Settings) -> None:
    """What moved has the bytes of the other, lands once, and is judged alone."""
    for sample, other in (("T1", "T2"), ("T2", "T1")):
        old, new = told(settings, "ReadSetRegistered", sample)
        assert (old.read_set_id, new.replaces_read_set_id) == (f"{sample}.A", f"{other}.A")
        [gone] = told(settings, "ReadSetInvalidated", sample)
        assert (gone.read_set_id, gone.moved_to_sample_id) == (old.read_set_id, other)
        files = told(settings, "FileLanded", sample)
        assert [one.read_set_id for one in files] == [old.read_set_id] * 2 + [new.read_set_id] * 2
        whole = told(settings, "Validated", sample)[2:]
        assert {one.role: one.sha256 for one in whole} == {
            role: hashlib.sha256(BODIES[other, role]).hexdigest() for role in ("R1", "R2")
        }
        rounds = [one.read_set_ids for one in told(settings, "QcRequested", sample)]
        assert rounds == [(old.read_set_id,), (new.read_set_id,)]
        runs = [one.instrument_run_id for one in told(settings, "SequencingRunQcPassed", sample)]
        assert runs == [sample, other]


def followed(settings: Settings, before: dict[str, Any]) -> None:
    """Both cases lost their member, have it anew, and a later run supersedes the first."""
    for case_id, sample in (("CASE-1", "T1"), ("CASE-2", "T2")):
        [lost] = told(settings, "CaseMemberWithdrawn", case_id)
        assert (lost.sample_id, lost.round, lost.reason_code) == (sample, 1, "relabelled")
        assert [one.revision for one in told(settings, "CaseReady", case_id)] == [1, 2]
        runs = [one for one in told(settings, "RunRequested") if one.case_id == case_id]
        first, second = sorted(runs, key=lambda one: int(one.case_revision))
        assert first.run_id == before[case_id].run_id == second.supersedes_run_id
        run = str(first.run_id)
        [void] = told(settings, "RunInputsInvalidated", run)
        [retracted] = told(settings, "ResultsRetracted", run)
        assert (void.read_set_id, retracted.reason_code) == (f"{sample}.A", "relabelled")
        assert [one.before for one in retracted.changes] == [f"vcf: s3://results/{case_id}.vcf@1"]
        assert told(settings, "RunInputsInvalidated", str(second.run_id)) == []
        why = succeeds(settings, "run", "why", run)
        assert f"took reads of {sample} that do not count any more: read set {sample}.A" in why
        assert "had its results retracted, relabelled (tubes were swapped)" in why
    why = succeeds(settings, "sample", "why", "T1")
    assert "T1 was a wrong label: T1.A belongs to T2 (tubes were swapped)" in why
    assert "which stood as T2.A under a wrong label" in why
