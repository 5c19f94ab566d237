"""The program of a run over a store in memory and an engine that does as it is told."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from genoflow.deploy.pipelines import GERMLINE, germline_document, locate
from genoflow.deploy.run_pipeline import tasks_of
from genoflow.deploy.settings import Settings
from genoflow.events.errors import Parked, Refused, Retry
from genoflow.events.read_set_file import ReadSetFile
from genoflow.events.reference_file import ReferenceFile
from genoflow.processors.running.engine import NotDone, Plan, code_sha256
from genoflow.processors.running.manifest import Fault, RunManifest, Submission, Tasks
from genoflow.processors.running.names import manifest_key
from genoflow.processors.running.nextflow import Nextflow
from genoflow.processors.running.parameters import GIVEN
from genoflow.processors.running.program import Program
from tests.run_facts import RUN_ID, member, requested

READS, FASTA, BED = b"reads", b">1\nACGT\n", b"1\t0\t4\n"
Change = Callable[[Path], object]


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class Store:
    """Objects by key; it is away as often as it is told."""

    objects: dict[str, bytes]
    away: int = 0
    put: dict[str, tuple[bytes, dict[str, str]]] = field(default_factory=dict)

    def chunks(
        self, bucket: str, key: str, version_id: str, size_bytes: int, etag: str = ""
    ) -> Iterator[bytes]:
        """The port of byte stores."""
        if self.away:
            self.away -= 1
            raise Retry(f"s3://{bucket}/{key}: the store answers no requests now")
        if key not in self.objects:
            raise Parked(f"s3://{bucket}/{key}: there is no such object; put it there again")
        yield self.objects[key]

    def upload(self, path: Path, bucket: str, key: str, metadata: Mapping[str, str]) -> None:
        """The port of uploads."""
        self.put[key] = (path.read_bytes(), dict(metadata))


@dataclass
class Engine:
    """Leaves what a pipeline owes, changed as it is told."""

    change: Change = lambda _: None
    fails: NotDone | None = None
    name: str = "tests"
    version: str = "1"
    saw: dict[str, Any] = field(default_factory=dict)

    def run(self, plan: Plan, /) -> Tasks:
        """Write results."""
        self.saw = dict(plan.parameters)
        with Path(str(plan.parameters["samples"])).open(encoding="utf-8") as table:
            self.saw["rows"] = [*csv.DictReader(table, delimiter="\t")]
        if self.fails is not None:
            raise self.fails
        results = Path(str(plan.parameters["outdir"]))
        for folder, name in (("bam/S1", "S1.bam"), ("vcf/_case", "C1.vcf.gz")):
            (results / folder).mkdir(parents=True)
            (results / folder / name).write_bytes(name.encode())
        rows = [{"metric": "ti_tv", "value": 2.0, "unit": "ratio"}]
        (results / "measurements.json").write_text(json.dumps(rows))
        self.change(results)
        return Tasks(completed=6)


@dataclass
class Stage:
    """A program, a store and what is asked for."""

    store: Store
    engine: Engine
    folder: Path
    code: Path
    asked: dict[str, Any] = field(default_factory=dict)

    def run(self) -> RunManifest:
        """The manifest as the store has it."""
        program = Program(
            self.store, self.store, self.engine, lambda _: self.code, "python", self.folder, (0,)
        )
        submission = Submission(
            requested=requested(**{"pipeline_sha256": code_sha256(self.code), **self.asked}),
            attempt=1, job_id=UUID(int=9),
        )  # fmt: skip
        said = program.run(submission)
        [left, _] = self.store.put[manifest_key(submission.requested.output_prefix, 1)]
        assert RunManifest.model_validate_json(left) == said
        return said

    def fault(self) -> Fault:
        """Why it was not done."""
        said = self.run()
        assert said.fault is not None
        assert said.files == ()
        assert "then have the case run again" in said.fault.reason
        return said.fault


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A run of one sample with regions."""
    code, folder = tmp_path / "code", tmp_path / "work"
    code.mkdir()
    folder.mkdir()
    (code / "main.nf").write_text("workflow { }")
    one = member()
    files = tuple(
        file.model_copy(update={"sha256": sha(READS + file.role.encode())}) for file in one.files
    )
    fasta = ReferenceFile(kind="fasta", uri="s3://ref/g.fa", size_bytes=8, sha256=sha(FASTA))
    objects = {f"S1/{role}.fastq.gz": READS + role.encode() for role in ("R1", "R2")}
    asked = {
        "members": (one.model_copy(update={"files": files}),), "reference_files": (fasta,),
        "target_set": "t", "target_set_version": "1", "target_set_uri": "s3://ref/t.bed",
        "target_set_sha256": sha(BED),
    }  # fmt: skip
    store = Store({**objects, "g.fa": FASTA, "t.bed": BED})
    return Stage(store, Engine(), folder, code, asked)


