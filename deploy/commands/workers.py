"""`genoflow workers`: who works on what, how far it is, and what waits for a person."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log

if TYPE_CHECKING:
    from genoflow.deploy.worker_status import Standing, TaskStatus

WIDTH = 100  # a terminal may be wider; what is shown is not
WORKER_CHARACTERS = 30
SUBJECT_CHARACTERS = 24


@click.command()
@click.option("--json", "as_json", is_flag=True, help="for programs")
def workers(as_json: bool) -> None:
    """Show every worker of the last minute and every partition of every processor.

    A worker that said nothing for ten seconds is silent: its partitions go to the others.
    """
    from genoflow.deploy.worker_status import read_standing
    from genoflow.processors.flow import PROCESSORS

    async def read() -> Standing:
        async with open_log(read_settings()) as log:
            return await read_standing(log, PROCESSORS.values(), datetime.now(UTC))

    standing = asyncio.run(read())
    if as_json:
        rows = [
            asdict(one) | {"since": one.since and one.since.isoformat(), "silent": one.is_silent}
            for one in standing.workers
        ]
        tasks = [asdict(task) for task in standing.tasks]
        lost = [asdict(one) | {"since": one.since.isoformat()} for one in standing.lost_ends]
        said = {"workers": rows, "tasks": tasks, "lost_ends": lost}
        click.echo(json.dumps(said, indent=2))
    else:
        _print(standing)


def _print(standing: Standing) -> None:
    from rich.console import Console

    console = Console(width=WIDTH, highlight=False)
    if not standing.workers:
        console.print("no worker has said anything for a minute; `genoflow work` starts one")
    for worker in standing.workers:
        heard = f"heard {worker.heard_seconds_ago:.0f} s ago"
        state = "[red]silent[/]" if worker.is_silent else "works"
        console.print(f"{worker.worker}  {worker.version}  {state}, {heard}", no_wrap=True)
    if any(task.worker is not None for task in standing.tasks):
        console.print()
        console.print(_tasks(standing))
    _print_unowned(console, standing)
    _print_effects(console, standing)
    for lost in standing.lost_ends:
        console.print(
            f"\n[red]{lost.topic}\\[{lost.partition}]@{lost.offset}[/]: {lost.records:,} records "
            f"cannot be read since {lost.since:%Y-%m-%d %H:%M:%S} UTC: the end of their "
            f"transaction is lost; see `A lost end` in docs/reliability.md"
        )


def _table(*titles: tuple[str, dict[str, Any]]) -> Any:
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for title, options in titles:
        given: Any = {"no_wrap": True, "overflow": "ellipsis"} | options
        table.add_column(title, **given)
    return table


_RIGHT = {"justify": "right"}


def _tasks(standing: Standing) -> Any:
    table = _table(
        ("processor", {"max_width": 22}), ("partition", _RIGHT), ("position", _RIGHT),
        ("lag", _RIGHT), ("per s", _RIGHT), ("open", _RIGHT), ("parked", _RIGHT),
        ("worker", {"max_width": WORKER_CHARACTERS}),
    )  # fmt: skip
    for task in standing.tasks:
        if task.worker is not None:
            table.add_row(
                task.processor, str(task.partition), f"{task.position:,}", _number(task.lag),
                "-" if task.rate_per_second is None else f"{task.rate_per_second:,.1f}",
                _number(task.open_effects), _parked(task), task.worker,
            )  # fmt: skip
    return table


def _number(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"


def _parked(task: TaskStatus) -> str:
    keys, effects = task.parked_keys or 0, task.parked_effects or 0
    if not keys + effects:
        return "0"
    counts = ((keys, "key"), (effects, "effect"))
    words = [f"{count:,} {name}{'s' * (count > 1)}" for count, name in counts if count]
    return f"[yellow]{', '.join(words)}[/]"


def _print_unowned(console: Any, standing: Standing) -> None:
    free: dict[str, list[TaskStatus]] = {}
    for task in standing.tasks:
        if task.worker is None:
            free.setdefault(task.processor, []).append(task)
    if not free:
        return
    console.print("\n[bold]nobody works on[/]")
    for processor, tasks in free.items():
        lag = sum(task.lag or 0 for task in tasks)
        numbers = ranges([task.partition for task in tasks])
        console.print(
            f"{processor:<22} partitions {numbers}, lag {lag:,}",
            no_wrap=True, overflow="ellipsis",
        )  # fmt: skip


def ranges(numbers: list[int]) -> str:
    """Sorted numbers in few words: 0-3, 7."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][-1] + 1:
            found[-1].append(number)
        else:
            found.append([number])
    return ", ".join(f"{some[0]}-{some[-1]}" if len(some) > 1 else str(some[0]) for some in found)


def _print_effects(console: Any, standing: Standing) -> None:
    running = [(worker, effect) for worker in standing.workers for effect in worker.effects]
    if not running:
        return
    console.print("\n[bold]being done[/]")
    table = _table(
        ("processor", {"max_width": 22}), ("effect", {"max_width": 16}),
        ("subject", {"max_width": SUBJECT_CHARACTERS}), ("try", _RIGHT), ("for", _RIGHT),
        ("progress", {}),
    )  # fmt: skip
    for worker, effect in running:
        table.add_row(
            effect["processor"], effect["effect"], effect["subject"], str(effect["try"]),
            lasted(effect["running_seconds"] + worker.heard_seconds_ago),
            progress(effect["progress"]),
        )  # fmt: skip
    console.print(table)
    more = sum(worker.effects_running - len(worker.effects) for worker in standing.workers)
    if more > 0:
        console.print(f"and {more:,} more")


def lasted(seconds: float) -> str:
    """How long something has run, in its two largest units."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def progress(said: list[Any] | None) -> str:
    """How far an effect is, as it said: a share where the whole is known."""
    if said is None:
        return "-"
    done, total, unit = said
    if not total:
        return f"{done:,.0f} {unit}"
    return f"{min(1.0, done / total):.0%} of {total:,.0f} {unit}"
