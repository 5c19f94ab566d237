"""CRAM: each rule by a file that breaks it, sound files of each version, and what is looked up."""

from __future__ import annotations

import socket
import threading
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pysam
import pytest

from genoflow.processors.validation.cram.reader import read_cram
from genoflow.processors.validation.cram.rules import RULES
from genoflow.processors.validation.findings import Broken, Findings
from genoflow.processors.validation.port import Expected, Measured
from genoflow.processors.validation.rules import Rule, Severity
from genoflow.processors.validation.source import Source
from tests.alignments import bam, cram, cram_against
from tests.broken_crams import BASES, BREAK, KNOWN, RAW, embedded, fasta, high_quality, large
from tests.crams import taken_apart
from tests.judged import report
from tests.reads import flipped

VERSIONS = ("2.1", "3.0", "3.1")


def judged(body: bytes, piece: int = 777, **known: Any) -> tuple[Findings, Measured | None]:
    findings, measured = Findings(), None
    source = Source(body[at : at + piece] for at in range(0, len(body), piece))
    try:
        measured = read_cram(source, "none", Expected("CRAM", **known), findings)
    except Broken as broken:
        findings.add(broken.rule, broken.message, broken.where)
    return findings, measured


def codes(body: bytes, **known: Any) -> set[str]:
    return {rule.code for rule in judged(body, **known)[0].counts}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_each_rule_is_found_in_what_breaks_it(rule: Rule, tmp_path: Path) -> None:
    known = KNOWN[rule.code](tmp_path) if rule.code in KNOWN else {}
    findings, _ = judged(BREAK[rule.code](), **known)
    there = [finding for finding in findings if finding.rule is rule]
    assert there, [finding.rule.code for finding in findings]
    assert rule.severity != Severity.ERROR or not findings.is_valid(strict=False)


@pytest.mark.parametrize("version", VERSIONS)
def test_sound_files_of_each_version_have_no_findings(version: str) -> None:
    for options in ((), RAW, ("level=9",), ("use_bzip2=1",), ("use_lzma=1",), ("use_arith=1",)):
        body = cram(300, 3, f"version={version}", "seqs_per_slice=40", *options)
        findings, measured = judged(body)
        assert not list(findings), (options, list(findings))
        assert measured is not None
        assert (measured.version, measured.reads, measured.bases) == (version, 215, 215 * 50)
        assert measured.details["records"] == 300
        assert measured.metrics.gc_fraction == pytest.approx(0.5, abs=0.05)


def test_a_file_taken_apart_is_put_together_to_the_same_bytes() -> None:
    for body in (cram(), cram(50, 2, "version=2.1"), cram_against(BASES), embedded()):
        again = taken_apart(body).written()
        assert judged(again)[0].counts == judged(body)[0].counts
        assert len(again) == len(body)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({}, None),
        ({"HD": {"VN": "1.6", "SO": "coordinate"}}, "sam-order-coordinate"),
        ({"HD": {"VN": "1.6", "GO": "reference"}}, "sam-order-group"),
        ({"HD": {"VN": "x"}}, "sam-hd-version"),
        ({"SQ": [{"SN": "one", "LN": 60}, {"SN": "two", "LN": 700}]}, "sam-position-beyond"),
        ({"RG": [{"ID": "rg1", "SM": "S2"}]}, "sam-wrong-sample"),
        ({"RG": [{"ID": "rg1", "SM": "S1", "PU": "HXYZA.4"}]}, "sam-wrong-unit"),
    ],
)
def test_header_and_records_are_held_to_the_rules_of_sam(
    header: dict[str, Any], code: str | None
) -> None:
    known = Expected(sample_id="S1", lane=3)
    of_cram, of_bam = (report([make(70, 1, **header)], known).findings for make in (cram, bam))
    # Nothing of CRAM says in which bin of an index a record lies.
    same = {rule.code: count for rule, count in of_bam.counts.items() if rule.code != "bam-bin"}
    assert {rule.code: count for rule, count in of_cram.counts.items()} == same
    assert set(same) == ({code} if code else set())


def test_the_answer_does_not_depend_on_how_the_bytes_come() -> None:
    bodies = [cram(300, 5, "seqs_per_slice=30"), cram_against(BASES), high_quality()]
    for body in bodies + [flipped(body, seed, 2) for body in bodies for seed in range(20)]:
        answers = {
            str((*judged(body, piece)[0], judged(body, piece)[1])) for piece in (1, 97, 9**9)
        }
        assert len(answers) == 1


def test_a_reference_at_hand_gives_the_bases(tmp_path: Path) -> None:
    body = cram_against(BASES, "seqs_per_slice=20")
    findings, without = judged(body)
    assert [finding.rule.code for finding in findings] == ["reference-unavailable"]
    assert findings.is_valid(strict=True)
    findings, there = judged(body, reference_path=fasta(tmp_path, BASES))
    assert not list(findings)
    assert without is not None
    assert there is not None
    assert (there.reads, there.bases) == (without.reads, without.bases) == (195, 195 * 50)
    assert without.metrics.gc_fraction is None
    assert there.metrics.gc_fraction == pytest.approx(0.5, abs=0.05)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["genome.fa"]


