"""Foreign reads and depth over targets, of files in a real object store."""

from __future__ import annotations

import gzip
import hashlib
import random
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pysam
import pytest

from genoflow.deploy.wiring import s3_client
from genoflow.events.contamination_estimated import ContaminationEstimated
from genoflow.events.contamination_not_estimated import ContaminationNotEstimated
from genoflow.events.event import Event
from genoflow.events.metric_names import READS_UNITS
from genoflow.events.target_coverage_measured import TargetCoverageMeasured
from genoflow.events.target_coverage_not_measured import TargetCoverageNotMeasured
from genoflow.processors import foreign_reads
from genoflow.processors.adapters.s3 import S3ByteStore
from genoflow.processors.contamination import count_sites, estimate, read_sites
from genoflow.processors.foreign_reads import CountForeign, Indexed, Source, count_foreign
from genoflow.processors.ports import ByteAttempt
from genoflow.processors.target_depth import CoverTargets, cover_targets
from tests import deep_reads
from tests.alignment_lines import bam
from tests.mixtures import write_mixture
from tests.servers import Bucket

DEPTH = 30.0
BOUND = 0.01  # as docs/metrics.md says


class Counting(S3ByteStore):
    """The adapter, with what was asked of it."""

    asked: list[tuple[int, int]]

    def span(
        self, bucket: str, key: str, version_id: str, start: int, end: int, etag: str = ""
    ) -> bytes:
        self.asked.append((start, end))
        return super().span(bucket, key, version_id, start, end, etag)


@pytest.fixture
def store(s3_bucket: Bucket) -> Iterator[Counting]:
    s3_bucket.client.put_bucket_versioning(
        Bucket=s3_bucket.name, VersioningConfiguration={"Status": "Enabled"}
    )
    client = s3_client(s3_bucket.addresses)
    found = Counting(client)
    found.asked = []
    yield found
    client.close()


def put(bucket: Bucket, path: Path, role: str, read_set: str = "A") -> Source:
    """A file in the store, as a request names it."""
    body = path.read_bytes()
    answer = bucket.client.put_object(Bucket=bucket.name, Key=f"{read_set}/{path.name}", Body=body)
    return Source(
        read_set_id=read_set, role=role, bucket=bucket.name, object_key=f"{read_set}/{path.name}",
        version_id=answer["VersionId"], size_bytes=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
    )  # fmt: skip


def indexed(bucket: Bucket, path: Path, read_set: str = "A") -> Indexed:
    beside = path.with_name(f"{path.name}.bai")
    return Indexed(
        bam=put(bucket, path, "BAM", read_set), index=put(bucket, beside, "BAI", read_set)
    )


def asked(bucket: Bucket, panel: Path, *bams: Indexed) -> CountForeign:
    body = panel.read_bytes()
    bucket.client.put_object(Bucket=bucket.name, Key="panel.vcf", Body=body)
    return CountForeign(
        sample_id="S1", round=1, panel_uri=f"s3://{bucket.name}/panel.vcf",
        panel_sha256=hashlib.sha256(body).hexdigest(), bams=bams,
    )  # fmt: skip


def counted(arguments: CountForeign, store: S3ByteStore) -> Event:
    [said] = count_foreign(arguments, ByteAttempt(UUID(int=1), 1, store, lambda *_: None))
    return said


@pytest.mark.parametrize(
    ("share", "seed"),
    [(0.03, 1), *(pytest.param(*one, marks=pytest.mark.long) for one in ((0.0, 1), (0.10, 2)))],
)
def test_a_mixture_is_told_within_its_bound(
    share: float, seed: int, tmp_path: Path, s3_bucket: Bucket, store: Counting
) -> None:
    path, panel = write_mixture(tmp_path, share, DEPTH, seed)
    said = counted(asked(s3_bucket, panel, indexed(s3_bucket, path)), store)
    assert isinstance(said, ContaminationEstimated)
    assert said.share == pytest.approx(share, abs=BOUND)
    assert said.share_low <= share <= said.share_high
    whole = estimate(count_sites(path, read_sites(panel)))
    assert (said.share, said.sites, said.reads) == (whole.share, whole.sites, whole.reads)


def test_the_reads_of_several_files_are_added_up(
    tmp_path: Path, s3_bucket: Bucket, store: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign_reads, "BATCH_BYTES", 1)  # each site by itself
    path, panel = write_mixture(tmp_path, 0.03, 12.0, 1)
    sites = read_sites(panel)[:40]
    few = tmp_path / "few.vcf"
    head = [line for line in panel.read_text().splitlines(keepends=True) if line[0] == "#"]
    rows = [line for line in panel.read_text().splitlines(keepends=True) if line[0] != "#"]
    few.write_text("".join([*head, *rows[:40]]))
    twice = [indexed(s3_bucket, path, name) for name in ("A", "B")]
    one, both = (counted(asked(s3_bucket, few, *some), store) for some in (twice[:1], twice))
    assert isinstance(one, ContaminationEstimated | ContaminationNotEstimated)
    assert isinstance(both, ContaminationEstimated | ContaminationNotEstimated)
    assert one.reads == estimate(count_sites(path, sites)).reads
    assert (both.reads, both.sites) == (2 * one.reads, one.sites)


