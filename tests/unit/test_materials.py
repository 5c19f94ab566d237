"""What enters as BAM, CRAM or VCF: its files, how they are judged, and what a run is given."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pysam
import pytest

from genoflow.deploy.generate.cast import Cast, make_cast
from genoflow.deploy.generate.courier import MATERIALS, write_courier
from genoflow.deploy.generate.genome import fasta
from genoflow.deploy.generate.papers import documents, orders
from genoflow.deploy.pipelines import germline_document, program
from genoflow.deploy.send_reads import delivery, sent
from genoflow.events.errors import Parked, Refused
from genoflow.events.file_metrics import FileMetrics
from genoflow.events.measurement import Measurement
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_metrics_recorded import QcMetricsRecorded
from genoflow.events.qc_passed import QcPassed
from genoflow.events.read_set_file import ReadSetFile
from genoflow.events.ready_member import ReadyMember
from genoflow.events.threshold import Threshold
from genoflow.processors.judge_reads import JUDGE_READS
from genoflow.processors.measures import Measures, values_of
from genoflow.processors.ports import Attempt, Deployment, Ports
from genoflow.processors.request_run import Wanted, resolve
from genoflow.processors.running.inputs import Sequences, entries_of
from genoflow.processors.running.regions import lengths_of
from genoflow.projections.asking.sample import sample_of
from tests import alignments, qc_facts
from tests.fakes import FakeCatalog, FakeClock
from tests.qc_facts import SAMPLE, requested
from tests.run_facts import RUN_ID, member, pipeline, ready
from tests.spec import Spec, heard

SEED, DEPTH = 3, 4.0
STEP_SECONDS_MAX = 60
VARIANTS = Threshold(metric="variants", unit="variants", required_min=10.0)


def of(material: str, sample_id: str = "S1", read_set: str = "A") -> ReadyMember:
    """A member with one file, and its index where it is an alignment."""
    roles = {"BAM": ("BAM", "BAI")}.get(material, (material,))
    files = tuple(
        ReadSetFile(
            read_set_id=read_set, role=role, bucket="raw", object_key=f"{read_set}/{role}",
            version_id="1", size_bytes=1, sha256="0" * 64,
        )
        for role in roles
    )  # fmt: skip
    return member(sample_id).model_copy(update={"files": files})


# -- what is expected


@pytest.mark.parametrize(
    ("role", "index"), [("BAM", "BAI"), ("CRAM", "CRAI"), ("VCF", "TBI"), ("VCF", "")]
)
def test_an_index_is_expected_where_it_is_sent(role: str, index: str, tmp_path: Path) -> None:
    files = []
    for one in filter(None, (role, index)):
        (tmp_path / one).write_text(one)
        files.append(sent(one, tmp_path / one))
    registered = delivery(sample_of("S7", ()), files).registers[-1].payload()
    assert registered["material"] == role
    assert [one["role"] for one in registered["expected_files"]] == [one.role for one in files]
    if index:
        alone = f"waits for {index} alone; send it with --{role.lower()}"
        with pytest.raises(Refused, match=alone):
            delivery(sample_of("S7", ()), files[1:])


# -- how reads are judged


def judged(material: str, values: dict[str, tuple[float, str]], *wanted: Threshold) -> Any:
    """The verdict on these values of a material."""
    recorded = QcMetricsRecorded(
        sample_id=SAMPLE, round=1, profile="wgs-30x", profile_version="1", read_set_ids=("A",),
        engine="measure-reads", engine_version="1",
        measurements=tuple(
            Measurement(metric=metric, value=value, unit=unit)
            for metric, (value, unit) in values.items()
        ),
    )  # fmt: skip
    asked = requested(material=material, thresholds=wanted)
    [said] = Spec(JUDGE_READS).given(asked).when(recorded)._said
    return said


def test_variants_have_no_yield_and_alignments_have() -> None:
    found = Measures(name="a", reads=None, bases=None, metrics=FileMetrics(variants=12))
    assert values_of([found], 1_000) == {"variants": 12}
    placed = FileMetrics(mapped_fraction=0.9, q30_fraction=0.8)
    found = Measures(name="a", reads=100, bases=10_000, metrics=placed)
    assert values_of([found], 1_000) == {
        "reads": 100, "bases": 10_000, "mean_coverage": 10, "mapped_fraction": 0.9,
        "q30_fraction": 0.8,
    }  # fmt: skip


def test_what_a_material_cannot_have_is_not_judged_and_holds_nobody() -> None:
    said = judged("VCF", {"variants": (12.0, "variants")}, qc_facts.COVERAGE, VARIANTS)
    assert isinstance(said, QcPassed)
    assert [(one.metric, one.verdict, one.required_min) for one in said.measured] == [
        ("variants", "pass", 10.0), ("mean_coverage", "not judged", None),
    ]  # fmt: skip
    mapped = Threshold(metric="mapped_fraction", unit="fraction", required_min=0.9)
    values = {"mean_coverage": (40.0, "x")}
    assert isinstance(judged("FASTQ", values, qc_facts.COVERAGE, mapped), QcPassed)
    assert isinstance(judged("BAM", values, qc_facts.COVERAGE, mapped), QcFailed)


def test_a_profile_of_which_nothing_can_be_told_passes_nobody() -> None:
    said = judged("VCF", {"variants": (12.0, "variants")}, qc_facts.COVERAGE)
    assert isinstance(said, QcFailed)
    assert said.reason == (
        "the profile wgs-30x 1 asks for mean_coverage, and none of it can be told of a VCF. Order "
        "it with a QC profile for VCF, or let it go on with a reason: genoflow qc override S1"
    )


# -- which pipeline


async def asked_for(material: str, *published: Any, holds: str = "") -> Any:
    """The run of a case of this material, whose member holds this one."""
    catalog = FakeCatalog(*map(heard, (qc_facts.reference(), qc_facts.profile(), *published)))
    ports = Ports(clock=FakeClock(), catalog=catalog, deployment=Deployment())
    case = ready(material=material, members=(of(holds or material),))
    wanted = Wanted(ready=case, run_id=RUN_ID)
    [said] = await resolve(wanted, Attempt(RUN_ID, 1, ports, lambda *_: None))
    return said


async def test_an_assay_has_a_pipeline_for_each_material() -> None:
    both = (
        pipeline(materials=("FASTQ", "BAM")),
        pipeline(document_id="variants", materials=("VCF",)),
    )
    assert (await asked_for("BAM", *both)).pipeline == "germline"
    assert (await asked_for("VCF", *both)).pipeline == "variants"
    with pytest.raises(Parked, match="its files are CRAM, and the pipeline variants 1 takes VCF"):
        await asked_for("CRAM", *both)


async def test_other_files_than_were_ordered_are_not_run() -> None:
    with pytest.raises(Parked, match="was ordered as CRAM, and the files of S1 are BAM; close the"):
        await asked_for("CRAM", pipeline(materials=("CRAM",)), holds="BAM")


def test_variants_owe_no_alignments() -> None:
    reads, variants = germline_document(), germline_document(material="VCF")
    assert reads["document_id"] != variants["document_id"]
    assert (reads["materials"], variants["materials"]) == (["FASTQ", "BAM", "CRAM"], ["VCF"])
    assert [one["kind"] for one in variants["expected_outputs"]] == [
        "vcf",
        "tbi",
        "stats",
        "report",
    ]
    assert reads["code_sha256"] == variants["code_sha256"]


# -- what a run is given, against its reference


FAULTS: dict[str, tuple[str, Callable[[], bytes], str | None]] = {
    "of this one": ("BAM", lambda: alignments.bam(SQ=[{"SN": "two", "LN": 8}]), None),
    "another name": (
        "BAM", lambda: alignments.bam(SQ=[{"SN": "chr1", "LN": 8}]),
        "its header names the sequence chr1, and the reference has one, two …",
    ),
    "another length": (
        "CRAM", lambda: alignments.cram(SQ=[{"SN": "one", "LN": 5_000}]),
        "its header gives one 5,000 bases, and the reference 12",
    ),
    "other bases": (
        "BAM", lambda: alignments.bam(SQ=[{"SN": "one", "LN": 12, "M5": "0" * 32}]),
        "its header says that one has other bases than the reference",
    ),
    "variants of this one": (
        "VCF", lambda: alignments.vcf(1, lines=["##contig=<ID=one,length=12>"]), None,
    ),
    "another base": (
        "VCF", lambda: alignments.vcf(2, lines=["##contig=<ID=one>"]),
        "its record 2 has A at one:11, and the reference has G there",
    ),
    "past the end": (
        "VCF", lambda: alignments.vcf(3, lines=["##contig=<ID=two>"]),
        "its record 1 has A at two:1, and the reference has C there",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTS)
def test_a_file_of_another_reference_is_told_before_anything_is_computed(
    case: str, tmp_path: Path
) -> None:
    role, content, fault = FAULTS[case]
    (tmp_path / "g.fa").write_text(">one\nAaCCGGTTAAGG\n>two here\nCCGGTTAA\n")
    known = Sequences(tmp_path / "g.fa", lengths_of(tmp_path / "g.fa"))
    [entry] = entries_of(of(role))
    [path] = [entry.path(column, tmp_path) for column in entry.files]
    path.write_bytes(content())
    assert entry.is_placed
    assert known.fault(entry, tmp_path) == fault


def test_each_file_has_its_column_and_indexes_have_none(tmp_path: Path) -> None:
    rows = [one.row(Path("in")) for name in ("BAM", "CRAM", "VCF") for one in entries_of(of(name))]
    assert rows == [
        ("S1", "A", "", "", "in/A.BAM.bam", ""), ("S1", "A", "", "", "in/A.CRAM.cram", ""),
        ("S1", "A", "", "", "", "in/A.VCF.vcf"),
    ]  # fmt: skip
    [row] = [one.row(Path("in")) for one in entries_of(member())]
    assert row == ("S1", "S1.A", "in/S1.A.R1.fastq.gz", "in/S1.A.R2.fastq.gz", "", "")


# -- the steps


def step(name: str, folder: Path, *words: object) -> None:
    """Run a step as Nextflow does: by its path, in a folder of its own."""
    subprocess.run(
        [sys.executable, str(program(name)), *map(str, words)],
        cwd=folder, check=True, capture_output=True, timeout=STEP_SECONDS_MAX,
    )  # fmt: skip


@pytest.fixture(scope="module")
def cast() -> Cast:
    """The cast, with few reads."""
    return make_cast(SEED, DEPTH)


def records(path: Path, reference: Path) -> list[list[str]]:
    """The fields of every record that say which read lies where, and its read group."""
    with pysam.AlignmentFile(str(path), reference_filename=str(reference)) as file:
        return sorted([*one.to_string().split("\t")[:11], str(one.get_tag("RG"))] for one in file)


def test_an_alignment_is_taken_with_every_record_in_our_order(cast: Cast, tmp_path: Path) -> None:
    (tmp_path / "reference.fa").write_bytes(fasta(cast.genome))
    step("index", tmp_path, "reference.fa", "index")
    for material in ("BAM", "CRAM"):
        given = write_courier(tmp_path / material, cast, material, "gzip")[0]
        out = tmp_path / f"{material}.taken.bam"
        step("take", tmp_path, "index", "SIM-B", "sent-1", out, given)
        before = records(given, tmp_path / "reference.fa")
        assert len(before) > 100
        assert records(out, tmp_path) == [[*one[:-1], "sent-1"] for one in before]
    turned = tmp_path / "turned.bam"
    with pysam.AlignmentFile(str(tmp_path / "BAM.taken.bam")) as file:
        header = file.header.to_dict()
        header["SQ"] = header["SQ"][::-1]
        other = pysam.AlignmentHeader.from_dict(header)
        with pysam.AlignmentFile(str(turned), "wb", header=other) as target:
            for one in file:
                one.is_duplicate = True
                target.write(pysam.AlignedSegment.fromstring(one.to_string(), other))
    step("take", tmp_path, "index", "SIM-B", "sent-1", "again.bam", turned)
    first, again = (records(tmp_path / f"{one}.bam", tmp_path) for one in ("BAM.taken", "again"))
    assert first == again
    with pysam.AlignmentFile(str(tmp_path / "again.bam")) as file:
        assert file.references == ("chr1", "chrX")
        assert {one["SM"] for one in file.header.to_dict()["RG"]} == {"SIM-B"}


def gathered(folder: Path, names: str, *files: bytes, bed: str = "") -> list[list[Any]]:
    """Each variant with the genotypes of the samples."""
    folder, paths = Path(mkdtemp(dir=folder)), []
    for number, content in enumerate(files):
        paths.append(folder / f"{number}.vcf")
        paths[-1].write_bytes(content)
    step("gather", folder, names, "out.vcf.gz", bed, *paths)
    with pysam.VariantFile(str(folder / "out.vcf.gz")) as found:
        return [[one.pos, *(s["GT"] for s in one.samples.values())] for one in found.fetch()]


def test_the_variants_of_a_case_stand_beside_each_other(tmp_path: Path) -> None:
    one, two = alignments.vcf(2, samples=("S1",)), alignments.vcf(1, "wb", samples=("S2", "S3"))
    het, unknown = (0, 1), (None,)
    assert gathered(tmp_path, "S1", one) == [[1, het], [11, het]]
    [first, second] = gathered(tmp_path, "S1,S2", one, two)
    assert first == [1, het, het]
    assert (second[:2], set(second[2])) == ([11, het], {*unknown})
    assert gathered(tmp_path, "S1,S1", one, alignments.vcf(3, "wz")) == [
        [1, het], [11, het], [21, het],
    ]  # fmt: skip
    (tmp_path / "t.bed").write_text("one\t5\t15\n")
    assert gathered(tmp_path, "S1", one, bed="../t.bed") == [[11, het]]


# -- what is generated


def digests(paths: Sequence[Path]) -> list[str]:
    return [hashlib.sha256(one.read_bytes()).hexdigest() for one in paths]


@pytest.mark.parametrize("material", MATERIALS)
def test_what_comes_by_courier_is_the_same_for_a_seed(
    material: str, cast: Cast, tmp_path: Path
) -> None:
    once, again = (write_courier(tmp_path / name, cast, material, "gzip") for name in ("1", "2"))
    assert len(once) == 2
    assert digests(once) == digests(again)
    [short] = (tmp_path / "1" / "damaged").iterdir()
    [whole] = [one for one in once if one.name == short.name]
    assert whole.read_bytes().startswith(short.read_bytes())
    assert short.stat().st_size < whole.stat().st_size


def test_its_order_and_documents_are_of_its_material(cast: Cast) -> None:
    kinds = {}
    for material in MATERIALS:
        [mine] = [one for one in orders(cast, material) if one["case_id"] == "CASE-2"]
        kinds[material] = (mine.get("material", "FASTQ"), mine.get("qc_profile"))
        published = documents(cast.genome, DEPTH, "reference.fa", material)
        assert len(published) == (5 if material == "VCF" else 3)
        assert mine.get("qc_profile") in (None, *(one["document_id"] for one in published))
    assert kinds == {
        **{one: (one, None) for one in ("FASTQ", "BAM", "CRAM")},
        "VCF": ("VCF", "variants-simulated"),
    }
