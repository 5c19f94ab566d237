"""`make faults`: every scenario on brokers of its own, and the table of what was found.

    flow              the whole flow alone; --samples N for another size, which writes nothing
    read-models       runners of read models, their Postgres and their broker alone
    api               requests to the API alone; --cases N for another number, which writes nothing
    tower             the watchtower alone
    batch             launchers alone; --cases N for another number, which writes nothing
    --scenario NAME   one of them; the others keep their rows
    --share small     a tenth of everything: shows that it works, writes nothing
    --seed N          another play; what it draws is drawn from the seed alone
    --keep DIR        where logs, inputs and verdicts stay; a directory of the system otherwise

A full run takes an hour on two cores and writes benchmarks/faults.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from genoflow.deploy.local.files import free_port
from genoflow.deploy.settings import read_settings
from tests.faults import api, batch, local_jobs, page, read_models, tower
from tests.faults.brokers import Cluster
from tests.faults.driver import is_clean, play
from tests.faults.scenarios import (
    SAMPLES_PER_RUN,
    SCENARIOS,
    WHOLE_FLOW,
    Scenario,
    small_share,
)
from tests.faults.toxiproxy import Link, ensure_toxiproxy
from tests.faults.whole_flow import play_flow

FLOW, ROWS, API, BATCH = WHOLE_FLOW.name, read_models.NAME, api.NAME, batch.NAME
TOWER = tower.NAME
ALONE = (ROWS, API, BATCH, TOWER)


async def run(scenario: Scenario, room: Path) -> dict[str, Any]:
    """One scenario from an empty disk to its row."""
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[{scenario.name} {time.monotonic() - started:5.0f} s] {text}", flush=True)

    cache = read_settings().cache
    link = None
    if scenario.toxics:
        say("the proxy, which is built once")
        ports = tuple(free_port() for _ in range(scenario.brokers))
        link = Link(await ensure_toxiproxy(cache), ports)
    cluster = Cluster(room / "brokers", cache, scenario.brokers, link.ports if link else ())
    try:
        await cluster.start()
        if link is not None:
            await link.start(room / "toxiproxy.log")
            await link.put_before(tuple(broker.behind for broker in cluster.brokers))
        say(f"{scenario.brokers} brokers, {scenario.workers} workers, seed {scenario.seed}")
        if scenario.name == FLOW:
            row = await play_flow(scenario, SAMPLES_PER_RUN, cluster, room, say)
        else:
            row = await play(scenario, cluster, room, say, link)
    finally:
        if link is not None:
            await link.stop()
        await cluster.stop()
    say("clean" if is_passed(row) else f"NOT CLEAN: {row['examples']} {row['ends']}")
    return row


def is_passed(row: dict[str, Any]) -> bool:
    """Whether the verdict found nothing and every worker ended as it should."""
    if row["scenario"] == ROWS:
        return read_models.is_as_calm(row)
    if row["scenario"] == API:
        return api.is_held(row)
    if row["scenario"] == TOWER:
        return bool(row["is_passed"])
    if row["scenario"] == BATCH:
        return not any(one["broken"] for one in row["rows"])
    return is_clean(row) and not any(end.startswith("unforeseen") for end in row["ends"])


def play_rows(options: argparse.Namespace, home: Path) -> dict[str, Any]:
    """The scenario of read models, from an empty disk to its row."""
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[{ROWS} {time.monotonic() - started:5.0f} s] {text}", flush=True)

    room = home / ROWS
    room.mkdir(parents=True)
    home.chmod(0o711)  # Postgres does not run as root, and has to come as far as its files
    plan = read_models.SMALL if options.share == "small" else read_models.WHOLE
    plan = replace(plan, seed=options.seed)
    played = read_models.play_alone(plan, room, read_settings().cache, say)
    row = {"scenario": ROWS, **asyncio.run(played)}
    say("clean" if is_passed(row) else f"NOT CLEAN: {row['tables_that_differ']}")
    return row


def play_api(options: argparse.Namespace, home: Path) -> dict[str, Any]:
    """The scenario of the API, from an empty disk to its row."""
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[{API} {time.monotonic() - started:5.0f} s] {text}", flush=True)

    room = home / API
    room.mkdir(parents=True)
    home.chmod(0o711)
    cases = options.cases or (api.CASES_SMALL if options.share == "small" else api.CASES)
    row = {"scenario": API, **asyncio.run(api.play_alone(cases, options.seed, room, say))}
    say("clean" if is_passed(row) else f"NOT CLEAN: {row['findings']}")
    return row


def play_batch(options: argparse.Namespace, home: Path) -> dict[str, Any]:
    """The scenarios of launchers, each case from nothing."""
    cases = options.cases or (batch.CASES_SMALL if options.share == "small" else batch.CASES)
    rows = []
    for scenario in batch.SCENARIOS:
        rows.append(batch.play(scenario, cases, options.seed).as_json())
        print(batch.table(rows)[-1], *rows[-1]["broken"], sep="\n", flush=True)
    for scenario in local_jobs.SCENARIOS:
        room = home / BATCH / scenario.replace(" ", "-")
        few = min(cases, batch.CASES_OF_PROCESSES)
        rows.append(local_jobs.play(scenario, few, options.seed, room).as_json())
        print(batch.table(rows)[-1], *rows[-1]["broken"], sep="\n", flush=True)
    return {"scenario": BATCH, "seed": options.seed, "rows": rows}


def play_tower(options: argparse.Namespace, home: Path) -> dict[str, Any]:
    """The scenario of the watchtower, from an empty disk to its row."""
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[{TOWER} {time.monotonic() - started:5.0f} s] {text}", flush=True)

    room = home / TOWER
    room.mkdir(parents=True)
    plan = tower.SMALL if options.share == "small" else tower.WHOLE
    plan = replace(plan, seed=options.seed)
    played = tower.play_alone(plan, room, read_settings().cache, say)
    row = asyncio.run(played).as_json()
    say("clean" if is_passed(row) else f"NOT CLEAN: {row}")
    return row


def chosen(options: argparse.Namespace) -> list[Scenario]:
    """What is to be played of the scenarios of workers."""
    if options.what in ALONE:
        return []
    everything = (*SCENARIOS, WHOLE_FLOW)
    names = [scenario.name for scenario in everything]
    wanted = options.what or options.scenario
    if wanted is not None and wanted not in names:
        raise SystemExit(f"{wanted!r} is no scenario; there are {', '.join(names)}")
    found = [one for one in everything if wanted in (None, one.name)]
    if options.share == "small":
        found = [small_share(one) for one in found]
    if options.samples is not None:
        found = [replace(one, events=options.samples) for one in found if one.name == FLOW]
    return [replace(one, seed=options.seed) for one in found]


def keep_results(rows: Sequence[dict[str, Any]]) -> None:
    """Write the rows over those of the same scenarios, and the page from all of them."""
    before = json.loads(page.RESULTS.read_text("utf-8")) if page.RESULTS.exists() else {}
    of_flow = [row for row in (before.get(FLOW), *rows) if row and row["scenario"] == FLOW]
    named = {row["scenario"]: row for row in (*before.get("rows", ()), *rows)}
    ordered = [named[one.name] for one in SCENARIOS if one.name in named]
    of_rows = [row for row in (before.get(ROWS), *rows) if row and row["scenario"] == ROWS]
    found: dict[str, Any] = {"date": datetime.now(UTC).date().isoformat(), "rows": ordered}
    if of_flow:
        found[FLOW] = of_flow[-1]
    if of_rows:
        found[ROWS] = of_rows[-1]
    for name in (API, BATCH, TOWER):
        if of_name := [row for row in (before.get(name), *rows) if row and row["scenario"] == name]:
            found[name] = of_name[-1]
    page.RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if page.PAGE.exists():
        text = page.PAGE.read_text(encoding="utf-8")
        page.PAGE.write_text(page.refreshed(text, found), encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """Play, print the table, and keep the numbers of a full run."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("what", nargs="?", choices=(FLOW, *ALONE))
    parser.add_argument("--scenario")
    parser.add_argument("--samples", type=int)
    parser.add_argument("--cases", type=int)
    parser.add_argument("--share", choices=("small", "all"), default="all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args(arguments)
    # A broker that is killed is what we are here for: its clients need not tell it.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    scenarios = chosen(options)
    home = options.keep or Path(tempfile.mkdtemp(prefix="genoflow-faults-"))
    rows = []
    for scenario in scenarios:
        room = home / scenario.name
        if room.exists():
            raise SystemExit(f"{room}: is there already; name another directory with --keep")
        room.mkdir(parents=True)
        rows.append(asyncio.run(run(scenario, room)))
    if options.what == ROWS or (options.what is None and options.scenario is None):
        rows.append(play_rows(options, home))
    if options.what == API or (options.what is None and options.scenario is None):
        rows.append(play_api(options, home))
    if options.what == BATCH or (options.what is None and options.scenario is None):
        rows.append(play_batch(options, home))
    if options.what == TOWER or (options.what is None and options.scenario is None):
        rows.append(play_tower(options, home))
    small = [row for row in rows if row["scenario"] not in (FLOW, *ALONE)]
    print("\n".join(page.table(small) if small else ()))
    for row in rows:
        if row["scenario"] == FLOW:
            print("\n".join(page.flow_table(row)))
        elif row["scenario"] == ROWS:
            print("\n".join(page.rows_table(row)))
        elif row["scenario"] == API:
            print("\n".join(page.api_table(row)))
        elif row["scenario"] == TOWER:
            print("\n".join(tower.table(row)))
    print(f"what was kept is in {home}")
    if options.share == "all" and options.samples is None and options.cases is None:
        keep_results(rows)  # whatever was found: a run that failed is not run away from
    return 0 if all(is_passed(row) for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
