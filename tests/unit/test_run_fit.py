"""Reads, regions, known sites and reference of one run: of one build, or refused with the place."""

from __future__ import annotations

import gzip
import random
from typing import Any
from uuid import UUID

import pytest

from genoflow.events.contig import Contig
from genoflow.events.input_finding import InputFinding
from genoflow.events.ready_member import ReadyMember
from genoflow.events.reference_file import ReferenceFile
from genoflow.events.reference_published import ReferencePublished
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_requested import RunRequested
from genoflow.events.target_set_published import TargetSetPublished
from genoflow.processors.collect_results import COLLECT_RESULTS
from genoflow.processors.decision import Effect
from genoflow.processors.headings import Heading, Opening
from genoflow.processors.ports import Attempt, Deployment, Ports
from genoflow.processors.request_run import Wanted, resolve
from genoflow.processors.running.fit import Build, build_of, disagreement, findings_of, left_out
from genoflow.processors.submit_run import SUBMIT_RUN
from tests import alignments, qc_facts
from tests.fakes import FakeCatalog, FakeClock
from tests.headings import Shelf
from tests.run_facts import CASE, RUN_ID, cancelled, member, pipeline, ready, requested
from tests.spec import Spec, heard
from tests.unit.test_collect_results import submission

LENGTHS = {"chr1": 5_000, "chr2": 3_000}
MD5 = {"chr1": "a" * 32, "chr2": "b" * 32}
FASTA = ReferenceFile(kind="fasta", uri="s3://ref/g.fa", size_bytes=1, sha256="0" * 64)
SITES = ReferenceFile(kind="known-sites", uri="s3://ref/k.vcf.gz", size_bytes=1, sha256="0" * 64)
HEAD = "##fileformat=VCFv4.3\n"
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


def published(*files: ReferenceFile, **fields: Any) -> ReferencePublished:
    """A small build."""
    contigs = tuple(
        Contig(name=name, length_bases=length, md5=MD5[name]) for name, length in LENGTHS.items()
    )
    known: dict[str, Any] = {"files": (FASTA, *files), "contigs": contigs, "genome_bases": 8_000}
    return ReferencePublished(**dict(qc_facts.reference()) | known | fields)


def build() -> Build:
    """The same, as files are held against it."""
    return build_of(published())


def of(role: str, body: bytes, shelf: Shelf) -> ReadyMember:
    """A sample with one file of this role, which is put on the shelf."""
    one = member()
    place = {"role": role, "object_key": f"S1.{role.lower()}"}
    shelf.objects[f"raw/{place['object_key']}"] = body
    return one.model_copy(update={"files": (one.files[0].model_copy(update=place),)})


def found(
    *members: ReadyMember,
    shelf: Shelf,
    reference: ReferencePublished | None = None,
    targets: TargetSetPublished | None = None,
) -> list[InputFinding]:
    """What is found of a run of these."""
    shelf.objects.setdefault("ref/g.fa", b">chr1\n")
    asked = requested(members=members or (member(),))
    return findings_of(asked, reference or published(), targets, shelf.headings())


def vcf(*records: str, contigs: str = "") -> bytes:
    """A list of variants, packed by gzip."""
    return gzip.compress(f"{HEAD}{contigs}{COLUMNS}{''.join(records)}".encode(), mtime=0)


# -- names, lengths and bases


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        (Heading("chr1", 5_000, "A" * 32), None),
        (Heading("chr1"), None),
        (Heading("1", 5_000), "it says 1 where the reference says chr1"),
        (Heading("chrUn", 5), "names the sequence chrUn, and the reference has chr1, chr2"),
        (Heading("chr2", 3_001), "gives chr2 3,001 bases, and the reference has 3,000: that is a"),
        (Heading("chr2", 3_000, "c" * 32), "its chr2 has other bases than that of the reference"),
    ],
)
def test_a_sequence_is_known_by_name_length_and_bases(heading: Heading, words: str | None) -> None:
    said = disagreement(Opening((heading,)), build())
    assert said is None if words is None else words in str(said)


def test_mitochondria_and_positions_behind_the_end_are_told() -> None:
    small = Build("b 1", {"MT": Contig(name="MT", length_bases=9, md5="0" * 32)})
    said = disagreement(Opening((Heading("chrM"),)), small)
    assert said == "it says chrM where the reference says MT"
    behind = disagreement(Opening((), (("chr1", 5_001),)), build())
    assert behind == "it has a record at chr1:5,001, and that ends at 5,000"
    assert disagreement(Opening((), (("chr1", 5_000),)), build()) is None


def test_fewer_sequences_are_allowed_and_said() -> None:
    said = left_out(Opening((Heading("chr1"),)), build())
    assert said == "leaves out 1 sequences of the reference (chr2), which it may"
    assert left_out(Opening((Heading("chr1"), Heading("chr2"))), build()) is None
    assert left_out(Opening(()), build()) is None


