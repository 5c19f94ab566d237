"""`genoflow parked list | show | edit | requeue | discard`: what waits for a person."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genoflow.deploy.commands.options import AS
from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log
from genoflow.events.errors import Refused

if TYPE_CHECKING:
    from genoflow.deploy.parked import Parking
    from genoflow.events.log.kafka import KafkaLog
    from genoflow.processors.step import Request

WIDTH = 100
EXIT_PARKED_AGAIN = 5  # it was requeued, and could not be taken this time either

PROCESSOR = click.option("--processor", help="of this processor")
DRY_RUN = click.option("--dry-run", is_flag=True, help="say what would follow, append nothing")


@click.group()
def parked() -> None:
    """Look after events and effects that a processor could not take.

    A parked key waits with everything behind it; a parked effect waits alone. ID is the id of its
    EventParked, or the beginning of one, or the position of the event: gf.sample.v1[2]@41.
    """


async def _parkings(log: KafkaLog) -> list[Parking]:
    from genoflow.deploy.parked import read_parkings
    from genoflow.processors.flow import PROCESSORS

    return await read_parkings(log, PROCESSORS)


@parked.command(name="list")
@PROCESSOR
@click.option("--json", "as_json", is_flag=True, help="for programs")
def list_parked(processor: str | None, as_json: bool) -> None:
    """Show what waits: whose, where, since when, why, and how many events wait behind it."""

    from genoflow.deploy.commands.ask import answered

    every = asyncio.run(answered(lambda answers: answers.parkings()))
    found = [one for one in every if processor in (None, one.address.processor)]
    if as_json:
        click.echo(json.dumps({"parked": [_row(one) for one in found]}, indent=2))
    else:
        _print_list(found)


def _row(one: Parking) -> dict[str, Any]:
    fact = one.fact
    return {
        "id": str(one.event_id), "processor": fact.processor, "subject": fact.subject_key,
        "position": str(one.address.position), "type": fact.parked_type,
        "effect_id": None if fact.effect_id is None else str(fact.effect_id),
        "recorded_at": fact.recorded_at.isoformat(), "error_class": fact.error_class,
        "error": fact.error, "behind": len(one.queue),
    }  # fmt: skip


def _print_list(found: Sequence[Parking]) -> None:
    from genoflow.deploy.parked import short_ids
    from genoflow.events.printable import printable

    if not found:
        click.echo("nothing is parked")
        return
    ids, now = short_ids(found), datetime.now(UTC)
    first = max(map(len, ids.values()))
    click.echo(
        _line("id".ljust(first), ("processor", "subject", "event", "position"), "age", "behind")
    )
    for one in found:
        kind = one.fact.parked_type or "not an event"
        named = (
            one.address.processor, one.fact.subject_key,
            f"effect of {kind}" if one.is_effect else kind,
            str(one.address.position).removeprefix("gf."),
        )  # fmt: skip
        behind = "-" if one.is_effect else f"{len(one.queue):,}"
        click.echo(printable(
            _line(ids[one.event_id].ljust(first), named, _age(now - one.fact.recorded_at), behind)
        ))  # fmt: skip
        click.echo(printable(_cut(f"{'':{first}}  {one.error}", WIDTH)))
    click.echo(f"{len(found):,} parked; `genoflow parked show ID` tells all about one")


COLUMNS = (18, 16, 20, 15)  # processor, subject, event, position: 96 with what stands around


def _line(name: str, words: Sequence[str], age: str, behind: str) -> str:
    cells = [f"{_cut(word, width):<{width}}" for word, width in zip(words, COLUMNS, strict=True)]
    return "  ".join([name, *cells, f"{age:>5}", f"{behind:>6}"])[:WIDTH]


def _cut(text: str, characters: int) -> str:
    line = " ".join(text.split("\n"))
    return line if len(line) <= characters else f"{line[: characters - 1]}…"


def _age(passed: Any) -> str:
    seconds = max(0, int(passed.total_seconds()))
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


@parked.command()
@click.argument("name", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="for programs")
def show(name: str, as_json: bool) -> None:
    """Print one whole: the event, its headers, the error with its trace, the queue behind."""
    from genoflow.deploy.answers import answers_beside
    from genoflow.deploy.commands.ask import to_stderr

    async def read() -> dict[str, Any]:
        settings = read_settings()
        async with (
            open_log(settings) as log,
            answers_beside(settings, log, to_stderr) as answers,
        ):
            return await _whole(log, await answers.parking(name))

    whole = asyncio.run(read())
    if as_json:
        click.echo(json.dumps(whole, indent=2))
    else:
        _print_whole(whole)


async def _whole(log: KafkaLog, one: Parking) -> dict[str, Any]:
    from genoflow.deploy import parked_requests as requests
    from genoflow.deploy.event_lines import as_json, header_text
    from genoflow.deploy.parked import record_of
    from genoflow.deploy.parked_rehearsal import read_task_ledger
    from genoflow.processors.flow import PROCESSORS

    fact, answer = one.fact, one.answer
    whole = _row(one) | {
        "processor_version": fact.processor_version,
        "stands_at": str(one.place),
        "error_trace": fact.error_trace,
        "headers": {row.header: header_text(row.value) for row in fact.headers},
        "answer": None if answer is None else {
            "type": answer.request.type(), "position": str(answer.position),
            "by": answer.request.envelope.actor.id, "reason": answer.request.reason,
        },
        "queue": [
            {"position": str(row.position), "type": row.type, "event_id": row.event_id}
            for row in one.queue
        ],
    }  # fmt: skip
    row = PROCESSORS.get(fact.processor)
    if one.address.effect_id is None:
        record = await record_of(log, one, log.codec)
        found = as_json(record)
        if "error" in found:  # what can be read of it, for whoever is going to mend it
            with contextlib.suppress(Refused):
                found["fields"] = requests.editable(record, log.codec).payload
        return whole | {"event": found}
    if row is not None:
        ledger, _ = await read_task_ledger(log, row, one.address.partition)
        effect = ledger.effects.get(one.address.effect_id)
        if effect is not None:
            whole["effect"] = {
                "name": effect.name, "lane": effect.lane, "arguments": effect.arguments,
            }  # fmt: skip
    return whole


def _print_whole(whole: dict[str, Any]) -> None:
    from genoflow.events.printable import printable

    for name, value in whole.items():
        if name == "error_trace":
            click.echo("error_trace:")
            for line in str(value).splitlines():
                click.echo(f"  {printable(line)}")
        elif isinstance(value, dict):
            click.echo(f"{name}:")
            for line in json.dumps(value, indent=2, ensure_ascii=False).splitlines()[1:-1]:
                click.echo(printable(line))
        elif isinstance(value, list):
            click.echo(f"{name}: {'' if value else 'nothing'}".rstrip())
            for row in value:
                click.echo(f"  {printable('  '.join(map(str, row.values())))}")
        else:
            click.echo(f"{name}: {printable('-' if value is None else str(value))}")


@parked.command()
@click.argument("name", metavar="ID")
@click.option("--from-file", type=click.File("r", encoding="utf-8"), help="the edited event")
@click.option("--to-file", type=click.Path(dir_okay=False, path_type=Path), help="write it here")
@click.option("--editor", is_flag=True, help="edit it now, in $EDITOR")
@click.option("--reason", default="mended", show_default=True, help="why it will go through now")
@AS
@DRY_RUN
def edit(name: str, from_file: Any, to_file: Path | None, editor: bool, **how: Any) -> None:
    """Mend a parked event and requeue it: its fields may change; what it is and whose may not."""
    if sum(map(bool, (from_file, to_file, editor))) != 1:
        raise click.UsageError("say one of --to-file, --from-file and --editor")
    said = from_file.read() if from_file else None
    asyncio.run(_edit(name, said, to_file, **how))


async def _edit(
    name: str, said: str | None, to_file: Path | None, *, reason: str, person: str | None,
    dry_run: bool,
) -> None:  # fmt: skip
    from genoflow.deploy import parked_requests as requests
    from genoflow.deploy.parked import find, record_of
    from genoflow.deploy.people import os_user
    from genoflow.processors.intake.privacy import PrivacyGuard

    settings = read_settings()
    async with open_log(settings) as log:
        one = find(await _parkings(log), name)
        requests.require_event(one)
        original = requests.editable(await record_of(log, one, log.codec), log.codec)
        before = original.document()
        if to_file is not None:
            to_file.write_text(json.dumps(before, indent=2, ensure_ascii=False) + "\n", "utf-8")
            click.echo(f"{to_file}: written; edit its payload, then give it to --from-file")
            return
        text = said if said is not None else click.edit(json.dumps(before, indent=2), ".json")
        if text is None:
            click.echo("nothing was edited, nothing was requeued")
            return
        after = requests.parse_document(text, "the edited event")
        guard = PrivacyGuard(settings.person_patterns)
        value = requests.edited(original, one, after, log.codec, guard)
        for line in requests.difference(before, after) or ["(no field is changed)"]:
            click.echo(line)
        request = requests.requeue(one, person or os_user(), reason, value)
        await _report(log, [(one, request)], dry_run)


@parked.command()
@click.argument("names", nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="whatever waits")
@PROCESSOR
@click.option("--reason", default="try again", show_default=True, help="why it will go through now")
@AS
@DRY_RUN
def requeue(
    names: tuple[str, ...], everything: bool, processor: str | None, reason: str, **how: Any
) -> None:
    """Try it once more, as it is; then its key goes on in order.

    Exit code 5 says that something was parked again.
    """
    if bool(names) == (everything or processor is not None):
        raise click.UsageError("say which: some ids, or --all, or --processor")
    asyncio.run(_decide(names, processor, reason, discard=False, **how))


@parked.command()
@click.argument("names", nargs=-1, required=True, metavar="ID...")
@click.option("--reason", required=True, help="why it can be given up")
@AS
@DRY_RUN
def discard(names: tuple[str, ...], reason: str, **how: Any) -> None:
    """Give it up; its key goes on in order without it. It stays on the log."""
    asyncio.run(_decide(names, None, reason, discard=True, **how))


async def _decide(
    names: Sequence[str], processor: str | None, reason: str, *, discard: bool,
    person: str | None, dry_run: bool,
) -> None:  # fmt: skip
    from genoflow.deploy import parked_requests as requests
    from genoflow.deploy.parked import find
    from genoflow.deploy.people import os_user

    who = person or os_user()
    make = requests.discard if discard else requests.requeue
    async with open_log(read_settings()) as log:
        every = await _parkings(log)
        chosen = [find(every, name) for name in names] or [
            one
            for one in every
            if one.answer is None and processor in (None, one.address.processor)
        ]
        if not chosen:
            click.echo("nothing is parked")
            return
        ordered = sorted({one.event_id: one for one in chosen}.values(), key=every.index)
        await _report(log, [(one, make(one, who, reason)) for one in ordered], dry_run)


async def _report(log: KafkaLog, pairs: Sequence[tuple[Parking, Request]], dry_run: bool) -> None:
    from genoflow.deploy.parked_decide import Deciding
    from genoflow.events.printable import printable
    from genoflow.processors.flow import PROCESSORS

    deciding = Deciding(log, log.codec, PROCESSORS, dry_run=dry_run)
    decided = await deciding.decide(pairs)
    for one in decided:
        for line in one.lines:
            click.echo(printable(line))
    if dry_run:
        click.echo("nothing was appended")
    if any(one.is_parked_again for one in decided):
        raise click.exceptions.Exit(EXIT_PARKED_AGAIN)
