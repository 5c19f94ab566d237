"""`genoflow sample | case | run | file list | show | why | timeline`: one way to ask about each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from genoflow.deploy.answers import Answers, Tell, open_answers
from genoflow.deploy.settings import read_settings

if TYPE_CHECKING:
    from genoflow.projections.asking.asked import Told
    from genoflow.projections.asking.lists import Page
    from genoflow.projections.asking.source import Source

LIMIT_DEFAULT = 20  # about one screen
WATCH_SECONDS = 1.0  # between two looks of --watch
AS_JSON = click.option("--json", "as_json", is_flag=True, help="for programs")
ONLY_UNLISTED = click.option(
    "--unlisted", "is_unlisted", is_flag=True,
    help="only those that the sheet of a run does not hold which their files name",
)  # fmt: skip
T = TypeVar("T")
About = Callable[["Source", str], Awaitable["Told"]]


def to_stderr(reason: str) -> None:
    """Say beside the answer where it comes from."""
    click.echo(f"genoflow: {reason}", err=True)


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
    from genoflow.projections.asking import asked

    found: dict[str, About] = {
        "sample": asked.about_sample, "case": asked.about_case, "run": asked.about_run,
        "file": asked.about_file,
    }  # fmt: skip
    return found[kind]


def _tell(kind: str, name: str) -> Told:
    async def ask(answers: Answers) -> Told:
        told = await _about(kind)(answers.source, name)
        if kind != "run" or (found := await answers.forecast(told.key)) is None:
            return told
        from genoflow.projections.asking.run_news import foretold, of_forecast

        reasons = [(told.key, one) for one in of_forecast(found)]
        return replace(told, facts=told.facts | foretold(found), reasons=told.reasons + reasons)

    return asyncio.run(answered(ask))


async def answered(ask: Callable[[Answers], Awaitable[T]], tell: Tell = to_stderr) -> T:
    """What this question gives, asked of the rows where they are current, else of the log."""
    async with open_answers(read_settings(), tell) as answers:
        return await ask(answers)


def _add(group: click.Group) -> None:
    kind = group.name or ""
    named = click.argument("name", metavar="ID")
    narrowed = ONLY_UNLISTED if kind == "sample" else _as_it_is

    @group.command(name="list", help=f"List every {kind}, the one with the newest event first.")
    @click.option(
        "--limit", type=click.IntRange(min=1), default=LIMIT_DEFAULT, show_default=True,
        help="so many at most",
    )  # fmt: skip
    @click.option("--watch", is_flag=True, help="show it again every second, until Ctrl-C")
    @AS_JSON
    @narrowed
    def list_(limit: int, watch: bool, as_json: bool, is_unlisted: bool = False) -> None:
        if watch and as_json:
            raise click.UsageError("--watch is for people and --json for programs: say one")
        asked = _unlisted() if is_unlisted else kind
        if watch:
            _watch(asked, limit)
        else:
            _print_page(asked, asyncio.run(_page(asked, limit)), as_json)

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
    from genoflow.projections.asking.file import FileName

    return str(FileName(*(str(payload.get(part)) for part in FileName._fields)))


def _unlisted() -> str:
    from genoflow.projections.asking.lists import UNLISTED_SAMPLE

    return UNLISTED_SAMPLE


def _as_it_is(command: T) -> T:
    return command


for _group in (sample, case, run, file):
    _add(_group)


async def _page(kind: str, limit: int, tell: Tell = to_stderr) -> Page:
    return await answered(lambda answers: answers.rows(kind, limit), tell)


def _watch(kind: str, limit: int) -> None:
    said: set[str] = set()

    def tell(reason: str) -> None:
        if not said:  # where the answers come from does not change from one look to the next
            to_stderr(reason)
        said.add(reason)

    async def look() -> None:
        while True:
            page = await _page(kind, limit, tell)
            click.clear()
            _print_page(kind, page, as_json=False)
            await asyncio.sleep(WATCH_SECONDS)

    try:
        asyncio.run(look())
    except KeyboardInterrupt:
        return


def _print_page(kind: str, page: Page, as_json: bool) -> None:
    from genoflow.deploy.event_lines import iso
    from genoflow.events.printable import printable

    now = datetime.now(UTC)
    for row in page.rows:
        if as_json:
            found = {"id": row.id, "state": row.state, "last": row.last}
            click.echo(json.dumps(found | {"last_at": iso(row.last_at)}))
            continue
        age = _age((now - row.last_at).total_seconds())
        click.echo(printable(f"{row.id:<36}  {row.state:<16}  {row.last:<24}  {age}"))
    if not as_json and page.total > len(page.rows):
        click.echo(f"and {page.total - len(page.rows):,} more: --limit {page.total} shows all")
    if not as_json and not page.rows:
        click.echo(f"there is no {kind} on the log yet")


def _age(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return "just now"


def _print_why(told: Told, as_json: bool) -> None:
    from genoflow.events.printable import printable

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
    from genoflow.events.printable import printable

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
    from genoflow.projections.asking.subject import moment

    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return "-" if value is None or value == "" else str(value)
