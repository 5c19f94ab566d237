"""An Illumina run folder: base calls by cycle, which clusters passed, where they lie, documents.

The base calls are in the older layout (a file for each lane and cycle) for every instrument, since
Picard reads it and no free program writes the newer one. All else is as the instrument writes it.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import NamedTuple

from genoflow.deploy.generate.genome import BASES, make_genome
from genoflow.deploy.generate.libraries import (
    INDEX_DISTANCE_MIN,
    INDEX_PAIRS,
    Library,
    Run,
    distance,
    index_pairs,
)
from genoflow.deploy.generate.packing import gzip_member
from genoflow.deploy.generate.reads import GOOD, NO_CALL, POOR, Pair, Recipe, make_pairs
from genoflow.deploy.generate.run_documents import TILE, marker, run_info, run_parameters
from genoflow.deploy.generate.variants import Subject

SHEET = "SampleSheet.csv"
INTENSITIES = "Data/Intensities"
CONTROL_BASES = (5_386,)  # as long as the PhiX that every run is spiked with
UNDETERMINED_FRACTION = 0.03
FAILED_FRACTION = 0.03  # clusters that do not pass the instrument's filter
INDEX_ERROR_FRACTION = 0.02  # one wrong base: still the sample's own
INDEX_NO_CALL_FRACTION = 0.005  # one N: still the sample's own
# Of the undetermined: no index at all, a library that nobody listed, and noise.
UNKNOWN_WEIGHTS = (5, 3, 2)
FIELD_WIDTH = 20_000  # tenths of a pixel
CODES = bytes.maketrans(b"ACGTN", bytes((0, 1, 2, 3, 0)))
# Quality and base share a byte; a no-call is the byte 0, whatever its quality would be.
AS_CALLED = bytes(0 if value >> 2 == NO_CALL else value for value in range(256))


class Cluster(NamedTuple):
    """One spot of a lane: its sample (none for undetermined), reads, indexes as read, filter."""

    sample_id: str | None
    pair: Pair
    indexes: str
    index_qualities: bytes
    passed: bool


class File(NamedTuple):
    """A file of the run folder, by its path below it."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class LaneCount:
    """What a lane holds: clusters of each sample that passed the filter (None: undetermined)."""

    lane: int
    clusters: int
    passed: Counter[str | None]


def clusters_of(run: Run, lane: int) -> list[Cluster]:
    """Every cluster of a lane, in the order in which they lie there."""
    source = Random(f"{run.seed}/{run.run_id}/{lane}")
    libraries = [library for library in run.libraries if library.lane == lane]
    found = [
        _cluster(source, library.sample_id, pair, library.index1, run.i5_as_read(library.index2))
        for library in libraries
        for pair in library.pairs
    ]
    unknown = round(len(found) * UNDETERMINED_FRACTION)
    found += _undetermined(run, source, lane, libraries, unknown)
    source.shuffle(found)
    return found


def _cluster(
    source: Random, sample_id: str | None, pair: Pair, index1: str, index2: str
) -> Cluster:
    indexes, qualities = index1 + index2, bytearray((GOOD,) * len(index1 + index2))
    chance, place = source.random(), source.randrange(len(indexes))
    if sample_id is not None and chance < INDEX_ERROR_FRACTION + INDEX_NO_CALL_FRACTION:
        if chance < INDEX_ERROR_FRACTION:
            base = source.choice([b for b in BASES if b != indexes[place]])
            qualities[place] = POOR
        else:
            base, qualities[place] = "N", NO_CALL
        indexes = indexes[:place] + base + indexes[place + 1 :]
    return Cluster(sample_id, pair, indexes, bytes(qualities), source.random() >= FAILED_FRACTION)


