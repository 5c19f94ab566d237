"""`genoflow work`: a worker, kept going; any processors, any number of times, on any machine."""

from __future__ import annotations

import asyncio
import sys

import click

from genoflow.deploy.settings import read_settings


@click.command()
@click.argument("processors", nargs=-1, metavar="[PROCESSOR]...")
@click.option("--once", is_flag=True, help="do not start again after an error that passes")
@click.option("--again", type=click.IntRange(0), default=0, hidden=True)  # for its figures
def work(processors: tuple[str, ...], once: bool, again: int) -> int:
    """Run these processors of the flow, all of them without one (a LIMS only where one is set).

    Run it as often as there is work, here and elsewhere: workers share the partitions. SIGTERM and
    SIGINT let it finish what it decided, and it ends with 0. An error that a fresh start mends is
    such a start, after 0.2 s to 5 s; with --once it is exit code 75 (70 for an error that nobody
    foresaw), for systemd or Kubernetes to start it again. What a person has to mend is exit code 1.
    """
    settings = read_settings()  # a wrong setting is said once, not by every child
    if once:
        from genoflow.deploy.work import chosen, work_once

        names = chosen(processors, has_lims=settings.lims is not None)
        return work_once(settings, names, again=again)
    # The child looks the names up: whoever keeps it going loads nothing that a worker needs.
    from genoflow.deploy.work_keeper import keep

    def command(again: int) -> tuple[str, ...]:
        once = ("work", "--once", "--again", str(again))
        return (sys.executable, "-m", "genoflow.deploy.cli", *once, *processors)

    return asyncio.run(keep(command, lambda text: click.echo(f"genoflow: {text}", err=True)))
