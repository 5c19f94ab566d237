"""RunInfo.xml of every edition: which run it is, its reads, and the tiles that it will have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from genoflow.events.errors import Refused
from genoflow.processors.intake.illumina.xml_document import attributes, local_name, parse

RUN_INFO = "RunInfo.xml"
CYCLES_MAX = 5_000  # the longest read today has 501
TILES_MAX = 100_000  # of a lane; a NovaSeq X 25B has 1,056
LANES_MAX = 16  # as an event can say


@dataclass(frozen=True, slots=True)
class RunRead:
    """One read in the order of sequencing."""

    number: int
    cycles: int
    is_index: bool
    is_reversed: bool | None  # None: this edition of the file does not say


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What RunInfo.xml says of a run."""

    run_id: str
    run_number: int | None
    instrument_id: str
    flow_cell_id: str
    lanes: int
    reads: tuple[RunRead, ...]
    surfaces: int
    swaths: int
    tiles_per_swath: int
    tiles: tuple[tuple[int, str], ...]  # (lane, tile) where the file lists them

    @property
    def cycles(self) -> int:
        """Of all reads together."""
        return sum(read.cycles for read in self.reads)

    @property
    def index_cycles(self) -> tuple[int, ...]:
        """The length of each index read."""
        return tuple(read.cycles for read in self.reads if read.is_index)

    def tiles_of(self, lane: int) -> tuple[str, ...]:
        """The names of a lane's tiles, listed or counted; none where the file says neither."""
        listed = tuple(tile for of, tile in self.tiles if of == lane)
        if listed:
            return listed
        return tuple(
            f"{surface}{swath}{tile:02d}"
            for surface in range(1, self.surfaces + 1)
            for swath in range(1, self.swaths + 1)
            for tile in range(1, self.tiles_per_swath + 1)
        )


def read_run_info(data: bytes) -> RunInfo:
    """What the file says; Refused with the place where it says too little."""
    root = parse(data, RUN_INFO)
    run = next((one for one in root.iter() if local_name(one) == "run"), None)
    if run is None:
        raise _lacks("an element Run")
    parts = {local_name(one): one for one in reversed(list(run.iter()))}
    layout = attributes(parts["flowcelllayout"]) if "flowcelllayout" in parts else {}
    named = attributes(run)
    lanes = _number(layout, "lanecount", "FlowcellLayout LaneCount", LANES_MAX)
    return RunInfo(
        run_id=_needed(named.get("id"), "Run Id"),
        run_number=_run_number(named),
        instrument_id=_needed(_text(parts, "instrument"), "Instrument"),
        flow_cell_id=_needed(_text(parts, "flowcell"), "Flowcell"),
        lanes=lanes,
        reads=_reads(run),
        surfaces=_number(layout, "surfacecount", "SurfaceCount", 10, missing=1),
        swaths=_number(layout, "swathcount", "SwathCount", 100, missing=1),
        tiles_per_swath=_number(layout, "tilecount", "TileCount", TILES_MAX, missing=0),
        tiles=_tiles(run),
    )


def _reads(run: ElementTree.Element) -> tuple[RunRead, ...]:
    found: list[RunRead] = []
    for element in run.iter():
        if local_name(element) != "read":
            continue
        said = attributes(element)
        place = f"Read {len(found) + 1}"
        if "numcycles" in said:
            cycles = _number(said, "numcycles", f"{place} NumCycles", CYCLES_MAX)
            is_index = said.get("isindexedread", "N").upper() == "Y"
        else:  # of the Genome Analyzer: first and last cycle, and a child for an index
            last = _number(said, "lastcycle", f"{place} LastCycle", CYCLES_MAX)
            cycles = last - _number(said, "firstcycle", f"{place} FirstCycle", CYCLES_MAX) + 1
            is_index = any(local_name(child) == "index" for child in element)
        if cycles < 1:
            raise _lacks(f"a cycle in {place}")
        reverse = said.get("isreversecomplement")
        is_reversed = reverse.upper() == "Y" if reverse else None
        found.append(RunRead(len(found) + 1, cycles, is_index, is_reversed))
    if not 1 <= len(found) <= 16:
        raise _lacks("between 1 and 16 elements Read")
    return tuple(found)


def _tiles(run: ElementTree.Element) -> tuple[tuple[int, str], ...]:
    found = []
    for element in run.iter():
        if local_name(element) == "tile":
            lane, _, tile = (element.text or "").strip().partition("_")
            if not (lane.isascii() and lane.isdecimal() and tile.isascii() and tile.isdecimal()):
                raise _lacks("lane and number, such as 1_1101, in an element Tile")
            found.append((int(lane), tile))
    return tuple(found)


def _text(parts: Mapping[str, ElementTree.Element], name: str) -> str | None:
    return (parts[name].text or "").strip() if name in parts else None


def _needed(text: str | None, what: str) -> str:
    if not text:
        raise _lacks(what)
    return text


def _number(
    said: Mapping[str, str], name: str, what: str, most: int, missing: int | None = None
) -> int:
    text = said.get(name, "")
    if not text and missing is not None:
        return missing
    if not (text.isascii() and text.isdecimal() and len(text) <= 9 and 1 <= int(text) <= most):
        raise _lacks(f"a number between 1 and {most:,} as {what}")
    return int(text)


def _run_number(said: Mapping[str, str]) -> int | None:
    text = said.get("number", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 6 else None


def _lacks(what: str) -> Refused:
    return Refused(f"{RUN_INFO}: lacks {what}; copy the file again from the instrument")
