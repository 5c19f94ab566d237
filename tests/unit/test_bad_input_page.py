"""The page of bad input: its events, reasons and commands are those that there are."""

from __future__ import annotations

import re
from typing import get_args

import click
import pytest

from genoflow.api.refusal import CODES
from genoflow.deploy.cli import genoflow
from genoflow.events.catalogue import EVENTS
from genoflow.events.types import Choices
from tests.tidy.source import text_of

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in text_of("docs/architecture.md").partition("## Bad input")[2].splitlines()
    if line.startswith("| a ") or line.startswith("| reads")
]
BY_NAME = {kind.type(): kind for kind in EVENTS}


REFUSALS = re.findall(
    r"^\| [^|]+ \| (\d{3}) \| `([A-Z_]+)` \|$",
    text_of("docs/api.md").partition("## Bad input")[2].partition("\n## ")[0],
    re.MULTILINE,
)


def test_the_api_refuses_as_its_page_says() -> None:
    assert len(REFUSALS) >= 9
    assert {(status, code) for status, code in REFUSALS} == {
        (str(status), CODES[status][0]) for status in (400, 401, 408, 413, 422)
    }


def test_the_page_names_what_the_tests_play() -> None:
    assert len(ROWS) >= 12


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_names_an_event_its_reasons_and_commands(row: list[str]) -> None:
    _, event, reasons, way, shown = row
    kind = BY_NAME[event.strip("`")]
    for reason in re.findall(r"`([^`]+)`", reasons):
        field = kind.model_fields["reason_code"]
        [choices] = [one for one in (*field.metadata, *get_args(field.annotation))
                     if isinstance(one, Choices)]  # fmt: skip
        assert reason in choices.allowed, f"{event}: {reason}"
    commands = re.findall(r"`genoflow ([a-z -]+)`", f"{way} {shown}")
    assert commands
    for words in commands:
        command: click.Command | None = genoflow
        for word in words.split():
            assert isinstance(command, click.Group), words
            command = command.get_command(click.Context(command), word)
        assert command is not None, words