def write_large(folder: Path) -> tuple[Path, Path]:
    """Reads of 100 bases all over 4 Mbp, and six variants far from each other."""
    chance, length, count = random.Random(5), 4_000_000, 60_000
    path, panel = folder / "large.bam", folder / "panel.vcf"
    header = {"HD": {"VN": "1.6", "SO": "coordinate"}, "SQ": [{"SN": "chr1", "LN": length}]}
    with pysam.AlignmentFile(str(path), "wb", header=header) as file:
        for number, start in enumerate(sorted(chance.choices(range(length - 100), k=count))):
            read = pysam.AlignedSegment(file.header)
            read.query_name, read.flag, read.reference_id = f"r{number}", 0, 0
            read.query_sequence = "".join(chance.choices("ACGT", k=100))
            read.query_qualities_str = "".join(chance.choices("9:;<=>?@ABCDEFGHI", k=100))
            read.reference_start, read.cigarstring, read.mapping_quality = start, "100M", 60
            file.write(read)
    pysam.index(str(path))
    head = "##fileformat=VCFv4.3\n##contig=<ID=chr1>\n##INFO=<ID=AF,Number=A,Type=Float,"
    places = range(300_000, length, 700_000)
    panel.write_text(
        f'{head}Description="f">\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n'
        + "".join(f"chr1\t{one}\t.\tA\tC\t.\t.\tAF=0.5\n" for one in places)
    )
    return path, panel


def test_of_a_large_file_little_is_read(tmp_path: Path, s3_bucket: Bucket, store: Counting) -> None:
    path, panel = write_large(tmp_path)
    arguments = asked(s3_bucket, panel, indexed(s3_bucket, path))
    said = counted(arguments, store)
    whole = estimate(count_sites(path, read_sites(panel)))
    assert isinstance(said, ContaminationNotEstimated)
    assert (said.reason_code, said.sites, said.reads) == ("left open", whole.sites, whole.reads)
    assert whole.reads > 3
    read_bytes = sum(end - start for start, end in store.asked)
    assert read_bytes < path.stat().st_size / 5  # 64 KiB around each piece weigh less in a genome


