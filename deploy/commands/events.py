"""`genoflow events tail | show | append | export | import`: the log from the command line."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log
from genoflow.events.errors import OutcomeUnknown, Refused
from genoflow.events.log.filters import Filter
from genoflow.events.printable import printable
from genoflow.events.topics import BY_NAME, TOPICS

if TYPE_CHECKING:
    from genoflow.deploy.story import Story
    from genoflow.events.event import Event
    from genoflow.events.log.kafka import KafkaLog
    from genoflow.events.log.recorded import Recorded

EXIT_UNDECODABLE = 4  # everything was shown, and some of it is no event
LAST_DEFAULT = 10
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
Command = Callable[..., Any]


class Time(click.ParamType):
    """A time with a zone, or how long ago: 90s, 10m, 2h, 3d."""

    name = "time"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> datetime:
        """Read the time, or say how one is written."""
        if isinstance(value, datetime):
            return value
        if value[:-1].isdigit() and value[-1] in UNITS and len(value) < 10:
            return datetime.now(UTC) - timedelta(**{UNITS[value[-1]]: int(value[:-1])})
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self.fail(
                f"{value!r} is no time; write 2026-03-01T10:00:00Z, or 10m, 2h, 3d", param, ctx
            )
        if found.utcoffset() is None:
            self.fail(f"{value!r} has no time zone; write {value}Z for UTC", param, ctx)
        return found.astimezone(UTC)


def choices(command: Command) -> Command:
    """Add the options that choose records: the same ones for reading and for exporting."""
    for option in (
        click.option("--until", type=Time(), help="recorded before this time"),
        click.option("--since", type=Time(), help="recorded at this time or later, or 10m, 2h, 3d"),
        click.option("--correlation", type=click.UUID, help="of the story with this id"),
        click.option("--subject", "subjects", multiple=True, help="about this subject"),
        click.option("--type", "types", multiple=True, help="of this type"),
        click.option(
            "--topic", "topics", multiple=True, type=click.Choice(list(BY_NAME)),
            help="on this topic; all of them otherwise",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def _chosen(
    types: tuple[str, ...],
    subjects: tuple[str, ...],
    correlation: UUID | None,
    since: datetime | None,
    until: datetime | None,
) -> Filter:
    from genoflow.events.registry import released

    unknown = [name for name in types if name not in released().models]
    if unknown:
        raise Refused(f"--type {unknown[0]}: is no event; docs/events.md lists them")
    return Filter(frozenset(types), frozenset(subjects), correlation, since, until)


def _names(topics: tuple[str, ...]) -> tuple[str, ...]:
    return topics or tuple(topic.name for topic in TOPICS)


@click.group()
def events() -> None:
    """Read the log, append to it, and move events between logs."""


@events.command()
@choices
@click.option("--last", type=click.IntRange(min=0), help="begin with the last N of them")
@click.option("--follow/--no-follow", default=True, help="wait for what comes")
@click.option("--json", "as_json", is_flag=True, help="one JSON object a line")
def tail(
    topics: tuple[str, ...],
    last: int | None,
    follow: bool,
    as_json: bool,
    since: datetime | None,
    **chosen: Any,
) -> None:
    """Print events as they are recorded, after the last ten (or all since a time).

    Bytes that are no event are shown as such, and the command then ends with exit code 4.
    """
    wanted = _chosen(since=since, **chosen)
    if last is None and since is None:
        last = LAST_DEFAULT
    bad = [0]  # what was counted has to outlive the interruption
    try:
        asyncio.run(_tail(topics, wanted, last, follow, as_json, bad))
    except KeyboardInterrupt:
        if not follow:
            raise
    if bad[0]:
        click.echo(f"genoflow: {bad[0]:,} of these records are no events", err=True)
        raise click.exceptions.Exit(EXIT_UNDECODABLE)


async def _tail(
    topics: tuple[str, ...],
    chosen: Filter,
    last: int | None,
    follow: bool,
    as_json: bool,
    bad: list[int],
) -> None:
    from genoflow.deploy import event_lines, story

    show = _printer(as_json)
    async with open_log(read_settings()) as log:
        found = story.tail(log, log.codec, _names(topics), chosen, last=last, follow=follow)
        async with aclosing(found) as records:
            async for record in records:
                bad[0] += event_lines.event_of(record) is None
                show(record)
                sys.stdout.flush()


def _printer(as_json: bool) -> Callable[[Recorded], None]:
    from rich.console import Console

    from genoflow.deploy import event_lines

    if as_json:
        return lambda record: click.echo(json.dumps(event_lines.as_json(record)))
    console = Console(highlight=False)
    if not console.is_terminal:
        return lambda record: click.echo(event_lines.as_line(record).plain)
    return lambda record: console.print(
        event_lines.as_line(record), no_wrap=True, overflow="ellipsis"
    )


@events.command()
@click.argument("name", metavar="EVENT_ID|TOPIC[PARTITION]@OFFSET")
@click.option("--json", "as_json", is_flag=True, help="for programs")
def show(name: str, as_json: bool) -> None:
    """Print one event whole: envelope, payload, headers, causes and consequences."""
    asyncio.run(_show(name, as_json))


async def _show(name: str, as_json: bool) -> None:
    from genoflow.deploy.event_lines import as_whole_json, event_of
    from genoflow.deploy.story import read_story

    async with open_log(read_settings()) as log:
        story = await read_story(log, _names(()), name)
        event_of(story.record)  # an unknown schema stops here, with its place
        whole = as_whole_json(story.record, log.codec) | _surroundings(story)
    if as_json:
        click.echo(json.dumps(whole, indent=2))
    else:
        _print_whole(whole, "")
    if "error" in whole:
        raise click.exceptions.Exit(EXIT_UNDECODABLE)


def _surroundings(story: Story) -> dict[str, Any]:
    def brief(record: Recorded) -> dict[str, str]:
        event = record.event
        return {
            "event_id": str(event.envelope.event_id), "type": event.type(),
            "subject": event.key, "position": str(record.position),
        }  # fmt: skip

    found: dict[str, Any] = {
        "also_at": [str(position) for position in story.also_at],
        "causes": [brief(record) for record in story.causes],
        "consequences": [brief(record) for record in story.consequences],
    }
    return found | ({"undecodable_in_story": story.undecodable} if story.undecodable else {})


def _print_whole(value: dict[str, Any], indent: str) -> None:
    for name, part in value.items():
        if isinstance(part, dict):
            click.echo(f"{indent}{name}:")
            _print_whole(part, indent + "  ")
        elif isinstance(part, list):
            click.echo(f"{indent}{name}: {'' if part else 'none'}".rstrip())
            for row in part:
                words = row.values() if isinstance(row, dict) else [row]
                click.echo(f"{indent}  {'  '.join(_visible(word) for word in words)}")
        else:
            click.echo(f"{indent}{name}: {_visible(part)}")


def _visible(value: object) -> str:
    return printable("-" if value is None else str(value))


@events.command()
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--dry-run", is_flag=True, help="check everything, append nothing")
def append(file: Any, dry_run: bool) -> None:
    """Append events from a file of JSON lines (- is standard input), once all are valid.

    A line: {"type", "payload", "occurred_at", "actor": {"kind", "id"}, "correlation_id"?}
    """
    from genoflow.deploy.append_lines import parse_events
    from genoflow.events.codec import Codec
    from genoflow.events.registry import released
    from genoflow.processors.intake.privacy import PrivacyGuard

    settings = read_settings()
    try:
        guard = PrivacyGuard(settings.person_patterns)
        found = parse_events(file, file.name, Codec(released()), guard)
    except UnicodeDecodeError as error:
        raise Refused(f"{file.name}: is not UTF-8 ({error}); nothing was appended") from error
    if dry_run:
        click.echo(f"{len(found)} events are valid; nothing was appended")
        return
    asyncio.run(_append(found, file.name))


async def _append(found: list[Event], name: str) -> None:
    async with open_log(read_settings()) as log:
        for topic in {event.topic for event in found}:
            await log.partitions(topic)  # a missing topic is found before the first append
        for number, event in enumerate(found):
            await _append_one(log, event, f"{name}: {number} of {len(found)} events appended")


async def _append_one(log: KafkaLog, event: Event, place: str) -> None:
    try:
        position = await log.append(event)
    except OutcomeUnknown as error:
        raise OutcomeUnknown(f"{place}, then: {error}") from error
    click.echo(f"{position} {event.type()} {event.key} {event.envelope.event_id}")


@events.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@choices
def export(file: Path, topics: tuple[str, ...], **chosen: Any) -> None:
    """Write events, in the order in which they were recorded, to an Avro container file.

    The file explains itself, and an import of it exports again to the very same bytes.
    """
    from genoflow.events.log import transfer

    wanted = _chosen(**chosen)

    async def run() -> transfer.Exported:
        async with open_log(read_settings()) as log:
            return await transfer.export(log, file, _names(topics), wanted, codec=log.codec)

    done = asyncio.run(run())
    click.echo(f"{file}: {done.records:,} records, sha256 {done.sha256}")


@events.command(name="import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--as-is", is_flag=True, help="take records that this release cannot decode")
@click.option("--dry-run", is_flag=True, help="check everything, append nothing")
def import_file(file: Path, as_is: bool, dry_run: bool) -> None:
    """Append the events of an exported file, once all are valid; what is there is skipped."""
    from genoflow.events.log import transfer

    async def run() -> transfer.Imported:
        async with open_log(read_settings()) as log:
            return await transfer.import_(log, file, codec=log.codec, as_is=as_is, dry_run=dry_run)

    done = asyncio.run(run())
    verb = "would be appended" if dry_run else "appended"
    click.echo(
        f"{file}: {done.records:,} records, {done.appended:,} {verb}, "
        f"{done.skipped:,} skipped (they stand on the log already)"
    )
