"""A CRAM file for each rule, which breaks it and little else."""

from __future__ import annotations

import bz2
import random
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from genoflow.processors.validation.cram import blocks
from genoflow.processors.validation.cram.containers import EOF_3
from tests.alignments import cram, cram_against
from tests.crams import Cram, Made, Maps, Part, itf8, taken_apart

BASES = "".join(random.Random(7).choices("ACGT", k=2_000))
RAW = ("level=0",)  # blocks that are not compressed can be changed by hand
GRCH37_CHR1 = {"SN": "chr1", "LN": 249_250_621, "M5": "0" * 32}


def changed(change: Callable[[Cram], object], body: bytes | None = None) -> bytes:
    file = taken_apart(cram() if body is None else body)
    change(file)
    return file.written()


def of_container(**changes: Any) -> bytes:
    def change(file: Cram) -> None:
        for name, value in changes.items():
            setattr(file.data, name, value)

    return changed(change)


def of_block(at: int, body: bytes | None = None, **changes: Any) -> bytes:
    def change(file: Cram) -> None:
        for name, value in changes.items():
            setattr(file.data.parts[at], name, value)

    return changed(change, body)


def of_maps(change: Callable[[Maps], None]) -> bytes:
    return changed(lambda file: file.change_maps(change))


def of_slice(body: bytes | None = None, tail: bytes = b"", **changes: Any) -> bytes:
    return changed(lambda file: file.change_slice(tail, **changes), body)


def of_header(change: Callable[[Part], None]) -> bytes:
    return changed(lambda file: change(file.made[0].parts[0]))


def with_tag(tag: bytes, *, encoded: bool) -> bytes:
    def change(maps: Maps) -> None:
        maps.keep(b"TD", itf8(len(tag) + 1) + tag + b"\0")
        if encoded:
            maps.tags = [(itf8(int.from_bytes(tag)), b"\x05\x02\x00\x0b")]

    return of_maps(change)


def without_m5() -> bytes:
    def change(file: Cram) -> None:
        part = file.made[0].parts[0]
        lines = part.data[4:].split(b"\t")
        text = b"\t".join(field for field in lines if not field.startswith(b"M5:")) + b"\n"
        file.made[0].parts = [Part(0, 0, 0, len(text).to_bytes(4, "little") + text)]
        file.made[0].landmarks = ()

    return changed(change, cram_against(BASES, *RAW, UR="nowhere"))


def turned_in(part: int) -> bytes:
    body, file = cram(), taken_apart(cram())
    at = body.index(file.data.parts[part].data[:20]) + 5
    return body[:at] + bytes([body[at] ^ 4]) + body[at + 1 :]


def turned_header() -> bytes:
    body, file = cram(), taken_apart(cram())
    at = len(file.definition) + len(file.made[0].written(file.version)) + 4
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


def high_quality() -> bytes:
    def change(file: Cram) -> None:
        for part in file.data.parts:
            if part.kind == blocks.EXTERNAL and set(part.data) <= set(b"\x02\x0b\x19\x25"):
                part.data = b"\x5e" + part.data[1:]

    return changed(change, cram(70, 1, *RAW))


def longer(file: Cram) -> None:
    file.data.records += 1
    file.change_slice(records=file.slice.records + 1)


def again(file: Cram) -> None:
    second = [part for part in file.data.parts if part.kind == blocks.EXTERNAL][1]
    second.content_id = file.data.parts[3].content_id


def grown(file: Cram) -> None:
    file.made[0].parts.append(Part(0, 0, 0, b"x"))
    file.made[0].landmarks = ()


def packed(part: Part) -> None:
    raw = part.raw or len(part.data)
    part.method, part.data, part.raw = blocks.BZIP2, bz2.compress(bytes(raw)), raw


def cut_text(part: Part) -> None:
    part.method, part.raw, part.data = 0, None, (1_000).to_bytes(4, "little") + b"@HD\tVN:1.6\n"


def ended(file: Cram) -> None:
    file.made[-1].bases = 1


def bare(file: Cram) -> None:
    alone = file.data.parts[:1]
    file.made.insert(1, Made(-1, 0, 0, 0, 0, 0, alone, count=6))


def embedded() -> bytes:
    return cram_against(BASES, "embed_ref=1", *RAW)


def half_md5(file: Cram) -> None:
    md5 = file.slice.md5
    file.change_slice(md5=bytes([md5[0] ^ 1]) + md5[1:])


def shifted(file: Cram) -> None:
    start = file.slice.start
    file.data.start = start + 1


def large() -> bytes:
    """A block that nothing refers to, of zero bytes."""
    size = 80 * 1024**2

    def change(file: Cram) -> None:
        file.data.parts.append(Part(blocks.GZIP, blocks.EXTERNAL, 99, zeros(size), size))
        ids = (*file.slice.content_ids, 99)
        file.change_slice(blocks=file.slice.blocks + 1, content_ids=ids)

    return changed(change)


