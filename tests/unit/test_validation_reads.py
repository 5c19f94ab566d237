"""FASTQ: each rule by its example, what is accepted, and both ways of counting as one."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator

import pytest

from genoflow.native import batch
from genoflow.processors.validation.findings import Broken, Findings
from genoflow.processors.validation.inflate import compression_of
from genoflow.processors.validation.port import Expected, Measured
from genoflow.processors.validation.reads import rules
from genoflow.processors.validation.reads.counts import LINE_BYTES_MAX
from genoflow.processors.validation.reads.mates import compare_mates
from genoflow.processors.validation.reads.reader import read_fastq
from genoflow.processors.validation.rules import Rule, Severity
from genoflow.processors.validation.source import Source
from tests.reads import bgzf, fastq, flipped, library, members

ILLUMINA = b"@A1:7:HXX:1:1101:5:9 1:N:0:ACGT\nACGT\n+\nFFFF\n"
CLEAN = fastq(20)


@pytest.fixture(params=["extension", "twin"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of counting; where the extension is not built, its twin is asked twice."""
    if request.param == "twin":
        monkeypatch.setattr(batch, "_rust", None)
    return str(request.param)


def read(
    body: bytes, expected: Expected | None = None, *, size: int = 10**6, every: bool = True
) -> tuple[Measured | None, Findings]:
    """What is measured, None where the reader cannot go on; and all findings."""
    findings = Findings()
    source = Source(body[at : at + size] for at in range(0, len(body), size))
    compression = compression_of(source.peek(66_000))
    try:
        measured = read_fastq(
            source, compression, expected or Expected("R1"), findings, every=every
        )
    except Broken as broken:
        findings.add(broken.rule, broken.message, broken.where)
        return None, findings
    return measured, findings


def codes(body: bytes, expected: Expected | None = None) -> list[str]:
    return [finding.rule.code for finding in read(body, expected)[1]]


# -- every rule

ASKED = {
    rules.READS_MISSING: (fastq(99), Expected("R1", reads=100)),
    rules.READS_UNEXPECTED: (fastq(101), Expected("R1", reads=100)),
    rules.LINE_TOO_LONG: (b"@a\n%b\n+\n%b\n" % (b"A" * 2 * 10**6, b"F" * 2 * 10**6), None),
    rules.MATE: (b"@a/2\nACGT\n+\nFFFF\n", Expected("R1")),
    rules.INSTRUMENT: (ILLUMINA, Expected("R1", instrument="B2")),
    rules.FLOW_CELL: (ILLUMINA, Expected("R1", flow_cell="HYY")),
    rules.LANE: (ILLUMINA, Expected("R1", lane=2)),
}
PAIRS = (rules.PAIR_NAMES, rules.PAIR_COUNTS)


@pytest.mark.parametrize(
    "rule", [rule for rule in rules.RULES if rule not in PAIRS], ids=lambda rule: rule.code
)
def test_the_example_of_a_rule_breaks_it(engine: str, rule: Rule) -> None:
    body, expected = ASKED.get(rule, (rule.example.encode(), None))
    _, findings = read(body, expected)
    assert rule in findings.counts
    kept = next(finding for finding in findings if finding.rule is rule)
    assert kept.message
    # Nothing that is as bad is said of the same bytes: an example shows one rule.
    assert [other for other in findings.counts if other.severity == Severity.ERROR] == [rule] * (
        rule.severity == Severity.ERROR
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (CLEAN, None),
        (ILLUMINA, Expected("R1", instrument="A1", flow_cell="HXX", lane=1)),
        (ILLUMINA, Expected("I1", lane=1)),
        (b"@a\nacgtn\n+\nFFFFF\n", None),
        (b"@a\nACGTUNRYSWKMBDHV\n+\n" + b"F" * 16 + b"\n", None),
        (b"@a\n\n+\n\n@b\nA\n+\nF\n", None),
        (b"@a\n\n+a\n\n", None),
        (b"@a some words\nAC\n+a some words\nFF\n", None),
        (b"@a/1\nAC\n+\n@+\n", None),
        (b"@a\nACGT\n+\n!~!~\n", None),
        (b"@A1:7:HXX:1:1101:5:9:ACGT+TT 1:N:0:1\nA\n+\nF\n", Expected("R1", lane=1)),
        (b"@HWI:6:73:941:1973#0/1\nA\n+\nF\n", Expected("R1", lane=6)),
        (b"@SRR1.1 1 length=1\nA\n+SRR1.1 1 length=1\nF\n", Expected("R2", lane=3)),
        (b"@a\nACGT\n+\nFFFF\n" * 3_000, None),
    ],
)
def test_what_is_legal_yields_nothing(engine: str, body: bytes, expected: Expected | None) -> None:
    measured, findings = read(body, expected)
    assert [str(finding) for finding in findings] == []
    assert measured is not None
    assert measured.reads == body.count(b"\n") // 4


