"""The examples of docs/client.md are run as they stand there, in their order."""

from __future__ import annotations

import re

import pytest

from genoflow.api.client import errors
from genoflow.api.identity.permissions import Permission, Role
from genoflow.projections.vectors import to_word
from tests.between import aside, reached
from tests.doors import PASSWORD
from tests.integration.rows_over_http import door_over, first, log_of
from tests.tidy.source import text_of

PAGE = "docs/client.md"


async def test_the_examples_of_the_page_work(
    tables_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", text_of(PAGE), re.DOTALL | re.MULTILINE)
    async with log_of(*first()) as log, door_over(tables_url, log) as door:
        await door.account("vera", Role.ADMIN)
        scopes = (Permission.SAMPLES_READ, Permission.CASES_READ, Permission.EVENTS_READ)
        key = await door.key("vera", *scopes)
        async with reached(door) as (_, url):
            room = {"URL": url, "KEY": key, "PASSWORD": PASSWORD, "KEPT": to_word({})}
            for number, block in enumerate(blocks):
                program = compile(block, f"{PAGE}, example {number}", "exec")
                await aside(lambda program=program: exec(program, room))  # type: ignore[misc]
    said = capsys.readouterr().out
    assert "QC passed" in said
    assert len(blocks) == 7
    assert said.count("C-S") >= 5


def test_the_page_names_every_error() -> None:
    told = set(re.findall(r"`([A-Z]\w+)`", text_of(PAGE)))
    assert set(re.findall(r"[├└]── (\w+)", errors.__doc__ or "")) <= told
