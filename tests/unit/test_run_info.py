"""RunInfo.xml and RunParameters.xml of every model that a lab has, and of none."""

from __future__ import annotations

import pytest

from genoflow.events.errors import Refused
from genoflow.processors.intake.illumina.instruments import INSTRUMENTS, instrument_of
from genoflow.processors.intake.illumina.orientation import i5_is_read_reversed, i5_orientation
from genoflow.processors.intake.illumina.run_info import read_run_info
from genoflow.processors.intake.illumina.run_parameters import (
    RunParameters,
    read_run_parameters,
)
from tests.sheets import RUN_ID, run_info

MISEQ = b"""<?xml version="1.0"?>
<RunParameters xmlns:xsd="http://www.w3.org/2001/XMLSchema">
  <Setup><ApplicationName>MiSeq Control Software</ApplicationName>
  <ApplicationVersion>2.6.2.1</ApplicationVersion></Setup>
  <Chemistry>Amplicon</Chemistry><MCSVersion>2.6.2.1</MCSVersion>
</RunParameters>"""
NEXTSEQ_500 = b"""<?xml version="1.0"?>
<RunParameters><InstrumentID>NB500001</InstrumentID>
  <Setup><ApplicationName>NextSeq Control Software</ApplicationName>
  <ApplicationVersion>2.2.0.4</ApplicationVersion></Setup>
  <Chemistry>NextSeq High</Chemistry></RunParameters>"""
NEXTSEQ_2000 = b"""<?xml version="1.0"?>
<RunParameters><ApplicationVersion>1.5.0.42699</ApplicationVersion>
  <ApplicationName>NextSeq 1000/2000 Control Software</ApplicationName>
  <InstrumentType>NextSeq2000</InstrumentType>
  <FlowCellMode>NextSeq 1000/2000 P2 Flow Cell Cartridge</FlowCellMode></RunParameters>"""
NEXTSEQ_1000 = NEXTSEQ_2000.replace(b"Type>NextSeq2000", b"Type>NextSeq1000")
NOVASEQ_6000 = b"""<?xml version="1.0"?>
<RunParameters><Application>NovaSeq Control Software</Application>
  <ApplicationVersion>1.7.5</ApplicationVersion><RfidsInfo><FlowCellMode>S4</FlowCellMode>
  <SbsConsumableVersion>3</SbsConsumableVersion></RfidsInfo></RunParameters>"""
NOVASEQ_V1 = NOVASEQ_6000.replace(b"Version>3<", b"Version>1<")
NOVASEQ_X = b"""<?xml version="1.0"?>
<RunParameters><Application>NovaSeqXSeries Control Software</Application>
  <SystemSuiteVersion>1.2.0.28691</SystemSuiteVersion>
  <InstrumentType>NovaSeqXPlus</InstrumentType><FlowCellType>NovaSeqXSeriesB3</FlowCellType>
</RunParameters>"""
# The file, the model, its software, its chemistry, the marker, whether i5 is read reversed.
MODELS = [
    (MISEQ, "MiSeq", "MiSeq Control Software 2.6.2.1", "Amplicon", "RTAComplete.txt", False),
    (NEXTSEQ_500, "NextSeq 500", "NextSeq Control Software 2.2.0.4", "NextSeq High",
     "RTAComplete.txt", True),
    (NEXTSEQ_1000, "NextSeq 1000", "NextSeq 1000/2000 Control Software 1.5.0.42699",
     "NextSeq 1000/2000 P2 Flow Cell Cartridge", "CopyComplete.txt", True),
    (NEXTSEQ_2000, "NextSeq 2000", "NextSeq 1000/2000 Control Software 1.5.0.42699",
     "NextSeq 1000/2000 P2 Flow Cell Cartridge", "CopyComplete.txt", True),
    (NOVASEQ_6000, "NovaSeq 6000", "NovaSeq Control Software 1.7.5", "S4", "CopyComplete.txt",
     True),
    (NOVASEQ_V1, "NovaSeq 6000", "NovaSeq Control Software 1.7.5", "S4", "CopyComplete.txt",
     False),
    (NOVASEQ_X, "NovaSeq X", "NovaSeqXSeries Control Software 1.2.0.28691", "NovaSeqXSeriesB3",
     "CopyComplete.txt", True),
]  # fmt: skip
INFO = read_run_info(run_info())


@pytest.mark.parametrize(("data", "model", "software", "chemistry", "marker", "reads"), MODELS)
def test_every_model_says_who_it_is(
    data: bytes, model: str, software: str, chemistry: str, marker: str, reads: bool
) -> None:
    said = read_run_parameters(data)
    found = instrument_of(INFO, said)
    assert (found.model, found.marker, found.reads_i5_reversed) == (model, marker, reads)
    assert (said.control_software, said.chemistry) == (software, chemistry)


