"""`genoflow sample relabel | swap | metadata`: what a person says, beside the questions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TextIO

import click

from genoflow.deploy.commands.ask import answered, sample, to_stderr
from genoflow.deploy.commands.options import Decision, deciding, given_metadata
from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import open_log

if TYPE_CHECKING:
    from genoflow.api.desks import Decided
    from genoflow.deploy.subject import LogSubjects
    from genoflow.events.sample_relabelled import SampleRelabelled

__all__ = ["sample"]

# --as is the true sample here
DECIDING = deciding("operator", why="how it was found", person="--person")
Facts = Callable[["LogSubjects"], Awaitable["list[SampleRelabelled]"]]


@sample.command()
@click.argument("name", metavar="SAMPLE")
@click.option("--as", "true_name", metavar="TRUE", required=True, help="the sample that it is")
@click.option("--read-set", "read_sets", multiple=True, help="only this one; may be repeated")
@DECIDING
def relabel(name: str, true_name: str, read_sets: tuple[str, ...], decision: Decision) -> None:
    """Say that what was read as SAMPLE is another sample.

    All its read sets that count are meant, unless some are named. They are registered anew at the
    true sample with copies of their files; cases that had them wait again, and what was published
    of them is retracted.
    """
    from genoflow.deploy.label_desk import relabelled

    decided = decision.decided()
    _say(
        lambda subjects: relabelled(subjects, name, true_name, read_sets, decided),
        decision.dry_run,
    )


@sample.command()
@click.argument("name", metavar="SAMPLE")
@click.argument("other", metavar="OTHER")
@DECIDING
def swap(name: str, other: str, decision: Decision) -> None:
    """Say that SAMPLE and OTHER stand under each other's label: two relabellings, said at once."""
    from genoflow.deploy.label_desk import swapped

    decided = decision.decided()
    _say(lambda subjects: swapped(subjects, name, other, decided), decision.dry_run)


def _say(facts: Facts, dry_run: bool) -> None:
    asyncio.run(_said(facts, dry_run))


async def _said(facts: Facts, dry_run: bool) -> None:
    from genoflow.deploy.people import append_together
    from genoflow.deploy.subject import LogSubjects
    from genoflow.events.printable import printable

    settings = read_settings()
    async with open_log(settings) as log:
        said = await facts(LogSubjects(log))
        await append_together(log, said, settings.person_patterns, dry_run=dry_run)
    verb = "would move" if dry_run else "moves"
    for fact in said:
        names = ", ".join(fact.read_set_ids)
        click.echo(printable(f"{fact.sample_id}: {names} {verb} to {fact.true_sample_id}"))


@sample.command()
@click.argument("name", metavar="SAMPLE")
@click.argument("file", type=click.File("r", encoding="utf-8"), required=False)
@deciding(
    "operator", why="why they are said; needed with FILE", person="--person", must_say_why=False
)
def metadata(name: str, file: TextIO | None, decision: Decision) -> None:
    """Say all metadata of SAMPLE: one JSON object in FILE (- reads standard input).

    They have to fit the schema that its project has in force, and take the place of those before.
    Without FILE, what is said of SAMPLE now is printed as such an object.
    """
    if file is None:
        _show_metadata(name)
        return
    if not decision.reason:
        raise click.UsageError("say with --reason why these are its metadata")
    asyncio.run(_amended(name, given_metadata(file), decision.decided(), decision.dry_run))


def _show_metadata(name: str) -> None:
    import json

    from genoflow.events.errors import NotThere
    from genoflow.projections.asking.asked import about_sample

    told = asyncio.run(answered(lambda answers: about_sample(answers.source, name)))
    found = told.facts["metadata"]
    if not found:
        raise NotThere(f"{name}: no metadata are said of it; name a FILE that holds them")
    by = f"schema {found['schema']} {found['schema_version']}" if found["schema"] else "no schema"
    to_stderr(f"checked by {by}")
    click.echo(json.dumps(found["values"], indent=2, sort_keys=True))


async def _amended(name: str, given: Mapping[str, object], decided: Decided, dry_run: bool) -> None:
    from genoflow.deploy.metadata_desk import LogMetadata
    from genoflow.events.event import Event
    from genoflow.events.printable import printable

    settings = read_settings()
    async with open_log(settings) as log:

        async def append(fact: Event) -> None:
            if not dry_run:
                await log.append(fact)

        fact = await LogMetadata(log, settings.person_patterns).amend(name, given, decided, append)
    by = f"by schema {fact.schema_id} {fact.schema_version}" if fact.schema_id else "by no schema"
    verb = "would be said" if dry_run else "said"
    click.echo(printable(f"{fact.sample_id}: {len(fact.metadata)} values {verb}, checked {by}"))
