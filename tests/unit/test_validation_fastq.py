"""Reads: what is whole is validated, what is not is rejected, with its place and its reason."""

from __future__ import annotations

import gzip
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import pytest

from genoflow.processors.validation import inflate
from genoflow.processors.validation.inflate import BGZF_EOF
from genoflow.processors.validation.port import Expected
from genoflow.processors.validation.reads.counts import LINE_BYTES_MAX
from tests.judged import Passed, Refused, judged
from tests.reads import bgzf, fastq, flipped, members

R1 = Expected(role="R1")
TEXT = fastq(50)
WAYS: dict[str, Callable[[bytes], bytes]] = {"plain": bytes, "gzip": gzip.compress, "bgzf": bgzf}
compressed = pytest.mark.parametrize("way", WAYS)


def cut(body: bytes, size: int = 999) -> list[bytes]:
    """As a store would give it."""
    return [body[at : at + size] for at in range(0, len(body), size)]


def validated(body: bytes, expected: Expected = R1, size: int = 999) -> Passed:
    found = judged(cut(body, size), expected)
    assert isinstance(found, Passed), found
    return found


def rejected(body: bytes, expected: Expected = R1, size: int = 999) -> Refused:
    found = judged(cut(body, size), expected)
    assert isinstance(found, Refused), found
    return found


def changed(number: int, line: int, to: bytes, text: bytes = TEXT) -> bytes:
    """The text with one line of one read changed; the first read is 0."""
    lines = text.split(b"\n")
    lines[number * 4 + line] = to
    return b"\n".join(lines)


def offset_of(number: int, text: bytes = TEXT) -> int:
    return sum(len(line) + 1 for line in text.split(b"\n")[: number * 4])


# -- what is whole


@compressed
@pytest.mark.parametrize("size", [1, 7, 999, 10**6])
def test_a_whole_file_is_validated_however_it_comes(way: str, size: int) -> None:
    body = WAYS[way](TEXT)
    found = validated(body, size=size)
    assert found.compression == {"plain": "none"}.get(way, way)
    assert (found.md5, found.sha256, found.size_bytes) == (
        hashlib.md5(body).hexdigest(),
        hashlib.sha256(body).hexdigest(),
        len(body),
    )
    assert found.measured == validated(TEXT).measured
    assert (found.measured.format, found.measured.reads, found.measured.bases) == (
        "FASTQ", 50, 3_000,
    )  # fmt: skip


def test_many_members_and_blocks_are_one_text() -> None:
    first, second = fastq(20, 1), fastq(30, 2)
    whole = validated(first + second).measured
    middle = first + second[:777]
    for body in (
        members(first, second),
        members(middle, b"", second[777:]),
        bgzf(first, end=True) + bgzf(second),  # two files behind one another, both with an end
        bgzf(first + second, 65_000),
    ):
        assert validated(body).measured == whole


def test_the_metrics_are_those_of_a_plain_count() -> None:
    text = fastq(300, 3, length=77) + changed(0, 1, b"", changed(0, 3, b"", fastq(1, 4)))
    lines = text.split(b"\n")
    bases, qualities = Counter(b"".join(lines[1::4])), [q - 33 for q in b"".join(lines[3::4])]
    total = sum(bases.values())
    got = validated(bgzf(text)).measured
    assert (got.reads, got.bases) == (301, total)
    metrics = got.metrics
    assert (metrics.read_length_min, metrics.read_length_max) == (0, 77)
    called = total - bases[ord("N")]
    assert metrics.gc_fraction == (bases[ord("G")] + bases[ord("C")]) / called
    assert metrics.n_fraction == bases[ord("N")] / total
    assert metrics.q20_fraction == sum(q >= 20 for q in qualities) / total
    assert metrics.q30_fraction == sum(q >= 30 for q in qualities) / total
    assert metrics.quality_mean == sum(qualities) / total


def test_every_quality_is_summed_exactly() -> None:
    every = bytes(range(33, 127)) * 20
    body = b"@a\n" + b"A" * len(every) + b"\n+\n" + every + b"\n"
    assert validated(body).measured.metrics.quality_mean == sum(range(94)) / 94
    best = b"@a\n" + b"A" * 5_000 + b"\n+\n" + b"~" * 5_000 + b"\n"
    assert validated(best).measured.metrics.quality_mean == 93


