"""Generated run folders and sheets: what each instrument writes, and each fault as it is said."""

from __future__ import annotations

import csv
import gzip
import hashlib
import os
import struct
from collections import Counter
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from genoflow.deploy.generate.cast import MEMBERS, Cast, make_cast
from genoflow.deploy.generate.fastq import FastqFile, fastq_files
from genoflow.deploy.generate.faults import FAULTS, FolderFault, ReadsFault, SheetFault
from genoflow.deploy.generate.genome import reverse_complement
from genoflow.deploy.generate.instruments import COPY, INSTRUMENTS, RTA, STATUS
from genoflow.deploy.generate.libraries import INDEX_PAIRS, Library, Run, distance, index_pairs
from genoflow.deploy.generate.reads import Recipe, make_pairs
from genoflow.deploy.generate.run_folder import (
    INTENSITIES,
    SHEET,
    Cluster,
    clusters_of,
    count,
    files_of,
    write_run_folder,
)
from genoflow.deploy.generate.sheets import (
    DIALECTS,
    VERSIONS,
    Dialect,
    SheetRow,
    sheet_bytes,
    sheet_of,
)
from genoflow.events.errors import Refused

SEED, DEPTH = 3, 2.0
SHORT_BASES = 12
CAST = make_cast(SEED, DEPTH)
RUN = CAST.run
MODELS = pytest.mark.parametrize("model", list(INSTRUMENTS))
# Of the content of every file, in the order of writing; gzip's own bytes differ where zlib does.
RUN_SHA256 = "6779e900e607c517992e1ab03485a5af9712ebb3788ce70baea60d405b6d244a"


def content_of(path: str, content: bytes) -> bytes:
    return gzip.decompress(content) if path.endswith(".gz") else content


def digest(run: Run) -> str:
    found = hashlib.sha256()
    for file in files_of(run, sheet_bytes(sheet_of(run, "v2"), run)):
        found.update(file.path.encode() + b"\0" + content_of(*file))
    return found.hexdigest()


def test_a_seed_gives_this_run_on_every_python() -> None:
    assert digest(make_cast(SEED, 0.5).run) == RUN_SHA256
    assert digest(make_cast(SEED + 1, 0.5).run) != RUN_SHA256


def test_two_makings_are_the_same_to_the_last_byte() -> None:
    first, second = (list(files_of(make_cast(SEED, 0.5).run, b"")) for _ in range(2))
    assert first == second


def test_indexes_are_far_from_each_other_and_from_what_is_read_without_one() -> None:
    pairs = index_pairs(SEED, INDEX_PAIRS)
    words = [word for pair in pairs for word in pair]
    words += [reverse_complement(word) for word in words]
    words += [base * 8 for base in "ACGT"]
    for number, word in enumerate(words):
        assert all(distance(word, other) >= 3 for other in words[number + 1 :])
    assert index_pairs(SEED, 5) == pairs[:5]
    with pytest.raises(ValueError, match="ask less"):
        index_pairs(SEED, 200, 4)


@MODELS
def test_the_documents_agree_with_the_run(model: str) -> None:
    run = make_cast(SEED, 0.1, model).run
    files = dict(files_of(run, None))
    info = ElementTree.fromstring(files["RunInfo.xml"])
    assert info.find("Run").get("Id") == run.run_id  # type: ignore[union-attr]
    assert info.findtext("Run/Flowcell") == run.flow_cell
    reads = info.findall("Run/Reads/Read")
    assert [(int(r.get("NumCycles", 0)), r.get("IsIndexedRead")) for r in reads] == [
        (101, "N"), (8, "Y"), (8, "Y"), (101, "N"),
    ]  # fmt: skip
    turned = [r.get("IsReverseComplement") for r in reads]
    says = ["N", "N", "Y", "N"] if run.instrument.says_reversed else [None] * 4
    assert turned == says
    lanes = int(info.find("Run/FlowcellLayout").get("LaneCount", 0))  # type: ignore[union-attr]
    calls = [path for path in files if path.endswith(".bcl.gz")]
    assert len(calls) == lanes * 218
    parameters = ElementTree.fromstring(files[run.instrument.parameters_file])
    assert run.run_id in {node.text for node in parameters.iter()}
    assert tuple(files)[-len(run.instrument.markers) :] == run.instrument.markers