def test_what_a_pipeline_left_is_put_and_listed(stage: Stage) -> None:
    stage.store.away = 1
    said = stage.run()
    assert said.fault is None
    prefix = f"cases/C1/{RUN_ID}/attempt-1"
    assert {one.kind: (one.sample_id, one.object_key) for one in said.files} == {
        "bam": ("S1", f"{prefix}/S1/S1.bam"), "vcf": (None, f"{prefix}/_case/C1.vcf.gz"),
    }  # fmt: skip
    for one in said.files:
        content, metadata = stage.store.put[one.object_key]
        assert (one.size_bytes, one.sha256) == (len(content), sha(content))
        assert metadata["gf-sha256"] == one.sha256
    assert [(one.metric, one.verdict) for one in said.measurements] == [("ti_tv", "not judged")]
    assert (said.tasks.completed, said.engine) == (6, "tests")
    saw = stage.engine.saw
    assert (saw["ploidy"], saw["case_id"], saw["kind"]) == (2, "C1", "single")
    assert saw.keys() - {"ploidy", "rows"} == GIVEN
    [row] = saw["rows"]
    assert (row["sample"], row["read_set"]) == ("S1", "S1.A")
    assert [Path(row[name]).read_bytes() for name in ("r1", "r2")] == [b"readsR1", b"readsR2"]
    assert Path(saw["fasta"]).read_bytes() == FASTA
    assert Path(saw["bed"]).read_bytes() == BED


@pytest.mark.parametrize("key", ["S1/R2.fastq.gz", "g.fa", "t.bed"])
def test_an_input_that_is_gone_or_another_is_named(stage: Stage, key: str) -> None:
    stage.store.objects[key] = b"other bytes"
    fault = stage.fault()
    assert fault.reason_code == "input missing"
    assert f"/{key}: its bytes are not those that were published" in fault.reason
    del stage.store.objects[key]
    assert "there is no such object" in stage.fault().reason
    stage.store.away = 9
    away = stage.fault()
    assert "the store answers no requests now" in away.reason
    assert (away.may_pass, fault.may_pass) == (True, False)


def test_a_read_set_without_its_mates_is_refused(stage: Stage) -> None:
    one = stage.asked["members"][0]
    more = ReadSetFile(**dict(one.files[0]) | {"object_key": "S1/more.fastq.gz"})
    stage.asked["members"] = (one.model_copy(update={"files": (*one.files, more)}),)
    assert "has 2 files R1 and 1 files R2" in stage.fault().reason


def test_regions_of_another_build_are_refused(stage: Stage) -> None:
    other = b"chr1\t0\t4\n"
    stage.store.objects["t.bed"] = other
    stage.asked["target_set_sha256"] = sha(other)
    fault = stage.fault()
    assert (fault.reason_code, fault.may_pass) == ("refused by the launcher", False)
    assert (
        "the regions t 1 are not those of GRCh38 1: line 1 names the sequence chr1" in fault.reason
    )


def test_a_later_attempt_keeps_what_was_fetched_as_it_was(stage: Stage) -> None:
    stage.engine.fails = NotDone(
        Fault(reason_code="out of memory", reason="then have the case run again")
    )
    stage.run()
    before = {path: path.stat().st_mtime_ns for path in (stage.folder / "inputs").iterdir()}
    stage.store.objects.clear()
    stage.engine.fails = None
    assert stage.run().fault is None
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_other_code_than_was_published_is_not_run(stage: Stage) -> None:
    stage.asked["pipeline_sha256"] = "0" * 64
    fault = stage.fault()
    assert fault.reason_code == "refused by the launcher"
    assert "0000 was published; publish it as a new version" in fault.reason
    assert stage.engine.saw == {}


def test_a_pipeline_that_ends_well_without_its_output_has_failed(stage: Stage) -> None:
    stage.engine.change = lambda results: (results / "vcf/_case/C1.vcf.gz").unlink()
    fault = stage.fault()
    assert fault.reason_code == "manifest incomplete"
    assert "left 0 files as vcf of _case" in fault.reason


def test_an_output_without_content_is_none(stage: Stage) -> None:
    stage.engine.change = lambda results: (results / "bam/S1/S1.bam").write_bytes(b"")
    assert "an empty file as bam of S1" in stage.fault().reason


