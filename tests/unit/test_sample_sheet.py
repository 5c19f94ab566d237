"""Sheets of both versions in every dialect read the same; what is wrong is said all at once."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest

from genoflow.deploy.settings import Settings
from genoflow.events.errors import Refused
from genoflow.events.sample_sheet_attached import SampleSheetAttached
from genoflow.processors.intake.illumina.attach import SheetRead, attach
from genoflow.processors.intake.illumina.instruments import INSTRUMENTS
from genoflow.processors.intake.illumina.run_info import read_run_info
from genoflow.processors.intake.illumina.sheet_cells import read_cells
from genoflow.processors.intake.privacy import PrivacyGuard
from tests.sheets import DIALECTS, Dialect, Library, random_libraries, run_info, sheet

PERSON = PrivacyGuard(Settings().person_patterns).finds
ONE, TWO = Library("S1", "AAAAAAAA", "CCCCCCCC"), Library("S2", "GGGGGGGG", "TTTTTTTT")
V2 = Dialect("v2")


def read(data: bytes, lanes: int = 1) -> SheetRead:
    """The sheet against a MiSeq's run of 26, 8, 8 and 26 cycles."""
    return attach(data, read_run_info(run_info(lanes=lanes)), INSTRUMENTS["MiSeq"], PERSON)


def problems(data: bytes, lanes: int = 1) -> tuple[str, ...]:
    found = read(data, lanes)
    assert found.problems
    assert not found.fields
    return found.problems


def only_problem(data: bytes, lanes: int = 1) -> str:
    found = problems(data, lanes)
    assert len(found) == 1, found
    assert "; " in found[0], "it says a way out"
    return found[0]


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_what_is_written_in_any_dialect_is_read_back(dialect: Dialect, seed: int) -> None:
    lanes = 4
    libraries = random_libraries(seed, lanes)
    found = read(sheet(libraries, dialect), lanes)
    assert found.problems == ()
    told = {(r.lane, r.sample_id, r.index1, r.index2, r.project_id) for r in found.fields["rows"]}
    assert told == {
        (lane, one.sample, one.index1, one.index2, one.project or None)
        for one in libraries
        for lane in ([one.lane] if one.lane else range(1, lanes + 1))
    }
    assert found.fields["sheet_version"] == dialect.version
    assert found.fields["columns_left_out"] == ("Description",)
    SampleSheetAttached(
        instrument_run_id="R", revision=1, sheet_uri="file:///s", sheet_sha256=found.sha256,
        **found.fields,
    )  # fmt: skip


def test_an_empty_lane_beside_others_means_all() -> None:
    rows = read(sheet([replace(ONE, lane=2), TWO]), 3).fields["rows"]
    assert [(row.sample_id, row.lane) for row in rows] == [
        ("S1", 2), ("S2", 1), ("S2", 2), ("S2", 3),
    ]  # fmt: skip


def test_settings_and_what_a_library_is_called() -> None:
    settings = [
        ("BarcodeMismatchesIndex1", "0"), ("BarcodeMismatchesIndex2", "2"),
        ("AdapterRead1", "ACGT"), ("AdapterRead2", "tttt"), ("OverrideCycles", "Y26;I8;I8;U5Y*"),
    ]  # fmt: skip
    found = read(sheet([ONE, TWO], V2, settings)).fields
    assert (found["barcode_mismatches_index1"], found["barcode_mismatches_index2"]) == (0, 2)
    assert (found["adapter_read1"], found["adapter_read2"]) == ("ACGT", "TTTT")
    assert found["override_cycles"] == "Y26;I8;I8;U5Y*"
    assert found["rows"][0].library_id == "S1-AAAAAAAA-CCCCCCCC"
    cut = read(sheet([ONE], replace(V2, separator=";"), settings))
    assert cut.fields["override_cycles"] == "Y26;I8;I8;U5Y*"


def test_bcl2fastqs_one_adapter_is_that_of_both_reads() -> None:
    found = read(sheet([ONE], settings=[("Adapter", "ACGT")])).fields
    assert (found["adapter_read1"], found["adapter_read2"]) == ("ACGT", "ACGT")


def test_excels_separator_cuts_override_cycles_into_cells_and_they_are_joined() -> None:
    data = sheet([ONE], replace(V2, separator=";")).replace(
        b"[BCLConvert_Settings]\n", b"[BCLConvert_Settings]\nOverrideCycles;Y26;I8;I8;Y26;;\n"
    )
    assert read(data).fields["override_cycles"] == "Y26;I8;I8;Y26"


def test_a_hint_of_excel_keeps_the_numbers_of_the_lines() -> None:
    assert only_problem(b"sep=;\r\n[Data]\r\nLane;Sample_ID\r\n9;S1\r\n").startswith("line 4: ")


