"""Images are described as their linter wants them, belong to no root, and hold what is there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from genoflow.deploy.local.artifacts import PARTS
from tests.tidy.source import ROOT, files, text_of

IMAGES = sorted(name for name in files() if name.endswith("Containerfile"))
LINTER = Path(sys.executable).with_name("hadolint")
LINE = re.compile(r"^(?P<word>[A-Z]+)\s+(?P<rest>.*)$")


def found_in(path: Path) -> set[str]:
    """The rules that this file breaks."""
    command = [str(LINTER), "--no-color", "--format", "json", str(path)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return {one["code"] for one in json.loads(said.stdout)}


def instructions(text: str) -> list[tuple[str, str]]:
    """The instructions with what stands behind them, a line each."""
    whole = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    matched = (LINE.match(line) for line in whole.replace("\\\n", " ").splitlines())
    return [(one["word"], one["rest"]) for one in matched if one]


def test_there_are_images() -> None:
    assert "deploy/images/Containerfile" in IMAGES


@pytest.mark.parametrize("name", IMAGES)
def test_the_linter_finds_nothing(name: str) -> None:
    assert found_in(ROOT / name) == set()


def test_the_linter_bites(tmp_path: Path) -> None:
    bad = tmp_path / "Containerfile"
    bad.write_text("FROM debian\nRUN cd /tmp && sudo apt-get install curl\nUSER root\n")
    assert {"DL3006", "DL3004", "DL3002"} <= found_in(bad)


@pytest.mark.parametrize("name", IMAGES)
def test_what_is_not_linted_has_its_reason(name: str) -> None:
    lines = text_of(name).splitlines()
    ignored = [at for at, line in enumerate(lines) if line.startswith("# hadolint ignore")]
    assert all(re.match(r"# [A-Z]", lines[at - 1]) for at in ignored)


@pytest.mark.parametrize("name", IMAGES)
def test_it_runs_as_nobody_that_may_anything(name: str) -> None:
    users = [rest for word, rest in instructions(text_of(name)) if word == "USER"]
    assert int(users[-1].partition(":")[0]) >= 10_000  # by number, as Kubernetes can check it


@pytest.mark.parametrize("name", IMAGES)
def test_what_it_runs_and_copies_is_there(name: str) -> None:
    said = instructions(text_of(name))
    modules = [found for _, rest in said for found in re.findall(r"-m (genoflow\.[\w.]+)", rest)]
    assert modules
    assert all(find_spec(module) for module in modules)
    parts = [part for _, rest in said for part in re.findall(r"artifacts (\w+)", rest)]
    assert set(parts) <= {*PARTS}
    copied = [rest.split()[0] for word, rest in said if word == "COPY" and "--from" not in rest]
    assert [one for one in copied if not (ROOT / one).exists()] == []


def test_the_job_of_batch_is_in_it() -> None:
    stack = json.loads(text_of("deploy/batch/stack.json"))
    command = stack["jobDefinitions"][0]["containerProperties"]["command"]
    assert command[:2] == ["python", "-m"]
    assert find_spec(command[2])