def test_adapters_and_dark_ends_are_counted_by_read() -> None:
    tru, nextera, dark = b"AGATCGGAAGAGC", b"CTGTCTCTTATACACATCT", b"G" * 10
    reads = [b"T" + tru + b"C" + tru, b"C" + nextera, tru + nextera, b"ACGT" + dark, b"ACGT", dark]
    body = b"".join(b"@%d\n%b\n+\n%b\n" % (n, r, b"F" * len(r)) for n, r in enumerate(reads))
    metrics = validated(body).measured.metrics
    assert (metrics.adapter_fraction, metrics.poly_g_fraction) == (3 / 6, 2 / 6)


def test_repeated_reads_are_counted() -> None:
    once, twice = fastq(400, 1), fastq(400, 2)
    found = validated(once + twice + twice).measured.metrics.duplicate_fraction
    assert found == pytest.approx(400 / 1_200)


def test_mates_have_one_digest_of_names_whatever_follows_the_name() -> None:
    first = validated(fastq(50)).measured.read_names_sha256
    names = [line[1:].split(b" ")[0] for line in TEXT.split(b"\n")[0:-1:4]]
    assert first == hashlib.sha256(b"".join(name + b"\n" for name in names)).hexdigest()
    mate = fastq(50, mate=2)
    assert validated(mate, Expected(role="R2")).measured.read_names_sha256 == first
    slashed = b"\n".join(
        line.replace(b" 1:N:0:ACGT+TTGA", b"/1") if line.startswith(b"@") else line
        for line in TEXT.split(b"\n")
    )
    assert validated(slashed).measured.read_names_sha256 == first
    tabbed = TEXT.replace(b" 1:N", b"\t1:N")
    assert validated(tabbed).measured.read_names_sha256 == first
    assert validated(fastq(50, 2)).measured.read_names_sha256 != first


def test_a_plus_line_may_repeat_the_name() -> None:
    name = TEXT.split(b"\n")[0]
    assert validated(changed(0, 2, b"+" + name[1:])).measured == validated(TEXT).measured
    assert rejected(changed(0, 2, b"+other")).reason_code == "malformed record"


def test_an_empty_read_is_legal_and_a_file_without_reads_unless_some_are_due() -> None:
    assert validated(b"@a\n\n+\n\n").measured.metrics.read_length_max == 0
    for body in (b"", gzip.compress(b""), bgzf(b"")):
        for due in (None, 0):
            found = validated(body, Expected(role="R1", reads=due))
            assert (found.measured.reads, found.measured.format) == (0, "FASTQ")
        assert rejected(body, Expected(role="R1", reads=3)).reason_code == "truncated"


# -- what is not, each with its place


@compressed
@pytest.mark.parametrize(
    ("line", "to", "words"),
    [
        (0, b"name", "begins with 'name' and not with @"),
        (1, b"ACGT", "has 4 bases and 60 qualities"),
        (2, b"", "has '' where a line with + belongs"),
        (3, b"F" * 59, "has 60 bases and 59 qualities"),
        (3, b" " * 60, "has the character 32 as a quality"),
        (3, b"\x7f" * 60, "has the character 127 as a quality"),
    ],
)
def test_a_malformed_record_is_named(way: str, line: int, to: bytes, words: str) -> None:
    found = rejected(WAYS[way](changed(17, line, to)))
    assert (found.reason_code, found.at_record) == ("malformed record", 18)
    assert words in found.reason
    assert found.reason.startswith("read 18 ")
    assert found.reason.endswith("write it anew with the program that made it, and send that")
    if way == "plain":
        assert found.at_byte == offset_of(17)


NOT_STRICT = (
    (0, b"@", "has no name"), (0, b"@ 1:N:0", "has no name"), (0, b"@/1 1:N:0", "has no name"),
    (0, b"@caf\xc3\xa9", "not plain text"), (1, b"AC!T" * 15, "has '!' among its bases"),
)  # fmt: skip


@compressed
@pytest.mark.parametrize(("line", "to", "words"), NOT_STRICT)
def test_a_violation_rejects_only_where_it_is_strict(
    way: str, line: int, to: bytes, words: str
) -> None:
    body = WAYS[way](changed(17, line, to))
    assert validated(body).measured.reads == 50
    found = judged(cut(body), R1, strict=True)
    assert isinstance(found, Refused)
    assert (found.reason_code, found.at_record) == ("malformed record", 18)
    assert words in found.reason


@pytest.mark.parametrize("bases", [b"ACGU" * 15, b"acgt" * 15, b"RYKM" * 15])
def test_every_letter_of_iupac_is_a_base(bases: bytes) -> None:
    assert isinstance(judged([changed(17, 1, bases)], R1, strict=True), Passed)


