"""In which direction a sheet spells i5: by its version, its header and the instrument."""

from __future__ import annotations

from genoflow.processors.intake.illumina.instruments import Instrument
from genoflow.processors.intake.illumina.run_info import RunInfo

FORWARD = "forward"
REVERSE = "reverse complement"


def i5_is_read_reversed(info: RunInfo, instrument: Instrument) -> bool:
    """Whether the second index read of this run is the reverse complement of the adapter's i5."""
    indexes = [read for read in info.reads if read.is_index]
    if len(indexes) > 1 and indexes[1].is_reversed is not None:
        return indexes[1].is_reversed
    return instrument.reads_i5_reversed


def i5_orientation(
    sheet_version: str, stated: str | None, info: RunInfo, instrument: Instrument
) -> str:
    """How this sheet spells i5.

    What the header of a v2 sheet states as IndexOrientation counts. A v2 sheet of an instrument
    whose RunInfo says in which direction it reads is forward, for the demultiplexer turns it. Every
    other sheet spells i5 as the instrument reads it.
    """
    if sheet_version == "v2" and stated is not None:
        return FORWARD if stated.casefold() == "forward" else REVERSE
    indexes = [read for read in info.reads if read.is_index]
    runs_say = len(indexes) > 1 and indexes[1].is_reversed is not None
    if sheet_version == "v2" and runs_say:
        return FORWARD
    return REVERSE if i5_is_read_reversed(info, instrument) else FORWARD
