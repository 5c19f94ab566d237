"""What differs from model to model, as data: the marker, the status file, the way of reading i5."""

from __future__ import annotations

from dataclasses import dataclass

from genoflow.processors.intake.illumina.run_info import RunInfo
from genoflow.processors.intake.illumina.run_parameters import RunParameters

COPY_COMPLETE = "CopyComplete.txt"  # all files are at their place
RTA_COMPLETE = "RTAComplete.txt"  # base calling is done; on a NovaSeq files may follow for an hour
COMPLETION_STATUS = "RunCompletionStatus.xml"

PER_TILE, PER_LANE, PER_SURFACE = "per tile", "per lane", "per surface"
# Statuses that say yes, without spaces and in lower case.
GOOD = frozenset({"completedasplanned", "runcompleted", "successfullycompleted"})
# Statuses that say that somebody or something ended it; every other one is a failure.
ENDED_EARLY = frozenset(
    {"userendedearly", "stoppedearly", "exceptionendedearly", "runstopped", "runaborted",
     "endedearly"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Instrument:
    """One model."""

    model: str
    marker: str
    writes_status: bool  # whether COMPLETION_STATUS is awaited; one that is there always counts
    reads_i5_reversed: bool
    base_calls: str  # where the folder itself does not yet show it


V1_NOVASEQ = Instrument("NovaSeq 6000", COPY_COMPLETE, False, False, PER_SURFACE)
INSTRUMENTS = {
    one.model: one
    for one in (
        Instrument("MiSeq", RTA_COMPLETE, False, False, PER_TILE),
        Instrument("MiSeq i100", COPY_COMPLETE, False, True, PER_SURFACE),
        Instrument("MiniSeq", RTA_COMPLETE, True, True, PER_LANE),
        Instrument("iSeq 100", COPY_COMPLETE, False, True, PER_SURFACE),
        Instrument("NextSeq 500", RTA_COMPLETE, True, True, PER_LANE),
        Instrument("NextSeq 1000", COPY_COMPLETE, True, True, PER_SURFACE),
        Instrument("NextSeq 2000", COPY_COMPLETE, True, True, PER_SURFACE),
        Instrument("NovaSeq 6000", COPY_COMPLETE, False, True, PER_SURFACE),
        Instrument("NovaSeq X", COPY_COMPLETE, True, True, PER_SURFACE),
        Instrument("HiSeq 2500", RTA_COMPLETE, False, False, PER_TILE),
        Instrument("HiSeq 4000", RTA_COMPLETE, False, True, PER_TILE),
        Instrument("HiSeq X", RTA_COMPLETE, False, True, PER_TILE),
    )
}
# What RunParameters may call a model: letters and digits only, in lower case. The first that is
# found in the text counts, so the longer names stand first.
NAMES = (
    ("novaseqx", "NovaSeq X"), ("novaseq", "NovaSeq 6000"),
    ("nextseq2000", "NextSeq 2000"), ("nextseq10002000", "NextSeq 2000"),
    ("nextseq1000", "NextSeq 1000"), ("nextseq", "NextSeq 500"),
    ("miseqi100", "MiSeq i100"), ("miseq", "MiSeq"), ("miniseq", "MiniSeq"),
    ("hiseqx", "HiSeq X"), ("hiseq4000", "HiSeq 4000"), ("hiseq3000", "HiSeq 4000"),
    ("hiseq", "HiSeq 2500"), ("iseq", "iSeq 100"),
)  # fmt: skip
# How serial numbers begin, for a folder whose RunParameters say nothing; longer ones first.
SERIALS = (
    ("LH", "NovaSeq X"), ("VH", "NextSeq 2000"), ("VL", "NextSeq 1000"), ("NB", "NextSeq 500"),
    ("NS", "NextSeq 500"), ("MN", "MiniSeq"), ("FS", "iSeq 100"), ("SH", "MiSeq i100"),
    ("ST-E", "HiSeq X"), ("M", "MiSeq"), ("A", "NovaSeq 6000"), ("K", "HiSeq 4000"),
    ("J", "HiSeq 4000"), ("D", "HiSeq 2500"), ("E", "HiSeq X"),
)  # fmt: skip
# A model that nobody here knows: the stricter marker, and i5 as most instruments read it.
UNKNOWN = Instrument("unknown", COPY_COMPLETE, False, True, PER_SURFACE)


def instrument_of(info: RunInfo, parameters: RunParameters | None) -> Instrument:
    """The model that wrote this run, by what RunParameters say, else by its serial number."""
    said = parameters or RunParameters()
    for text in (said.instrument_type, said.application):
        plain = "".join(c for c in (text or "").lower() if c.isalnum())
        for part, model in NAMES:
            if part in plain:
                if model == "NovaSeq 6000" and said.consumable == "1":
                    return V1_NOVASEQ
                return INSTRUMENTS[model]
    for beginning, model in SERIALS:
        rest = info.instrument_id.upper().removeprefix(beginning)
        if rest != info.instrument_id.upper() and rest[:1].isdigit():
            return INSTRUMENTS[model]
    return UNKNOWN
