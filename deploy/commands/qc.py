"""`genoflow qc`: what a person decides or asks about QC, reports, and measures without a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genoflow.deploy.commands.options import AS, DRY_RUN, REQUEST_ID
from genoflow.deploy.commands.qc_report import report
from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log
from genoflow.events.errors import Refused

if TYPE_CHECKING:
    from genoflow.events.event import Event
    from genoflow.events.log.port import EventLog

ROUND = click.option("--round", "number", type=int, help="this one; the last one otherwise")
WAIT_SECONDS_MAX = 60  # a worker answers within a second, one that has to start within some more
PAUSE_SECONDS = 0.5  # between two looks: each reads the partition of the sample
TOLD = ("round", "failed_metrics", "reads_wanted", "reason")
Decided = Callable[["list[Event]"], "Event"]


@click.group()
def qc() -> None:
    """Decide about reads that failed, ask how a sample does by a profile, and look at answers."""


qc.add_command(report)


@qc.command()
@click.argument("sample", metavar="SAMPLE")
@click.option("--reason", required=True, help="why it is safe")
@click.option("--role", default="operator", show_default=True, help="in which role you decide")
@REQUEST_ID
@ROUND
@AS
@DRY_RUN
def override(
    sample: str,
    reason: str,
    role: str,
    request_id: str | None,
    number: int | None,
    person: str | None,
    dry_run: bool,
) -> None:
    """Let SAMPLE go on although its reads, or its run, failed.

    It concerns the last round, unless one is named: two orders that ask for different things have
    a round each. Mates that differ and samples without reads cannot be
    overridden: no run can take them.
    """
    from genoflow.deploy.qc_desk import overridden

    def decided(story: list[Event]) -> Event:
        return overridden(
            sample, story, reason=reason, role=role, person=person, request_id=request_id,
            number=number, at=datetime.now(UTC),
        )  # fmt: skip

    asyncio.run(_decide(sample, decided, dry_run))


@qc.command(name="top-up")
@click.argument("sample", metavar="SAMPLE")
@click.option("--reason", required=True, help="why more reads can mend it")
@click.option("--reads", type=click.IntRange(min=1), help="how many; else the estimate of QC")
@click.option("--library", "library_id", help="to sequence again; else a new preparation")
@ROUND
@AS
@DRY_RUN
def top_up(
    sample: str,
    reason: str,
    reads: int | None,
    library_id: str | None,
    number: int | None,
    person: str | None,
    dry_run: bool,
) -> None:
    """Ask the laboratory for more reads of SAMPLE; the next round is judged on all of them."""
    from genoflow.deploy.qc_desk import topped_up

    def decided(story: list[Event]) -> Event:
        return topped_up(
            sample, story, reason=reason, reads=reads, library_id=library_id, person=person,
            number=number, at=datetime.now(UTC),
        )  # fmt: skip

    asyncio.run(_decide(sample, decided, dry_run))


@qc.command()
@click.argument("bam", metavar="BAM", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--sites",
    metavar="VCF",
    required=True,
    help="common variants with AF in INFO",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--json", "as_json", is_flag=True, help="for programs")
def contamination(bam: Path, sites: Path, as_json: bool) -> None:
    """Tell how much of the reads of an indexed BAM is somebody else's; no server is needed."""
    from dataclasses import asdict

    from genoflow.processors.contamination import count_sites, estimate, read_sites

    found = estimate(count_sites(bam, read_sites(sites)))
    if as_json:
        told = asdict(found)
        click.echo(json.dumps({"contamination_rate": told.pop("share"), **told}))
    elif found.share is None:
        click.echo(f"{bam}: is not known: {found.unknown}")
    else:
        within = f"{found.low:.2%} to {found.high:.2%}"
        said = f"{found.sites} variants, {found.reads} reads"
        click.echo(f"{bam}: {found.share:.2%} of its reads are foreign ({within}; {said})")


