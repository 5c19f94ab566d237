"""The documents of a run folder: RunInfo, RunParameters, and the files that say it is over."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from genoflow.deploy.generate.instruments import COPY, RTA, SEQUENCE, STATUS, Instrument
from genoflow.deploy.generate.libraries import Run

XML = '<?xml version="1.0" encoding="utf-8"?>\n'
READ_NAMES = ("Read1", "Index1", "Index2", "Read2")
TILE = 1101
FAILED_MESSAGE = "Flow cell stage did not reach its temperature"


def run_info(run: Run) -> bytes:
    """RunInfo.xml: what was planned, in the edition that this instrument writes."""
    instrument = run.instrument
    new = instrument.run_info_version >= 6
    lines = [
        f'<RunInfo Version="{instrument.run_info_version}">',
        f"  <Run Id={quoteattr(run.run_id)} Number={quoteattr(str(run.number))}>",
        f"    <Flowcell>{run.flow_cell}</Flowcell>",
        f"    <Instrument>{instrument.serial}</Instrument>",
        f"    <Date>{run.day:%Y-%m-%dT08:00:00Z}</Date>"
        if new
        else f"    <Date>{run.day:%y%m%d}</Date>",
        "    <Reads>",
        *_reads(run),
        "    </Reads>",
        f'    <FlowcellLayout LaneCount="{len(run.lanes)}" SurfaceCount="1" SwathCount="1"'
        ' TileCount="1">',
        '      <TileSet TileNamingConvention="FourDigit">',
        "        <Tiles>",
        *(f"          <Tile>{lane}_{TILE}</Tile>" for lane in run.lanes),
        "        </Tiles>",
        "      </TileSet>",
        "    </FlowcellLayout>",
        "  </Run>",
        "</RunInfo>",
    ]
    return (XML + "\n".join(lines) + "\n").encode()


def _reads(run: Run) -> list[str]:
    lines = []
    for number, (cycles, is_index) in enumerate(run.cycles, start=1):
        turned = ""
        if run.instrument.says_reversed:
            # Only i5, the third read, is read from the other strand.
            turned = f' IsReverseComplement="{"Y" if number == 3 else "N"}"'
        lines.append(
            f'      <Read Number="{number}" NumCycles="{cycles}"'
            f' IsIndexedRead="{"Y" if is_index else "N"}"{turned} />'
        )
    return lines


def run_parameters(run: Run) -> bytes:
    """RunParameters.xml, or runParameters.xml, with the fields that this instrument names."""
    fields = PARAMETERS[run.instrument.model](run)
    body = "\n".join(f"  {line}" for line in fields)
    return f"{XML}<RunParameters>\n{body}\n</RunParameters>\n".encode()


def _field(name: str, value: object) -> str:
    return f"<{name}>{escape(str(value))}</{name}>"


def _within(name: str, *fields: str) -> str:
    return f"<{name}>{''.join(fields)}</{name}>"


def _miseq(run: Run) -> list[str]:
    return [
        _within("FlowcellRFIDTag", _field("SerialNumber", run.flow_cell)),
        _within(
            "Setup",
            _field("ApplicationName", "MiSeq Control Software"),
            _field("ApplicationVersion", "4.1.0.656"),
        ),
        _field("RunID", run.run_id),
        _field("ScannerID", run.instrument.serial),
        _field("RunNumber", run.number),
        _field("RTAVersion", "1.18.54.4"),
        _field("Chemistry", "Amplicon"),
    ]


def _nextseq_500(run: Run) -> list[str]:
    return [
        _field("RunParametersVersion", "NextSeq_4_0_0"),
        _within(
            "Setup",
            _field("ApplicationName", "NextSeq Control Software"),
            _field("ApplicationVersion", "4.0.2.7"),
        ),
        _field("RunID", run.run_id),
        _field("InstrumentID", run.instrument.serial),
        _field("RunNumber", run.number),
        _field("FlowCellSerial", run.flow_cell),
        _field("Chemistry", "NextSeq High"),
    ]


def _nextseq_2000(run: Run) -> list[str]:
    return [
        _field("ApplicationName", "NextSeq 1000/2000 Control Software"),
        _field("ApplicationVersion", "1.7.1.41395"),
        _field("InstrumentType", "NextSeq2000"),
        _field("InstrumentSerialNumber", run.instrument.serial),
        _field("RunId", run.run_id),
        _field("RunCounter", run.number),
        _field("FlowCellSerialNumber", run.flow_cell),
    ]


def _novaseq_6000(run: Run) -> list[str]:
    return [
        _field("Application", "NovaSeq Control Software"),
        _field("ApplicationVersion", "1.8.1"),
        _field("InstrumentName", run.instrument.serial),
        _field("RunId", run.run_id),
        _field("RunNumber", run.number),
        _within(
            "RfidsInfo",
            _field("FlowCellSerialBarcode", run.flow_cell),
            _field("FlowCellMode", "SP"),
            # Version 3 is the chemistry v1.5, which reads i5 from the other strand.
            _field("SbsConsumableVersion", 3),
        ),
    ]


def _novaseq_x(run: Run) -> list[str]:
    planned = (
        f'<Read ReadName="{name}" Cycles="{cycles}" />'
        for name, (cycles, _) in zip(READ_NAMES, run.cycles, strict=True)
    )
    return [
        _field("InstrumentType", "NovaSeqXPlus"),
        _field("InstrumentSerialNumber", run.instrument.serial),
        _field("SystemSuiteVersion", "1.3.0.39308"),
        _field("RunId", run.run_id),
        _field("RunCounter", run.number),
        _within("PlannedReads", *planned),
    ]


PARAMETERS = {
    "MiSeq": _miseq,
    "NextSeq 500/550": _nextseq_500,
    "NextSeq 1000/2000": _nextseq_2000,
    "NovaSeq 6000": _novaseq_6000,
    "NovaSeq X": _novaseq_x,
}


def completion_status(run: Run, *, good: bool = True) -> bytes:
    """RunCompletionStatus.xml, as this instrument words success or failure."""
    status = run.instrument.status
    if status is None:
        raise ValueError(f"{run.instrument.model} writes no {STATUS}")
    fields = [_field(status.element, status.good if good else status.bad)]
    if status.element == "CompletionStatus":
        done = sum(cycles for cycles, _ in run.cycles) if good else run.read_bases
        fields += [
            _field("RunId", run.run_id),
            _field("CompletedCycles", done),
            _field("ErrorDescription", "None" if good else FAILED_MESSAGE),
        ]
    elif not good:
        fields.append(
            _within("RunError", _field("Type", "Instrument"), _field("Message", FAILED_MESSAGE))
        )
    body = "\n".join(f"  {field}" for field in fields)
    return f"{XML}<RunCompletionStatus>\n{body}\n</RunCompletionStatus>\n".encode()


def marker(run: Run, name: str) -> bytes:
    """What stands in one of the files that are written when the run is over."""
    if name == STATUS:
        return completion_status(run)
    if name == RTA:
        return _rta_complete(run.instrument, f"{run.day:%m/%d/%Y}")
    return {COPY: b"", SEQUENCE: b""}[name]


def _rta_complete(instrument: Instrument, day: str) -> bytes:
    if instrument.model == "MiSeq":
        return f"{day},20:00:00.000,Illumina RTA 1.18.54.4\r\n".encode()
    return b" "  # the newer ones leave one blank
