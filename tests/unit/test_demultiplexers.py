"""Demultiplexers: barcodes as they are read, command lines, and reports as programs write them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.read_cycles import ReadCycles
from genoflow.events.sample_sheet_row import SampleSheetRow
from genoflow.processors.demultiplexing import adapter
from genoflow.processors.demultiplexing.adapter import NotDone, call
from genoflow.processors.demultiplexing.barcodes import (
    Barcode,
    i5_as_read,
    i5_forward,
    looks_reversed,
    reverse_complement,
    segments,
    structure,
    unknown_barcodes,
)
from genoflow.processors.demultiplexing.bclconvert import BclConvert, sheet_text
from genoflow.processors.demultiplexing.on_instrument import OnInstrument
from genoflow.processors.demultiplexing.picard import Metric, Picard, read_metrics
from genoflow.processors.demultiplexing.reports import read_files, read_stats
from tests.sequencing import READS, ROWS, requested

TURNED = tuple(
    read.model_copy(update={"is_reverse_complemented": read.number == 3}) for read in READS
)
I5, I5_TURNED = "AACCGGTA", "TACCGGTT"


def asked(**changes: Any) -> DemultiplexRequested:
    """A request, as an adapter is given it."""
    return DemultiplexRequested(**dict(requested(**changes)))


def row(sample: str = "A", lane: int = 1, **changes: Any) -> SampleSheetRow:
    """A row with two indexes."""
    fields = {"lane": lane, "sample_id": sample, "library_id": f"{sample}_L"}
    return SampleSheetRow(**{**fields, "index1": "AAAACCCC", "index2": I5, **changes})


# -- barcodes


@pytest.mark.parametrize(
    ("reads", "spelled", "as_read", "forward"),
    [
        (READS, "forward", I5, I5),
        (READS, "reverse complement", I5_TURNED, I5_TURNED),
        (TURNED, "forward", I5_TURNED, I5),
        (TURNED, "reverse complement", I5, I5_TURNED),
    ],
)
def test_i5_is_turned_where_sheet_and_instrument_disagree(
    reads: tuple[ReadCycles, ...], spelled: str, as_read: str, forward: str
) -> None:
    request = asked(reads=reads, i5_orientation=spelled)
    assert (i5_as_read(request, I5), i5_forward(request, I5)) == (as_read, forward)
    assert reverse_complement(I5) == I5_TURNED


@pytest.mark.parametrize(
    ("override", "indexes", "expected"),
    [
        (None, ("AAAACCCC", I5), "20T8B8B20T"),
        (None, ("AAAACC", I5), "20T6B2S8B20T"),
        (None, ("AAAACCCC", None), "20T8B8S20T"),
        (None, (None, None), "20T8S8S20T"),
        ("Y20;I8;I8;Y20", ("AAAACCCC", I5), "20T8B8B20T"),
        ("U5N1Y*;I6N2;N8;Y20", ("AAAACC", None), "5M1S14T6B2S8S20T"),
        ("Y20;I8;I8;N*", (None, None), "20T8S8S20S"),
    ],
)
def test_cycles_become_a_read_structure(
    override: str | None, indexes: tuple[str | None, str | None], expected: str
) -> None:
    one = row(index1=indexes[0], index2=indexes[1])
    assert structure(segments(asked(rows=(one,), override_cycles=override), [one])) == expected


@pytest.mark.parametrize(
    ("override", "rows", "words"),
    [
        ("Y20;I8;Y20", [row()], "has 3 reads and the run 4"),
        ("Y21;I8;I8;Y20", [row()], "means 21 cycles"),
        ("Y20;I6N2;I8;Y20", [row()], "with 6 of barcode"),
        (None, [row(), row("B", index1="AAAA")], r"index1 of \[4, 8\] bases"),
        (None, [row(), row("B", override_cycles="Y20;I8;I8;Y*")], "different OverrideCycles"),
    ],
)
def test_cycles_that_contradict_are_refused(
    override: str | None, rows: Sequence[SampleSheetRow], words: str
) -> None:
    with pytest.raises(NotDone, match=words):
        segments(asked(rows=tuple(rows), override_cycles=override), rows)


def test_unknown_barcodes_name_whose_they_are_once_i5_is_turned_around() -> None:
    claimed: dict[Barcode, str] = {(1, "AAAACCCC", I5): "A", (2, "CCCCAAAA", I5): "B"}
    off = "T" + I5_TURNED[1:] if I5_TURNED[0] != "T" else "G" + I5_TURNED[1:]
    counts: dict[Barcode, int] = {
        (1, "GGGGGGGG", "GGGGGGGG"): 50, (1, "AAAACCCC", I5_TURNED): 900,
        (1, "AAAACCCC", off): 40, (2, "AAAACCCC", I5_TURNED): 30, (2, "TTTTTTTT", None): 20,
    }  # fmt: skip
    found = unknown_barcodes(counts, claimed, (1, 1))
    assert [(one.lane, one.reads, one.reverse_complement_of) for one in found] == [
        (1, 900, "A"), (1, 50, None), (1, 40, "A"), (2, 30, None), (2, 20, None),
    ]  # fmt: skip
    assert looks_reversed(found, 9_400)
    assert not looks_reversed(found, 9_401)
    assert not looks_reversed((), 0)
    assert unknown_barcodes(counts, claimed, (0, 0))[2].reverse_complement_of is None


# -- programs


def test_how_a_program_ends_is_a_reason_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def ends(code: str, **more: int) -> NotDone:
        with pytest.raises(NotDone) as error:
            call("tool", [sys.executable, "-c", code], **more)
        assert "`genoflow demultiplex again`" in error.value.reason
        return error.value

    died = ends("import os; os.kill(os.getpid(), 9)")
    assert (died.reason_code, died.exit_code) == ("out of memory", None)
    ended = ends("import os; os.kill(os.getpid(), 15)")
    assert (ended.reason_code, "signal 15" in ended.reason) == ("tool failed", True)
    said = ends("raise SystemExit(3)", out_of_memory=3)
    assert (said.reason_code, said.exit_code) == ("out of memory", 3)
    failed = ends("raise SystemExit(3)")
    assert (failed.reason_code, failed.exit_code) == ("tool failed", 3)
    monkeypatch.setattr(adapter, "TOOL_SECONDS_MAX", 0.05)
    assert ends("import time; time.sleep(60)").reason_code == "out of time"
    with pytest.raises(NotDone, match="cannot be begun"):
        call("tool", ["/nowhere/tool"])


METRICS = """## htsjdk.samtools.metrics.StringHeader
# ExtractIlluminaBarcodes --BASECALLS_DIR x

