"""The tables of docs/reliability.md, made from benchmarks/faults.json so that they agree.

`python -m tests.faults.page` makes them anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.faults import batch, tower
from tools.marks import between

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "faults.json"
PAGE = ROOT / "docs" / "reliability.md"
BEGIN = "<!-- made from benchmarks/faults.json by `python -m tests.faults.page` -->"
END = "<!-- end of what is made -->"
DONE = ("workers", "brokers", "events", "kills", "stops", "broker_kills", "rebalances", "toxics")
FOUND = (
    "expected",
    "lost",
    "duplicates",
    "out_of_order",
    "double_effects",
    "wrong_states",
    "hanging",
)
# What was played through the whole flow, in words, and what it did outside.
PLAYED = {
    "samples": "events",
    "sequencing runs": "sequencing_runs",
    "orders": "cases",
    "rows of the flow": "rows",
    "workers": "workers",
    "kills of workers": "kills",
    "of them at named points": "kills_at_points",
    "zombies": "stops",
    "kills of the broker": "broker_kills",
    "rebalances": "rebalances",
    "seconds": "seconds",
    "facts on the log": "facts",
    "verdicts that have to stand": "verdicts",
    "runs that have to stand": "runs",
    "jobs begun outside": "jobs_begun",
    "messages to receivers": "messages",
    "of them sent once more": "messages_again",
    "facts that a calm run leaves": "expected",
    "facts lost": "lost",
    "facts twice": "duplicates",
    "facts before their cause": "out_of_order",
    "second runs, plans or notification ids": "double_effects",
    "subjects in another final state": "wrong_states",
    "effects left open": "left_open",
    "parked": "parked",
}

# The same of read models.
KEPT = {
    "read models": "read_models",
    "runners": "runners",
    "kills of runners": "runner_kills",
    "of them in the middle of a transaction": "inside",
    "kills of Postgres": "postgres_kills",
    "kills of the broker": "broker_kills",
    "seconds": "seconds",
    "records read": "records",
    "events kept": "events",
    "looks at positions and rows": "snapshots",
    "positions ahead of their rows, or behind": "positions_apart_from_rows",
}

# The same of the API.
ANSWERED = {
    "requests drawn from the OpenAPI document": "cases",
    "routes": "routes",
    "answered with what was asked for": "found_something",
    "refused with the reason (4xx)": "refused",
    "of a position that the rows have not reached (503)": "behind",
    "asked once more by a stranger": "strangers",
    "asked once more with the ETag of the answer": "unchanged",
    "seconds": "seconds",
}

Row = Mapping[str, Any]


def table(rows: Sequence[Row]) -> list[str]:
    """What was done, and what was found, one line for each scenario and one for all."""
    names = ("scenario", *DONE, *FOUND, "seed")
    lines = [
        f"| {' | '.join(name.replace('_', ' ') for name in names)} |",
        "|---|" + "---:|" * (len(names) - 1),
    ]
    for row in rows:
        cells = [row["scenario"], *(f"{row[name]:,}" for name in (*DONE, *FOUND)), row["seed"]]
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
    summed = [
        "" if name in ("workers", "brokers") else f"{sum(row[name] for row in rows):,}"
        for name in (*DONE, *FOUND)
    ]
    lines.append(f"| all | {' | '.join(summed)} | |")
    return lines


def points(rows: Sequence[Row]) -> list[str]:
    """The named points at which workers were killed."""
    names = sorted({point for row in rows for point in row["points"]})
    killed = sum(row["kills_at_points"] for row in rows)
    return [
        f"{killed} of the kills were at {len(names)} named points: "
        + ", ".join(f"`{name}`" for name in names)
        + "."
    ]


def flow_table(row: Row) -> list[str]:
    """The whole flow: what was played, what was done to it, what was found."""
    lines = [f"| {name} | {row[key]:,} |" for name, key in PLAYED.items()]
    return ["| the whole flow |  |", "|---|---:|", *lines]


def rows_table(row: Row) -> list[str]:
    """Read models: what was done to them, what was found."""
    lines = [f"| {name} | {row[key]:,} |" for name, key in KEPT.items()]
    differ = f"| tables that differ from those of a calm run | {len(row['tables_that_differ'])} |"
    return ["| read models |  |", "|---|---:|", *lines, differ]


def api_table(row: Row) -> list[str]:
    """The API: what was asked, what was answered, what was found."""
    lines = [f"| {name} | {row[key]:,} |" for name, key in ANSWERED.items()]
    wrong = f"| answers that the document does not describe, or failures | {len(row['findings'])} |"
    return ["| the API |  |", "|---|---:|", *lines, wrong]


def launchers_table(row: Row) -> list[str]:
    """Launchers: what was done to runs and jobs, what was found."""
    return batch.table(row["rows"])


def tower_table(row: Row) -> list[str]:
    """The watchtower: what was done to its processes, what stood at the end."""
    return tower.table(row)


def made(found: Mapping[str, Any]) -> str:
    """What stands between the two marks of the page."""
    rows = found["rows"]
    parts = [table(rows), points(rows)]
    tables = {"flow": flow_table, "read-models": rows_table, "api": api_table}
    tables[batch.NAME] = launchers_table
    tables[tower.NAME] = tower_table
    parts += [show(found[name]) for name, show in tables.items() if name in found]
    text = "\n\n".join("\n".join(part) for part in parts)
    return "\n\n".join([BEGIN, found["date"], text, END])


def refreshed(page: str, found: Mapping[str, Any]) -> str:
    """The page with these results in it."""
    return between(page, PAGE, BEGIN, END, made(found))


if __name__ == "__main__":
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    PAGE.write_text(refreshed(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
