"""docs/scale.md, computed from benchmarks/scale.json: `python -m benchmarks.scale_page`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.scale import RESULTS, RUNS
from benchmarks.scale_polling import (
    DESCRIBES_PER_SECOND,
    JOBS_PER_DESCRIBE,
    SUBMITS_PER_SECOND,
    round_seconds,
)
from genoflow.events import topics
from genoflow.processors.runner import JOBS_WATCHED_MAX
from genoflow.processors.task_loop import OPEN_EFFECTS_MAX
from genoflow.processors.watched_job import JOB_LOOK_SECONDS
from tools.marks import between

PAGE = Path(__file__).resolve().parents[1] / "docs" / "scale.md"
BEGIN = "<!-- computed from benchmarks/scale.json by `python -m benchmarks.scale_page` -->"
END = "<!-- end of what is computed -->"
RUNS_A_DAY = 1_000_000
DAY_SECONDS = 86_400
RUN_HOURS = 4.0  # of a genome, from the first task to the last; assumed
PEAK = 3.0  # of the mean: a lab's day has a morning
SHARE_USED = 0.5  # of a core: the rest is for a restart's backlog

Results = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Needs:
    """What so many runs a day need, by these figures."""

    runs_per_second: float
    at_once: int
    records_per_second: float
    carried_per_second: float  # by one worker on a core of its own, used to the share stated
    workers_by_records: int
    partitions: int
    memory_mib: float  # of one worker, of those
    workers_by_watching: int
    describes_per_second: float  # of a watcher that asks for 100 at a time


SPREAD = ("p50", "p99", "most")


def needs_of(found: Results) -> Needs:
    """The arithmetic of the last section."""
    runs_per_second = RUNS_A_DAY / DAY_SECONDS
    at_once = round(runs_per_second * RUN_HOURS * 3_600)
    records = runs_per_second * found["records"] / found["runs"] * PEAK
    carried = found["records_meanwhile"] / found["worker_cpu_seconds"] * SHARE_USED
    by_effects = math.ceil(at_once / OPEN_EFFECTS_MAX)
    workers = math.ceil(records / carried)
    partitions = 2 ** math.ceil(math.log2(max(by_effects, workers, topics.PARTITIONS_DEFAULT)))
    each_mib = (found["rss_mib_working"] - found["rss_mib_begin"]) / found["runs"]
    return Needs(
        runs_per_second, at_once, records, carried, workers, partitions,
        found["rss_mib_begin"] + each_mib * at_once / workers,
        math.ceil(at_once / JOBS_WATCHED_MAX),
        at_once / JOB_LOOK_SECONDS[-1] / JOBS_PER_DESCRIBE,
    )  # fmt: skip


def computed(found: Results) -> str:
    """What stands between the two marks of the page."""
    parts = (_run(found), _news(found), _worker(found), _million(found))
    return "\n".join([BEGIN, "", *(line for part in parts for line in (*part, "")), END])


def refreshed(page: str, found: Results) -> str:
    """The page with these figures in it."""
    return between(page, PAGE, BEGIN, END, computed(found))


def _run(found: Results) -> list[str]:
    return [
        "## What was run",
        "",
        *_short(found),
        f"{found['runs']:,} runs of {found['tasks']} tasks at once, on {found['date'][:10]}: "
        f"{found['records']:,} records on the topic of runs. One broker, {found['partitions']} "
        f"partitions, one worker with {found['processors']} processors, one process for all heads "
        f"and for the backend, on {found['cpus']} shared cores with a load of "
        f"{found['load_before']:.1f} before and {found['load_after']:.1f} after.",
        "",
        "| step | figure |",
        "|---|---:|",
        f"| RunRequested of all, to RunSubmitted of all, at {found['submits_per_second']:g} "
        f"submissions/s at most | {found['submitted_seconds']:,.1f} s |",
        f"| all at work, and the last verdict | {found['worked_seconds']:,.1f} s, of "
        f"{found['seconds']:,.0f} s of work |",
        f"| facts that heads posted | {found['news']:,} |",
        f"| news appended, mean and most | {found['news_per_second_mean']:,.0f}/s and "
        f"{found['news_per_second_most']:,}/s |",
    ]


def _short(found: Results) -> list[str]:
    """What has to be said where fewer runs were played than were asked for."""
    if found["runs"] >= RUNS:
        return []
    return [
        f"**{found['runs']:,} runs, not {RUNS:,}.** The machine had other work, and all runs would "
        f"not have come to an end in time. What is told of lags, memory and the restart holds for "
        f"this many; `python -m benchmarks.scale` plays all of them.",
        "",
    ]


def _late(spread: Mapping[str, Any], which: str) -> str:
    return f"{spread[which]:,.2f} s" if spread["count"] else "–"


def _news(found: Results) -> list[str]:
    post, told = found["post_lag_seconds"], found["exit_lag_told_seconds"]
    looked, verdict = found["exit_lag_looked_seconds"], found["verdict_lag_seconds"]
    polling = found["polling"]
    rows = (
        ("news of tasks, due until on the log", post),
        ("the end of a run, told by news", told),
        ("RunExited until RunSucceeded, where both were before the kill", verdict),
        ("the end of a run, found by looking (the kill is in it)", looked),
    )
    lines = [
        "## News beside asking",
        "",
        f"Assumed: DescribeJobs takes {JOBS_PER_DESCRIBE} jobs a call, and "
        f"{DESCRIBES_PER_SECOND:g} calls a second. In this run half of the runs said by news that "
        f"they had exited. Of the others the worker had to look for an outcome: "
        f"{JOBS_WATCHED_MAX:,} jobs at a time, each every {JOB_LOOK_SECONDS[-1]} s in the end, "
        f"{found['describes']:,} calls for {found['described']:,} jobs.",
        "",
        "| how late | count | p50 | p99 | most |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {name} | {one['count']:,} | " + " | ".join(_late(one, which) for which in SPREAD) + " |"
        for name, one in rows
    ]
    if not verdict["count"]:
        lines += [
            "",
            "No run that had exited had its verdict when the worker was killed: the one worker, "
            "with all of these processors, was behind by then. The next one caught up as is told "
            "below.",
        ]
    tasks = polling["jobs"]
    return [
        *lines,
        "",
        f"**Tasks cannot be polled.** {polling['runs']:,} runs of {polling['tasks']} tasks have "
        f"{polling['changes']:,} changes of state. Whoever asks for every task that is at work, at "
        f"that rate, in a simulation of {polling['seconds']:,.0f} s: "
        f"sees a change after {polling['late_p50_seconds']:,.1f} s (p50) and "
        f"{polling['late_p99_seconds']:,.1f} s (p99), and misses "
        f"{polling['missed_share']:.0%} of the changes, which came and went between two looks. A "
        f"round over {tasks:,} jobs takes {round_seconds(tasks):,.0f} s. News has all of them, "
        f"{post['p99']:,.2f} s late at p99.",
    ]


def _worker(found: Results) -> list[str]:
    kill = found["kill"]
    each_kib = (found["rss_mib_working"] - found["rss_mib_begin"]) * 1_024 / found["runs"]
    return [
        "## The worker",
        "",
        "| memory of the worker | most |",
        "|---|---:|",
        f"| in the beginning | {found['rss_mib_begin']:,.0f} MiB |",
        f"| while all are submitted | {found['rss_mib_submitting']:,.0f} MiB |",
        f"| while all are at work | {found['rss_mib_working']:,.0f} MiB |",
        f"| the second worker, to the end | {found['rss_mib_after_kill']:,.0f} MiB |",
        "",
        f"That is {each_kib:,.1f} KiB for each run that is open.",
        "",
        "| after SIGKILL, from the start of another worker | figure |",
        "|---|---:|",
        f"| runs that waited for a verdict then, and at most | {kill['behind_when_killed']:,} and "
        f"{kill['behind_most']:,} |",
        f"| the first task is taken over (a program starts, and the group misses the dead one) | "
        f"{kill['first_fence_seconds']:,.1f} s |",
        f"| all {kill['tasks_restored']} tasks have their state and read (asked: 30 s) | "
        f"{kill['restored_seconds']:,.1f} s |",
        f"| of that, reading state | {kill['restoring_seconds']:,.1f} s |",
        f"| fewer wait than before | {kill['falling_seconds']:,.1f} s |",
        f"| hardly any waits | {kill['caught_up_seconds']:,.1f} s |",
        "",
        f"Besides, {kill['restarts_by_themselves']} times a worker left by itself and began anew, "
        f"for a transaction that took the broker more than 10 s on this machine.",
    ]


def _million(found: Results) -> list[str]:
    needs = needs_of(found)
    per_run = found["records"] / found["runs"]
    submits = needs.runs_per_second * found["tasks"]
    return [
        "## One million runs a day",
        "",
        f"{RUNS_A_DAY:,} runs a day are {needs.runs_per_second:,.1f} a second. With "
        f"{RUN_HOURS:g} h each, {needs.at_once:,} are at work at once. Each leaves "
        f"{per_run:,.0f} records; with a peak of {PEAK:g} times the mean these are "
        f"{needs.records_per_second:,.0f} records a second. The worker used "
        f"{found['worker_cpu_seconds']:,} s of CPU for {found['records_meanwhile']:,} records, so "
        f"that half a core carries {needs.carried_per_second:,.0f}/s; that is reckoned with.",
        "",
        "| what | need | because |",
        "|---|---:|---|",
        f"| workers | {needs.workers_by_records} | {needs.records_per_second:,.0f} / "
        f"{needs.carried_per_second:,.0f} records/s; each then holds "
        f"{needs.memory_mib:,.0f} MiB |",
        f"| partitions | {needs.partitions} | {OPEN_EFFECTS_MAX:,} effects are open at most in one "
        f"task, and {needs.at_once:,} runs have one each; the next power of two, for both |",
        f"| workers, where ends are looked for | {needs.workers_by_watching} | a worker watches "
        f"{JOBS_WATCHED_MAX:,} jobs |",
        f"| DescribeJobs, where ends are looked for | {needs.describes_per_second:,.0f} calls/s | "
        f"each job every {JOB_LOOK_SECONDS[-1]} s, {JOBS_PER_DESCRIBE} a call; "
        f"{DESCRIBES_PER_SECOND:g} are assumed to be had |",
        f"| SubmitJob, heads alone | {needs.runs_per_second:,.1f} calls/s | Batch's quota is "
        f"{SUBMITS_PER_SECOND:g} |",
        f"| SubmitJob, with tasks on hosts of their own | "
        f"{needs.runs_per_second + submits:,.0f} calls/s | above that quota: it has to be raised, "
        f"or tasks stay on the head's host |",
    ]


def main() -> None:
    """Write the page anew."""
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    PAGE.write_text(refreshed(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")
    print(PAGE.name)


if __name__ == "__main__":
    main()
