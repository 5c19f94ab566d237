"""`genoflow simulate` writes what it says, the same for a seed, and refuses what it cannot do."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from genoflow.deploy import cli
from genoflow.deploy.generate.cast import Cast, make_cast
from genoflow.deploy.generate.faults import FAULTS, CastFault
from genoflow.deploy.generate.simulation import Wish, simulate
from genoflow.deploy.pipelines import germline_document
from genoflow.events.errors import Refused

QUICK = ("--depth", "0.2")
ONE_LANE = ("--model", "NextSeq 1000/2000", "--sheet", "v1", "--fastq", *QUICK)


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_it_writes_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new"
    assert cli.run(["simulate", str(folder), *QUICK, "--fastq"]) == 0
    said = capsys.readouterr().out
    paths = [Path(line) for line in said.splitlines() if line.startswith(str(folder))]
    assert all(path.exists() for path in paths)
    tops = {path.relative_to(folder).parts[0] for path in paths}
    assert {path.name for path in folder.iterdir()} == tops == {
        "runs", "top-up", "courier", "reference", "truth", "fastq", "orders.json", "catalog.json",
    }  # fmt: skip
    for place, run in (
        ("runs", "260105_A00001_0001_AHG0001DRXY"),
        ("top-up", "260105_M00001_0002_000000000-G0002"),
    ):
        assert [path.name for path in (folder / place).iterdir()] == [run]
    assert len(list((folder / "truth").iterdir())) == 6
    assert "no fault was asked for" in said
    assert said.count("SIM-") == 6
    assert said.count("undetermined") == 2


def test_the_checksums_are_those_of_the_reads(tmp_path: Path) -> None:
    written = simulate(tmp_path, Wish(depth=0.2, fastq=True))
    lines = (tmp_path / "fastq" / "md5sums.txt").read_text().splitlines()
    assert [line.split()[1] for line in lines] == [path.name for path in written.fastq]
    assert len(lines) == 8  # four samples of this run have reads
    for line, path in zip(lines, written.fastq, strict=True):
        found = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        assert line.split()[0] == found


def test_what_comes_by_courier_is_on_no_sheet_and_once_damaged(tmp_path: Path) -> None:
    written = simulate(tmp_path, Wish(depth=0.2, prefix="LAB-7", first_run=41))
    first, second = written.courier
    assert [path.name for path in written.courier] == [
        "LAB-7-B_L001_R1_001.fastq.gz", "LAB-7-B_L001_R2_001.fastq.gz",
    ]  # fmt: skip
    [damaged] = (tmp_path / "courier" / "damaged").iterdir()
    assert damaged.name == second.name
    assert second.read_bytes().startswith(damaged.read_bytes())
    assert damaged.stat().st_size < second.stat().st_size
    assert first.stat().st_size
    [folder, _] = written.run_folders
    assert folder.name == "260105_A00001_0041_AHG0041DRXY"
    sheet = (folder / "SampleSheet.csv").read_text()
    assert [f"LAB-7-{letter}" in sheet for letter in "ABCDEF"] == [True, False, *[True] * 4]
    orders = json.loads((tmp_path / "orders.json").read_bytes())
    assert {one["case_id"] for one in orders} == {f"LAB-7-CASE-{n}" for n in range(1, 6)}


def test_the_same_seed_gives_the_same_directory(tmp_path: Path) -> None:
    for name, seed in (("one", 4), ("two", 4), ("three", 5)):
        simulate(tmp_path / name, Wish(seed, depth=0.2, fastq=True))
    one, two, three = (contents(tmp_path / name) for name in ("one", "two", "three"))
    assert one == two
    assert one.keys() == three.keys()
    assert one["reference/simulated.fa"] != three["reference/simulated.fa"]


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is written where nothing is wrong."""
    folder = tmp_path_factory.mktemp("right")
    assert cli.run(["simulate", str(folder), *ONE_LANE]) == 0
    return contents(folder)


@pytest.mark.parametrize(
    "name",
    ["i5-turned", "no-marker", "changed-after-marker", "mates-differ", "bed-of-another-build"],
)
def test_a_fault_changes_one_thing_and_is_said(
    name: str, right: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["simulate", str(tmp_path), *ONE_LANE, "--fault", name]) == 0
    assert f"  {name}: {FAULTS[name].about}" in capsys.readouterr().out
    wrong = contents(tmp_path)
    changed = {path for path in right if wrong.get(path) != right[path]}
    assert 0 < len(changed) <= 2, changed
    assert not any("M00001" in path or "truth" in path for path in changed)