# -- files, read as htslib reads them


@pytest.mark.parametrize("role", ["BAM", "CRAM"])
@pytest.mark.parametrize(
    ("sequences", "words"),
    [
        ([{"SN": name, "LN": n, "M5": MD5[name]} for name, n in LENGTHS.items()], None),
        ([{"SN": "chr1", "LN": 5_000}], "leaves out 1 sequences"),
        ([{"SN": "1", "LN": 5_000}], "it says 1 where the reference says chr1"),
        ([{"SN": "chr1", "LN": 4_990}], "gives chr1 4,990 bases"),
        ([{"SN": "chr1", "LN": 5_000, "M5": "0" * 32}], "other bases"),
    ],
)
def test_an_alignment_says_itself_of_which_build_it_is(
    role: str, sequences: list[dict[str, Any]], words: str | None
) -> None:
    shelf = Shelf()
    body = (alignments.bam if role == "BAM" else alignments.cram)(SQ=sequences)
    said = found(of(role, body, shelf), shelf=shelf)
    assert [one.what for one in said] == ([] if words is None else ["reads"])
    if words is not None:
        [one] = said
        assert words in one.said
        assert one.place == f"s3://raw/S1.{role.lower()}@1"
        assert one.refuses == ("leaves out" not in words)
        if one.refuses:
            assert f"`genoflow reads send S1 --{role.lower()} FILE --read-set S1.A`" in one.said


def test_of_a_large_file_its_beginning_is_fetched_and_no_more() -> None:
    shelf = Shelf()
    rows = [{"SN": f"chr1_{number:06}", "LN": 100} for number in range(300)]
    more = random.Random(1).randbytes(2_000_000)  # as if reads followed
    body = alignments.bam(SQ=[*rows, {"SN": "other", "LN": 9}]) + more
    [one] = found(of("BAM", body, shelf), shelf=shelf)
    assert "names the sequence chr1_000000" in one.said
    assert shelf.fetched["raw/S1.bam"] <= 1_100_000


def test_a_header_that_is_longer_than_the_first_look_is_read_whole() -> None:
    shelf = Shelf()
    noise = [random.Random(number).randbytes(64).hex() for number in range(22_000)]
    body = alignments.bam(SQ=[{"SN": "1", "LN": 5_000}], CO=noise)
    assert len(body) > 1_200_000
    [one] = found(of("BAM", body, shelf), shelf=shelf)
    assert "it says 1 where the reference says chr1" in one.said


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (vcf("chr1\t5000\t.\tA\tC\t.\t.\t.\n", contigs="##contig=<ID=chr1,length=5000>\n"), "out"),
        (vcf("1\t5\t.\tA\tC\t.\t.\t.\n"), "it says 1 where the reference says chr1"),
        (vcf("chr1\t6000\t.\tA\tC\t.\t.\t.\n"), "a record at chr1:6,000, and that ends at 5,000"),
        (vcf(contigs="##contig=<ID=chr2,length=9>\n"), "gives chr2 9 bases"),
        (b"no variants", "cannot be read"),
        (b"", "cannot be read"),
    ],
    ids=["fewer contigs", "other names", "behind the end", "other length", "no VCF", "empty"],
)
def test_variants_are_told_by_their_header_and_their_first_records(body: bytes, words: str) -> None:
    shelf = Shelf()
    [one] = found(of("VCF", body, shelf), shelf=shelf)
    assert words in one.said
    assert one.refuses == (words != "out")
    sites = Shelf({"ref/k.vcf.gz": body})
    [same] = found(shelf=sites, reference=published(SITES))
    assert (same.what, same.place) == ("known sites", "s3://ref/k.vcf.gz")
    assert words in same.said


@pytest.mark.parametrize(
    ("bed", "padding", "words"),
    [
        (b"chr1\t0\t5000\nchr2\t10\t111\n", 50, None),
        (b"chr1\t0\t51\nchr2\t2950\t3000\n", 40, None),
        (b"1\t0\t10\n", 0, "line 1 names the sequence 1, and the reference has chr1"),
        (b"chr1\t0\t10\nchr2\t2990\t3001\n", 0, "line 2 ends at 3,001, and chr2 of the reference"),
        (b"chr1\t100\t180\n", 50, "line 1 has 80 bases, and 50 at either side are said to be pad"),
    ],
)
def test_every_region_lies_within_its_sequence(bed: bytes, padding: int, words: str | None) -> None:
    targets = qc_facts.target_set().model_copy(
        update={"uri": "s3://ref/t.bed", "padding_bases": padding}
    )
    shelf = Shelf({"ref/t.bed": bed})
    said = found(shelf=shelf, targets=targets)
    assert len(said) == (words is not None)
    if words is not None:
        assert words in said[0].said
        assert (said[0].what, said[0].place) == ("targets", "s3://ref/t.bed")
    del shelf.objects["ref/t.bed"]
    [gone] = found(shelf=shelf, targets=targets)
    assert "cannot be fetched" in gone.said


