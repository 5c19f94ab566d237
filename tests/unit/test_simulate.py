"""`genoflow simulate` writes what it says, the same for a seed, and refuses what it cannot do."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from genoflow.deploy import cli
from genoflow.deploy.generate.faults import FAULTS
from genoflow.deploy.generate.simulation import Wish, simulate
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
        "runs", "top-up", "reference", "truth", "fastq", "orders.json", "catalog.json",
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
    assert len(lines) == 10  # five samples have reads
    for line, path in zip(lines, written.fastq, strict=True):
        found = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        assert line.split()[0] == found


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