def test_a_row_may_name_its_library_and_its_cycles() -> None:
    data = b"[Data]\nSample_ID,Library_ID,index,OverrideCycles\nS1,L.1,AAAA,Y26;I4N4;N8;Y26\n"
    row = read(data).fields["rows"][0]
    assert (row.library_id, row.index1, row.index2) == ("L.1", "AAAA", None)
    assert row.override_cycles == "Y26;I4N4;N8;Y26"


def test_one_value_in_all_rows_is_the_runs() -> None:
    head = b"[BCLConvert_Data]\nSample_ID,Index,Index2,BarcodeMismatchesIndex1\n"
    rows = b"S1,AAAAAAAA,CCCCCCCC,0\nS2,GGGGGGGG,TTTTTTTT,"
    assert read(head + rows + b"0\n").fields["barcode_mismatches_index1"] == 0
    assert "differs between rows" in only_problem(head + rows + b"1\n")


REFUSED = [
    ("collide", [ONE, replace(TWO, index1="AAAAAATT", index2="CCCCCCGG")],
     "lines 11 and 12: the indexes collide in lane 1: they differ in 2 bases of index 1 and 2 of "
     "index 2, and with 1 and 1 mismatches one read can belong to both; tolerate fewer"),
    ("equal", [ONE, replace(ONE, sample="S2")], "two samples have the same index in lane 1"),
    ("twice", [ONE, ONE], "lines 11 and 12: the same sample with the same index is twice in lane"),
    ("lengths", [ONE, replace(TWO, index1="GGGGGG")],
     "index 1 has different lengths in lane 1 (6 in line 12, 8 in line 11)"),
    ("none", [ONE, Library("S2", "GGGGGGGG")], "index 2 has different lengths in lane 1 (0 in"),
    ("reserved", [replace(ONE, sample="Undetermined")], "Sample_ID is a name that the demult"),
    ("default", [replace(ONE, sample="default")], "Sample_ID is a name that the demultiplexer"),
    ("illegal", [replace(ONE, sample="Jane Doe")], "line 11: Sample_ID has characters that it"),
    ("umlaut", [replace(ONE, sample="Müller")], "Sample_ID has characters that it cannot have"),
    ("person", [replace(ONE, sample="MRN-0012345")], "line 11: Sample_ID is what pattern 1 of"),
    ("project", [replace(ONE, project="a/b")], "Sample_Project has characters that it cannot"),
    ("long id", [replace(ONE, sample="S" * 101)], "Sample_ID has 101 characters and may have 100"),
    ("no id", [replace(ONE, sample="")], "line 11: there is no Sample_ID"),
    ("lane", [replace(ONE, lane=2)], "Lane is 2 and the flow cell has lanes 1 to 1"),
    ("long", [replace(ONE, index1="A" * 10)], "index 1 has 10 bases and the run reads 8 of it"),
    ("bases", [replace(ONE, index1="AAAAXAAA")], "index 1 holds more than A, C, G, T and N"),
    ("i5 only", [replace(ONE, index1="")], "there is an index2 and no index"),
]  # fmt: skip


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(
    ("libraries", "fact"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_what_is_refused(libraries: list[Library], fact: str, version: str) -> None:
    said = only_problem(sheet(libraries, Dialect(version)))
    assert fact in said


def test_an_id_is_never_repeated() -> None:
    libraries = [replace(ONE, sample=name) for name in ("MRN-0012345", "Jane Doe", "all")]
    said = "\n".join(problems(sheet(libraries)))
    assert not {"0012345", "Jane", "Doe"} & set(re.findall(r"\w+", said))


def test_all_problems_are_said_at_once_and_bounded() -> None:
    data = sheet([replace(ONE, lane=9), replace(TWO, sample="a b", index1="ACGTACGTACGT")])
    assert [one.partition(":")[0] for one in problems(data)] == ["line 11", "line 12", "line 12"]
    many = problems(sheet([replace(ONE, sample=f"a b{n}") for n in range(150)]))
    assert len(many) == 100
    assert many[-1] == "51 more problems; mend these first"


def test_a_problem_in_many_lanes_is_said_once() -> None:
    assert "in lanes 1, 2, 3; " in only_problem(sheet([ONE, ONE]), 3)


@pytest.mark.parametrize(
    ("m1", "m2", "index1", "index2", "collides"),
    [
        ("0", "0", "AAAAAAAT", "CCCCCCCC", False),
        ("1", "0", "AAAAAATT", "CCCCCCCC", True),
        ("1", "0", "AAAAAATT", "CCCCCCCG", False),
        ("1", "1", "AAAAATTT", "CCCCCCCC", False),
        ("2", "2", "AAAATTTT", "CCCCGGGG", True),
        ("2", "2", "AAATTTTT", "CCCCGGGG", False),
        ("0", "0", "AAAAAAAN", "CCCCCCCC", True),
    ],
)
def test_what_collides_depends_on_the_mismatches(
    m1: str, m2: str, index1: str, index2: str, collides: bool
) -> None:
    settings = [("BarcodeMismatchesIndex1", m1), ("BarcodeMismatchesIndex2", m2)]
    found = read(sheet([ONE, Library("S2", index1, index2)], V2, settings))
    assert bool(found.problems) == collides


OVERRIDES = [
    ("Y26;I8;Y26", "has 3 segments and RunInfo has 4 reads"),
    ("Y26;I8;I8;Y25", "segment 4: has 25 cycles and read 4 of RunInfo has 26"),
    ("Y27;I8;I8;Y26", "segment 1: has 27 cycles and read 1 of RunInfo has 26"),
    ("Y26;I8;I8;X26", "segment 4: is not made of Y, I, U or N"),
    ("Y26;I8;I8;Y*N*", "segment 4: has more than one *"),
    ("I8Y18;I8;I8;Y26", "segment 1: takes an index from read 1, which is none"),
    ("Y26;I6N2;I8;Y26", "takes 6 cycles for index 1, which has 8 bases here"),
]


@pytest.mark.parametrize(("override", "fact"), OVERRIDES)
def test_override_cycles_that_contradict_run_info(override: str, fact: str) -> None:
    settings = [("OverrideCycles", override)]
    said = only_problem(sheet([ONE, TWO], V2, settings))
    assert fact in said
    row = f"[Data]\nSample_ID,index,index2,OverrideCycles\nS1,AAAAAAAA,CCCCCCCC,{override}\n"
    assert fact in only_problem(row.encode())


@pytest.mark.parametrize(
    ("data", "fact"),
    [
        (b"", "the sheet is empty"),
        (b"Sample_ID,index\nS1,A\n", "line 1: stands before the first section"),
        (b"[Header]\n[Data]\n[Data]\n", "line 3: a section of this name is there already"),
        (b"[Header]\nx,1\n", "no section [Data] (v1) and no section [BCLConvert_Data]"),
        (b"[Header]\nFileFormatVersion,2\n[Data]\n", "says FileFormatVersion 2 and there is no"),
        (b"[Header]\nFileFormatVersion,3\n[Data]\n", "neither 1 nor 2"),
        (b"[Data]\n[BCLConvert_Data]\n", "does not say FileFormatVersion,2"),
        (b"[Data]\n", "the section of samples is empty"),
        (b"[Data]\nSample_ID\n", "line 2: no row follows"),
        (b"[Data]\nName,index\na,A\n", "line 2: there is no column Sample_ID"),
        (b"[Data]\nSample_ID,index,Index\nS1,A,A\n", "line 2: column index is there twice"),
        (b"[Data]\nSample_ID\nS1,x\n", "line 3: has 2 cells and the header names 1"),
        (b'[Data]\nSample_ID\n"S1\n', "line 3: a quoted cell is not closed"),
        (b"[Data]\nSample_ID\nS\x001\n", "the sheet holds zero bytes"),
        (b"\xff\xfe\x00", "section"),
        (b"[Data]\nLane,Sample_ID\none,S1\n", "line 3: Lane is no number"),
        (b"[Settings]\nAdapter,A+C\n[Data]\nSample_ID\nS1\n", "line 2: the adapter is not one"),
        (b"[Settings]\nBarcodeMismatchesIndex1,3\n[Data]\nSample_ID\nS1\n", "is not 0, 1 or 2"),
        (b"[Settings]\nAdapter,A\nAdapter,C\n[Data]\nSample_ID\nS1\n", "line 3: the setting"),
    ],
)
def test_a_sheet_that_is_none(data: bytes, fact: str) -> None:
    assert any(fact in problem for problem in problems(data)), problems(data)


def test_too_many_rows_and_too_many_bytes_are_refused() -> None:
    libraries = [Library(f"S{n}", "ACGTACGT") for n in range(4_001)]
    assert "has 4,001 rows" in only_problem(sheet(libraries))
    with pytest.raises(Refused, match="may have 4,194,304"):
        read_cells(b"x" * (4 * 1024**2 + 1))


def test_a_name_of_a_column_that_looks_like_a_person_is_withheld() -> None:
    data = b"[Data]\nSample_ID,123-45-6789,Doctor\nS1,x,y\n"
    assert read(data).fields["columns_left_out"] == ("(withheld)", "Doctor")


def test_collisions_are_those_of_counting_base_by_base() -> None:
    source = random.Random(5)
    for _ in range(300):
        a, b = ("".join(source.choices("ACGTN", k=source.randint(1, 8))) for _ in "ab")
        apart = sum(x != y and "N" not in (x, y) for x, y in zip(a, b, strict=False))
        said = " ".join(read(sheet([Library("S1", a), Library("S2", b)])).problems)
        assert ("collide" in said or "same index" in said) == (apart <= 2), (a, b)


def test_many_collisions_are_not_told_one_by_one() -> None:
    said = problems(sheet([Library(f"S{n}", "ACGTACGT") for n in range(300)]))
    assert len(said) == 100
    assert said[-1] == "2 more problems; mend these first"
