"""Read pairs of a subject, with what a sequencer adds: errors, N, adapters, duplicates, poly-G."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import NamedTuple

from genoflow.deploy.generate.genome import BASES, Genome, reverse_complement
from genoflow.deploy.generate.variants import Haplotype, Subject, haplotypes_of

READ_BASES = 101
# Current instruments write four qualities: not called, poor, middling, good.
NO_CALL, POOR, MIDDLING, GOOD = 2, 12, 23, 37
BINS = (NO_CALL, POOR, MIDDLING, GOOD)
# How often each occurs in the first, the second and the last third of a read.
BIN_WEIGHTS = ((1, 8, 30, 961), (1, 12, 50, 937), (3, 30, 110, 857))
ERROR_RATES = {POOR: 0.063, MIDDLING: 0.005, GOOD: 0.0002}  # 10 to the power of -Q/10
PROFILES = 400  # strings of qualities, made once; each read takes one of them
ADAPTERS = ("AGATCGGAAGAGCACACGTCTGAACTCCAGTCA", "AGATCGGAAGAGCGTCGTGTAGGGAAAGAGTGT")
POLY_G_BASES_MIN = 20  # trimmers take ten for a tail, so that every one of these is found
UNIFORMS = 12  # the sum of twelve is a bell with a deviation of 1, and needs no logarithm


class Origin(NamedTuple):
    """Where a pair comes from: the fragment on its haplotype, counted from 0."""

    contig: str
    haplotype: int
    start: int
    size: int
    forward: bool
    duplicate: bool


class Read(NamedTuple):
    """Bases, and for each a Phred quality; quality 2 is an N, and an N has quality 2."""

    bases: str
    qualities: bytes


class Pair(NamedTuple):
    """The two reads of a fragment, and the truth about it."""

    first: Read
    second: Read
    origin: Origin


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the library was made and how well it was read."""

    read_bases: int = READ_BASES
    insert_mean_bases: int = 260
    insert_deviation_bases: int = 70  # one insert of a hundred is then shorter than its reads
    insert_min_bases: int = 35
    duplicate_fraction: float = 0.05
    poly_g_fraction: float = 0.01  # 0 for four-colour instruments, where darkness is no base


def pairs_for(depth: float, genome: Genome, recipe: Recipe) -> int:
    """How many pairs give this depth, before anything is trimmed or marked."""
    return round(depth * genome.length / (2 * recipe.read_bases))


def make_pairs(
    genome: Genome, subject: Subject, seed: str, count: int, recipe: Recipe
) -> tuple[Pair, ...]:
    """So many pairs of a subject; the seed tells one library of it from the next."""
    return tuple(_Sequencer(genome, subject, Random(f"{seed}/reads"), recipe).pairs(count))


def contaminated(
    own: Sequence[Pair], foreign: Sequence[Pair], fraction: float, seed: str
) -> tuple[Pair, ...]:
    """As many pairs as its own, of which this fraction, drawn by the seed, is somebody else's."""
    source = Random(f"{seed}/contamination")
    places = source.sample(range(len(own)), round(fraction * len(own)))
    pairs = list(own)
    for place, pair in zip(places, foreign[: len(places)], strict=True):
        pairs[place] = pair
    return tuple(pairs)


class _Profile(NamedTuple):
    """The qualities of one read, and where they make an error likely."""

    qualities: bytes
    no_calls: tuple[int, ...]
    doubtful: tuple[tuple[int, float], ...]


