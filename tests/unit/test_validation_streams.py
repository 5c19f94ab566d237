"""Stored bytes: each rule of gzip and BGZF by what is done to the bytes, and the checksums."""

from __future__ import annotations

import base64
import gzip
import hashlib
import random
import struct
import zlib
from collections.abc import Callable

import pytest

from genoflow.native import batch
from genoflow.processors.validation import stream_rules as rules
from genoflow.processors.validation.digests import Digests, Hashes, hashes
from genoflow.processors.validation.inflate import BGZF_EOF, blocks_of, compression_of
from genoflow.processors.validation.rules import Rule
from genoflow.processors.validation.source import Source
from genoflow.processors.validation.stream_rules import BrokenStream
from tests.reads import bgzf, fastq, flipped, members

TEXT = fastq(200)
GZIP = gzip.compress(TEXT, mtime=0)
BGZF = bgzf(TEXT)
FIRST_BYTES = struct.unpack_from("<H", BGZF, 16)[0] + 1  # of the first block


@pytest.fixture(params=["extension", "twin"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of inflating."""
    if request.param == "twin":
        monkeypatch.setattr(batch, "_rust", None)


def inflated(body: bytes, compression: str, size: int = 997, *, needs_end: bool = True) -> bytes:
    """Its text, whatever pieces it comes in."""
    source = Source(body[at : at + size] for at in range(0, len(body), size))
    return b"".join(block.text for block in blocks_of(source, compression, needs_end=needs_end))


def put(body: bytes, at: int, new: bytes) -> bytes:
    at = at % len(body)
    return body[:at] + new + body[at + len(new) :]


def turned(body: bytes, at: int) -> bytes:
    return put(body, at, bytes([body[at] ^ 1]))


def with_header(flags: int, more: bytes) -> bytes:
    return GZIP[:3] + bytes([flags]) + GZIP[4:10] + more + GZIP[10:]


def checked(header: bytes, by: int = 0) -> bytes:
    head = GZIP[:3] + bytes([2]) + GZIP[4:10] + header
    return head + struct.pack("<H", (zlib.crc32(head) & 0xFFFF) ^ by) + GZIP[10:]


BROKEN: dict[Rule, tuple[str, bytes]] = {
    rules.GZIP_TRUNCATED: ("gzip", GZIP[:-1]),
    rules.GZIP_TRAILING_GARBAGE: ("gzip", GZIP + b"\0"),
    rules.GZIP_METHOD: ("gzip", put(GZIP, 2, b"\x07")),
    rules.GZIP_RESERVED_FLAGS: ("gzip", put(GZIP, 3, b"\x20")),
    rules.GZIP_HEADER_TOO_LONG: ("gzip", with_header(8, b"n" * 2_000_000 + b"\0")),
    rules.GZIP_HEADER_CHECKSUM: ("gzip", checked(b"", by=1)),
    rules.GZIP_DAMAGED: ("gzip", put(GZIP, 10, b"\xff")),
    rules.GZIP_CHECKSUM: ("gzip", turned(GZIP, -8)),
    rules.GZIP_LENGTH: ("gzip", turned(GZIP, -4)),
    rules.BGZF_TRUNCATED: ("bgzf", BGZF[: FIRST_BYTES - 1]),
    rules.BGZF_NO_END: ("bgzf", BGZF[:-28]),
    rules.BGZF_NO_BLOCK: ("bgzf", BGZF[:-28] + GZIP),
    rules.BGZF_TRAILING_GARBAGE: ("bgzf", BGZF + b"\0"),
    rules.BGZF_RESERVED_FLAGS: ("bgzf", put(BGZF, 3, b"\x24")),
    rules.BGZF_SIZE: ("bgzf", put(BGZF, 16, struct.pack("<H", 9))),
    rules.BGZF_DAMAGED: ("bgzf", put(BGZF, 18, b"\xff")),
    rules.BGZF_CHECKSUM: ("bgzf", turned(BGZF, FIRST_BYTES - 8)),
    rules.BGZF_LENGTH: ("bgzf", turned(BGZF, FIRST_BYTES - 4)),
}


def test_every_rule_has_its_example() -> None:
    assert list(BROKEN) == list(rules.RULES)


@pytest.mark.parametrize("size", [13, 10**7])
@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.code)
def test_what_is_done_to_the_bytes_breaks_the_rule(engine: None, rule: Rule, size: int) -> None:
    compression, body = BROKEN[rule]
    size = max(size, len(body) // 500)
    with pytest.raises(BrokenStream) as raised:
        inflated(body, compression, size)
    broken = raised.value
    assert broken.rule is rule
    assert broken.where.byte is not None
    assert 0 <= broken.where.byte <= len(body)


def other_subfield(text: bytes) -> bytes:
    """Blocks with a subfield of another program before BGZF's own."""
    body, at = b"", 0
    plain = bgzf(text, end=False)
    while at < len(plain):
        size = struct.unpack_from("<H", plain, at + 16)[0] + 1
        block = plain[at : at + size]
        extra = b"XY\x03\0abc" + struct.pack("<2sHH", b"BC", 2, size + 6)
        body += block[:10] + struct.pack("<H", len(extra)) + extra + block[18:]
        at += size
    return body + BGZF_EOF


SOUND: dict[str, tuple[str, Callable[[], bytes]]] = {
    "gzip": ("gzip", lambda: GZIP),
    "name and comment": ("gzip", lambda: with_header(24, b"a.fastq\0made by hand\0")),
    "extra": ("gzip", lambda: with_header(4, b"\x05\0hello")),
    "header checksum": ("gzip", lambda: checked(b"")),
    "members": ("gzip", lambda: members(TEXT[:99], b"", TEXT[99:500], TEXT[500:])),
    "stored": ("gzip", lambda: gzip.compress(TEXT, 0)),
    "bgzf": ("bgzf", lambda: BGZF),
    "two ends": ("bgzf", lambda: bgzf(TEXT[:500]) + bgzf(TEXT[500:])),
    "subfields": ("bgzf", lambda: other_subfield(TEXT)),
    "wide blocks": ("bgzf", lambda: bgzf(TEXT, 65_280)),
}


@pytest.mark.parametrize("size", [1, 997, 10**7])
@pytest.mark.parametrize("way", SOUND)
def test_what_is_sound_is_read_whole(engine: None, way: str, size: int) -> None:
    compression, make = SOUND[way]
    body = make()
    assert compression_of(body) == compression
    assert inflated(body, compression, size) == TEXT


@pytest.mark.parametrize("way", ["gzip", "bgzf"])
def test_no_cut_is_overlooked(engine: None, way: str) -> None:
    body = {"gzip": gzip.compress(TEXT[:900]), "bgzf": bgzf(TEXT[:900], 300)}[way]
    for size in range(1, len(body)):
        with pytest.raises(BrokenStream) as raised:
            inflated(body[:size], way)
        assert raised.value.rule.kind == "truncated"


def test_large_texts_come_in_blocks_of_one_size(monkeypatch: pytest.MonkeyPatch) -> None:
    text = random.Random(5).randbytes(300_000) * 17
    for way, body in (("gzip", gzip.compress(text, 1)), ("bgzf", bgzf(text, 60_000))):
        blocks = []
        for rust in (batch.extension(), None):
            monkeypatch.setattr(batch, "_rust", rust)
            source = Source(body[at : at + 700_000] for at in range(0, len(body), 700_000))
            blocks.append(list(blocks_of(source, way)))
            monkeypatch.undo()
        assert blocks[0] == blocks[1]
        assert b"".join(block.text for block in blocks[0]) == text
        assert max(len(block.text) for block in blocks[0]) < 3 * 1024**2


def test_both_ways_say_the_same_of_turned_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(400):
        way, whole = ("gzip", GZIP) if seed % 2 else ("bgzf", BGZF)
        body = flipped(whole, seed, 1 + seed % 3)
        said: list[object] = []
        for rust in (batch.extension(), None):
            with monkeypatch.context() as patch:
                patch.setattr(batch, "_rust", rust)
                try:
                    said.append(inflated(body, way, 10**6))
                except BrokenStream as broken:
                    said.append((broken.rule, broken.where))
        assert said[0] == said[1], seed


# -- checksums


def digests(
    body: bytes, pieces: int, kinds: dict[str, str], sizes: tuple[int, ...] = ()
) -> Digests:
    found = Digests(kinds, sizes)
    for at in range(0, len(body), pieces):
        found.update(body[at : at + pieces])
    return found


@pytest.mark.parametrize("pieces", [1_000, 65_536, 300_000])
def test_checksums_are_of_all_pieces_in_their_order(pieces: int) -> None:
    body = random.Random(1).randbytes(1_000_003)
    found = digests(body, pieces, {})
    assert found.md5 == hashlib.md5(body).hexdigest()
    assert found.sha256 == hashlib.sha256(body).hexdigest()


def test_the_checksums_of_a_store_are_those_that_are_published() -> None:
    kinds = dict.fromkeys(("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"), "?")
    found = digests(b"123456789", 4, {**kinds, "UNKNOWN": "?"}).of_store()
    # The check values of the catalogue of CRCs, which are of these nine digits.
    published = {"CRC32": "cbf43926", "CRC32C": "e3069283", "CRC64NVME": "ae8b14860a799888"}
    for kind, digits in published.items():
        assert base64.b64decode(found[kind]).hex() == digits
    assert base64.b64decode(found["SHA256"]) == hashlib.sha256(b"123456789").digest()
    assert set(found) == set(kinds)


@pytest.mark.parametrize("pieces", [1_000, 100_000])
def test_a_checksum_of_parts_is_one_of_their_checksums(pieces: int) -> None:
    body = random.Random(2).randbytes(250_001)
    sizes = (100_000, 100_000, 50_001)
    parts = (body[:100_000], body[100_000:200_000], body[200_000:])
    whole = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()
    said = f"{base64.b64encode(whole).decode()}-3"
    assert digests(body, pieces, {"SHA256": said}, sizes).of_store() == {"SHA256": said}


def test_a_checksum_that_differs_is_told() -> None:
    kinds = {"SHA256": "AAAA", "CRC32": base64.b64encode(bytes.fromhex("cbf43926")).decode()}
    source = Source([b"1234", b"56789"], Digests(kinds))
    source.drain()
    found = base64.b64encode(hashlib.sha256(b"123456789").digest()).decode()
    assert source.contradictions(kinds) == [("SHA256", "AAAA", found)]


@pytest.mark.parametrize("piece", [1, 63, 64, 65, 1_000])
def test_both_hashes_are_hashlibs_for_every_length(piece: int) -> None:
    body = random.Random(piece).randbytes(400)
    for size in range(len(body)):
        found, twin = hashes(), Hashes()
        for at in range(0, size, piece):
            found.update(body[at : min(size, at + piece)])
            twin.update(body[at : min(size, at + piece)])
        assert found.digests() == twin.digests(), size
        assert found.digests()[0] == hashlib.md5(body[:size], usedforsecurity=False).digest()
        assert found.digests()[1] == hashlib.sha256(body[:size]).digest()


def test_where_the_processor_cannot_hash_both_at_once_the_twin_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Other:
        def Hashes(self) -> None:  # noqa: N802 -- as the extension has it
            raise NotImplementedError

    monkeypatch.setattr(batch, "_rust", Other())
    assert isinstance(hashes(), Hashes)
