"""`genoflow case open | watch | cancel`: orders and their end, beside the questions about cases."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genoflow.deploy.commands.ask import case
from genoflow.deploy.commands.options import AS, DRY_RUN, REASON
from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log
from genoflow.events.errors import Refused

if TYPE_CHECKING:
    from genoflow.deploy.settings import Settings
    from genoflow.events.log.port import EventLog
    from genoflow.processors.intake.order_desk import Ordered

__all__ = ["case"]

EVERY_SECONDS = 10.0  # a LIMS writes an order within a second; a person does not wait for this
EVERY_SECONDS_MIN = 0.05
LOOKS_ONCE = 2  # the first sees the files, the second that they hold still


@case.command(name="open")
@click.argument("files", nargs=-1, required=True, type=click.File("rb"), metavar="FILE...")
@AS
@DRY_RUN
def open_case(files: tuple[Any, ...], person: str | None, dry_run: bool) -> None:
    """Place the orders in these files (- is standard input), once all of them are right.

    A file is JSON, one order or a list: {"case_id", "kind", "assay", "reference", "members":
    [{"sample_id", "role", "subject_ref"}]}; or a table with these columns and one row a member.
    A member in JSON may have the metadata of its sample. Placing the same order again changes
    nothing.
    """
    from genoflow.deploy.order_metadata import OrderMetadata
    from genoflow.deploy.people import os_user
    from genoflow.deploy.subject import LogSubjects
    from genoflow.processors.intake.order_desk import Said, place, read_orders
    from genoflow.processors.intake.order_desk import person as named
    from genoflow.processors.intake.privacy import PrivacyGuard

    settings = read_settings()
    texts = [(one.name, _text(one)) for one in files]
    found = read_orders(texts, PrivacyGuard(settings.person_patterns))

    async def run() -> None:
        async with open_log(settings) as log:
            said = Said(named(person or os_user()), datetime.now(UTC))
            beside = OrderMetadata(log, settings.person_patterns, found.carried, said)
            for one in await place(
                log, LogSubjects(log), found.orders, said, dry_run=dry_run, beside=beside
            ):
                verb = "would be opened" if dry_run else "opened"
                count = len(one.order.members)
                what = f"{one.order.kind}, {count} member{'s' if count > 1 else ''}"
                new = f"{verb} ({what})" if one.is_new else "stands on the log already, unchanged"
                click.echo(f"{one.order.case_id}: {new}")

    asyncio.run(run())


def _text(file: Any) -> str:
    from genoflow.processors.intake.order_files import CHARACTERS_MAX

    try:
        # A character has four bytes at most; what is longer is refused by its length.
        return str(file.read(4 * CHARACTERS_MAX + 4).decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Refused(
            f"{file.name}: is not UTF-8 ({error}); save it as UTF-8; nothing was appended"
        ) from error


@case.command()
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--once", is_flag=True, help="place the files that are there, then end")
@click.option(
    "--every", type=click.FloatRange(EVERY_SECONDS_MIN, 86_400), default=EVERY_SECONDS,
    show_default=True, metavar="SECONDS", help="how long to wait between two looks",
)  # fmt: skip
@click.option("--as", "system", default="lims", show_default=True, help="which system orders")
def watch(directory: Path, once: bool, every: float, system: str) -> None:
    """Place the orders that a system leaves in DIR as JSON or as tables.

    A file is read when it has not changed between two looks, and moved to done/ or, with its
    reasons in a file beside it, to refused/. Files that begin with a dot are left alone.
    """
    asyncio.run(_watch(read_settings(), directory, system, every, once=once))


async def _watch(
    settings: Settings, directory: Path, system: str, every: float, *, once: bool
) -> None:
    from genoflow.deploy.order_drop import look
    from genoflow.events.errors import Retry

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    looks = 0
    async with open_log(settings) as log:
        shapes: Any = {}
        while not stop.is_set():
            seen = look(directory, shapes)
            shapes = seen.shapes
            looks += 1
            try:
                for path in seen.whole:
                    await _take(log, settings, path, system)
            except Retry as error:
                click.echo(f"genoflow: {error}; the next look is in {every:g} s", err=True)
            if once and looks >= LOOKS_ONCE:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every):
                    await stop.wait()


async def _take(log: EventLog, settings: Settings, path: Path, system: str) -> None:
    from genoflow.deploy.order_drop import put_away, text_of
    from genoflow.events.printable import printable

    try:
        found = _read(settings, path.name, text_of(path), system)
        done = await _place(log, settings, found, system)
    except Refused as error:
        target = put_away(path, str(error))
        click.echo(printable(f"{path.name}: refused; {target}.reason.txt says why"), err=True)
        return
    put_away(path)
    for line in done:
        click.echo(printable(f"{path.name}: {line}"))


def _read(settings: Settings, name: str, text: str, system: str) -> Ordered:
    from genoflow.processors.intake.order_desk import read_orders
    from genoflow.processors.intake.privacy import PrivacyGuard

    return read_orders([(name, text)], PrivacyGuard(settings.person_patterns), source=system)


async def _place(log: EventLog, settings: Settings, found: Ordered, system: str) -> list[str]:
    from genoflow.deploy.order_metadata import OrderMetadata
    from genoflow.deploy.subject import LogSubjects
    from genoflow.processors.intake.order_desk import Said, place, service

    said = Said(service(system), datetime.now(UTC))
    beside = OrderMetadata(log, settings.person_patterns, found.carried, said)
    placed = await place(log, LogSubjects(log), found.orders, said, dry_run=False, beside=beside)
    return [
        f"{one.order.case_id} {'opened' if one.is_new else 'stands on the log already'}"
        for one in placed
    ]


@case.command()
@click.argument("name", metavar="CASE")
@REASON
@click.option("--withdrawn", is_flag=True, help="consent or order was taken back")
@AS
@DRY_RUN
def cancel(name: str, reason: str, withdrawn: bool, person: str | None, dry_run: bool) -> None:
    """Close a case without results; what was said of its samples stays."""
    from genoflow.deploy.people import os_user
    from genoflow.deploy.subject import LogSubjects
    from genoflow.events.case_closed import CaseClosed
    from genoflow.processors.intake.order_desk import Said, close
    from genoflow.processors.intake.order_desk import person as named
    from genoflow.processors.intake.privacy import PrivacyGuard

    settings = read_settings()
    outcome = "withdrawn" if withdrawn else "cancelled"
    fact = CaseClosed(case_id=name, outcome=outcome, reason=reason)
    PrivacyGuard(settings.person_patterns).check(fact)

    async def run() -> bool:
        async with open_log(settings) as log:
            said = Said(named(person or os_user()), datetime.now(UTC))
            return await close(log, LogSubjects(log), fact, said, dry_run=dry_run)

    is_new = asyncio.run(run())
    verb = "would be closed" if dry_run else "closed"
    click.echo(f"{name}: {f'{verb}, {outcome}' if is_new else 'was closed so before'}")