def _profiles(source: Random, length: int) -> list[_Profile]:
    found: list[_Profile] = []
    for _ in range(PROFILES):
        qualities = b"".join(
            bytes(source.choices(BINS, weights, k=(length + number) // len(BIN_WEIGHTS)))
            for number, weights in enumerate(BIN_WEIGHTS)
        )
        found.append(
            _Profile(
                qualities,
                tuple(place for place, quality in enumerate(qualities) if quality == NO_CALL),
                tuple(
                    (place, ERROR_RATES[quality])
                    for place, quality in enumerate(qualities)
                    if quality in (POOR, MIDDLING)
                ),
            )
        )
    return found


class _Sequencer:
    """Draws fragments and reads them; all its chance comes from one source, in one order."""

    def __init__(self, genome: Genome, subject: Subject, source: Random, recipe: Recipe) -> None:
        self._source = source
        self._recipe = recipe
        self._copies = haplotypes_of(genome, subject)
        # A contig of one copy gives half of the fragments.
        self._weights = [
            len(contig.bases) * len(copies)
            for contig, copies in zip(genome.contigs, self._copies, strict=True)
        ]
        self._profiles = _profiles(source, recipe.read_bases)
        self._offsets = {
            id(copy): [low.offset for low in copy.low] for pair in self._copies for copy in pair
        }
        # A duplicate is a copy of the fragment, errors of the sequencer not included.
        self._last: tuple[Origin, str] | None = None

    def pairs(self, count: int) -> Iterator[Pair]:
        chances = list(accumulate(self._weights))
        for _ in range(count):
            origin, fragment = self._fragment(chances)
            first = self._read(fragment, ADAPTERS[0])
            second = self._read(reverse_complement(fragment), ADAPTERS[1])
            yield Pair(first, second, origin)

    def _fragment(self, chances: Sequence[int]) -> tuple[Origin, str]:
        source = self._source
        if self._last and source.random() < self._recipe.duplicate_fraction:
            origin, fragment = self._last
            return origin._replace(duplicate=True), fragment
        copies = source.choices(self._copies, cum_weights=chances)[0]
        number = source.randrange(len(copies))
        copy = copies[number]
        size = min(self._size(), len(copy.bases))
        start = source.randrange(len(copy.bases) - size + 1)
        fragment = self._with_low(copy, start, size)
        forward = source.random() < 0.5
        if not forward:
            fragment = reverse_complement(fragment)
        origin = Origin(copy.contig, number, start, size, forward, duplicate=False)
        self._last = origin, fragment
        return origin, fragment

    def _size(self) -> int:
        recipe, source = self._recipe, self._source
        bell = sum(source.random() for _ in range(UNIFORMS)) - UNIFORMS / 2
        size = round(recipe.insert_mean_bases + bell * recipe.insert_deviation_bases)
        return max(size, recipe.insert_min_bases)

    def _with_low(self, copy: Haplotype, start: int, size: int) -> str:
        bases = copy.bases[start : start + size]
        first = bisect_left(self._offsets[id(copy)], start)
        shown = []
        for low in copy.low[first:]:
            if low.offset - start >= size:
                break
            if self._source.random() < low.fraction:
                shown.append(low)
        for low in reversed(shown):  # from behind: what is shorter or longer moves none before it
            place = low.offset - start
            bases = bases[:place] + low.alternate + bases[place + low.reference_bases :]
        return bases

    def _read(self, fragment: str, adapter: str) -> Read:
        source, length = self._source, self._recipe.read_bases
        # Past fragment and adapter a two-colour instrument sees nothing, and calls that G.
        filler = "G" if self._recipe.poly_g_fraction else "A"
        bases = fragment[:length]
        if len(bases) < length:
            bases = (bases + adapter)[:length].ljust(length, filler)
        profile = source.choice(self._profiles)
        written = list(bases)
        for place, rate in profile.doubtful:
            if source.random() < rate:
                written[place] = _another(source, written[place])
        if source.random() < length * ERROR_RATES[GOOD]:
            place = source.randrange(length)
            written[place] = _another(source, written[place])
        if source.random() < self._recipe.poly_g_fraction:
            size = source.randint(min(POLY_G_BASES_MIN, length), length)
            written[length - size :] = "G" * size
        for place in profile.no_calls:
            written[place] = "N"
        return Read("".join(written), profile.qualities)


def _another(source: Random, base: str) -> str:
    return source.choice([other for other in BASES if other != base])
