"""`genoflow replay projection`: what a read model would be by this code, with nothing switched."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from genoflow.deploy.commands.project import print_rebuilt, tell
from genoflow.deploy.commands.replay import EXIT_DIFFERENT
from genoflow.deploy.commands.reprocess import replay
from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log, open_postgres

if TYPE_CHECKING:
    from genoflow.projections.rebuild import Rebuilt

__all__ = ["replay"]


@replay.command("projection")
@click.argument("name", metavar="NAME")
@click.option("--diff", is_flag=True, help="show rows that would become others, and why")
def rehearsal(name: str, diff: bool) -> None:
    """Build NAME anew, compare its rows with those that readers see, and throw it away.

    Exit code 3 says that rows differ; `genoflow projection rebuild NAME` then switches to them.
    """
    from genoflow.deploy.garbage import settle
    from genoflow.deploy.projecting import chosen
    from genoflow.projections.rebuild import rehearse
    from genoflow.projections.runner import bring_up

    models = chosen((name,))
    settle()

    async def run() -> Rebuilt:
        settings = read_settings()
        async with open_log(settings) as log, open_postgres(settings) as connection:
            await bring_up(log, log.codec, connection, models[:-1])  # states are fetched from it
            return await rehearse(log, log.codec, connection, models[-1], tell)

    done = asyncio.run(run())
    print_rebuilt(done, diff=diff, now="nothing was switched")
    if done.comparison.changed:
        raise click.exceptions.Exit(EXIT_DIFFERENT)
