"""What the tidy tests look at: the files that git knows or would take."""

from __future__ import annotations

import ast
import functools
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (
    "api", "deploy", "events", "native", "nextflow", "processors", "projections", "schemas",
)  # fmt: skip


@functools.cache
def files() -> tuple[str, ...]:
    """Every file of the project, relative to its root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = sorted(set(listed.stdout.splitlines()))
    return tuple(name for name in found if (ROOT / name).is_file())


def python_files(*folders: str) -> tuple[str, ...]:
    """The Python files below these folders; of the whole project without any."""
    return tuple(
        name
        for name in files()
        if name.endswith(".py") and (not folders or name.split("/")[0] in folders)
    )


@functools.cache
def text_of(name: str) -> str:
    """The content of a file."""
    return (ROOT / name).read_text()


@functools.cache
def tree_of(name: str) -> ast.Module:
    """The syntax tree of a Python file."""
    return ast.parse(text_of(name))
