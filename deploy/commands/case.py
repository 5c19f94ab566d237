"""`genoflow case open | cancel`: orders and their end, beside the questions about cases."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from genoflow.deploy.commands.ask import case
from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log
from genoflow.events.errors import Refused

__all__ = ["case"]

AS = click.option("--as", "person", help="who decides; the account that runs this otherwise")
DRY_RUN = click.option("--dry-run", is_flag=True, help="check everything, append nothing")


@case.command(name="open")
@click.argument("files", nargs=-1, required=True, type=click.File("rb"), metavar="FILE...")
@AS
@DRY_RUN
def open_case(files: tuple[Any, ...], person: str | None, dry_run: bool) -> None:
    """Place the orders in these files (- is standard input), once all of them are right.

    A file is JSON, one order or a list: {"case_id", "kind", "assay", "reference", "members":
    [{"sample_id", "role", "subject_ref"}]}; or a table with these columns and one row a member.
    Placing the same order again changes nothing.
    """
    from genoflow.deploy.orders import place, read_orders
    from genoflow.deploy.people import os_user
    from genoflow.deploy.subject import LogSubjects
    from genoflow.processors.intake.privacy import PrivacyGuard

    settings = read_settings()
    texts = [(one.name, _text(one)) for one in files]
    orders = read_orders(texts, PrivacyGuard(settings.person_patterns))

    async def run() -> None:
        async with open_log(settings) as log:
            who = person or os_user()
            for one in await place(log, LogSubjects(log), orders, who, dry_run=dry_run):
                verb = "would be opened" if dry_run else "opened"
                count = len(one.order.members)
                what = f"{one.order.kind}, {count} member{'s' if count > 1 else ''}"
                said = f"{verb} ({what})" if one.is_new else "stands on the log already, unchanged"
                click.echo(f"{one.order.case_id}: {said}")

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
@click.argument("name", metavar="CASE")
@click.option("--reason", required=True, help="why, for whoever asks later")
@click.option("--withdrawn", is_flag=True, help="consent or order was taken back")
@AS
@DRY_RUN
def cancel(name: str, reason: str, withdrawn: bool, person: str | None, dry_run: bool) -> None:
    """Close a case without results; what was said of its samples stays."""
    from genoflow.deploy.orders import close
    from genoflow.deploy.people import os_user
    from genoflow.deploy.subject import LogSubjects
    from genoflow.events.case_closed import CaseClosed
    from genoflow.processors.intake.privacy import PrivacyGuard

    settings = read_settings()
    outcome = "withdrawn" if withdrawn else "cancelled"
    fact = CaseClosed(case_id=name, outcome=outcome, reason=reason)
    PrivacyGuard(settings.person_patterns).check(fact)

    async def run() -> bool:
        async with open_log(settings) as log:
            who = person or os_user()
            return await close(log, LogSubjects(log), fact, who, dry_run=dry_run)

    is_new = asyncio.run(run())
    verb = "would be closed" if dry_run else "closed"
    click.echo(f"{name}: {f'{verb}, {outcome}' if is_new else 'was closed so before'}")