@pytest.mark.parametrize(
    ("serial", "model"),
    [
        ("M00001", "MiSeq"), ("MN00123", "MiniSeq"), ("NB500001", "NextSeq 500"),
        ("VH00464", "NextSeq 2000"), ("A00291", "NovaSeq 6000"), ("LH00217", "NovaSeq X"),
        ("FS10000123", "iSeq 100"), ("ST-E00001", "HiSeq X"), ("K00001", "HiSeq 4000"),
        ("D00001", "HiSeq 2500"), ("SH00001", "MiSeq i100"), ("Q1", "unknown"),
    ],
)  # fmt: skip
def test_without_parameters_the_serial_number_tells(serial: str, model: str) -> None:
    assert instrument_of(read_run_info(run_info(instrument=serial)), None).model == model
    assert instrument_of(read_run_info(run_info(instrument=serial)), RunParameters()).model == model


def test_what_run_info_says() -> None:
    info = read_run_info(run_info(lanes=2, tiles=3, surfaces=2))
    assert (info.run_id, info.run_number, info.instrument_id) == (RUN_ID, 7, "M00001")
    assert (info.flow_cell_id, info.lanes, info.cycles) == ("000000000-ABCDE", 2, 68)
    assert info.index_cycles == (8, 8)
    assert info.tiles_of(2) == ("1101", "1102", "1103", "2101", "2102", "2103")


def test_tiles_that_are_listed_count() -> None:
    tiles = "<TileSet><Tiles><Tile>1_11101</Tile><Tile>2_11102</Tile></Tiles></TileSet>"
    data = run_info(lanes=2).replace(b'TileCount="1"/>', f'TileCount="9">{tiles}'.encode())
    info = read_run_info(data.replace(b"</Run></RunInfo>", b"</FlowcellLayout></Run></RunInfo>"))
    assert (info.tiles_of(1), info.tiles_of(2)) == (("11101",), ("11102",))


def test_the_oldest_edition_counts_from_first_to_last_cycle() -> None:
    info = read_run_info(
        b'<RunInfo><Run Id="R1" Number="1"><Instrument>HWI1</Instrument><Flowcell>F</Flowcell>'
        b'<Reads><Read FirstCycle="1" LastCycle="76"/><Read FirstCycle="77" LastCycle="83">'
        b'<Index/></Read></Reads><FlowcellLayout LaneCount="8"/></Run></RunInfo>'
    )
    assert [(read.cycles, read.is_index) for read in info.reads] == [(76, False), (7, True)]
    assert info.tiles_of(1) == ()


@pytest.mark.parametrize(
    ("data", "fact"),
    [
        (run_info()[:200], "is no whole XML document"),
        (b"", "is no whole XML document"),
        (b"<RunInfo/>", "lacks an element Run;"),
        (run_info().replace(b"<Flowcell>000000000-ABCDE</Flowcell>", b""), "lacks Flowcell;"),
        (run_info().replace(b'LaneCount="1"', b'LaneCount="x"'), "lacks a number between 1 and 16"),
        (run_info().replace(b'LaneCount="1"', b'LaneCount="99"'), "between 1 and 16 as Flow"),
        (run_info().replace(b'NumCycles="8"', b'NumCycles="0"'), "Read 2 NumCycles"),
        (run_info(plan=()), "between 1 and 16 elements Read"),
        (run_info().replace(b"<Reads>", b"<Tile>nine</Tile><Reads>"), "lacks lane and number"),
        (b" " * (8 * 1024**2 + 1), "may have 8,388,608"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_way_out(data: bytes, fact: str) -> None:
    with pytest.raises(Refused, match=rf"^RunInfo.xml: .*{fact}") as refusal:
        read_run_info(data)
    assert "; " in str(refusal.value)


def test_entities_are_never_expanded() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><RunInfo>&b;</RunInfo>'
    with pytest.raises(Refused, match="declares a document type"):
        read_run_info(bomb)
    with pytest.raises(Refused, match=r"^RunParameters\.xml: declares a document type"):
        read_run_parameters(b'<!DOCTYPE x SYSTEM "file:///etc/hostname"><RunParameters/>')


@pytest.mark.parametrize(
    ("version", "stated", "model", "attribute", "spelt"),
    [
        ("v1", None, "MiSeq", "", "forward"),
        ("v2", None, "MiSeq", "", "forward"),
        ("v1", None, "NextSeq 500", "", "reverse complement"),
        ("v2", None, "NextSeq 500", "", "reverse complement"),
        ("v2", "Forward", "NextSeq 500", "", "forward"),
        ("v1", None, "NextSeq 2000", 'IsReverseComplement="Y"', "reverse complement"),
        ("v2", None, "NextSeq 2000", 'IsReverseComplement="Y"', "forward"),
        ("v2", None, "NovaSeq X", 'IsReverseComplement="Y"', "forward"),
        ("v1", None, "NovaSeq X", 'IsReverseComplement="Y"', "reverse complement"),
        ("v1", None, "NovaSeq 6000", "", "reverse complement"),
        ("v2", "ReverseComplement", "NovaSeq 6000", "", "reverse complement"),
    ],
)
def test_in_which_direction_a_sheet_spells_i5(
    version: str, stated: str | None, model: str, attribute: str, spelt: str
) -> None:
    info = read_run_info(run_info(attributes=attribute))
    assert i5_orientation(version, stated, info, INSTRUMENTS[model]) == spelt
    assert i5_is_read_reversed(info, INSTRUMENTS[model]) == (model != "MiSeq")
