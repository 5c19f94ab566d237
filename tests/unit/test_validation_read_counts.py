"""Counting by lanes: reads of every length around theirs, and what is strange at every place."""

from __future__ import annotations

import random
from typing import Any

import pytest

from genoflow.native import batch
from genoflow.processors.validation.reads.counts import ADAPTERS, Counts, counts_of

NAME = b"@r"
FEW, MANY = b"#,:F", bytes(range(33, 127))
# Around whole lanes of 32 letters, around what the glance at adapters needs, and beyond what a
# byte counts of them: 254 times 32.
LENGTHS = (*range(1, 72), 100, 150, 999, 1_024, 8_127, 8_128, 8_129, 16_255, 16_257)

pytestmark = pytest.mark.skipif(batch.extension() is None, reason="there is one way of counting")


def record(bases: bytes, qualities: bytes) -> bytes:
    return b"%b\n%b\n+\n%b\n" % (NAME, bases, qualities)


def drawn(chance: random.Random, length: int, grades: bytes) -> tuple[bytes, bytes]:
    bases = bytes(chance.choices(b"ACGTN", (28, 22, 21, 28, 1), k=length))
    if chance.random() < 0.5:
        at = chance.randrange(length)
        bases = (bases[:at] + chance.choice([*ADAPTERS.values()]) + bases[at:])[:length]
    return bases, bytes(chance.choices(grades, k=length))


def counted(reads: list[tuple[bytes, bytes]], *, every: bool) -> tuple[dict[str, Any], bytes]:
    """What the extension counts of clean records, all of which it has to accept."""
    counts = counts_of(every=every)
    counts.know(NAME)
    text = b"".join(record(*one) for one in reads)
    assert counts.scan(text, 0) == (len(text), len(reads))
    return counts.raw(), counts.names()


def twins(reads: list[tuple[bytes, bytes]], *, every: bool) -> tuple[dict[str, Any], bytes]:
    counts = Counts(every=every)
    for bases, qualities in reads:
        counts.add(NAME, bases, qualities)
    return counts.raw(), counts.names()


@pytest.mark.parametrize("every", [True, False])
@pytest.mark.parametrize("grades", [FEW, MANY], ids=["few", "many"])
def test_reads_of_every_length_are_counted_as_the_twin_counts_them(
    grades: bytes, every: bool
) -> None:
    chance = random.Random(1)
    for length in LENGTHS:
        # The length of the read before is the one that is tried first.
        lengths = (length, length, max(1, length - 1), length + 1, length)
        reads = [drawn(chance, one, grades) for one in lengths]
        assert counted(reads, every=every) == twins(reads, every=every), length


@pytest.mark.parametrize("kinds", [1, 4, 8, 9, 94])
def test_qualities_may_become_many_at_any_read(kinds: int) -> None:
    chance = random.Random(kinds)
    reads = []
    for number in range(600):  # more than twice as many as a byte counts
        seen = 1 + number * (kinds - 1) // 599
        reads.append(drawn(chance, 40 + number % 50, MANY[:seen]))
    reads.append((b"A" * kinds, MANY[:kinds]))
    assert counted(reads, every=True) == twins(reads, every=True)


@pytest.mark.parametrize("length", [31, 32, 45, 64, 150])
def test_nothing_strange_is_accepted_at_any_place(length: int) -> None:
    bases, qualities = b"ACGTN" * 30, b"F:,#F" * 30
    counts = counts_of(every=True)
    counts.know(NAME)
    for before in (b"", record(bases[:length], qualities[:length])):  # its length is tried next
        clean = len(before)
        for at in range(length):
            for strange in (b"X", b"-", b"\r", b" ", b"\0", b"\n", b"\xff", b"@"):
                odd = bases[:at] + strange + bases[at + 1 : length]
                text = before + record(odd, qualities[:length])
                assert counts.scan(text, 0)[0] == clean, (at, strange)
            for strange in (b" ", b"\x7f", b"\n", b"\0", b"\xff"):
                odd = qualities[:at] + strange + qualities[at + 1 : length]
                text = before + record(bases[:length], odd)
                assert counts.scan(text, 0)[0] == clean, (at, strange)


def test_a_name_is_looked_at_in_every_place() -> None:
    counts = counts_of(every=False)
    counts.know(NAME)
    for length in (1, 20, 31, 32, 33, 70):
        for at in range(length):
            for strange in (b"\0", b"\x1f", b"\x7f", b"\r", b"\x80"):
                name = b"n" * at + strange + b"n" * (length - at - 1)
                assert counts.scan(b"@r%b\nA\n+\nF\n" % name, 0) == (0, 0)
        text = b"@r%b \t~\nA\n+\nF\n" % (b"n" * length)
        assert counts.scan(text, 0) == (len(text), 1)


def test_letters_of_iupac_and_lower_case_are_bases() -> None:
    reads = [(b"ACGTUNRYSWKMBDHVacgtunryswkmbdhv" * 3, b"F" * 96), (b"acgtn" * 9, b"#" * 45)]
    reads += [(b"c" * 20 + b"agatcggaagag" + b"t" * 30, b"F" * 62)]
    for every in (True, False):
        assert counted(reads, every=every) == twins(reads, every=every)