@qc.command()
@click.argument("sample", metavar="SAMPLE")
@click.option("--profile", default="standard", show_default=True, help="also strict, custom, yours")
@click.option("--data", "path", help="s3://bucket/key of a file or folder; all of them otherwise")
@click.option("--parameters", help="thresholds by metric as JSON, for custom and yours")
@click.option("--wait", is_flag=True, help="until it is answered; exit code 1 where it is no pass")
@click.option("--json", "as_json", is_flag=True, help="for programs")
@REQUEST_ID
@AS
@DRY_RUN
def analyze(
    sample: str,
    profile: str,
    path: str | None,
    parameters: str | None,
    wait: bool,
    as_json: bool,
    request_id: str | None,
    person: str | None,
    dry_run: bool,
) -> int:
    """Ask how SAMPLE does by a profile; its own rounds of QC stay as they are.

    Parameters are such as {"q30_fraction": {"required_min": 0.9}}. The same question about the
    same files is one question, unless it has a --request-id of its own.
    """
    from genoflow.deploy.qc_questions import thresholds_in

    thresholds = thresholds_in(parameters) if parameters else ()

    async def ask() -> int:
        from genoflow.deploy.people import append_said, said_by
        from genoflow.deploy.qc_questions import question, stands

        settings = read_settings()
        async with open_log(settings) as log:
            proposal = await question(log, sample, profile, path, thresholds, request_id)
            name, place = str(proposal.external_id()), "asked before"
            if not await stands(log, proposal):
                fact = said_by(person, proposal, datetime.now(UTC))
                place = await append_said(log, fact, settings.person_patterns, dry_run=dry_run)
            if not wait or dry_run:
                click.echo(json.dumps({"qc_job_id": name}) if as_json else f"{name} ({place})")
                return 0
            return await _answer(log, sample, name, as_json)

    return asyncio.run(ask())


@qc.command()
@click.argument("job_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="for programs")
def results(job_id: str, as_json: bool) -> None:
    """Tell how far ID is and how it came out: a question, or a round such as S7.1."""

    async def look() -> None:
        from genoflow.deploy.qc_questions import story_of, told

        async with open_log(read_settings()) as log:
            _print(told(await story_of(log, job_id)), as_json)

    asyncio.run(look())


async def _answer(log: EventLog, sample: str, name: str, as_json: bool) -> int:
    from genoflow.deploy.qc_questions import is_answered, story_of, told

    try:
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            while True:
                story = await story_of(log, name, sample)
                if is_answered(story):
                    break
                await asyncio.sleep(PAUSE_SECONDS)
    except TimeoutError as error:
        raise Refused(
            f"{name}: has no answer after {WAIT_SECONDS_MAX} s; does `genoflow work` run? It is "
            f"told by `genoflow qc results {name}`"
        ) from error
    row = told(story)
    _print(row, as_json)
    return 0 if row["pass_fail"] == "pass" else 1


def _print(row: dict[str, Any], as_json: bool) -> None:
    from genoflow.deploy.qc_questions import lines_of
    from genoflow.events.printable import printable

    if as_json:
        click.echo(json.dumps(row, indent=2, ensure_ascii=False))
        return
    for line in lines_of(row):
        click.echo(printable(line))


async def _decide(sample: str, decided: Decided, dry_run: bool) -> None:
    from genoflow.deploy.people import append_said
    from genoflow.deploy.qc_desk import qc_of
    from genoflow.events.printable import printable

    settings = read_settings()
    async with open_log(settings) as log:
        fact = decided(await qc_of(log, sample))
        place = await append_said(log, fact, settings.person_patterns, dry_run=dry_run)
    click.echo(printable(f"{fact.type()} {sample}: {_told(fact)} ({place})"))


def _told(fact: Event) -> str:
    said = {name: value for name, value in fact.payload().items() if name in TOLD}
    texts = {
        name: ", ".join(value) if isinstance(value, list) else value for name, value in said.items()
    }
    return "; ".join(f"{name.replace('_', ' ')} {text}" for name, text in texts.items())