def test_a_reference_that_is_gone_or_has_no_genome_refuses_the_run() -> None:
    shelf = Shelf()
    bare = published().model_copy(update={"files": (SITES.model_copy(update={"kind": "gtf"}),)})
    [one] = found(shelf=shelf, reference=bare)
    assert "has no file of the kind fasta; publish a version that has one" in one.said
    named = FASTA.model_copy(update={"uri": "s3://ref/none.fa"})
    [two] = found(shelf=shelf, reference=published().model_copy(update={"files": (named,)}))
    assert "there is no such object" in two.said
    assert (two.what, two.refuses) == ("reference", True)


def test_what_lies_in_an_archive_is_compared_later() -> None:
    shelf = Shelf(archived={"raw/S1.bam", "ref/g.fa"})
    [one] = found(of("BAM", b"", shelf), shelf=shelf)
    assert (one.refuses, "lies in an archive" in one.said) == (False, True)


# -- on the log


def refused(**fields: Any) -> RunRequested:
    """A request that is not to be begun."""
    said = "the read set S1.A of S1 is not of GRCh38 1: it says 1 where the reference says chr1"
    finding = InputFinding(what="reads", place="s3://raw/S1.bam@1", said=said, refuses=True)
    return requested(findings=(finding,), **fields)


def failed() -> RunFailed:
    """What follows from it."""
    return RunFailed(
        run_id=RUN_ID, case_id=CASE, attempt=1, reason_code="inputs disagree",
        reason=f"nothing was submitted: {refused().findings[0].said}, then have the case run "
        "again with `genoflow run again`",
        will_retry=False, failure_class="data", failure_rule="reads of another build",
        advice="The file that was sent was made with another reference genome than was ordered. "
        "Nothing was computed: send it made with the right one, or order the case with the other "
        "one, then run it again.",
        evidence=("s3://raw/S1.bam@1",),
    )  # fmt: skip


def test_a_run_whose_inputs_disagree_fails_at_once_and_nothing_is_submitted() -> None:
    asked = heard(refused())
    given = Spec(COLLECT_RESULTS).given
    given().when(asked).then(failed())
    given(asked).when(asked).then_nothing()
    given(cancelled()).when(asked).then_nothing()
    Spec(SUBMIT_RUN).given().when(asked).then_nothing()
    Spec(SUBMIT_RUN).given(asked).when(heard(failed())).then_nothing()
    Spec(SUBMIT_RUN).given(asked).when(cancelled()).then_nothing()


def test_a_note_refuses_nothing() -> None:
    note = refused().findings[0].model_copy(update={"refuses": False})
    asked = heard(requested(findings=(note,)))
    Spec(COLLECT_RESULTS).given().when(asked).then_nothing()
    what = submission(asked)
    then = Spec(SUBMIT_RUN).given().when(asked).then()
    then.then_effects(Effect("launch", what), Effect("run", what))


async def test_a_case_with_a_file_of_another_build_is_asked_for_and_refused() -> None:
    shelf = Shelf({"ref/g.fa": b">chr1\n"})
    bam = of("BAM", alignments.bam(SQ=[{"SN": "1", "LN": 5_000}]), shelf)
    documents = pipeline(materials=("BAM",)), published(), qc_facts.profile()
    ports = Ports(
        clock=FakeClock(), catalog=FakeCatalog(*(heard(one) for one in documents)),
        deployment=Deployment(), headings=shelf.headings(),
    )  # fmt: skip
    wanted = Wanted(ready=ready(material="BAM", members=(bam,)), run_id=RUN_ID)
    attempt = Attempt(UUID(int=1), 1, ports, lambda *_: None)
    [said] = await resolve(wanted, attempt)
    assert isinstance(said, RunRequested)
    assert [(one.what, one.refuses) for one in said.findings] == [("reads", True)]
    other = qc_facts.target_set(build="GRCh37")
    catalog = FakeCatalog(*(heard(one) for one in (*documents, other)))
    ports = Ports(clock=FakeClock(), catalog=catalog, headings=shelf.headings())
    case = ready(material="BAM", members=(bam,), target_set="exome")
    attempt = Attempt(UUID(int=1), 1, ports, lambda *_: None)
    [said] = await resolve(Wanted(ready=case, run_id=RUN_ID), attempt)
    assert isinstance(said, RunRequested)
    [one] = said.findings
    assert "the regions of 'exome' are those of GRCh37, and the order asks for GRCh38" in one.said
    assert said.target_set == "exome"