def test_each_model_has_the_markers_that_it_writes() -> None:
    assert {model: one.markers[-1] for model, one in INSTRUMENTS.items()} == {
        "MiSeq": RTA, "NextSeq 500/550": STATUS, "NextSeq 1000/2000": COPY,
        "NovaSeq 6000": COPY, "NovaSeq X": COPY,
    }  # fmt: skip
    for one in INSTRUMENTS.values():
        assert (STATUS in one.markers) == (one.status is not None)


def read_back(run: Run, lane: int) -> list[tuple[str, bytes, bool]]:
    """Bases, qualities and filter of every cluster, from the files alone."""
    files = dict(files_of(run, None))
    place = f"{INTENSITIES}/BaseCalls/L{lane:03d}"
    cycles = [
        gzip.decompress(files[f"{place}/C{cycle}.1/s_{lane}_1101.bcl.gz"])
        for cycle in range(1, 219)
    ]
    passed = files[f"{place}/s_{lane}_1101.filter"]
    clusters = struct.unpack("<I", cycles[0][:4])[0]
    assert struct.unpack("<III", passed[:12]) == (0, 3, clusters)
    where = files[f"{INTENSITIES}/L{lane:03d}/s_{lane}_1101.locs"]
    assert struct.unpack("<IfI", where[:12]) == (1, 1.0, clusters)
    spots = list(struct.iter_unpack("<ff", where[12:]))
    assert len(set(spots)) == len(passed) - 12 == clusters
    rows = zip(*(cycle[4:] for cycle in cycles), strict=True)
    return [
        (
            "".join("N" if value == 0 else "ACGT"[value & 3] for value in row),
            bytes(2 if value == 0 else value >> 2 for value in row),
            flag == 1,
        )
        for row, flag in zip(rows, passed[12:], strict=True)
    ]


def as_called(cluster: Cluster) -> tuple[str, bytes, bool]:
    first, second = cluster.pair.first, cluster.pair.second
    return (
        first.bases + cluster.indexes + second.bases,
        first.qualities + cluster.index_qualities + second.qualities,
        cluster.passed,
    )


@pytest.mark.parametrize("lane", [1, 2])
def test_base_calls_hold_every_base_and_quality(lane: int) -> None:
    run = make_cast(SEED, 0.3).run
    assert read_back(run, lane) == [as_called(cluster) for cluster in clusters_of(run, lane)]


def test_a_lane_holds_what_was_loaded_and_a_few_undetermined() -> None:
    for lane in RUN.lanes:
        clusters = clusters_of(RUN, lane)
        found = Counter(cluster.sample_id for cluster in clusters)
        unknown = found.pop(None)
        assert found == Counter(
            {lib.sample_id: len(lib.pairs) for lib in RUN.libraries if lib.lane == lane}
        )
        assert unknown == round(found.total() * 0.03)
        told = count(lane, clusters)
        assert told.clusters == len(clusters)
        assert 0.94 < told.passed.total() / told.clusters < 0.995


def test_barcodes_of_samples_are_theirs_and_the_others_nobodys() -> None:
    listed = {lib.sample_id: lib.index1 + RUN.i5_as_read(lib.index2) for lib in RUN.libraries}
    clusters = [cluster for lane in RUN.lanes for cluster in clusters_of(RUN, lane)]
    distances: Counter[int] = Counter()
    for cluster in clusters:
        if cluster.sample_id:
            distances[distance(cluster.indexes, listed[cluster.sample_id])] += 1
        else:
            assert min(distance(cluster.indexes, one) for one in listed.values()) >= 3
    assert set(distances) == {0, 1}
    assert 0.01 < distances[1] / distances.total() < 0.05
    assert any("N" in cluster.indexes for cluster in clusters)
    unknown = Counter(cluster.indexes for cluster in clusters if not cluster.sample_id)
    assert {repeats > 10 for _, repeats in unknown.most_common(2)} == {True}


