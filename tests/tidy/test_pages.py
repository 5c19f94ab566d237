"""A page fails with the code: its links, commands, targets and paths are looked up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import PurePosixPath

import click
import pytest

from genoflow.deploy.cli import genoflow
from genoflow.deploy.settings import Settings
from tests.tidy.pages import (
    Line,
    anchors_of,
    is_placeholder,
    lines_of,
    links_of,
    pages,
    spans_of,
)
from tests.tidy.source import ROOT, files, text_of

TARGETS = set(re.findall(r"^([a-z][a-z-]*):", text_of("Makefile"), re.MULTILINE))
FOLDERS = {name.split("/")[0] for name in files() if "/" in name}
ENDINGS = (".py", ".md", ".toml", ".avsc")


def fault_of_link(page: str, target: str) -> str | None:
    """Why a link leads nowhere, or None."""
    path, _, anchor = target.partition("#")
    place = (ROOT / page).parent / path if path else ROOT / page
    if not place.exists():
        return f"{target}: there is no such file"
    if not place.resolve().is_relative_to(ROOT):
        return f"{target}: leads out of the project"
    if anchor and anchor not in anchors_of(place.read_text(encoding="utf-8")):
        return f"{target}: there is no such heading"
    return None


def fault_of_command(words: Sequence[str]) -> str | None:
    """Why a `genoflow` line could not be run as it is shown, or None."""
    command: click.Command = genoflow
    context = click.Context(genoflow, info_name="genoflow")
    for number, word in enumerate(words):
        if word.startswith("--"):
            name = word.partition("=")[0]
            known = {option for p in command.get_params(context) for option in p.opts}
            if name not in known:
                return f"genoflow {' '.join(words)}: {command.name} has no option {name}"
        elif isinstance(command, click.Group):
            if is_placeholder(word):
                return None
            found = command.get_command(context, word)
            if found is None:
                return f"genoflow {' '.join(words[: number + 1])}: there is no such command"
            command = found
            context = click.Context(command, info_name=word, parent=context)
    return None


def spellings(line: Line) -> list[tuple[str, ...]]:
    """The line itself and the same with each alternative for its last name."""
    names = [n for n, word in enumerate(line.words) if re.fullmatch(r"[a-z][a-z-]*", word)]
    last = names[-1] if names else 0
    return [line.words, *((*line.words[:last], other) for other in line.alternatives)]


def is_there(path: str) -> bool:
    """Whether a path in a page names a file or a folder of the project; it may hold a `*`."""
    clean = path.rstrip("/")
    if "/" not in path:
        return any(fnmatch(PurePosixPath(name).name, path) for name in files())
    return any(name.startswith(f"{clean}/") or fnmatch(name, clean) for name in files())


def looks_like_a_path(span: str) -> bool:
    """Whether a code span means a file of the project."""
    if re.search(r"[<>…\s:=(){}\[\]'\"]", span) or span.startswith((".", "/", "-")):
        return False
    first = span.split("/", maxsplit=1)[0]
    return ("/" in span and first in FOLDERS) or ("/" not in span and span.endswith(ENDINGS))


@pytest.mark.parametrize("page", pages())
def test_links_lead_somewhere(page: str) -> None:
    faults = [fault_of_link(page, target) for target in links_of(text_of(page))]
    assert [fault for fault in faults if fault] == []


@pytest.mark.parametrize("page", pages())
def test_commands_can_be_run(page: str) -> None:
    shown = [words for line in lines_of(page, "genoflow") for words in spellings(line)]
    faults = [fault_of_command(words) for words in shown]
    assert [fault for fault in faults if fault] == []


@pytest.mark.parametrize("page", pages())
def test_targets_of_make_exist(page: str) -> None:
    shown = {
        word
        for line in lines_of(page, "make")
        for words in spellings(line)
        for word in words
        if re.fullmatch(r"[a-z][a-z-]*", word)
    }
    assert shown - TARGETS == set()


@pytest.mark.parametrize("page", pages())
def test_paths_exist(page: str) -> None:
    named = {span for span in spans_of(text_of(page)) if looks_like_a_path(span)}
    assert [path for path in sorted(named) if not is_there(path)] == []


@pytest.mark.parametrize("page", pages())
def test_settings_exist(page: str) -> None:
    named = set(re.findall(r"\bGENOFLOW_([A-Z][A-Z0-9_]*)", text_of(page)))
    assert {name.lower() for name in named} - set(Settings.model_fields) == set()


def test_the_checks_find_what_is_wrong() -> None:
    text = (
        "# A page\n\n[a](#a-page) [b](nowhere.md) [c](README.md#no-such-heading)\n"
        "`genoflow nothing`, `genoflow status --jsn`, `genoflow up`, `dwn`, `make nothing`,\n"
        "`events/nothing.py`, `events/`, `schemas/*.avsc`, `genoflow status --json`\n\n"
        "```sh\n$ .venv/bin/genoflow timeline SAMPLE --nothing | head\nmake test  # a word\n```\n"
    )
    faults = [fault_of_link("README.md", target) for target in links_of(text)[1:]]
    assert faults == [
        "nowhere.md: there is no such file",
        "README.md#no-such-heading: there is no such heading",
    ]
    shown = [words for line in lines_of("-", "genoflow", text) for words in spellings(line)]
    assert [fault for words in shown if (fault := fault_of_command(words))] == [
        "genoflow nothing: there is no such command",
        "genoflow status --jsn: status has no option --jsn",
        "genoflow dwn: there is no such command",
        "genoflow timeline SAMPLE --nothing: timeline has no option --nothing",
    ]
    made = [word for line in lines_of("-", "make", text) for word in line.words]
    assert [word for word in made if word not in TARGETS] == ["nothing"]
    paths = [span for span in spans_of(text) if looks_like_a_path(span)]
    assert [path for path in paths if not is_there(path)] == ["events/nothing.py"]