def test_what_cannot_be_told_says_why(
    tmp_path: Path, s3_bucket: Bucket, store: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, panel = write_mixture(tmp_path, 0.0, 12.0, 1)
    good = asked(s3_bucket, panel, indexed(s3_bucket, path))

    def code(arguments: CountForeign, words: str) -> str:
        said = counted(arguments, store)
        assert isinstance(said, ContaminationNotEstimated)
        assert words in said.reason
        return said.reason_code

    def changed(**fields: object) -> CountForeign:
        [pair] = good.bams
        return good.model_copy(update={"bams": (pair.model_copy(update=fields),)})

    [pair] = good.bams
    gone = pair.bam.model_copy(update={"version_id": "01JD0000000000000000000000"})
    assert code(changed(bam=gone), "there is no such version") == "unreadable"
    other = pair.index.model_copy(update={"sha256": "1" * 64})
    assert code(changed(index=other), "is another file than was validated") == "unreadable"
    pysam.index("-c", str(path), str(tmp_path / "other.csi"))
    csi = put(s3_bucket, tmp_path / "other.csi", "BAI")
    assert code(changed(index=csi), "its index is no BAI") == "no index"
    bad = good.model_copy(update={"panel_sha256": "1" * 64})
    assert code(bad, "its bytes are not those that were published") == "panel unreadable"
    nowhere = good.model_copy(update={"panel_uri": "https://example.org/panel.vcf"})
    assert code(nowhere, "is not in the object store") == "panel unreadable"
    (tmp_path / "none.vcf").write_text("##fileformat=VCFv4.3\n#CHROM\tPOS\n")
    none = asked(s3_bucket, tmp_path / "none.vcf", *good.bams)
    assert code(none, f"{none.panel_uri}: ") == "panel unreadable"
    asked(s3_bucket, panel)  # the panel as it was
    monkeypatch.setattr(foreign_reads, "FETCHED_BYTES_MAX", 10)
    assert code(good, "a smaller panel") == "too much"


def test_bytes_of_another_file_are_no_alignments(
    tmp_path: Path, s3_bucket: Bucket, store: Counting
) -> None:
    path, panel = write_mixture(tmp_path, 0.0, 12.0, 1)
    beside = path.with_name(f"{path.name}.bai").read_bytes()
    two = tmp_path / "two.bam"
    two.write_bytes(bam(b"@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:a\tLN:9\n@SQ\tSN:b\tLN:9\n"))
    two.with_name("two.bam.bai").write_bytes(beside)
    said = counted(asked(s3_bucket, panel, indexed(s3_bucket, two)), store)
    assert isinstance(said, ContaminationNotEstimated)
    assert said.reason_code == "no index"
    assert "its index is of 1 sequences, and its header names 2" in said.reason
    path.write_bytes(b"\0" * path.stat().st_size)
    said = counted(asked(s3_bucket, panel, indexed(s3_bucket, path)), store)
    assert isinstance(said, ContaminationNotEstimated)
    assert said.reason_code == "unreadable"
    assert "its header cannot be read" in said.reason


# -- depth over targets


ORACLE = Path(__file__).parent.parent / "measured" / "mosdepth-0.3.3.txt"
DEEP, DEEP_SEED = 25, 1  # the file of which mosdepth told that


def aimed(
    bucket: Bucket, folder: Path, bed: bytes = deep_reads.bed().encode(), name: str = "t.bed"
) -> CoverTargets:
    """The question how deep the reads of mosdepth's file lie over these regions."""
    path = folder / "deep.bam"
    path.write_bytes(deep_reads.deep_bam(DEEP, DEEP_SEED))
    bucket.client.put_object(Bucket=bucket.name, Key=name, Body=bed)
    return CoverTargets(
        sample_id="S1", round=1, target_set="exome", target_set_version="1",
        uri=f"s3://{bucket.name}/{name}", sha256=hashlib.sha256(bed).hexdigest(),
        file=put(bucket, path, "BAM"),
    )  # fmt: skip


def covered(arguments: CoverTargets, store: S3ByteStore) -> Event:
    [said] = cover_targets(arguments, ByteAttempt(UUID(int=1), 1, store, lambda *_: None))
    return said


def test_depth_over_the_targets_is_what_mosdepth_says(
    tmp_path: Path, s3_bucket: Bucket, store: Counting
) -> None:
    arguments = aimed(s3_bucket, tmp_path)
    said = covered(arguments, store)
    assert isinstance(said, TargetCoverageMeasured)
    assert said.targets_sha256 == arguments.sha256
    summary, *_, distribution = ORACLE.read_text().split("\n\n")
    means = [row.split("\t") for row in summary.splitlines()]
    theirs = {f"target_breadth_{level}x": float(share) for _, level, share in
              (row.split("\t") for row in distribution.splitlines())}  # fmt: skip
    [theirs["target_depth_mean"]] = [float(row[3]) for row in means if row[0] == "total_region"]
    ours = {one.metric: one.value for one in said.measurements}
    assert {"target_depth_mean", "target_breadth_1x", "target_breadth_30x"} <= ours.keys()
    assert ours == {name: pytest.approx(theirs.get(name, 0.0), abs=1e-8) for name in ours}
    assert {one.metric: one.unit for one in said.measurements} == {
        name: READS_UNITS[name] for name in ours
    }


def test_depth_that_cannot_be_told_says_why(
    tmp_path: Path, s3_bucket: Bucket, store: Counting
) -> None:
    good = aimed(s3_bucket, tmp_path)
    assert good.file is not None

    def code(arguments: CoverTargets, words: str) -> str:
        said = covered(arguments, store)
        assert isinstance(said, TargetCoverageNotMeasured)
        assert words in said.reason
        assert "/dev/fd" not in said.reason
        return said.reason_code

    wrong = good.model_copy(update={"sha256": "1" * 64})
    assert code(wrong, f"{good.uri}: its bytes are not those") == "targets unreadable"
    gone = good.model_copy(update={"uri": f"s3://{s3_bucket.name}/gone.bed"})
    assert code(gone, "gone.bed") == "targets unreadable"
    nowhere = good.model_copy(update={"uri": "https://example.org/t.bed"})
    assert code(nowhere, "is not in the object store") == "targets unreadable"
    packed = aimed(s3_bucket, tmp_path, gzip.compress(deep_reads.bed().encode()), "t.bed.gz")
    assert code(packed, "t.bed.gz: line 1 is not") == "targets unreadable"
    other = aimed(s3_bucket, tmp_path, b"1\t100\t900\n", "other.bed")
    assert code(other, "no target lies on a sequence of its header") == "targets elsewhere"
    changed = good.file.model_copy(update={"sha256": "1" * 64})
    code_of_changed = code(good.model_copy(update={"file": changed}), "is another file than was")
    assert code_of_changed == "unreadable"
    head, *rows = deep_reads.text(1, 4).splitlines(keepends=True)
    header = [row for row in rows if row.startswith(b"@")]
    reads = [row for row in rows if not row.startswith(b"@")]
    mixed = tmp_path / "mixed.bam"
    mixed.write_bytes(
        bam(b"".join([head.replace(b"coordinate", b"unsorted"), *header, *reads[::-1]]))
    )
    unsorted = good.model_copy(update={"file": put(s3_bucket, mixed, "BAM")})
    assert code(unsorted, "samtools sort") == "unreadable"