def rows_of(sheet: bytes, dialect: Dialect) -> tuple[str, list[dict[str, str]]]:
    """The version and the rows of a sheet, read by Python's own reader."""
    text = sheet.decode("utf-8-sig" if dialect.bom else "utf-8")
    assert ("\r\n" in text) == (dialect.line_end == "\r\n")
    lines = list(csv.reader(text.splitlines(), delimiter=dialect.separator))
    if dialect.padded:
        assert len({len(line) for line in lines}) == 1
    heads = [line[0] if line else "" for line in lines]
    new = "[BCLConvert_Data]" in heads
    start = heads.index("[BCLConvert_Data]" if new else "[Data]") + 1
    body = [line for line in lines[start:] if any(line)]
    end = next((n for n, line in enumerate(body) if line[0].startswith("[")), len(body))
    names = [name.lower() for name in body[0]]
    return "v2" if new else "v1", [dict(zip(names, line, strict=False)) for line in body[1:end]]


@pytest.mark.parametrize("name", list(DIALECTS))
@pytest.mark.parametrize("version", VERSIONS)
def test_every_dialect_says_the_same(version: str, name: str) -> None:
    run = make_cast(SEED, 0.1, "NovaSeq X", pooled=True).run
    dialect = DIALECTS[name]
    found, rows = rows_of(sheet_bytes(sheet_of(run, version, dialect), run), dialect)
    assert found == version
    assert len(rows) == (6 if name == "no-lanes" else 12)
    assert all(("lane" in row) == dialect.lane_column for row in rows)
    i5 = run.i5_as_read if version == "v1" else str
    expected = {(lib.sample_id, lib.index1, i5(lib.index2)) for lib in run.libraries}
    assert {(row["sample_id"], row["index"], row["index2"]) for row in rows} == expected


@pytest.mark.parametrize(
    ("model", "version", "as_read"),
    [
        ("MiSeq", "v1", True), ("MiSeq", "v2", True),
        ("NextSeq 500/550", "v1", True), ("NextSeq 500/550", "v2", True),
        ("NovaSeq 6000", "v1", True), ("NovaSeq 6000", "v2", True),
        ("NextSeq 1000/2000", "v1", True), ("NextSeq 1000/2000", "v2", False),
        ("NovaSeq X", "v1", True), ("NovaSeq X", "v2", False),
    ],
)  # fmt: skip
def test_i5_is_spelled_as_this_version_wants_it(model: str, version: str, as_read: bool) -> None:
    run = make_cast(SEED, 0.1, model).run
    for row, library in zip(sheet_of(run, version).rows, run.libraries, strict=True):
        assert row.index2 == (run.i5_as_read(library.index2) if as_read else library.index2)
    assert run.i5_as_read("AACC") == ("AACC" if model == "MiSeq" else "GGTT")


def test_a_sheet_without_lanes_is_refused_where_lanes_differ() -> None:
    with pytest.raises(Refused, match="choose another dialect"):
        sheet_bytes(sheet_of(RUN, "v1", DIALECTS["no-lanes"]), RUN)


