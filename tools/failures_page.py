"""The table of docs/failures.md, written from the code: `python -m tools.failures_page`."""

from __future__ import annotations

import re
from pathlib import Path

from genoflow.processors.running.failures import RULES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "failures.md"
HEAD = "| rule | class | tried again | what a lab technician reads |\n|---|---|---|---|\n"


def table() -> str:
    """The rules in their order."""
    rows = (
        f"| {one.name} | {one.failure_class} | {'yes' if one.may_retry else 'no'} | "
        f"{one.sentence} |\n"
        for one in RULES
    )
    return f"{HEAD}{''.join(rows)}"


def main() -> None:
    """Put the table where the page has it."""
    text = PAGE.read_text(encoding="utf-8")
    begin = text.index(HEAD)
    end = begin + re.search(r"\n\n|\Z", text[begin:]).start() + 1  # type: ignore[union-attr]
    PAGE.write_text(f"{text[:begin]}{table()}{text[end:]}", encoding="utf-8")


if __name__ == "__main__":
    main()