def test_of_a_large_slice_records_are_read_and_letters_are_not() -> None:
    findings, measured = judged(large(), 1024**2)
    assert [finding.rule.code for finding in findings] == ["cram-slice-large"]
    _, whole = judged(cram())
    assert measured is not None
    assert whole is not None
    assert (measured.reads, measured.bases) == (whole.reads, None)
    assert measured.metrics.mapped_fraction == whole.metrics.mapped_fraction
    assert whole.metrics.q30_fraction != measured.metrics.q30_fraction


def test_a_reference_of_another_name_or_none_is_not_had(tmp_path: Path) -> None:
    body = cram_against(BASES)
    other = fasta(tmp_path, BASES[:-1])
    for path in (other, tmp_path / "none.fa", tmp_path):
        findings, measured = judged(body, reference_path=path)
        assert [finding.rule.code for finding in findings] == ["reference-unavailable"]
        assert measured is not None
        assert measured.reads == 195


@pytest.fixture
def listener() -> Iterator[tuple[str, list[object]]]:
    """An address of this machine, and who called it."""
    calls: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        over = threading.Event()

        def answer() -> None:
            while not over.is_set():
                try:
                    connection, address = server.accept()
                except TimeoutError:
                    continue
                connection.close()
                calls.append(address)

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", calls
        over.set()
        thread.join()


def test_no_address_in_a_file_is_ever_asked(
    listener: tuple[str, list[object]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, calls = listener
    monkeypatch.setenv("REF_PATH", f"{url}/%s")
    monkeypatch.setenv("REF_CACHE", str(tmp_path / "cache" / "%s"))
    several = {"SQ": [{"SN": name, "LN": 2_000, "UR": f"{url}/x.fa"} for name in ("one", "two")]}
    bodies = [
        cram_against(BASES, UR=f"{url}/genome.fa"),
        cram_against(BASES, "multi_seq_per_slice=1", UR=f"{url}/genome.fa"),
        cram(70, 1, **several),
    ]
    needed = {"references": ()}
    for body in bodies:
        for known in (needed, {"reference_path": fasta(tmp_path, BASES[:-1])}):
            _, measured = judged(body, **known)
            assert measured is not None
    for file in (taken_apart(body) for body in bodies[:1]):
        # What says that it needs no reference, and has differences to one, finds none either.
        file.change_maps(lambda maps: maps.keep(b"RR", b"\0"))
        judged(file.written())
    assert not calls
    assert not (tmp_path / "cache").exists()
    (tmp_path / "asked.cram").write_bytes(bodies[0])
    with (
        pytest.raises(OSError, match="truncated"),
        pysam.AlignmentFile(str(tmp_path / "asked.cram"), "rc") as asked,
    ):
        list(asked.fetch(until_eof=True))
    assert calls, "htslib left to itself asks, and the listener hears it"


def test_damage_in_any_byte_is_a_finding_and_the_next_container_is_read_all_the_same() -> None:
    body = cram(300, 1, "seqs_per_slice=100")
    for at in range(60, len(body) - 38, 41):
        damaged = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        assert not judged(damaged)[0].is_valid(strict=False), at
    file = taken_apart(body)
    at = body.index(file.data.parts[3].data[:30])
    damaged = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
    findings, measured = judged(damaged)
    assert [finding.rule.code for finding in findings] == ["cram-block-checksum"]
    assert measured is not None
    assert measured.details["records"] == 300 - file.data.records


def test_every_cut_is_a_truncation() -> None:
    body = cram(40)
    for size in range(4, len(body), 7):
        assert "cram-truncated" in codes(body[:size]), size


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ([("NM", 0, "C"), ("MD", "4", "Z"), ("RG", "rg1", "Z"), ("XF", 0.5, "f")], None),
        ([("MD", "5", "Z")], "sam-md-length"),
        ([("NM", 2, "i"), ("MD", "4", "Z")], "sam-nm-differs"),
        ([("NM", "two", "Z")], "sam-tag-standard-type"),
        ([("PG", "nobody", "Z")], "sam-tag-group-undeclared"),
        ([("ML", array("B", [1, 2]), None)], "sam-ml-length"),
    ],
)
def test_tags_of_records_are_held_to_the_rules_of_sam(
    tags: list[tuple[str, Any, Any]], code: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "tagged.cram"
    header = pysam.AlignmentHeader.from_dict(
        {"HD": {"VN": "1.6"}, "SQ": [{"SN": "one", "LN": 60}], "RG": [{"ID": "rg1", "SM": "S1"}]}
    )
    options = ["no_ref=1"]
    with pysam.AlignmentFile(path, "wc", header=header, format_options=options) as out:
        record = pysam.AlignedSegment(header)
        record.query_name, record.flag, record.reference_id, record.reference_start = "r", 0, 0, 9
        record.mapping_quality, record.cigarstring, record.query_sequence = 40, "4M", "ACGT"
        record.query_qualities = array("B", [30] * 4)
        for name, value, kind in tags:
            record.set_tag(name, value, kind)
        out.write(record)
    findings = report([path.read_bytes()], Expected()).findings
    found = {
        one.rule.code for one in findings if one.rule.code.startswith(("sam-tag", "sam-m", "sam-n"))
    }
    assert found == ({code} if code else set())