def test_the_cast_is_who_it_is() -> None:
    depth = {lib.sample_id: 202 * len(lib.pairs) / CAST.genome.length for lib in CAST.run.libraries}
    expected = {"A": 2.0, "B": 2.0, "C": 0.4, "D": 4.0, "E": 2.0, "F": 0.0}
    assert depth == {f"SIM-{k}": pytest.approx(v, abs=0.01) for k, v in expected.items()}
    [again] = CAST.top_up.libraries
    assert (again.sample_id, again.lane) == ("SIM-C", 1)
    assert 202 * len(again.pairs) / CAST.genome.length == pytest.approx(1.6, abs=0.01)
    tumour, normal = CAST.subjects["SIM-D"], CAST.subjects["SIM-E"]
    low = {variant for variant in tumour.variants if variant.site.low}
    assert {*tumour.variants} - low == {*normal.variants}
    assert len(low) == 12
    assert [m.case_id for m in MEMBERS if m.role in {"tumour", "normal"}] == ["CASE-4"] * 2
    assert {m.fault for m in MEMBERS if m.fault} <= {*FAULTS}
    assert {lib.lane for lib in CAST.run.libraries} == {1, 2}


def struck(name: str, cast: Cast = CAST, version: str = "v2") -> tuple[SheetRow, ...]:
    fault = FAULTS[name]
    assert isinstance(fault, SheetFault)
    sheet = fault.apply(sheet_of(cast.run, version), cast.run)
    assert sheet_bytes(sheet, cast.run) != sheet_bytes(sheet_of(cast.run, version), cast.run)
    return sheet.rows


def test_faults_of_sheets_are_as_said() -> None:
    right = sheet_of(RUN, "v2").rows
    first, second, *_ = struck("equal-indexes")
    assert (first.index1, first.index2) == (second.index1, second.index2)
    first, second, *_ = struck("colliding-indexes")
    assert distance(first.index1 + first.index2, second.index1 + second.index2) == 1
    assert sorted({len(row.index1) for row in struck("mixed-index-lengths")}) == [6, 8]
    assert struck("reserved-id")[0].sample_id == "Undetermined"
    assert not struck("illegal-id")[0].sample_id.isascii()
    turned = [reverse_complement(row.index2) for row in struck("i5-turned")]
    assert turned == [row.index2 for row in right]
    *others, added = struck("no-reads")
    assert (tuple(others), added.sample_id) == (right, "SIM-NOREADS")
    assert min(distance(added.index1, row.index1) for row in right) >= 3
    assert Counter(struck("twice-in-lane"))[right[0]] == 2
    fault = FAULTS["override-cycles"]
    assert isinstance(fault, SheetFault)
    assert fault.apply(sheet_of(RUN, "v1"), RUN).override_cycles == "Y151;I8;I8;Y10"
    alone = replace(RUN, libraries=RUN.libraries[:1])
    with pytest.raises(Refused, match="two in one lane"):
        FAULTS["equal-indexes"].apply(sheet_of(alone, "v1"), alone)  # type: ignore[call-arg,arg-type]


def short_run(model: str) -> Run:
    """Twenty pairs of twelve bases: a folder of forty cycles, not of two hundred."""
    recipe = Recipe(read_bases=SHORT_BASES)
    pairs = make_pairs(CAST.genome, CAST.subjects["SIM-A"], "short", 20, recipe)
    library = Library("S1", "S1-lib1", 1, *index_pairs(SEED, 1)[0], pairs=pairs)
    return Run(INSTRUMENTS[model], 1, SEED, (library,), SHORT_BASES)


def damaged(name: str, parent: Path, model: str = "NextSeq 1000/2000") -> tuple[Path, Path]:
    """A right folder and one with the fault, of one run."""
    run = short_run(model)
    fault = FAULTS[name]
    assert isinstance(fault, FolderFault)
    right = write_run_folder(parent / "right", run, b"sheet")
    wrong = write_run_folder(parent / "wrong", run, b"sheet")
    fault.apply(wrong, run)
    return right, wrong


def differences(right: Path, wrong: Path) -> list[str]:
    found = []
    for path in sorted(right.rglob("*")):
        name = path.relative_to(right)
        if path.is_file():
            other = wrong / name
            if not other.exists() or other.read_bytes() != path.read_bytes():
                found.append(str(name))
    return found


