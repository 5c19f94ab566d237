"""The tables of docs/performance.md, made from benchmarks/results.json so that they agree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import append_bulk, tail
from benchmarks.contest import RATE, ratio_text
from tools.marks import between

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results.json"
PAGE = ROOT / "docs" / "performance.md"
BEGIN = "<!-- made from benchmarks/results.json by `python -m benchmarks.page` -->"
END = "<!-- end of what is made -->"

Results = Mapping[str, Any]


def tables(found: Results) -> str:
    """What stands between the two marks of the page."""
    parts = (_ratios(found), _loads(found), _shares(found))
    return "\n".join([BEGIN, "", *(line for part in parts for line in (*part, "")), END])


def rows_of(found: Results) -> list[Mapping[str, Any]]:
    """The rows of all paths, in the order in which they are measured."""
    return [row for path in found["paths"].values() for row in path["rows"]]


def refreshed(page: str, found: Results) -> str:
    """The page with these results in it."""
    return between(page, PAGE, BEGIN, END, tables(found))


def _ratios(found: Results) -> list[str]:
    event, versions = found["event"], found["versions"]
    used = ", ".join(f"{name} {version}" for name, version in versions.items())
    lines = [
        f"Two shared cores, best of {found['rounds']}; `{event['type']}`, "
        f"{event['fields']} fields and the envelope, {event['bytes']} bytes; {used}.",
        "",
        "| path | ours | anchor | unit | ours | anchor | ratio | target | |",
        "|---|---|---|---|---:|---:|---:|---|---|",
    ]
    for row in rows_of(found):
        note = f"{row['verdict']}; {row['note']}" if row["note"] else row["verdict"]
        lines.append(
            f"| {row['path']} | {row['ours']} | {row['anchor']} | {row['unit']} | "
            f"{row['ours_figure']:,} | {row['anchor_figure']:,} | **{ratio_text(row['ratio'])}** | "
            f"{row['target']} | {note} |"
        )
    return lines


def _loads(found: Results) -> list[str]:
    return [
        "| measured together | on | load before | after |",
        "|---|---|---:|---:|",
        *(f"| {name} | {one['date']} | {one['load_before']:.2f} | {one['load_after']:.2f} |"
          for name, one in found["paths"].items()),
    ]  # fmt: skip


def _shares(found: Results) -> list[str]:
    cost: dict[str, float] = {}  # of one event: the inverse of the rate
    for row in rows_of(found):
        if row["unit"] == RATE:
            cost[row["ours"]] = 1 / row["ours_figure"]
            cost[row["anchor"]] = 1 / row["anchor_figure"]
    bulk, built = cost[append_bulk.OURS], cost[append_bulk.OURS_BUILT]
    batches, read = cost[append_bulk.D], cost[tail.OURS]
    fetched, routed = cost[tail.BARE_BYTES], cost[tail.OURS_ROUTED]
    return [
        "| path | share | of its time in |",
        "|---|---:|---|",
        *_share("append_bulk", bulk - batches, bulk, "the codec: values to bytes, headers, seal"),
        *_share("append_bulk", batches, bulk, "aiokafka: batches to the broker and back"),
        *_share("append_bulk, events built", built - bulk, built, "pydantic and the ids"),
        *_share("tail", read - routed, read, "the codec: bytes to a frozen model"),
        *_share("tail", routed - fetched, read, "filter, repetitions, acknowledgement"),
        *_share("tail", fetched, read, "aiokafka: fetching, records and headers"),
    ]


def _share(path: str, part: float, whole: float, what: str) -> list[str]:
    return [f"| {path} | {max(0.0, part / whole):.0%} | {what} |"]


def main() -> None:
    """Put the committed results into the page."""
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    PAGE.write_text(refreshed(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")


if __name__ == "__main__":
    main()
