"""Where reports come from and go to: the log, files beside it, MultiQC, and the command."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from genoflow.api.reports.multiqc import multiqc_of, sample_names
from genoflow.deploy.cli import genoflow
from genoflow.deploy.qc_reports import Judge, of_files, of_question, of_run, of_sample, with_files
from genoflow.events.errors import NotThere
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from tests import qc_facts as facts
from tests.alignments import bam, vcf
from tests.partition import CODEC
from tests.qc_facts import RUN, SAMPLE
from tests.reads import fastq, library
from tests.report_pages import SECTION, Page, page, told
from tests.spec import heard
from tests.tidy.source import ROOT

# -- MultiQC


@pytest.mark.parametrize(
    "bodies", [[library(300, 3), library(300, 4)], [bam(), bam(seed=2)], [vcf(), vcf(9)]]
)
def test_files_for_multiqc_are_as_it_documents_them(bodies: list[bytes]) -> None:
    report = of_files(
        [told(body, f"{at}/S7_R1.fastq.gz") for at, body in enumerate(bodies)],
        Judge("standard", "wgs", 100),
    )
    contents = multiqc_of(report)
    assert all(name.endswith("_mqc.json") for name in contents)
    assert {"genoflow_general_mqc.json", "genoflow_verdicts_mqc.json"} <= set(contents)
    for name, content in contents.items():
        assert [fault.message for fault in SECTION.iter_errors(content)] == [], name
        json.dumps(content, allow_nan=False)
    general = contents["genoflow_general_mqc.json"]
    assert set(general["data"]) == {"S7_R1", "S7_R1_2"}
    columns = {name for one in general["headers"] for name in one}
    assert columns == {name for row in general["data"].values() for name in row}
    if "genoflow_per_base_quality_mqc.json" in contents:
        quality = contents["genoflow_per_base_quality_mqc.json"]["data"]["S7_R1"]
        mean = report.files[0].metrics["per_base_quality"]["mean"]
        assert quality == [[float(at), value] for at, value in enumerate(mean, start=1)]


def test_names_of_samples_are_plain_and_each_is_one() -> None:
    given = ["a/S7.fastq.gz", "b/S7.fq", "S.7.bam", "<x>.vcf.gz", ".gz", "-"]
    assert sample_names(given) == ["S7", "S7_2", "S_7", "_x_", "file", "-"]


# -- the log

REQUEST = facts.requested()
VERDICT = facts.failed(reason="too little")


@asynccontextmanager
async def log_of(*said: Event) -> AsyncIterator[MemoryLog]:
    """A log on which this was said."""
    async with MemoryLog(codec=CODEC) as log:
        for one in said:
            await log.append(heard(one))
        yield log


MEASURED = facts.failed(2).measured


async def test_a_sample_is_reported_by_its_last_verdict() -> None:
    stranger = facts.validated("B")
    story = (facts.registered(), *facts.both(), stranger, REQUEST, VERDICT, VERDICT)
    async with log_of(*story) as log:
        report = await of_sample(log, SAMPLE, None)
        assert (report.subject, report.verdict, report.reason) == (SAMPLE, "fail", "too little")
        assert [one.name for one in report.files] == [
            "s3://raw/A/R1.fastq.gz",
            "s3://raw/A/R2.fastq.gz",
        ]
        assert [one.type for one in report.facts] == [
            "Validated", "Validated", "QcRequested", "QcFailed",
        ]  # fmt: skip
        read = page(report)
        assert facts.sha("AR11") in read.words
        assert all(one.event_id in read.words for one in report.facts)
        with pytest.raises(NotThere, match=r"there are S1\.1"):
            await of_sample(log, SAMPLE, 2)
        with pytest.raises(NotThere, match="no question"):
            await of_question(log, "0b3f6b0e-3a55-5f0e-8a53-5f2f0c6f2a10")


async def test_the_warnings_of_a_profile_are_told_and_an_override_is() -> None:
    verdict = facts.failed(
        measured=(
            MEASURED[0],
            MEASURED[0].model_copy(
                update={"metric": "q30_fraction", "unit": "fraction", "value": 0.85,
                        "required_min": 0.8, "verdict": "warn"}
            ),
        )
    )  # fmt: skip
    async with log_of(REQUEST, verdict, facts.overridden(1)) as log:
        report = await of_sample(log, SAMPLE, 1)
    assert [one.warn_min for one in report.judged] == [None, 0.9]
    assert "as director: it is enough for this question" in str(report.reason)
    assert report.files == []


async def test_files_beside_a_sample_give_the_curves_by_their_checksum() -> None:
    mine, other = told(library(50, 1), "/data/mine.fq"), told(library(50, 2), "/data/other.fq")
    known = facts.validated(sha256=mine["sha256"])
    story = (known, facts.requested(1, known), VERDICT)
    async with log_of(*story) as log:
        report = await of_sample(log, SAMPLE, None)
    assert len(report.notes) == 1
    merged = with_files(report, [mine, other])
    assert [(one.name, one.is_read) for one in merged.files] == [
        ("s3://raw/A/R1.fastq.gz", True),
        ("/data/other.fq", True),
    ]
    [note] = merged.notes
    assert note.startswith("/data/other.fq is none of the files")
    figures = {some["id"] for tag, some in page(merged).seen if tag == "figure"}
    assert {"f1-per_base_quality", "f2-per_base_quality"} <= figures


async def test_a_run_is_reported_with_the_reads_of_its_libraries() -> None:
    story = (facts.demultiplexed(), facts.run_failed(None))
    async with log_of(*story) as log:
        report = await of_run(log, RUN)
        with pytest.raises(NotThere, match="R9: has no verdict"):
            await of_run(log, "R9")
    assert [(one.name, one.reads) for one in report.shares] == [
        ("S1 L1 L1", 900), ("S2 L2 L1", 0), ("undetermined", 100),
    ]  # fmt: skip
    read = page(report)
    assert (report.verdict, report.reason) == ("fail", "most of it belongs to nobody")
    assert "run-libraries" in {some.get("id") for _, some in read.seen}
    SECTION.validate(multiqc_of(report)["genoflow_verdicts_mqc.json"])


# -- the command


def test_the_example_of_the_page_is_what_the_command_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = (ROOT / "docs/reports.md").read_text(encoding="utf-8")
    example = re.search(r"```console\n\$ genoflow (.+)\n((?:.+\n)+?)```", shown)
    assert example is not None
    monkeypatch.chdir(tmp_path)
    for mate in (1, 2):
        Path(f"S7_R{mate}.fastq").write_bytes(fastq(200, mate=mate))
    result = CliRunner().invoke(genoflow, example[1].split(), catch_exceptions=False)
    assert (result.exit_code, result.output) == (0, example[2])
    read = Page(Path("S7.html").read_text(encoding="utf-8"))
    read.check()
    written = {path.name for path in Path("S7").iterdir()}
    listed = set(re.findall(r"`(genoflow_\w+_mqc\.json)`", shown))
    assert written <= listed
    for path in Path("S7").iterdir():
        SECTION.validate(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name files, or one of"),
        (["--sample", "S7", "--run", "R1"], "three reports"),
        (["--round", "1", "--run", "R1"], "--round is of a sample"),
        (["--sample", "S7", "--profile", "strict"], "judges files alone"),
        (["nowhere.fq"], "no such file"),
    ],
)
def test_a_wrong_call_of_the_report_is_told(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(genoflow, ["qc", "report", *arguments])
    assert result.exit_code == 2
    assert said in result.output