@pytest.mark.parametrize(
    ("body", "reads", "found"),
    [
        (b"", 0, [rules.EMPTY]),
        (b"@a\nACGT\n+\nFFFF", 1, [rules.NO_LAST_LF]),
        (b"@a\n\n+\n", 1, [rules.NO_LAST_LF]),
        (b"@a\nAC\nGT\n+\nFF\nFF\n@b\nA\n+\nF\n", 2, [rules.WRAPPED]),
        (b"@a\nACGT\n+\n@F\n+F\n@b\nA\n+\nF\n", 2, [rules.WRAPPED]),
        (b"@a\r\nAC\r\n+a\r\nFF\r\n", 1, [rules.CR_LF]),
        (b"@a\nAC-.*\n+\nFFFFF\n", 1, [rules.GAP]),
    ],
)
def test_what_is_unusual_is_a_note(engine: str, body: bytes, reads: int, found: list[Rule]) -> None:
    measured, findings = read(body)
    assert list(findings.counts) == found
    assert findings.is_valid(strict=True)
    assert measured is not None
    assert measured.reads == reads


def test_reading_goes_on_behind_a_broken_record(engine: str) -> None:
    bad = b"@bad\nACGT\n+\nFF\n"
    worse = b"no name\nACGT\n+\nFFFF\n"
    body = CLEAN + bad + CLEAN + worse + CLEAN + b"@last\nAC"
    measured, findings = read(body)
    assert [(one.rule, one.where.line, one.where.record) for one in findings] == [
        (rules.LENGTHS, 81, 21),
        (rules.NO_AT, 165, 42),
        (rules.TRUNCATED, 249, 63),
    ]
    assert [one.where.byte for one in findings] == [
        len(CLEAN), len(CLEAN + bad + CLEAN), len(body) - 8,
    ]  # fmt: skip
    assert measured == Measured("FASTQ")  # of a file with errors nothing is measured


def test_a_record_is_found_again_far_behind_a_broken_one(engine: str) -> None:
    junk = b"@junk\n" + bytes(random.Random(3).choices(b"acgt#:\n", k=3_000_000)) + b"\n"
    _, findings = read(CLEAN + junk + CLEAN + b"@b\nA\n+\n\n@c\nA\n+\nF\n")
    assert rules.LENGTHS in findings.counts
    last = list(findings)[-1]
    assert last.where.line == (CLEAN + junk + CLEAN).count(b"\n") + 1


@pytest.mark.parametrize("bases", [LINE_BYTES_MAX, LINE_BYTES_MAX + 1])
def test_a_read_is_as_long_as_the_event_can_say(engine: str, bases: int) -> None:
    body = b"@a\n%b\n+\n%b\n" % (b"A" * bases, b"F" * bases)
    for size in (10_000, 10**7):
        measured, findings = read(body, size=size, every=False)
        assert (rules.LINE_TOO_LONG in findings.counts) is (bases > LINE_BYTES_MAX)
        assert (measured is None) is (bases > LINE_BYTES_MAX)


def test_each_origin_is_compared_once(engine: str) -> None:
    body = fastq(30, 1) + fastq(30, 2, lane=2) + fastq(30, 3) + fastq(30, 4, lane=2)
    _, findings = read(body, Expected("R1", lane=1))
    (found,) = findings
    assert (found.rule, found.where.record) == (rules.LANE, 31)
    assert findings.counts[rules.LANE] == 1


def test_short_files_of_good_qualities_are_not_taken_for_phred_64(engine: str) -> None:
    for quality in (b"F", b"I", b"J", b"~"):
        assert codes(b"@a\nACGT\n+\n%b\n" % (quality * 4)) == []
    old = b"".join(b"@r%d\nACGTACGT\n+\nhhgfeB@;\n" % n for n in range(5))
    assert codes(old) == ["fastq-phred64"]


