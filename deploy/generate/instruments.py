"""The instruments that run folders are generated for: what each writes, and how it reads i5."""

from __future__ import annotations

from dataclasses import dataclass

RTA, COPY = "RTAComplete.txt", "CopyComplete.txt"
SEQUENCE = "SequenceComplete.txt"
STATUS = "RunCompletionStatus.xml"


@dataclass(frozen=True, slots=True)
class Status:
    """How an instrument words its RunCompletionStatus.xml, and the word that means success."""

    element: str
    good: str
    bad: str


OLD_STATUS = Status("CompletionStatus", good="CompletedAsPlanned", bad="UserEndedEarly")
NEW_STATUS = Status("RunStatus", good="RunCompleted", bad="RunErrored")


@dataclass(frozen=True, slots=True)
class Instrument:
    """One model, as far as its run folders tell it from the others."""

    model: str
    serial: str
    lanes: int
    run_id: str  # a pattern: day is YYMMDD, year the four figures in its place
    flow_cell: str
    run_info_version: int
    parameters_file: str
    markers: tuple[str, ...]  # in the order in which they are written; the last says it is over
    status: Status | None = None
    i5_reversed: bool = True
    says_reversed: bool = False  # whether RunInfo marks the reads that are reverse complements
    colours: int = 2
    pooled: bool = False  # one pool flows through all lanes, so that each holds every library


INSTRUMENTS = {
    instrument.model: instrument
    for instrument in (
        Instrument(
            "MiSeq", "M00001", 1, "{day}_M00001_{number:04d}_{flow_cell}", "000000000-G{:04d}",
            2, "runParameters.xml", (RTA,), i5_reversed=False, colours=4,
        ),
        Instrument(
            "NextSeq 500/550", "NB500001", 4, "{day}_NB500001_{number:04d}_A{flow_cell}",
            "HG{:04d}BGXX", 4, "RunParameters.xml", (RTA, STATUS), OLD_STATUS, pooled=True,
        ),
        Instrument(
            "NextSeq 1000/2000", "VH00001", 1, "{day}_VH00001_{number}_{flow_cell}",
            "AAG{:04d}M5", 6, "RunParameters.xml", (RTA, STATUS, COPY), NEW_STATUS,
            says_reversed=True,
        ),
        Instrument(
            "NovaSeq 6000", "A00001", 2, "{day}_A00001_{number:04d}_A{flow_cell}",
            "HG{:04d}DRXY", 5, "RunParameters.xml", (RTA, SEQUENCE, COPY),
        ),
        Instrument(
            "NovaSeq X", "LH00001", 2, "{year}_LH00001_{number:04d}_A{flow_cell}",
            "22G{:04d}LT3", 6, "RunParameters.xml", (RTA, STATUS, COPY), NEW_STATUS,
            says_reversed=True,
        ),
    )
}  # fmt: skip
