"""Set-up on machines that lack something: each hears what to run, and nothing is left half done."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.tidy.source import ROOT

SECONDS_MAX = 60


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What set-up reads of a checkout, and no .venv."""
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "setup.py", tmp_path / "tools")
    shutil.copytree(ROOT / "locks", tmp_path / "locks")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def loaded(checkout: Path) -> ModuleType:
    """The set-up program of a checkout as a module."""
    spec = importlib.util.spec_from_file_location("set_up", checkout / "tools" / "setup.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(checkout: Path, kind: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Run set-up with only these programs to be found."""
    return subprocess.run(
        [sys.executable, "-B", str(checkout / "tools" / "setup.py"), kind],
        env={"PATH": str(path), "HOME": str(checkout)}, capture_output=True, text=True,
        check=False, timeout=SECONDS_MAX,
    )  # fmt: skip


def test_a_python_without_venv_gets_the_exact_line(checkout: Path) -> None:
    shadow = checkout / "shadow"
    shadow.mkdir()
    (shadow / "venv.py").write_text("raise SystemExit('ensurepip is not available')")
    done = subprocess.run(
        [sys.executable, "-B", str(checkout / "tools" / "setup.py"), "run"],
        env={"PATH": str(checkout), "HOME": str(checkout), "PYTHONPATH": str(shadow)},
        capture_output=True, text=True, check=False, timeout=SECONDS_MAX,
    )  # fmt: skip
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert done.returncode == 1
    assert f"sudo apt-get install -y python{version}-venv" in done.stderr
    assert not (checkout / ".venv").exists()


def test_it_says_first_how_much_how_long_and_where_to(checkout: Path) -> None:
    module = loaded(checkout)
    uv = checkout / "uv"
    uv.write_text("#!/bin/sh\nexit 3\n")
    uv.chmod(0o755)
    done = run(checkout, "run", checkout)
    first, second, third = done.stdout.splitlines()[:3]
    assert f"{module.COSTS['run'][0]} MB" in first
    assert str(checkout / ".venv") in first
    assert f"{module.SERVERS['run'][0]} MB" in second
    assert third.startswith("[setup] minutes, about: 1 now")
    assert "and uv" in third
    assert done.returncode != 0, "the uv that was found cannot work"


def test_what_is_set_up_is_not_set_up_again(checkout: Path) -> None:
    module = loaded(checkout)
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (checkout / ".venv" / "set-up-dev").write_text(module.stamp_of("dev"))
    for kind in ("run", "dev"):
        assert module.covered(kind)
        done = run(checkout, kind, checkout)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not module.covered("bench")
    (checkout / "locks" / "dev.txt").write_text("changed")
    assert not module.covered("dev")


def test_a_change_of_the_extension_is_set_up_again(checkout: Path) -> None:
    module = loaded(checkout)
    without = module.stamp_of("dev")
    (checkout / "native" / "src").mkdir(parents=True)
    (checkout / "native" / "src" / "lib.rs").write_text("// one")
    first = module.stamp_of("dev")
    (checkout / "native" / "src" / "lib.rs").write_text("// two")
    (checkout / "native" / "twin.py").write_text("# is taken as it is")
    assert len({without, first, module.stamp_of("dev")}) == 3
    second = module.stamp_of("dev")
    (checkout / "native" / "twin.py").write_text("# and again")
    assert module.stamp_of("dev") == second


def test_an_interrupted_set_up_says_how_to_go_on(checkout: Path) -> None:
    uv = checkout / "uv"
    uv.write_text("#!/bin/sh\necho made >&2\nexec sleep 600\n")
    uv.chmod(0o755)
    search = f"{checkout}{os.pathsep}/usr/bin{os.pathsep}/bin"
    with subprocess.Popen(
        [sys.executable, "-B", str(checkout / "tools" / "setup.py"), "run"],
        env={"PATH": search, "HOME": str(checkout)}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        assert process.stderr.readline() == "made\n"
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=SECONDS_MAX)
    assert process.returncode == 130
    assert "run make again" in said


def test_the_locks_are_for_every_python_that_is_promised(checkout: Path) -> None:
    project = (checkout / "pyproject.toml").read_text()
    for minor in range(11, 15):
        assert f"Programming Language :: Python :: 3.{minor}" in project
    assert 'requires-python = ">=3.11"' in project