@pytest.mark.parametrize("way", ["bgzf", "without end", "gzip", "members", "mixed"])
def test_reads_come_in_any_gzip(engine: str, way: str) -> None:
    text = fastq(300)
    body = {
        "bgzf": bgzf(text),
        "without end": bgzf(text, end=False),
        "gzip": gzip.compress(text),
        "members": members(*(text[at : at + 777] for at in range(0, len(text), 777))),
        "mixed": bgzf(text[:5_000]) + gzip.compress(text[5_000:]),
    }[way]
    for size in (997, 10**6):
        measured, findings = read(body, size=size)
        assert list(findings) == []
        assert measured == read(text)[0]


# -- both ways of counting


def both(body: bytes, monkeypatch: pytest.MonkeyPatch, *, every: bool = True) -> list[object]:
    """What each of the two says of the same bytes."""
    said: list[object] = []
    for rust in (batch.extension(), None):
        with monkeypatch.context() as patch:
            patch.setattr(batch, "_rust", rust)
            measured, findings = read(body, every=every)
        said.append((measured, list(findings), findings.counts))
    return said


@pytest.mark.parametrize("every", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_the_twin_measures_the_same(
    seed: int, every: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = library(700, seed, longest=(40, 120, 250, 1_300)[seed])
    text += b"@z\nnnACGT\n+\nFFFFFF\n@y\n\n+\n\n@x\nAC.T\n+\nFFFF\n@w\r\nAC\r\n+\r\nFF\r\n"
    for body in (text, bgzf(text, 65_000), gzip.compress(text)):
        ours, twins = both(body, monkeypatch, every=every)
        assert ours == twins


def test_the_twin_finds_the_same_in_mutated_files(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed, body in enumerate(mutated(240)):
        ours, twins = both(body, monkeypatch)
        assert ours == twins, seed


def mutated(count: int) -> Iterator[bytes]:
    """Texts with bits turned, lines lost, doubled or swapped, plain and compressed."""
    for seed in range(count):
        chance = random.Random(seed)
        text = fastq(30, seed, length=20)
        lines = text.split(b"\n")
        if seed % 4 == 1:
            del lines[chance.randrange(len(lines))]
        elif seed % 4 == 2:
            lines.insert(chance.randrange(len(lines)), chance.choice(lines))
        elif seed % 4 == 3:
            one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
            lines[one], lines[other] = lines[other], lines[one]
        text = b"\n".join(lines)
        if seed % 3 == 0:
            text = flipped(text, seed, 1 + seed % 5)
        if seed % 12 < 4:
            yield text
        else:
            body = bgzf(text) if seed % 2 else gzip.compress(text, mtime=0)
            yield flipped(body, seed) if seed % 8 > 3 else body


# -- pairs


def paired(first: bytes, second: bytes) -> list[tuple[Rule, str, int | None]]:
    findings = Findings()
    sides = [(Source([body]), compression_of(body)) for body in (first, second)]
    compare_mates(sides[0], sides[1], findings)
    return [(one.rule, one.message, one.where.record) for one in findings]


def test_mates_have_the_same_names(engine: str) -> None:
    first, second = fastq(5_000, mate=1), fastq(5_000, mate=2)
    assert paired(first, bgzf(second, 65_000)) == []
    assert paired(b"@a/1\nA\n+\nF\n", b"@a/2\nAC\n+\nFF\n") == []
    assert paired(b"", b"") == []


def test_the_first_record_that_differs_is_named(engine: str) -> None:
    first, second = fastq(5_000, mate=1), fastq(5_000, mate=2)
    other = second.replace(b":4000 2:N", b":4OOO 2:N")
    ((rule, message, record),) = paired(first, bgzf(other, 30_000))
    assert (rule, record) == (rules.PAIR_NAMES, 4_001)
    assert "read 4001 is 'VH1:7:AAC:1:1101:1:4000' in the first file" in message


@pytest.mark.parametrize("kept", [0, 1, 4_000])
def test_mates_of_another_number_are_named(engine: str, kept: int) -> None:
    first, second = fastq(5_000, mate=1), fastq(kept, mate=2)
    ((rule, message, record),) = paired(first, second)
    assert (rule, record) == (rules.PAIR_COUNTS, kept + 1)
    assert message == f"the first file has 5000 reads, and the other {kept}"
    assert paired(second, first)[0][1].startswith("the second file has 5000 reads")