def test_a_fault_far_inside_has_its_place_in_the_stored_bytes() -> None:
    text = fastq(30_000)
    bad = changed(25_000, 1, b"X", text)
    plain = rejected(bad, size=10**6)
    assert (plain.at_record, plain.at_byte) == (25_001, offset_of(25_000, text))
    body = bgzf(bad, 65_000)
    found = rejected(body, size=10**6)
    assert found.at_record == 25_001
    assert found.at_byte is not None
    # The block of text that is looked at begins there, at most a mebibyte before the record.
    inflated = gzip.decompress(body[found.at_byte :])
    assert 0 <= inflated.index(b":25000 ") <= inflate.BLOCK_BYTES + 65_536


@pytest.mark.parametrize(
    ("keep", "where"),
    [(1, "bases"), (38, "bases"), (96, "line with +"), (99, "line with +"), (140, "qual")],
)
def test_a_plain_text_that_ends_in_a_record_is_truncated(keep: int, where: str) -> None:
    found = rejected(TEXT[: offset_of(3) + keep])
    assert (found.reason_code, found.at_record) == ("truncated", 4)
    assert found.at_byte == offset_of(3)
    assert f"read 4 ends in the middle, in its {where}" in found.reason


def test_the_last_line_may_lack_its_end_and_none_may_follow() -> None:
    assert isinstance(judged([TEXT[:-1]], R1, strict=True), Passed)
    validated(TEXT + b"\n")
    assert isinstance(judged([TEXT + b"\n"], R1, strict=True), Refused)


def test_a_line_without_an_end_is_refused_in_bounded_memory() -> None:
    def long() -> Iterator[bytes]:
        yield b"@a\n"
        for _ in range(1_000):
            yield b"A" * 65_536

    found = judged(long(), R1)
    assert isinstance(found, Refused)
    assert (found.reason_code, found.at_record) == ("malformed record", 1)
    assert f"more than {LINE_BYTES_MAX} bytes" in found.reason
    bomb = gzip.compress(b"@a\n" + b"A" * 50_000_000)
    assert len(bomb) < 100_000
    assert rejected(bomb).reason_code == "malformed record"


@pytest.mark.parametrize("size", [10_000, 10**7])
def test_a_read_is_as_long_as_the_event_can_say(size: int) -> None:
    for bases, ok in ((LINE_BYTES_MAX, True), (LINE_BYTES_MAX + 1, False)):
        body = b"@a\n%b\n+\n%b\n" % (b"A" * bases, b"F" * bases)
        found = judged(cut(body, size), R1)
        assert isinstance(found, Passed) is ok


@pytest.mark.parametrize("way", ["gzip", "bgzf", "members"])
@pytest.mark.parametrize("counted", [None, 12])
def test_no_truncation_is_ever_validated(way: str, counted: int | None) -> None:
    text = fastq(12, length=20)
    body = {
        "gzip": gzip.compress(text),
        "bgzf": bgzf(text, len(text) // 4 + 7),  # whose blocks end within records
        "members": members(text[:200], text[200:500], text[500:]),
    }[way]
    assert validated(body, Expected(role="R1", reads=counted)).measured.reads == 12
    last = len(body) - (len(BGZF_EOF) if way == "bgzf" else 0)  # which reads do not need
    for size in range(1, last):
        found = rejected(body[:size], Expected(role="R1", reads=counted))
        assert found.reason_code in ("truncated", "not this format"), (size, found)
        if size > 18:
            assert found.reason_code == "truncated", (size, found)


def test_reads_need_no_block_that_ends_them() -> None:
    assert validated(bgzf(TEXT, end=False)).measured == validated(TEXT).measured


@pytest.mark.parametrize("way", ["gzip", "bgzf"])
@pytest.mark.parametrize("tail", [b"garbage and more of it, and more", b"\0" * 100])
def test_what_follows_the_end_is_not_overlooked(way: str, tail: bytes) -> None:
    body = WAYS[way](TEXT)
    found = rejected(body + tail)
    assert (found.reason_code, found.at_byte) == ("unreadable", len(body))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"BAM\x01....", "in the format BAM"),
        (gzip.compress(b"##fileformat=VCFv4.3\n", mtime=0), "in the format VCF"),
        (b"@SQ\tSN:1\tLN:9\n", "in the format SAM"),
        (b">chr1\nACGT\n", "in the format FASTA"),
        (b"BZh91AY", "in the format bzip2"),
        (b"\x28\xb5\x2f\xfdzzz", "in the format Zstandard"),
        (b"hello", "of no known format"),
        (b"\0" * 100, "of no known format"),
    ],
)
def test_another_format_is_named(body: bytes, words: str) -> None:
    found = rejected(body)
    assert found.reason_code == "not this format"
    assert f"it is {words}, and its role R1 asks for FASTQ" in found.reason


