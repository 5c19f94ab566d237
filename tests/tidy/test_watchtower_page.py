"""The page of the watchtower shows the stages that it knows."""

from __future__ import annotations

from genoflow.processors.watchtower.stages import STAGES, Kinds
from tests.tidy.source import text_of


def names(kinds: Kinds) -> str:
    """Types as the page writes them."""
    return ", ".join(kind.type() for kind in kinds)


def test_every_stage_stands_on_the_page_as_it_is() -> None:
    page = text_of("docs/watchtower.md").replace(" (each file that it promises)", "")
    rows = [
        f"| `{one.name}` | {names(one.begins)} | {names(one.ends)} | {names(one.fails)} | "
        f"{one.owed_by} |".replace("|  |", "| |")
        for one in STAGES
    ]
    shown = [
        line for line in page.splitlines() if line.startswith("| `") and "genoflow_" not in line
    ]
    assert shown == rows
