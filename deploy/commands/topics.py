"""`genoflow topics apply | check`: the topics of the log, as declared and as they are."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import click

from genoflow.deploy.settings import Settings, read_settings
from genoflow.deploy.wiring import every_topic, open_log, topic_admin
from genoflow.events.errors import TopicMismatch
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicState

EXIT_DIFFERENT = 1


@click.group()
def topics() -> None:
    """Create the topics of the log, and compare them with what is declared.

    Nothing is ever altered or deleted: a difference is for a person to decide.
    """


@topics.command()
@click.option("--json", "as_json", is_flag=True, help="for programs")
def apply(as_json: bool) -> None:
    """Create the topics that are missing."""
    settings = read_settings()
    created = asyncio.run(_apply(settings))
    if as_json:
        click.echo(json.dumps({"created": created}))
        return
    for name in created:
        click.echo(f"created {name}")
    click.echo(f"{len(every_topic())} topics are there, {len(created)} of them new")


async def _apply(settings: Settings) -> list[str]:
    async with open_log(settings) as log, topic_admin(settings, log) as admin:
        return [log.wire_name(topic.name) for topic in await admin.apply(every_topic())]


@topics.command()
@click.option("--json", "as_json", is_flag=True, help="for programs")
def check(as_json: bool) -> None:
    """Compare the topics with what is declared; a difference is a line and exit code 1."""
    settings = read_settings()
    rows = asyncio.run(_check(settings))
    if as_json:
        click.echo(json.dumps({"topics": rows}, indent=2))
    else:
        _print_table(rows)
    differences = [line for row in rows for line in row["differences"]]
    if differences and not as_json:
        raise TopicMismatch("\n".join(differences))
    if differences:
        raise click.exceptions.Exit(EXIT_DIFFERENT)


async def _check(settings: Settings) -> list[dict[str, Any]]:
    async with open_log(settings) as log, topic_admin(settings, log) as admin:
        return [await _row(log, state) for state in await admin.check(every_topic())]


async def _row(log: KafkaLog, state: TopicState) -> dict[str, Any]:
    name = log.wire_name(state.topic.name)
    differences = list(state.differences)
    offsets = 0
    if state.exists and state.partitions:
        offsets = await _offsets(log, state)
    else:
        differences.append(
            f"kafka at {log.address}: topic {name} is missing; run `genoflow topics apply`"
        )
    return {
        "name": name, "key": state.topic.key, "partitions": state.partitions,
        "retention": state.topic.retention.value, "offsets": offsets, "differences": differences,
    }  # fmt: skip


async def _offsets(log: KafkaLog, state: TopicState) -> int:
    # A count of partitions that differs is one of the differences: it must not end the command.
    if any("partitions and" in line for line in state.differences):
        return 0
    starts, ends = await log.starts(state.topic.name), await log.ends(state.topic.name)
    return sum(ends[place] - starts[place] for place in ends)


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for title in ("topic", "key", "retention"):
        table.add_column(title, no_wrap=True)
    for title in ("partitions", "offsets"):
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(
            str(row["name"]), str(row["key"]), str(row["retention"]),
            str(row["partitions"] or "-"), f"{row['offsets']:,}",
        )  # fmt: skip
    Console(soft_wrap=True).print(table)
