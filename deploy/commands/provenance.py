"""`genoflow results provenance`: from what, by what and by whom results were made."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

import click

from genoflow.deploy.commands.ask import AS_JSON, answered, print_facts
from genoflow.deploy.settings import read_settings

if TYPE_CHECKING:
    from genoflow.deploy.answers import Answers
    from genoflow.projections.asking.provenance_parts import Provenance

EXIT_DIFFERS = 1


@click.command()
@click.argument("name", metavar="RUN|CASE|FILE")
@AS_JSON
@click.option(
    "--verify", is_flag=True,
    help="read every file once more and walk the chain of events; exit code 1 where one differs",
)  # fmt: skip
def provenance(name: str, as_json: bool, verify: bool) -> None:
    """Show from what results were made: files, code, parameters, reference, people, events.

    Of a case it is the run that was published last. A file is named by its key, by its address, or
    by its SHA-256.
    """
    from genoflow.deploy.provenance_lines import facts_of
    from genoflow.projections.asking.provenance import text_of

    told, faults = asyncio.run(answered(lambda answers: _told(answers, name)))
    if verify:
        _verified(told, faults, as_json=as_json)
    elif as_json:
        click.echo(text_of(told), nl=False)
    else:
        print_facts(facts_of(told), as_json=False)


async def _told(answers: Answers, name: str) -> tuple[Provenance, list[str]]:
    from genoflow.projections.asking.provenance import provenance_of
    from genoflow.projections.asking.provenance_asked import records_behind, run_named
    from genoflow.projections.asking.provenance_check import faults_in

    run_id = await run_named(answers.records, name)
    records = await records_behind(answers.records, run_id)
    told = provenance_of(run_id, records)
    return told, faults_in(told, records)


def _verified(told: Provenance, faults: list[str], *, as_json: bool) -> None:
    from genoflow.deploy.provenance_files import read_again
    from genoflow.deploy.wiring import open_s3
    from genoflow.events.printable import printable
    from genoflow.processors.adapters.s3 import S3ByteStore

    client = open_s3(read_settings())
    try:
        looked = read_again(told, S3ByteStore(client))
    finally:
        client.close()
    differs = [*faults, *looked.differs]
    found: dict[str, Any] = {
        "run": told.run.run_id, "events": len(told.events), "files": looked.files,
        "size_bytes": looked.size_bytes, "not_in_the_store": looked.not_here, "differs": differs,
    }  # fmt: skip
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        for one in (*differs, *(f"{name}: is in no store, and was not read" for name in
                                looked.not_here)):  # fmt: skip
            click.echo(printable(one))
        verdict = f"{len(differs):,} differ" if differs else "all are as the log says"
        click.echo(
            f"run {told.run.run_id}: {len(told.events):,} events and {looked.files:,} files "
            f"({looked.size_bytes:,} bytes) looked at; {verdict}"
        )
    if differs:
        sys.exit(EXIT_DIFFERS)