def reads_by_sample(cast: Cast) -> dict[str, list[str]]:
    """The bases of every first read on the run."""
    found: dict[str, list[str]] = {}
    for library in cast.run.libraries:
        found.setdefault(library.sample_id, []).extend(pair.first.bases for pair in library.pairs)
    return found


@pytest.fixture(scope="module", params=["NovaSeq 6000", "NextSeq 500/550"])
def cast(request: pytest.FixtureRequest) -> Cast:
    """The cast with each library in one lane, or in all of them."""
    return make_cast(4, 1.0, request.param)


@pytest.mark.parametrize(
    ("name", "struck"),
    [
        ("swapped-samples", {"SIM-A", "SIM-E"}),
        ("contaminated", {"SIM-A"}),
        ("unrelated-normal", {"SIM-E"}),
    ],
)
def test_a_mix_up_is_in_the_reads_and_nowhere_else(name: str, struck: set[str], cast: Cast) -> None:
    fault = FAULTS[name]
    assert isinstance(fault, CastFault)
    mixed = fault.apply(cast)
    right, wrong = reads_by_sample(cast), reads_by_sample(mixed)
    assert {sample for sample in right if right[sample] != wrong[sample]} == struck
    if name == "swapped-samples":
        assert (wrong["SIM-A"], wrong["SIM-E"]) == (right["SIM-E"], right["SIM-A"])
    if name == "contaminated":
        foreign = Counter(wrong["SIM-A"]) - Counter(right["SIM-A"])
        assert foreign == foreign & Counter(right["SIM-B"])
        assert 0.08 < foreign.total() / len(right["SIM-A"]) < 0.12
    assert len(set(wrong["SIM-E"])) > 0.85 * len(wrong["SIM-E"]), "no lane repeats another"
    for one, other in zip(cast.run.libraries, mixed.run.libraries, strict=True):
        assert replace(one, pairs=()) == replace(other, pairs=())
        assert len(one.pairs) == len(other.pairs)
    assert (mixed.genome, mixed.subjects, mixed.top_up) == (cast.genome, cast.subjects, cast.top_up)


def test_a_mix_up_is_written(right: dict[str, str], tmp_path: Path) -> None:
    faults = ("--fault", "swapped-samples", "--fault", "wrong-sex")
    assert cli.run(["simulate", str(tmp_path), *ONE_LANE, *faults]) == 0
    wrong = contents(tmp_path)
    changed = {path for path in right if wrong.get(path) != right[path]}
    assert {path for path in changed if not path.startswith("runs/")} == {
        "orders.json", "fastq/md5sums.txt",
        *(path for path in right if path.startswith(("fastq/SIM-A", "fastq/SIM-E"))),
    }  # fmt: skip


def test_the_papers_fit_the_cast(tmp_path: Path) -> None:
    model = "NextSeq 1000/2000"
    simulate(tmp_path / "right", Wish(depth=10, model=model))
    simulate(tmp_path / "wrong", Wish(depth=0.2, model=model, faults=("wrong-sex",)))
    sexes, wrong = (
        {
            member["sample_id"]: member["declared_sex"]
            for order in json.loads((tmp_path / folder / "orders.json").read_text())
            for member in order["members"]
        }
        for folder in ("right", "wrong")
    )
    assert sexes == {
        "SIM-A": "female", "SIM-B": "male", "SIM-C": "female", "SIM-D": "male", "SIM-E": "male",
        "SIM-F": "female",
    }  # fmt: skip
    assert wrong == sexes | {"SIM-A": "male"}
    documents = {
        one["kind"]: one for one in json.loads((tmp_path / "right" / "catalog.json").read_text())
    }
    assert set(documents) == {"qc-profile", "reference", "pipeline"}
    assert documents["pipeline"] == germline_document()
    required = [one["metric"] for one in documents["qc-profile"]["results_thresholds"]]
    assert required == ["mean_coverage", "contamination", "ti_tv", "concordance"]
    shallow = json.loads((tmp_path / "wrong" / "catalog.json").read_text())[0]
    assert [one["metric"] for one in shallow["results_thresholds"]] == ["mean_coverage"]


def test_the_faults_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["simulate", "--list"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in said] == list(FAULTS)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--fault", "nothing"], "genoflow simulate --list"),
        (["--model", "HiSeq"], "there are MiSeq, NextSeq 500/550"),
        (["--dialect", "latin"], "there are plain, windows"),
    ],
)
def test_what_it_does_not_know_is_refused_before_anything_is_written(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["simulate", str(tmp_path / "new"), *words]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_directory_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(Refused, match="is not empty"):
        simulate(tmp_path, Wish())
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