def test_reads_under_another_role_are_refused() -> None:
    assert rejected(TEXT, Expected(role="BAM")).reason_code == "not this format"
    assert validated(TEXT, Expected(role="OTHER")).measured.format == "FASTQ"
    assert validated(b"hello", Expected(role="OTHER")).measured.format == "unknown"


# -- what is known of it beforehand


def test_the_count_of_demultiplexing_finds_what_was_cut_between_records() -> None:
    fewer = rejected(TEXT[: offset_of(40)], Expected(role="R1", reads=50))
    assert fewer.reason_code == "truncated"
    assert "it holds 40 reads, and demultiplexing counted 50" in fewer.reason
    assert rejected(TEXT, Expected(role="R1", reads=49)).reason_code == "wrong sample"
    validated(TEXT, Expected(role="R1", reads=50))


def test_lane_and_mate_in_the_names_are_held_against_the_role() -> None:
    assert rejected(TEXT, Expected(role="R1", lane=2)).reason_code == "wrong sample"
    assert rejected(TEXT, Expected(role="R2", lane=1)).reason_code == "mates differ"
    assert rejected(fastq(5, mate=2), Expected(role="R1")).reason_code == "mates differ"
    assert rejected(b"@a/2\nA\n+\nF\n", Expected(role="R1")).reason_code == "mates differ"
    for role in ("R1", "I1", "I2"):
        validated(TEXT, Expected(role=role, lane=1))
    validated(b"@SRR1.1 1 length=1\nA\n+\nF\n", Expected(role="R2", lane=3))


MD5, SHA256 = hashlib.md5(TEXT).hexdigest(), hashlib.sha256(TEXT).hexdigest()


@pytest.mark.parametrize(
    ("md5", "sha256", "words"),
    [
        ("0" * 32, None, f"its MD5 was declared as {'0' * 32} and is {MD5}"),
        (None, "0" * 64, f"its SHA-256 was declared as {'0' * 64} and is {SHA256}"),
        (MD5, "0" * 64, "its SHA-256"),
        ("0" * 32, SHA256, "its MD5"),
    ],
)
def test_a_contradicted_checksum_is_said(md5: str | None, sha256: str | None, words: str) -> None:
    found = rejected(TEXT, Expected(role="R1", declared_md5=md5, declared_sha256=sha256))
    assert (found.reason_code, found.md5, found.sha256) == ("checksum mismatch", MD5, SHA256)
    assert words in found.reason
    validated(TEXT, Expected(role="R1", declared_md5=MD5, declared_sha256=SHA256))


def test_a_contradicted_checksum_explains_damage_and_a_cut_explains_itself() -> None:
    said = Expected(role="R1", declared_md5=MD5)
    damaged = rejected(changed(17, 1, b"X"), said)
    assert (damaged.reason_code, damaged.at_record) == ("checksum mismatch", 18)
    assert "read 18 has" in damaged.reason
    cut_short = rejected(TEXT[:-30], said)
    assert (cut_short.reason_code, cut_short.size_bytes) == ("truncated", len(TEXT) - 30)
    as_made = changed(17, 1, b"X")
    honest = Expected(role="R1", declared_md5=hashlib.md5(as_made).hexdigest())
    assert rejected(as_made, honest).reason_code == "malformed record"


def test_an_object_of_another_size_is_another_object() -> None:
    found = rejected(TEXT, Expected(role="R1", size_bytes=len(TEXT) + 1))
    assert found.reason_code == "gone"
    assert "another object has taken its place" in found.reason


# -- whatever comes


@compressed
def test_turned_bits_are_a_finding_or_harmless_and_never_an_error(way: str) -> None:
    body = WAYS[way](fastq(40))
    rejections = 0
    for seed in range(600):
        found = judged(cut(flipped(body, seed, 1 + seed % 4)), R1)
        assert isinstance(found, Passed | Refused)
        rejections += isinstance(found, Refused)
    # In plain text a bit may turn one letter of a name into another; a checksum finds that.
    assert rejections > (150 if way == "plain" else 590)


def test_chance_is_a_finding() -> None:
    for seed in range(200):
        for head in (b"", b"@", b"\x1f\x8b", BGZF_EOF, BGZF_EOF[:12], gzip.compress(b"@a\n")):
            body = head + flipped(bytes(300), seed, 900)
            assert isinstance(judged([body], R1), Refused)


def test_what_the_store_raises_is_not_swallowed() -> None:
    def breaks() -> Iterable[bytes]:
        yield TEXT[:5_000]
        raise TimeoutError("the store is away")

    with pytest.raises(TimeoutError):
        judged(breaks(), R1)