@pytest.mark.parametrize(
    ("name", "path", "is_there"),
    [
        ("no-sheet", SHEET, False),
        ("no-marker", COPY, False),
        ("bad-status", STATUS, True),
        ("file-missing", f"{INTENSITIES}/BaseCalls/L001/C12.1/s_1_1101.bcl.gz", False),
        ("file-cut", f"{INTENSITIES}/BaseCalls/L001/C1.1/s_1_1101.bcl.gz", True),
        ("changed-after-marker", f"{INTENSITIES}/BaseCalls/L001/C2.1/s_1_1101.bcl.gz", True),
    ],
)
def test_faults_of_folders_are_as_said(
    name: str, path: str, is_there: bool, tmp_path: Path
) -> None:
    right, wrong = damaged(name, tmp_path)
    assert differences(right, wrong) == [path]
    assert (wrong / path).exists() == is_there


def test_a_file_that_changed_is_younger_than_the_marker(tmp_path: Path) -> None:
    _, wrong = damaged("changed-after-marker", tmp_path)
    youngest = max((path for path in wrong.rglob("*") if path.is_file()), key=os.path.getmtime)
    assert youngest.name == "s_1_1101.bcl.gz"
    assert youngest.stat().st_mtime - (wrong / COPY).stat().st_mtime == pytest.approx(60, abs=1)


@pytest.mark.parametrize(
    ("model", "element", "word"),
    [
        ("NextSeq 500/550", "CompletionStatus", "UserEndedEarly"),
        ("NovaSeq X", "RunStatus", "RunErrored"),
    ],
)
def test_a_failed_run_is_worded_as_its_instrument_does(
    model: str, element: str, word: str, tmp_path: Path
) -> None:
    right, wrong = damaged("bad-status", tmp_path, model)
    good, bad = (ElementTree.parse(folder / STATUS).getroot() for folder in (right, wrong))
    assert good.findtext(element) in {"CompletedAsPlanned", "RunCompleted"}
    assert bad.findtext(element) == word
    assert "temperature" in "".join(bad.itertext())


def test_an_instrument_without_a_status_cannot_say_that_it_failed(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="choose another model"):
        damaged("bad-status", tmp_path, "MiSeq")


def broken(name: str) -> tuple[tuple[FastqFile, ...], tuple[FastqFile, ...]]:
    fault = FAULTS[name]
    assert isinstance(fault, ReadsFault)
    right = fastq_files(RUN, RUN.libraries[0], "bgzf")
    wrong = fault.apply(right)
    assert wrong[0] == right[0]
    return right, wrong


def is_as_declared(file: FastqFile) -> bool:
    return hashlib.md5(file.content, usedforsecurity=False).hexdigest() == file.declared_md5


def test_faults_of_reads_are_as_said() -> None:
    right, (_, cut) = broken("truncated-fastq")
    with pytest.raises(EOFError):
        gzip.decompress(cut.content)
    assert is_as_declared(cut)
    right, (_, damaged) = broken("bad-bgzf-block")
    turned = [at for at, pair in enumerate(zip(damaged.content, right[1].content, strict=True))
              if pair[0] != pair[1]]  # fmt: skip
    assert len(turned) == 1
    with pytest.raises(gzip.BadGzipFile, match="CRC"):
        gzip.decompress(damaged.content)
    assert is_as_declared(damaged)
    right, (_, other) = broken("wrong-checksum")
    assert gzip.decompress(other.content) == gzip.decompress(right[1].content)
    assert not is_as_declared(other)
    _, (first, fewer) = broken("mates-differ")
    names = [gzip.decompress(file.content).splitlines()[::4] for file in (first, fewer)]
    assert [name.split()[0] for name in names[0][1:]] == [name.split()[0] for name in names[1]]
    assert is_as_declared(fewer)