## METRICS CLASS\tpicard.illumina.BarcodeMetric
BARCODE\tBARCODE_WITHOUT_DELIMITER\tBARCODE_NAME\tLIBRARY_NAME\tREADS\tPF_READS\tPERFECT_MATCHES\tPF_PERFECT_MATCHES
AAAA-CCCC\tAAAACCCC\tr0\tr0\t12\t10\t11\t9
NNNN-NNNN\tNNNNNNNN\t\t\t3\t2\t0\t0

"""


def test_picards_counts_are_of_reads_that_passed_the_filter() -> None:
    assert read_metrics(METRICS) == {"AAAACCCC": Metric(10, 9), "NNNNNNNN": Metric(2, 0)}
    with pytest.raises(NotDone, match="no table"):
        read_metrics("# nothing")


def test_picard_is_given_what_it_has_to_hold_to(tmp_path: Path) -> None:
    picard = Picard(Path("java"), [Path("a.jar"), Path("b.jar")], "3.4.0", 512)
    words = picard.command("Do", tmp_path, LANE=3)
    assert words[:5] == [
        "java",
        "-Xmx512m",
        "-XX:+UseSerialGC",
        "-XX:+ExitOnOutOfMemoryError",
        "-cp",
    ]
    assert words[5:10] == ["a.jar:b.jar", "picard.cmdline.PicardCommandLine", "Do", "--LANE", "3"]
    assert picard.needs("Data/Intensities/BaseCalls/L001/C1.1/s_1_1101.bcl.gz")
    assert not picard.needs("Thumbnail_Images/L001/C1.1/s_1_1101_a.jpg")
    with pytest.raises(NotDone, match="no Data/Intensities/BaseCalls"):
        picard.run(asked(), tmp_path, tmp_path / "out")


def test_rows_without_an_index_have_their_lane_to_themselves(tmp_path: Path) -> None:
    bare = (row(index1=None, index2=None), row("B", index1=None, index2=None))
    picard = Picard(Path("java"), [], "3.4.0")
    with pytest.raises(NotDone, match="2 rows and none has an index"):
        picard.run(asked(rows=bare), tmp_path, tmp_path / "out")


# -- BCL Convert, and what instruments write with it

STATS = """Lane,SampleID,Index,# Reads,# Perfect Index Reads,# One Mismatch Index Reads
1,{a},AAAACCCC-AAAACCCC,7,6,1
1,{b},CCCCGGGG-CCCCGGGG,5,5,0
1,{f},GGGGTTTT-GGGGTTTT,0,0,0
1,Undetermined,,4,4,0
"""
LISTED = """RGID,RGSM,RGLB,Lane,Read1File,Read2File
AAAACCCC.AAAACCCC.1,{a},UnknownLibrary,1,/out/{a}_R1.fastq.gz,/out/{a}_R2.fastq.gz
CCCCGGGG.CCCCGGGG.1,{b},UnknownLibrary,1,/out/{b}_R1.fastq.gz,/out/{b}_R2.fastq.gz
1,Undetermined,UnknownLibrary,1,/out/U_R1.fastq.gz,/out/U_R2.fastq.gz
"""
UNKNOWN = """Lane,index,index2,# Reads,% of Unknown Barcodes,% of All Reads
1,AAAACCCC,GGGGTTTT,3,0.75,0.19
"""
QUALITY = """Lane,SampleID,index,index2,ReadNumber,Yield,YieldQ30,QualityScoreSum,% Q30
1,{a},AAAACCCC,AAAACCCC,1,140,126,5000,0.9
1,{a},AAAACCCC,AAAACCCC,2,140,98,4000,0.7
"""
NAMES = {"a": "GF1", "b": "GF2", "f": "GF3"}


def written(folder: Path, names: dict[str, str], **changes: str) -> None:
    """The reports and files of reads of one demultiplexing."""
    (folder / "Reports").mkdir(parents=True, exist_ok=True)
    texts = {
        "Demultiplex_Stats.csv": STATS, "fastq_list.csv": LISTED,
        "Top_Unknown_Barcodes.csv": UNKNOWN, "Quality_Metrics.csv": QUALITY, **changes,
    }  # fmt: skip
    for name, text in texts.items():
        if text:
            (folder / "Reports" / name).write_text(text.format(**names), encoding="utf-8")
    for name in (names["a"], names["b"], "U"):
        for read in ("R1", "R2"):
            (folder / f"{name}_{read}.fastq.gz").write_bytes(b"reads")


@pytest.mark.parametrize("adapter_name", ["bclconvert", "on-instrument"])
def test_reports_are_read_wherever_they_were_written(adapter_name: str, tmp_path: Path) -> None:
    run_folder, output = tmp_path / "run", tmp_path / "out"
    run_folder.mkdir()
    output.mkdir()
    (run_folder / "RunInfo.xml").write_text("<RunInfo/>")
    tool: Any = BclConvert((sys.executable, "-c", "print('bcl-convert Version 00.0.0.4.3.6')"))
    if adapter_name == "bclconvert":
        written(output, NAMES)
    else:
        written(run_folder / "Analysis/1/Data/BCLConvert", {"a": "A", "b": "B", "f": "F"},
                **{"fastq_list.csv": ""})  # fmt: skip
        written(run_folder / "Analysis/2/Data/BCLConvert", {"a": "A", "b": "B", "f": "F"})
        (run_folder / "Analysis/3").mkdir()
        tool = OnInstrument()
    found = tool.run(asked(), run_folder, output)
    assert (found.tool, found.roles) == (adapter_name, ("R1", "R2"))
    assert found.tool_version == ("4.3.6" if adapter_name == "bclconvert" else "not stated")
    a, b, f = found.libraries
    assert (a.row, a.reads, a.bases, a.q30_fraction) == (ROWS[0], 7, 280, pytest.approx(0.8))
    assert a.perfect_index_fraction == pytest.approx(6 / 7)
    assert (b.reads, b.bases, f.reads, f.files) == (5, None, 0, {})
    assert all(path.read_bytes() == b"reads" for path in a.files.values())
    assert found.undetermined[1].reads == 4
    [unknown] = found.unknown
    assert (unknown.index2, unknown.reads, unknown.reverse_complement_of) == ("GGGGTTTT", 3, "A")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Demultiplex_Stats.csv": ""}, "there is no Demultiplex_Stats.csv"),
        ({"Demultiplex_Stats.csv": "Lane,SampleID\n1,GF1\n"}, "has no column index, # reads"),
        ({"Demultiplex_Stats.csv": STATS[: STATS.index("1,{b}")]}, "counts GF2 in lane 1 0 times"),
        ({"Demultiplex_Stats.csv": STATS[: STATS.index("7,6")]}, "line 2 is cut off"),
        ({"fastq_list.csv": LISTED[: LISTED.index("CCCCGGGG.")]}, "does not list the files of GF2"),
        ({"fastq_list.csv": LISTED.replace("{a}_R2", "gone_R2")}, "has not written gone_R2"),
    ],
)
def test_reports_that_are_not_whole_are_output_missing(
    changes: dict[str, str], words: str, tmp_path: Path
) -> None:
    (tmp_path / "RunInfo.xml").write_text("<RunInfo/>")
    written(tmp_path / "out", NAMES, **changes)
    with pytest.raises(NotDone, match=words) as error:
        BclConvert((sys.executable, "-c", "")).run(asked(), tmp_path, tmp_path / "out")
    assert error.value.reason_code == "output missing"


def test_a_sample_with_two_barcodes_in_a_lane_is_told_apart_by_them(tmp_path: Path) -> None:
    rows = (ROWS[0], ROWS[1].model_copy(update={"sample_id": "A"}))
    names = {"a": "A", "b": "A", "f": "F"}
    written(tmp_path / "Analysis/1", names)
    found = OnInstrument().run(asked(rows=rows), tmp_path, tmp_path)
    assert [one.reads for one in found.libraries] == [7, 5]
    assert [one.bases for one in found.libraries] == [None, None], "the table does not part them"


def test_an_instrument_that_has_not_demultiplexed_is_input_missing(tmp_path: Path) -> None:
    with pytest.raises(NotDone, match="the instrument has not demultiplexed it") as error:
        OnInstrument().run(asked(), tmp_path, tmp_path)
    assert error.value.reason_code == "input missing"
    assert OnInstrument().needs("Analysis/1/Data/x.fastq.gz")
    assert not OnInstrument().needs("Data/Intensities/BaseCalls/L001/C1.1/L001_1.cbcl")


def test_the_sheet_for_bcl_convert_holds_only_what_was_requested() -> None:
    request = asked(
        rows=(row(),), override_cycles="Y20;I8;I8;Y20", adapter_read1="CTGT", reads=TURNED
    )
    names = {request.rows[0]: "GF1"}
    assert sheet_text(request, names, forward=True) == (
        "[Header]\nFileFormatVersion,2\n[BCLConvert_Settings]\nOverrideCycles,Y20;I8;I8;Y20\n"
        "BarcodeMismatchesIndex1,1\nBarcodeMismatchesIndex2,1\nAdapterRead1,CTGT\n"
        "CreateFastqForIndexReads,0\nFastqCompressionFormat,gzip\n"
        f"[BCLConvert_Data]\nLane,Sample_ID,Index,Index2\n1,GF1,AAAACCCC,{I5}\n"
    )
    assert f"AAAACCCC,{I5_TURNED}\n" in sheet_text(request, names, forward=False)
    bare = asked(rows=(row(index1=None, index2=None, override_cycles="Y20;N8;N8;Y20"),))
    assert sheet_text(bare, {bare.rows[0]: "GF1"}, forward=True).endswith(
        "[BCLConvert_Data]\nLane,Sample_ID,OverrideCycles\n1,GF1,Y20;N8;N8;Y20\n"
    )


def test_tables_of_excel_and_of_other_releases_are_read() -> None:
    assert read_stats("\ufeffLane,SampleID,Index,# Reads\r\n1,X,A-C,3\r\n\r\n")[0].reads == 3
    [one] = read_files("RGID,RGSM,RGLB,Lane,Read1File,Read2File\nA.C.1,X,L,1,/o/x_R1.fastq.gz,\n")
    assert (one.index1, one.names) == ("A", ("x_R1.fastq.gz",))
