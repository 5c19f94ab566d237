"""`genoflow sample | case | run | file list | show | why | timeline`: one way to ask about each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log

if TYPE_CHECKING:
    from genoflow.deploy.asking.asked import Row, Told
    from genoflow.deploy.parked import Parking
    from genoflow.deploy.subject import LogSubjects

LIMIT_DEFAULT = 20  # about one screen
AS_JSON = click.option("--json", "as_json", is_flag=True, help="for programs")
About = Callable[["LogSubjects", "list[Parking]", str], Awaitable["Told"]]
Every = Callable[["LogSubjects"], Awaitable["list[Row]"]]


@click.group()
def sample() -> None:
    """Ask about samples: where they are, and why they are not further on."""


@click.group()
def case() -> None:
    """Place orders, cancel them, and ask about the cases that they are."""


@click.group()
def run() -> None:
    """Ask about runs of a pipeline."""


@click.group()
def file() -> None:
    """Ask about files, by bucket and key or by the key alone."""


def _about(kind: str) -> About:
    from genoflow.deploy.asking import asked

    found: dict[str, About] = {
        "sample": asked.about_sample, "case": asked.about_case, "run": asked.about_run,
        "file": asked.about_file,
    }  # fmt: skip
    return found[kind]


def _every(kind: str) -> Every:
    from genoflow.deploy.asking import asked

    found: dict[str, Every] = {
        "sample": asked.all_samples, "case": asked.all_cases, "run": asked.all_runs,
        "file": asked.all_files,
    }  # fmt: skip
    return found[kind]


@asynccontextmanager
async def _subjects() -> AsyncIterator[tuple[LogSubjects, list[Parking]]]:
    from genoflow.deploy.parked import read_parkings
    from genoflow.deploy.subject import LogSubjects
    from genoflow.processors.flow import PROCESSORS

    async with open_log(read_settings()) as log:
        yield LogSubjects(log), await read_parkings(log, PROCESSORS)


def _tell(kind: str, name: str) -> Told:
    async def ask() -> Told:
        async with _subjects() as (subjects, parked):
            return await _about(kind)(subjects, parked, name)

    return asyncio.run(ask())


def _add(group: click.Group) -> None:
    kind = group.name or ""
    named = click.argument("name", metavar="ID")

    @group.command(name="list", help=f"List every {kind}, the one with the newest event first.")
    @click.option(
        "--limit", type=click.IntRange(min=1), default=LIMIT_DEFAULT, show_default=True,
        help="so many at most",
    )  # fmt: skip
    @AS_JSON
    def list_(limit: int, as_json: bool) -> None:
        _list(kind, limit, as_json)

    @group.command(help=f"Show what is known of a {kind} as of now.")
    @named
    @AS_JSON
    def show(name: str, as_json: bool) -> None:
        print_facts(_tell(kind, name).facts, as_json)

    @group.command(help=f"Say what a {kind} waits for, since when, and what to do.")
    @named
    @AS_JSON
    def why(name: str, as_json: bool) -> None:
        _print_why(_tell(kind, name), as_json)

    @group.command(help=f"Show what happened to a {kind}, oldest first.")
    @named
    @AS_JSON
    def timeline(name: str, as_json: bool) -> None:
        from genoflow.deploy.commands.timeline import show_timeline

        if kind != "file":
            show_timeline(name, as_json=as_json)
            return
        versions = _tell(kind, name).facts["versions"]
        names = {one["file"] for one in versions}
        for subject in dict.fromkeys(one["subject"] for one in versions):
            show_timeline(
                subject, as_json=as_json, chosen=lambda entry: _file_in(entry.payload) in names
            )


def _file_in(payload: dict[str, Any]) -> str:
    from genoflow.deploy.asking.file import FileName

    return str(FileName(*(str(payload.get(part)) for part in FileName._fields)))


for _group in (sample, case, run, file):
    _add(_group)


def _list(kind: str, limit: int, as_json: bool) -> None:
    from genoflow.deploy.event_lines import iso, printable

    async def ask() -> list[Row]:
        async with _subjects() as (subjects, _):
            return await _every(kind)(subjects)

    rows = asyncio.run(ask())
    now = datetime.now(UTC)
    for row in rows[:limit]:
        if as_json:
            found = {"id": row.id, "state": row.state, "last": row.last}
            click.echo(json.dumps(found | {"last_at": iso(row.last_at)}))
            continue
        age = _age((now - row.last_at).total_seconds())
        click.echo(printable(f"{row.id:<36}  {row.state:<16}  {row.last:<24}  {age}"))
    if not as_json and len(rows) > limit:
        click.echo(f"and {len(rows) - limit:,} more: --limit {len(rows)} shows all")
    if not as_json and not rows:
        click.echo(f"there is no {kind} on the log yet")


def _age(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return "just now"


def _print_why(told: Told, as_json: bool) -> None:
    from genoflow.deploy.event_lines import printable

    if not as_json:
        for sentence in told.sentences:
            click.echo(printable(sentence))
        return
    reasons = [
        {
            "subject": whom, "says": one.says, "since": one.since, "way": one.way,
            "is_waiting": one.is_waiting,
        }
        for whom, one in told.reasons
    ]  # fmt: skip
    _print_json({"subject": told.key, "reasons": reasons})


def print_facts(facts: dict[str, Any], as_json: bool) -> None:
    """Print them a line each, or as JSON for programs."""
    if as_json:
        _print_json(facts)
        return
    _print_lines(facts, "")


def _print_json(value: dict[str, Any]) -> None:
    from pydantic_core import to_jsonable_python

    click.echo(json.dumps(to_jsonable_python(value), indent=2))


def _print_lines(value: dict[str, Any], indent: str) -> None:
    from genoflow.deploy.event_lines import printable

    for name, part in value.items():
        title = f"{indent}{name.replace('_', ' ')}:"
        if isinstance(part, dict):
            click.echo(title)
            _print_lines(part, f"{indent}  ")
        elif isinstance(part, list) and part and isinstance(part[0], dict):
            click.echo(title)
            for row in part:
                cells = [
                    f"{k.replace('_', ' ')} {_text(v)}" for k, v in row.items() if v is not None
                ]
                click.echo(printable(f"{indent}  - {', '.join(cells)}"))
        else:
            words = [_text(one) for one in part] if isinstance(part, list) else [_text(part)]
            click.echo(printable(f"{title} {', '.join(words) or '-'}"))


def _text(value: object) -> str:
    from genoflow.deploy.asking.subject import moment

    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return "-" if value is None or value == "" else str(value)
