"""`genoflow work`: a worker, kept going; any processors, any number of times, on any machine."""

from __future__ import annotations

import asyncio
import sys

import click

from genoflow.deploy.settings import read_settings


@click.command()
@click.argument("processors", nargs=-1, metavar="[PROCESSOR]...")
@click.option("--once", is_flag=True, help="do not start again after an error that passes")
def work(processors: tuple[str, ...], once: bool) -> int:
    """Run these processors of the flow, all of them without one (a LIMS only where one is set).

    Run it as often as there is work, here and elsewhere: workers share the partitions. SIGTERM and
    SIGINT let it finish what it decided, and it ends with 0. An error that a fresh start mends is
    such a start, after 0.2 s to 5 s; with --once it is exit code 75 (70 for an error that nobody
    foresaw), for systemd or Kubernetes to start it again. What a person has to mend is exit code 1.
    """
    from genoflow.deploy.work import chosen, work_once
    from genoflow.deploy.work_keeper import keep

    settings = read_settings()  # a wrong setting is said once, not by every child
    rows = chosen(processors, has_lims=settings.lims is not None)
    if once:
        return work_once(settings, rows)
    command = (
        sys.executable, "-m", "genoflow.deploy.cli", "work", "--once", *(row.name for row in rows)
    )  # fmt: skip
    return asyncio.run(keep(command, lambda text: click.echo(f"genoflow: {text}", err=True)))