def zeros(size: int) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    part = bytes(1024**2)
    return b"".join(packer.compress(part) for _ in range(size // len(part))) + packer.flush()


def emptied(file: Cram) -> None:
    file.made = [file.made[0], file.made[-1]]


def unmapped(file: Cram) -> None:
    file.data.reference = -1
    file.change_slice(reference=-1, md5=bytes(15) + b"\1")


def shorter(file: Cram) -> None:
    file.data.length = sum(len(part.written(file.version)) for part in file.data.parts) - 3


def far(file: Cram) -> None:
    file.data.start = 900_000
    file.change_slice(start=900_000)


def first_is_data() -> bytes:
    return of_block(0, kind=blocks.CORE)


# What is known of a file beforehand, where a rule is about that.
KNOWN: dict[str, Callable[[Path], dict[str, Any]]] = {
    "cram-slice-beyond-reference": lambda path: {"reference_path": fasta(path, BASES)},
    "cram-reference-md5": lambda path: {"reference_path": fasta(path, "G" * 9 + BASES[9:])},
}
# By the code of the rule.
BREAK: dict[str, Callable[[], bytes]] = {
    "cram-magic": lambda: b"CRAN" + cram()[4:],
    "cram-version": lambda: cram()[:4] + b"\x04" + cram()[5:],
    "cram-truncated": lambda: cram()[:-38],
    "cram-eof-bytes": lambda: changed(ended),
    "cram-after-eof": lambda: cram() + b"more",
    "cram-eof-again": lambda: cram() + EOF_3,
    "cram-container-checksum": turned_header,
    "cram-block-checksum": lambda: turned_in(3),
    "cram-counts": lambda: of_container(length=-1),
    "cram-too-large": lambda: of_block(3, method=blocks.GZIP, raw=1024**3 + 1),
    "cram-slice-large": large,
    "cram-container-length": lambda: of_container(spare=bytes(4)),
    "cram-container-short": lambda: changed(shorter),
    "cram-block-count": lambda: of_container(count=len(taken_apart(cram()).data.parts) + 1),
    "cram-block-count-without-records": lambda: changed(bare),
    "cram-block-method": lambda: of_block(3, method=9),
    "cram-method-of-later-version": lambda: of_block(
        3, cram(70, 1, "version=3.0"), method=blocks.NAMES
    ),
    "cram-raw-sizes": lambda: of_block(3, method=blocks.RAW, raw=1),
    "cram-block-data": lambda: of_block(3, method=blocks.GZIP, raw=99_999),
    "cram-block-place": first_is_data,
    "cram-content-id": lambda: changed(again),
    "cram-content-id-low": lambda: of_maps(lambda maps: maps.set(b"QQ", b"\x05\x02\x00\x00")),
    "cram-header-method": lambda: of_header(packed),
    "cram-header-text": lambda: of_header(cut_text),
    "cram-header-room": lambda: changed(grown),
    "cram-compression-header": lambda: of_maps(lambda maps: setattr(maps, "more", 1)),
    "cram-preservation-map": lambda: of_maps(
        lambda maps: setattr(
            maps, "preservation", [pair for pair in maps.preservation if pair[0] != b"SM"]
        )
    ),
    "cram-substitution-matrix": lambda: of_maps(lambda maps: maps.keep(b"SM", b"\0KKKK")),
    "cram-tag-dictionary": lambda: with_tag(b"1XZ", encoded=True),
    "cram-tag-without-encoding": lambda: with_tag(b"XXZ", encoded=False),
    "cram-data-series": lambda: of_maps(lambda maps: maps.set(b"ZZ", b"\x01\x01\x0b")),
    "cram-encoding": lambda: of_maps(lambda maps: maps.set(b"RL", b"\x0a\x00")),
    "cram-encoding-type": lambda: of_maps(lambda maps: maps.set(b"RL", b"\x05\x02\x00\x0b")),
    "cram-encoding-deprecated": lambda: of_maps(lambda maps: maps.set(b"PD", b"\x02\x02\x00\x02")),
    "cram-sq-without-m5": without_m5,
    "cram-record-unreadable": lambda: changed(longer),
    "cram-quality": high_quality,
    "cram-no-records": lambda: changed(emptied),
    "cram-slice-header": lambda: changed(
        lambda file: setattr(file.data.parts[1], "data", file.data.parts[1].data[:-20])
    ),
    "cram-slice-header-method": lambda: of_block(1, method=blocks.BZIP2, **compressed_header()),
    "cram-slice-reference": lambda: of_slice(reference=1),
    "cram-slice-range": lambda: changed(shifted, cram_against(BASES)),
    "cram-slice-blocks": lambda: of_slice(blocks=99),
    "cram-slice-content-ids": lambda: of_slice(content_ids=(99,)),
    "cram-slice-tags": lambda: of_slice(tail=b"!"),
    "cram-slice-md5-without-range": lambda: changed(unmapped),
    "cram-embedded-reference": lambda: of_slice(embedded(), embedded=77),
    "cram-embedded-md5": lambda: changed(half_md5, embedded()),
    "cram-reference-id": lambda: of_container(reference=5),
    "cram-record-count": lambda: of_container(records=71),
    "cram-record-counter": lambda: of_container(counter=1_000),
    "cram-landmarks": lambda: of_container(landmarks=(1,)),
    "cram-slice-beyond-reference": lambda: changed(far, cram_against(BASES)),
    "reference-unavailable": lambda: cram_against(BASES),
    "cram-reference-md5": lambda: cram_against(BASES),
}


def compressed_header() -> dict[str, Any]:
    data = taken_apart(cram()).data.parts[1].data
    return {"data": bz2.compress(data), "raw": len(data)}


def fasta(folder: Path, bases: str) -> Path:
    path = folder / "genome.fa"
    lines = [bases[at : at + 60] for at in range(0, len(bases), 60)]
    path.write_text(">one of the lab\n" + "\n".join(lines) + "\n", "ascii")
    return path