def _undetermined(
    run: Run, source: Random, lane: int, libraries: list[Library], count: int
) -> Iterator[Cluster]:
    control = make_genome(0, CONTROL_BASES, "control")
    seed = f"{run.seed}/{run.run_id}/{lane}/control"
    recipe = Recipe(read_bases=run.read_bases)
    pairs = make_pairs(control, Subject("control", ()), seed, count, recipe)
    listed = [library.index1 + run.i5_as_read(library.index2) for library in libraries]
    nothing = ("G" if run.instrument.colours == 2 else "A") * run.index_bases
    unlisted = _unlisted(run)
    for pair in pairs:
        kind = source.choices(("none", "unlisted", "noise"), UNKNOWN_WEIGHTS)[0]
        if kind == "none":
            indexes = nothing + nothing
        elif kind == "unlisted":
            indexes = unlisted[0] + run.i5_as_read(unlisted[1])
        else:
            indexes = _noise(source, 2 * run.index_bases, listed)
        half = run.index_bases
        yield _cluster(source, None, pair, indexes[:half], indexes[half:])


def _unlisted(run: Run) -> tuple[str, str]:
    used = {index for library in run.libraries for index in (library.index1, library.index2)}
    # Of the same table as the samples' own, so it is as far from them as they from each other.
    for pair in reversed(index_pairs(run.seed, INDEX_PAIRS, run.index_bases)):
        if not used & {*pair}:
            return pair
    raise ValueError(f"{run.run_id}: every pair of the table of indexes is used; take fewer")


def _noise(source: Random, length: int, listed: list[str]) -> str:
    while True:
        word = "".join(source.choices(BASES, k=length))
        if all(
            distance(word, other) > INDEX_DISTANCE_MIN
            for other in listed
            if len(other) == len(word)
        ):
            return word


def count(lane: int, clusters: list[Cluster]) -> LaneCount:
    """What a demultiplexer has to find in a lane."""
    return LaneCount(lane, len(clusters), Counter(c.sample_id for c in clusters if c.passed))


def lane_files(run: Run, lane: int, clusters: list[Cluster]) -> Iterator[File]:
    """The files of a lane: where the clusters lie, every cycle, and who passed the filter."""
    source = Random(f"{run.seed}/{run.run_id}/{lane}/field")
    number = struct.pack("<I", len(clusters))
    place = f"L{lane:03d}"
    tile = f"s_{lane}_{TILE}"
    spots = (
        struct.pack("<ff", source.randrange(FIELD_WIDTH) / 10, row / 10)
        for row in range(len(clusters))
    )
    locations = struct.pack("<If", 1, 1.0) + number + b"".join(spots)
    yield File(f"{INTENSITIES}/{place}/{tile}.locs", locations)
    called = _called(clusters)
    cycles = sum(length for length, _ in run.cycles)
    for cycle in range(cycles):
        yield File(
            f"{INTENSITIES}/BaseCalls/{place}/C{cycle + 1}.1/{tile}.bcl.gz",
            gzip_member(number + called[cycle::cycles]),
        )
    passed = bytes(cluster.passed for cluster in clusters)
    yield File(
        f"{INTENSITIES}/BaseCalls/{place}/{tile}.filter", struct.pack("<II", 0, 3) + number + passed
    )


def _called(clusters: list[Cluster]) -> bytes:
    bases = "".join(c.pair.first.bases + c.indexes + c.pair.second.bases for c in clusters)
    qualities = b"".join(
        c.pair.first.qualities + c.index_qualities + c.pair.second.qualities for c in clusters
    )
    # As two numbers of a million digits, millions of bases are put together in one step.
    both = int.from_bytes(bases.encode().translate(CODES), "big")
    both |= int.from_bytes(qualities, "big") << 2
    return both.to_bytes(len(qualities), "big").translate(AS_CALLED)


def files_of(run: Run, sheet: bytes | None) -> Iterator[File]:
    """Every file of the run folder, in the order in which the instrument writes them."""
    yield File("RunInfo.xml", run_info(run))
    yield File(run.instrument.parameters_file, run_parameters(run))
    if sheet is not None:
        yield File(SHEET, sheet)
    for lane in run.lanes:
        yield from lane_files(run, lane, clusters_of(run, lane))
    for name in run.instrument.markers:
        yield File(name, marker(run, name))


def write_run_folder(parent: Path, run: Run, sheet: bytes | None) -> Path:
    """Write the run below `parent` and return its folder."""
    folder = parent / run.run_id
    for file in files_of(run, sheet):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
    return folder