def test_measurements_that_are_none_are_refused(stage: Stage) -> None:
    stage.engine.change = lambda results: (results / "measurements.json").write_text(
        '[{"metric": "x"}]'
    )
    assert "measurements.json of the pipeline cannot be read" in stage.fault().reason


def test_what_the_engine_says_is_handed_on(stage: Stage) -> None:
    fault = Fault(reason_code="exit code", reason="no; then have the case run again")
    stage.engine.fails = NotDone(fault, Tasks(completed=2, failed=1))
    said = stage.run()
    assert said.fault is not None
    assert (said.fault.reason, said.fault.rule, said.tasks.failed) == (
        fault.reason,
        "step failed",
        1,
    )


def test_the_code_of_a_pipeline_has_one_checksum_whatever_python_caches(tmp_path: Path) -> None:
    (tmp_path / "main.nf").write_text("a")
    before = code_sha256(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__/x.pyc").write_bytes(b"x")
    assert code_sha256(tmp_path) == before
    (tmp_path / "main.nf").rename(tmp_path / "other.nf")
    assert code_sha256(tmp_path) != before


def test_pipelines_are_found_by_their_address(tmp_path: Path) -> None:
    shipped = locate(GERMLINE)
    assert shipped is not None
    assert (shipped / "main.nf").is_file()
    assert germline_document()["code_sha256"] == code_sha256(shipped)
    assert locate(tmp_path.as_uri()) == tmp_path
    for address in ("package:nextflow/none", "package:events/log", "https://host/p", "file://h/p"):
        assert locate(address) is None


def test_an_engine_that_cannot_be_begun_says_so(tmp_path: Path) -> None:
    plan = Plan(tmp_path, {}, tmp_path / "engine", "gf-1")
    with pytest.raises(NotDone, match="Nextflow cannot be begun"):
        Nextflow(tmp_path / "no-java", (), "1", {}).run(plan)


def test_tasks_have_hosts_of_their_own_where_the_settings_say_so(tmp_path: Path) -> None:
    java = tmp_path / "java"
    java.write_text('#!/bin/sh\necho "$@" > arguments\nprintf "task_id\\n" > trace.tsv\n')
    java.chmod(0o755)
    known = {"batch_task_queue": "q$", "batch_task_image": "i"}
    with pytest.raises(Refused, match="a place for their files in GENOFLOW_BATCH_WORK_URI"):
        tasks_of(Settings(home=tmp_path, **known))  # type: ignore[arg-type]
    assert tasks_of(Settings(home=tmp_path)) is None
    tasks = tasks_of(Settings(home=tmp_path, batch_work_uri="s3://work/nextflow", **known))  # type: ignore[arg-type]
    for place, expected in ((None, tmp_path / "engine/tasks"), (tasks, "s3://work/nextflow/gf-1")):
        engine = Nextflow(java, (), "1", {"PATH": "/bin:/usr/bin"}, tasks=place)
        engine.run(Plan(tmp_path, {}, tmp_path / "engine", "gf-1"))
        assert f"-work-dir {expected} " in (tmp_path / "engine/arguments").read_text()
    told = (tmp_path / "engine/trace.config").read_text()
    assert 'process.executor = "awsbatch"\nprocess.queue = "q\\$"\n' in told
    assert "plugins { id 'nf-amazon' }" in told


@pytest.mark.parametrize(
    ("code", "trace", "expected"),
    [
        (1, "7\tab/cd\tCALL\tFAILED\t3", ("exit code", "CALL", 3)),
        (1, "7\tab/cd\tALIGN (S1)\tFAILED\t137", ("out of memory", "ALIGN", 137)),
        (4, "7\tab/cd\tCALL\tCOMPLETED\t0", ("exit code", None, 4)),
    ],
)
def test_the_step_that_failed_is_named(
    tmp_path: Path, code: int, trace: str, expected: tuple[Any, ...]
) -> None:
    java = tmp_path / "java"
    header = "task_id\\thash\\tname\\tstatus\\texit"
    row = trace.replace("\t", "\\t")
    java.write_text(f"#!/bin/sh\nprintf '{header}\\n{row}\\n' > trace.tsv\nexit {code}\n")
    java.chmod(0o755)
    with pytest.raises(NotDone) as caught:
        Nextflow(java, (), "1", {}).run(Plan(tmp_path, {}, tmp_path / "engine", "gf-1"))
    fault = caught.value.fault
    assert (fault.reason_code, fault.failed_process, fault.exit_code) == expected
