"""Which files of base calls a whole run has, from RunInfo: by tile, by lane or by surface."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from genoflow.processors.intake.illumina.instruments import PER_LANE, PER_SURFACE, PER_TILE
from genoflow.processors.intake.illumina.run_info import RunInfo

BASE_CALLS = "Data/Intensities/BaseCalls"
PACKED = ("", ".gz", ".bgzf")  # MiSeq writes .bcl, HiSeq .bcl.gz, NextSeq 500 .bcl.bgzf
CYCLE = re.compile(rf"{BASE_CALLS}/L\d{{3}}/(?:C(\d+)\.1/|(\d{{4}})\.bcl)")
BY_LANE = re.compile(rf"{BASE_CALLS}/L\d{{3}}/\d{{4}}\.bcl(\.gz|\.bgzf)?")


def missing_of(info: RunInfo, files: Collection[str], expected: str) -> Iterator[str]:
    """What is not there of what each cycle, lane and tile must have; the folder shows the layout.

    `expected` is the layout of the model, for a folder that holds no base calls yet.
    """
    layout = layout_of(files) or expected
    for lane in range(1, info.lanes + 1):
        folder = f"{BASE_CALLS}/L{lane:03d}"
        tiles = info.tiles_of(lane)
        for stem, endings in _stems(info, lane, tiles, layout):
            if not any(f"{folder}/{stem}{ending}" in files for ending in endings):
                yield f"{folder}/{stem}{endings[0]}"


def cut_short(sizes: Mapping[str, int]) -> Iterator[str]:
    """Base calls that hold less than they must: nothing, or less than the tile's other cycles.

    A plain .bcl has a byte for each cluster, so all cycles of a tile have one size; packed ones
    differ.
    """
    tiles: dict[str, dict[str, int]] = {}
    for path, size in sizes.items():
        if not path.startswith(BASE_CALLS):
            continue
        if size == 0 and (".bcl" in path or path.endswith((".cbcl", ".filter"))):
            yield path
        elif path.endswith(".bcl") and BY_LANE.fullmatch(path) is None:
            lane, _, tile = path.removeprefix(BASE_CALLS)[1:].partition("/")
            tiles.setdefault(f"{lane}/{tile.rpartition('/')[2]}", {})[path] = size
    for cycles in tiles.values():
        whole = max(cycles.values())
        yield from (path for path, size in cycles.items() if size < whole)


def layout_of(files: Collection[str]) -> str | None:
    """How this folder holds its base calls; None where there are none yet."""
    layout = None
    for path in files:
        if not path.startswith(BASE_CALLS):
            continue
        if path.endswith(".cbcl"):
            return PER_SURFACE
        if BY_LANE.fullmatch(path):
            return PER_LANE
        if ".bcl" in path:
            layout = PER_TILE
    return layout


def _stems(
    info: RunInfo, lane: int, tiles: tuple[str, ...], layout: str
) -> Iterator[tuple[str, tuple[str, ...]]]:
    packed = tuple(f".bcl{ending}" for ending in PACKED)
    cycles = range(1, info.cycles + 1)
    if layout == PER_LANE:
        yield from ((f"{cycle:04d}", packed) for cycle in cycles)
        yield f"s_{lane}", (".filter",)
        return
    yield from ((f"s_{lane}_{tile}", (".filter",)) for tile in tiles)
    if layout == PER_SURFACE:
        surfaces = sorted({tile[0] for tile in tiles}) or ["1"]
        for cycle in cycles:
            yield from ((f"C{cycle}.1/L{lane:03d}_{surface}", (".cbcl",)) for surface in surfaces)
        return
    for cycle in cycles:
        yield from ((f"C{cycle}.1/s_{lane}_{tile}", packed) for tile in tiles)


def cycles_done(files: Collection[str]) -> int | None:
    """The last cycle of which there is a file; None where there is none."""
    found = (CYCLE.match(path) for path in files)
    return max((int(one[1] or one[2]) for one in found if one), default=None)
