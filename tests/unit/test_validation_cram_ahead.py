"""CRAM with the extension and without: the same findings, counts and sums, whatever the records."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pysam
import pytest

from genoflow.native import batch
from genoflow.processors.validation.cram import ahead, records
from genoflow.processors.validation.cram.reader import read_cram
from genoflow.processors.validation.findings import Broken, Findings
from genoflow.processors.validation.port import Expected
from genoflow.processors.validation.source import Source
from tests import alignment_lines as made

NEEDS_EXTENSION = pytest.mark.skipif(not batch.COMPILED, reason="there is nothing to compare with")
ORDERS = ("SO:coordinate", "SO:queryname", "GO:query", "SO:unsorted")


def spoiled(text: str, chance: random.Random) -> str:
    """Lines with other flags, places, scores and mates; htslib takes all of them."""
    rows = text.replace("SO:coordinate", chance.choice(ORDERS)).splitlines()
    often = chance.choice((0.02, 0.3, 0.95))
    for at, row in enumerate(rows):
        if row.startswith("@") or chance.random() > often:
            continue
        fields = row.split("\t")
        what = chance.randrange(6)
        if what == 0:
            fields[1] = str(chance.randrange(4096))
        elif what == 1:
            fields[3] = str(chance.choice((1, 100, 100_000_000)))
        elif what == 2:
            fields[4] = "255"
        elif what == 3:
            fields[6:9] = ["chr1", str(chance.choice((0, 7, 100_000_000))), "12"]
        elif what == 4 and len(fields[10]) > 1:
            fields[10] = "~" * len(fields[10])
        elif what == 5:
            fields.append("XX:Z:a text")
        rows[at] = "\t".join(fields)
    return "\n".join(rows) + "\n"


def as_cram(text: str, folder: Path) -> bytes:
    """The same records; no reference is needed to read them."""
    sam, cram = folder / "made.sam", folder / "made.cram"
    sam.write_text(text)
    options = ["no_ref=1", "seqs_per_slice=70"]
    with (
        pysam.AlignmentFile(str(sam), check_sq=False) as lines,
        pysam.AlignmentFile(str(cram), "wc", template=lines, format_options=options) as file,
    ):
        for record in lines:
            file.write(record)
    return cram.read_bytes()


def read(body: bytes) -> tuple[list[Any], dict[str, int], object]:
    """Findings, their counts, and what was measured."""
    findings, measured = Findings(), None
    try:
        measured = read_cram(Source([body]), "none", Expected("CRAM", lane=1), findings)
    except Broken as broken:
        findings.add(broken.rule, broken.message, broken.where)
    counts = {rule.code: count for rule, count in findings.counts.items()}
    return [one.as_json() for one in findings], counts, measured


@NEEDS_EXTENSION
@pytest.mark.parametrize("seed", range(12))
def test_the_extension_and_its_twin_find_the_same(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "AT_ONCE_RECORDS", 50)
    monkeypatch.setattr(records, "STEP_RECORDS", 10)
    chance = random.Random(seed)
    body = as_cram(spoiled(made.text(120, seed).decode(), chance), tmp_path)
    fast = read(body)
    monkeypatch.setattr(batch, "_rust", None)
    assert read(body) == fast


@NEEDS_EXTENSION
def test_of_sound_records_the_first_alone_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []
    take = records.Records._take

    def seen(self: Any, some: list[Any], before: int, fields: int) -> None:
        looked.append((before, len(some)))
        take(self, some, before, fields)

    monkeypatch.setattr(records.Records, "_take", seen)
    found, _, _ = read(as_cram(made.text(300, 9).decode(), tmp_path))
    assert found == []
    assert looked == [(0, 1)]


@NEEDS_EXTENSION
def test_what_has_no_place_in_bam_is_looked_at_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = as_cram(made.text(100, 3).decode(), tmp_path)
    fast = read(body)
    monkeypatch.setattr(ahead.Ahead, "_binary", lambda *_: None)
    assert read(body) == fast
